/*
 * Reading what a plot shows in one state: columns of a file of values, an image, the images of a
 * directory.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/metrics/plots_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/metrics/values.h"
#include "lib/repo/git.h"
#include "lib/table/csvread.h"

static const char *option_text(const struct plot_reading *r, const char *key)
{
	const struct node *n = r->options != NULL ? node_get(r->options, key) : NULL;

	return n != NULL && node_is_scalar(n) && n->type != NODE_NULL ? n->text : NULL;
}

/* ---- values ---- */

/* Its template is of this kind. */
static int has_template(const struct plot *plot, const char *kind)
{
	return plot->template != NULL && strncmp(plot->template, kind, strlen(kind)) == 0;
}

static int stop_at_first(const struct csvread_row *row, void *data)
{
	*(size_t *)data = row->n;
	return 1;
}

/* Put "0,1,2…" before a table that has no header. */
static int add_header(struct buf *text, const char *file)
{
	char delimiter = csvread_delimiter_of(file, text->p, text->len);
	struct buf with = BUF_INIT;
	size_t n = 0;
	int rc = csvread_text(file, delimiter, buf_str(text), text->len, stop_at_first, &n);

	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = i ? buf_addf(&with, "%c%zu", delimiter, i) : buf_addstr(&with, "0");
	if (rc >= 0)
		rc = buf_addch(&with, '\n');
	if (rc == 0)
		rc = buf_add(&with, buf_str(text), text->len);
	buf_release(text);
	*text = with;
	return rc;
}

/* `header: false` or --no-header. */
static int is_headless(const struct plot_reading *r)
{
	const struct node *header = r->options != NULL ? node_get(r->options, "header") : NULL;

	return r->p->o.no_header || (header != NULL && header->type == NODE_BOOL && !header->i);
}

static int read_values(struct plot_reading *r, const char *file, struct node **out)
{
	const char *dot = strrchr(file, '.');
	int is_csv = dot != NULL && strcasecmp(dot, ".csv") == 0;
	int is_tsv = dot != NULL && strcasecmp(dot, ".tsv") == 0;
	struct buf text = BUF_INIT;
	int rc = source_read(r->src, file, PLOTS_DATA_MAX, &text);

	if (rc == 0 && (is_csv || is_tsv) && is_headless(r))
		rc = add_header(&text, file);
	if (rc == 0)
		rc = values_parse(out, file,
			is_csv	 ? "hcsv"
			: is_tsv ? "htsv"
				 : NULL,
			buf_str(&text), text.len);
	buf_release(&text);
	return rc;
}

