/*
 * Plots between reading (plots.c, plots_data.c) and printing (plots_page.c).
 */
#ifndef LIB_METRICS_PLOTS_INTERNAL_H
#define LIB_METRICS_PLOTS_INTERNAL_H

#include "lib/base/strmap.h"
#include "lib/base/strvec.h"
#include "lib/metrics/plots.h"
#include "lib/yaml/node.h"

/* One line: two columns of one file of one state. */
struct plot_series {
	char *revision, *name;
	struct buf x, y; /* JSON lists of equal length */
};
struct plot_image {
	char *revision;
	const char *type; /* "image/png"; static */
	struct buf bytes;
};
struct plot {
	char *id;
	char *title, *x_label, *y_label, *template; /* NULL: by default */
	char *x_name, *y_name;			    /* of the columns; "" when they differ */
	struct plot_series *series;
	size_t n_series;
	struct plot_image *images;
	size_t n_images;
	struct strvec notes;
};
struct plots {
	const struct repo *repo;
	struct plots_options o;
	struct plot **v;
	size_t n;
	struct strmap by_id;	 /* of v */
	struct strmap declared;	 /* targets that a state declares */
	struct strvec revisions; /* in the order of adding */
};

/* One plot in one state. */
struct plot_reading {
	struct plots *p;
	struct source *src;
	struct plot *plot;
	const struct node *options; /* as in dvx.yaml; NULL: none */
};

/* Draw columns of a file of values.  `fields`: a name, a list of names, or NULL; `name`: what tells
 * its series from those of other files, "" for the only one. */
int plot_add_file(
	struct plot_reading *r, const char *file, const struct node *fields, const char *name);
/* "image/png" by the name of the file; NULL: it is none.  Static. */
const char *plot_image_type(const char *path);
int plot_add_image(struct plot_reading *r, const char *path);
/* Each image below a directory is a plot of its own; *found: there is one. */
int plot_add_directory(struct plot_reading *r, const char *dir, int *found);

/* The plot of that name, made if it is not there.  NULL: out of memory. */
struct plot *plots_get(struct plots *p, const char *id);
/* Append "<revision>: <the present error message>" to its notes. */
int plot_note(struct plot *plot, const char *revision);

/* The list in a document whose items have this field (NULL: the first list of maps), or a list of
 * numbers.  Borrowed; NULL: there is none. */
const struct node *plot_rows(const struct node *root, const char *field);
/* The name of the field that is drawn by default: the `place`-th from 0, else the last.  Borrowed;
 * NULL: none. */
const char *plot_field(const struct node *rows, size_t place);
/* Append the column as a JSON list; `field` NULL: the row's number, or the item itself where it is
 * no map.  ERR_NOTFOUND: no row has it ("<name>: no field 'x'; there are: a, b"). */
int plot_column(struct buf *out, const char *name, const struct node *rows, const char *field);
/* Append a string as JSON, whatever its bytes are. */
int plot_json_string(struct buf *out, const char *text);

#endif
