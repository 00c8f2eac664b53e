/*
 * Plots of several states of the project in one HTML file that needs nothing else (docs/plots.md):
 * curves, scatter plots, confusion matrices, bars, and images side by side.
 *
 * States are added one by one; what they have by the same name becomes one picture.  The page's own
 * script and style are in lib/metrics/page/; the data go into it as JSON.
 */
#ifndef LIB_METRICS_PLOTS_H
#define LIB_METRICS_PLOTS_H

#include "lib/base/buf.h"
#include "lib/repo/source.h"

enum {
	PLOTS_DATA_MAX = 64 * 1024 * 1024,  /* bytes of a file of values */
	PLOTS_IMAGE_MAX = 32 * 1024 * 1024, /* bytes of an image */
	PLOTS_IMAGES_MAX = 1000		    /* of a directory */
};

/* Instead of what dvx.yaml says; NULL: nothing.  All of it is borrowed. */
struct plots_options {
	const char *x, *y, *title, *x_label, *y_label, *template;
	int no_header;		    /* CSV and TSV begin with values; columns are "0", "1"… */
	const char *const *targets; /* n_targets; 0: all that is declared.  Names of plots, files,
				       directories; from the top */
	size_t n_targets;
};

struct plots;

/* 1 if it is a template ("linear", "confusion"…), else 0. */
int plots_is_template(const char *name);
/* The i-th of them, NULL behind the last. */
const char *plots_template(size_t i);

/* `repo` and what `o` points to are borrowed until plots_free.  0 or ERR_NOMEM. */
int plots_new(struct plots **out, const struct repo *repo, const struct plots_options *o);
void plots_free(struct plots *p);
/* Read what this state declares.  A file that cannot be read is noted in the page.  0; ERR_INVALID:
 * dvx.yaml is wrong; other errors. */
int plots_add(struct plots *p, struct source *src);
/* 0; ERR_NOTFOUND: a target is in none of the states, or there is no plot at all. */
int plots_check(const struct plots *p);

/* Append the whole page; `title`: of the document. */
int plots_html(struct buf *out, const struct plots *p, const char *title);
/* Append the same data as JSON, images by their size only. */
int plots_json(struct buf *out, const struct plots *p);

#endif