/* What the columns of all series have as their name, "" when they differ. */
static int note_name(char **name, const char *field)
{
	if (*name != NULL && strcmp(*name, field) != 0)
		**name = '\0';
	if (*name == NULL)
		*name = strdup(field);
	return *name != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static struct plot_series *new_series(struct plot_reading *r, const char *name)
{
	struct plot *plot = r->plot;
	struct plot_series *grown = reallocarray(plot->series, plot->n_series + 1, sizeof *grown);
	struct plot_series *s;

	if (grown != NULL) {
		plot->series = grown;
		s = &grown[plot->n_series];
		*s = (struct plot_series){
			.revision = strdup(source_name(r->src)), .name = strdup(name)};
		plot->n_series++;
		if (s->revision != NULL && s->name != NULL)
			return s;
	}
	err_set(ERR_NOMEM, "out of memory");
	return NULL;
}

static void drop_series(struct plot *plot)
{
	struct plot_series *s = &plot->series[--plot->n_series];

	free(s->revision);
	free(s->name);
	buf_release(&s->x);
	buf_release(&s->y);
}

/* Where a series' two columns are. */
struct columns {
	const char *file, *x_file; /* x_file NULL: the same */
	const char *x, *y;	   /* NULL: by default */
	const char *name;	   /* of the file's part; "" for the only file */
};

static int x_column(struct plot_reading *r, const struct columns *c, const struct node *rows,
	const char *x, struct buf *out)
{
	struct node *root = NULL;
	int rc;

	if (x == NULL || c->x_file == NULL || strcmp(c->x_file, c->file) == 0)
		return plot_column(out, c->file, rows, x);
	rc = read_values(r, c->x_file, &root);
	if (rc == 0 && (rows = plot_rows(root, x)) == NULL)
		rc = err_set(ERR_NOTFOUND, "%s: no list with a field '%s'", c->x_file, x);
	if (rc == 0)
		rc = plot_column(out, c->x_file, rows, x);
	node_free(root);
	return rc;
}

static int add_series(struct plot_reading *r, const struct columns *c, const struct node *root)
{
	const struct node *rows = plot_rows(root, c->y);
	const char *x = c->x, *y = c->y;
	struct buf name = BUF_INIT;
	struct plot_series *s;
	int rc = 0;

	if (rows == NULL)
		rows = plot_rows(root, NULL);
	if (rows == NULL)
		return err_set(
			ERR_NOTFOUND, "%s: no list of maps, no table, no list of numbers", c->file);
	if (y == NULL)
		y = plot_field(rows, has_template(r->plot, "confusion") ? 1
				     : has_template(r->plot, "bar_")	? 0
									: SIZE_MAX);
	if (x == NULL && has_template(r->plot, "confusion"))
		x = plot_field(rows, 0);
	if (x == NULL && has_template(r->plot, "bar_"))
		x = plot_field(rows, SIZE_MAX);
	if (buf_addf(&name, "%s%s%s", c->name, *c->name && y != NULL ? ": " : "",
		    y != NULL ? y : "") < 0 ||
		(s = new_series(r, buf_str(&name))) == NULL) {
		rc = ERR_NOMEM;
		goto done;
	}
	rc = plot_column(&s->y, c->file, rows, y);
	if (rc == 0)
		rc = x_column(r, c, rows, x, &s->x);
	if (rc == 0 && y == NULL && x == NULL) {
		/* a list of numbers has no x: their places */
		buf_reset(&s->x);
		rc = buf_addch(&s->x, '[');
		for (size_t i = 0; rc == 0 && i < rows->n; i++)
			rc = buf_addf(&s->x, "%s%zu", i ? "," : "", i);
		if (rc == 0)
			rc = buf_addch(&s->x, ']');
	}
	if (rc < 0) {
		drop_series(r->plot);
		goto done;
	}
	rc = note_name(&r->plot->y_name, y != NULL ? y : "");
	if (rc == 0)
		rc = note_name(&r->plot->x_name, x != NULL ? x : "");
done:
	buf_release(&name);
	return rc;
}

/* The field of x that belongs to a file: {file: field}, or one for all. */
static void choose_x(const struct plot_reading *r, struct columns *c)
{
	const struct node *x = r->options != NULL ? node_get(r->options, "x") : NULL;
	const struct node *own;

	c->x = r->p->o.x != NULL ? r->p->o.x : option_text(r, "x");
	c->x_file = NULL;
	if (r->p->o.x != NULL || x == NULL || x->type != NODE_MAP || x->n == 0)
		return;
	own = node_get(x, c->file);
	c->x_file = own != NULL ? c->file : x->keys[0];
	own = own != NULL ? own : x->items[0];
	c->x = node_is_scalar(own) ? own->text : NULL;
}

int plot_add_file(
	struct plot_reading *r, const char *file, const struct node *fields, const char *name)
{
	struct columns c = {.file = file, .name = name, .y = r->p->o.y};
	struct node *root = NULL;
	int rc = read_values(r, file, &root);

	choose_x(r, &c);
	if (c.y == NULL && fields != NULL && node_is_scalar(fields) && fields->type != NODE_NULL)
		c.y = fields->text;
	if (rc == 0 && c.y == NULL && fields != NULL && fields->type == NODE_LIST) {
		for (size_t i = 0; rc == 0 && i < fields->n; i++) {
			c.y = node_is_scalar(fields->items[i]) ? fields->items[i]->text : "";
			rc = add_series(r, &c, root);
		}
	} else if (rc == 0) {
		rc = add_series(r, &c, root);
	}
	node_free(root);
	return rc;
}

/* ---- images ---- */

const char *plot_image_type(const char *path)
{
	static const struct {
		const char *extension, *type;
	} known[] = {{".png", "image/png"}, {".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"},
		{".gif", "image/gif"}, {".webp", "image/webp"}, {".svg", "image/svg+xml"}};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot != NULL && i < sizeof known / sizeof *known; i++)
		if (strcasecmp(dot, known[i].extension) == 0)
			return known[i].type;
	return NULL;
}

int plot_add_image(struct plot_reading *r, const char *path)
{
	struct plot *plot = r->plot;
	struct plot_image *image =
		reallocarray(plot->images, plot->n_images + 1, sizeof *plot->images);
	int rc;

	if (image == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	plot->images = image;
	image += plot->n_images;
	*image = (struct plot_image){.type = plot_image_type(path)};
	rc = source_read(r->src, path, PLOTS_IMAGE_MAX, &image->bytes);
	if (rc == 0 && (image->revision = strdup(source_name(r->src))) == NULL)
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc < 0)
		buf_release(&image->bytes);
	else
		plot->n_images++;
	return rc;
}

/* Append "<dir>/<name>" of each image below a directory of the worktree. */
static int list_worktree(
	struct strvec *out, const struct repo *repo, const char *dir, unsigned depth)
{
	enum { DEPTH_MAX = 8 };
	struct buf path = BUF_INIT;
	struct dirent **names = NULL;
	int n = -1, rc = fs_join(&path, repo->dir->worktree, dir);

	if (rc == 0)
		n = scandir(path.p, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		struct buf name = BUF_INIT;

		if (rc == 0 && names[i]->d_name[0] != '.' && out->n < PLOTS_IMAGES_MAX)
			rc = buf_addf(&name, "%s/%s", dir, names[i]->d_name);
		if (rc == 0 && name.len > 0 && names[i]->d_type == DT_DIR && depth < DEPTH_MAX)
			rc = list_worktree(out, repo, name.p, depth + 1);
		else if (rc == 0 && name.len > 0 && plot_image_type(name.p) != NULL)
			rc = strvec_push(out, name.p);
		buf_release(&name);
		free(names[i]);
	}
	free(names);
	buf_release(&path);
	return rc;
}

static int list_commit(
	struct strvec *out, const struct repo *repo, const char *revision, const char *dir)
{
	struct buf list = BUF_INIT, below = BUF_INIT;
	int rc = buf_addf(&below, "%s/", dir);

	if (rc == 0)
		rc = git_run(repo, NULL, 0, &list, "ls-tree", "-r", "-z", "--name-only",
			"--full-tree", revision, "--", below.p, (char *)NULL);
	for (const char *p = buf_str(&list); rc == 0 && p < list.p + list.len; p += strlen(p) + 1)
		if (plot_image_type(p) != NULL && out->n < PLOTS_IMAGES_MAX)
			rc = strvec_push(out, p);
	buf_release(&list);
	buf_release(&below);
	return rc;
}

int plot_add_directory(struct plot_reading *r, const char *dir, int *found)
{
	struct strvec paths = STRVEC_INIT;
	int rc = source_is_worktree(r->src)
			 ? list_worktree(&paths, r->p->repo, dir, 0)
			 : list_commit(&paths, r->p->repo, source_name(r->src), dir);

	for (size_t i = 0; rc == 0 && i < paths.n; i++) {
		struct plot_reading one = *r;

		one.plot = plots_get(r->p, paths.v[i]);
		rc = one.plot != NULL ? plot_add_image(&one, paths.v[i]) : ERR_NOMEM;
		if (rc < 0 && rc != ERR_NOMEM)
			rc = plot_note(one.plot, source_name(r->src));
	}
	*found = paths.n > 0;
	strvec_release(&paths);
	return rc;
}
