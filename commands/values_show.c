/*
 * Values of one or many states, a row for each state and file and a column for each name, as DVC
 * shows them.  Where that is wider than the terminal, a row for each value instead.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/values.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/strmap.h"
#include "lib/repo/git.h"

/* The names that are columns, in the order in which they were met. */
struct columns {
	struct strmap places; /* name -> place + 1 */
	struct column {
		const char *name; /* borrowed from `names` */
		int numbers;	  /* some of its values are numbers */
	} * v;
	struct strvec names;
	size_t cap;
};

/* The last row that was written of the files at one place.  Most states have most files as the
 * state before has them: then its text is taken again. */
struct line {
	const struct node *root;
	struct strvec text; /* of the columns' cells */
};

struct show {
	struct values_command *c;
	struct states states;
	struct values *v; /* one for each state */
	struct columns columns;
	const struct node **cells; /* of the row at hand: one for each column */
	struct line *lines;	   /* one for each place in a state's files */
	size_t n_lines;
	struct table *t;
	struct buf text;
	const char *state, *path; /* of the row at hand, as they are shown */
};

/* ---- which states ---- */

static int values_equal(const struct values *a, const struct values *b)
{
	if (a->n != b->n || (a->error != NULL) != (b->error != NULL))
		return 0;
	for (size_t i = 0; i < a->n; i++) {
		const struct node *x = a->v[i].root, *y = b->v[i].root;

		if (strcmp(a->v[i].path, b->v[i].path) != 0 || (x == NULL) != (y == NULL) ||
			(x != NULL && x != y && !node_equal(x, y)))
			return 0;
	}
	return 1;
}

/* 1 if the state's name is, or holds among its names, that of the branch. */
static int is_branch(const char *name, const char *branch)
{
	size_t len = strlen(branch);

	for (; name != NULL; name = strchr(name, ',') ? strchr(name, ',') + 1 : NULL)
		if (strncmp(name, branch, len) == 0 && (name[len] == '\0' || name[len] == ','))
			return 1;
	return 0;
}

/* Among all branches, a worktree that has what its own branch has says nothing. */
static int hide_worktree(struct show *s)
{
	struct buf branch = BUF_INIT;
	int rc = 0;

	if (s->c->states.branches && s->states.n > 1 && s->states.v[0].is_worktree)
		rc = states_branch(&branch, &s->c->ctx->repo);
	for (size_t i = 1; rc == 0 && branch.len > 0 && i < s->states.n; i++)
		if (is_branch(s->states.v[i].name, branch.p) && values_equal(&s->v[0], &s->v[i])) {
			values_release(&s->v[0]);
			break;
		}
	buf_release(&branch);
	return rc;
}

static int collect(struct show *s)
{
	int rc = states_list(&s->states, &s->c->ctx->repo, &s->c->states);

	if (rc == 0) {
		s->v = calloc(s->states.n + 1, sizeof(*s->v));
		if (s->v == NULL)
			rc = err_set(ERR_NOMEM, "out of memory");
	}
	for (size_t i = 0; rc == 0 && i < s->states.n; i++) {
		rc = values_of(&s->v[i], s->c, &s->states.v[i]);
		if (rc == 0)
			rc = values_note(s->c, &s->v[i]);
	}
	return rc == 0 ? hide_worktree(s) : rc;
}

/* ---- tables ---- */

static int add_column(const char *name, const struct node *value, void *data)
{
	struct show *s = data;
	struct columns *c = &s->columns;
	uintptr_t place = (uintptr_t)strmap_get(&c->places, name);
	int rc;

	if (place == 0) {
		if (array_room(&c->v, c->names.n, &c->cap, sizeof(*c->v)) < 0)
			return ERR_NOMEM;
		rc = strvec_push(&c->names, name);
		if (rc < 0)
			return rc;
		place = c->names.n;
		c->v[place - 1] = (struct column){.name = c->names.v[place - 1]};
		rc = strmap_put(&c->places, name, (void *)place);
		if (rc < 0)
			return rc;
	}
	if (node_is_number(value))
		c->v[place - 1].numbers = 1;
	return 0;
}

/* A file that the state before has, too, brings no new names. */
static int is_as_before(const struct show *s, size_t state, size_t place)
{
	return state > 0 && place < s->v[state - 1].n &&
	       s->v[state - 1].v[place].root == s->v[state].v[place].root;
}

static int find_columns(struct show *s)
{
	int rc = 0;

	for (size_t i = 0; i < s->states.n; i++)
		for (size_t k = 0; rc == 0 && k < s->v[i].n; k++)
			if (s->v[i].v[k].root != NULL && !is_as_before(s, i, k))
				rc = values_each(s->v[i].v[k].root, add_column, s);
	return rc;
}

static int start_table(struct show *s)
{
	int rc = table_new(&s->t);

	if (rc == 0 && s->states.named)
		rc = table_column(s->t, "Revision", TABLE_LEFT);
	if (rc == 0 && !s->c->no_path)
		rc = table_column(s->t, "Path", TABLE_LEFT);
	return rc;
}

static int start_row(struct show *s)
{
	int rc = s->states.named ? table_cell(s->t, s->state) : 0;

	return rc == 0 && !s->c->no_path ? table_cell(s->t, s->path) : rc;
}

static int put_cell(const char *name, const struct node *value, void *data)
{
	struct show *s = data;
	uintptr_t place = (uintptr_t)strmap_get(&s->columns.places, name);

	if (place > 0)
		s->cells[place - 1] = value;
	return 0;
}

static int write_line(struct show *s, struct line *l, const struct node *root)
{
	size_t n = s->columns.names.n;
	int rc;

	strvec_release(&l->text);
	l->root = root;
	memset(s->cells, 0, n * sizeof(*s->cells));
	rc = values_each(root, put_cell, s);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = values_cell(&s->text, s->c, s->cells[i], "-");
		if (rc == 0)
			rc = strvec_push(&l->text, buf_str(&s->text));
	}
	return rc;
}

static int add_wide_row(struct show *s, size_t place, const struct node *root)
{
	struct line *l = &s->lines[place];
	int rc = l->root == root ? 0 : write_line(s, l, root);

	if (rc == 0)
		rc = start_row(s);
	for (size_t i = 0; rc == 0 && i < l->text.n; i++)
		rc = table_cell(s->t, l->text.v[i]);
	return rc == 0 ? table_end_row(s->t) : rc;
}

static int add_long_row(const char *name, const struct node *value, void *data)
{
	struct show *s = data;
	int rc = start_row(s);

	if (rc == 0)
		rc = table_cell(s->t, name);
	if (rc == 0)
		rc = values_cell(&s->text, s->c, value, "-");
	if (rc == 0)
		rc = table_cell(s->t, buf_str(&s->text));
	return rc == 0 ? table_end_row(s->t) : rc;
}

static int each_file(
	struct show *s, int (*row)(struct show *s, size_t place, const struct node *root))
{
	char hex[REPO_HEX_SHOWN + 1];
	int rc = 0;

	for (size_t i = 0; i < s->states.n; i++) {
		snprintf(hex, sizeof(hex), "%s", s->states.v[i].name);
		s->state = s->states.v[i].is_commit && !s->c->csv ? hex : s->states.v[i].name;
		for (size_t k = 0; rc == 0 && k < s->v[i].n; k++) {
			s->path = s->v[i].v[k].path;
			if (s->v[i].v[k].root != NULL)
				rc = row(s, k, s->v[i].v[k].root);
		}
	}
	return rc;
}

static int add_long_rows(struct show *s, size_t place, const struct node *root)
{
	(void)place;
	return values_each(root, add_long_row, s);
}

static int fill_wide(struct show *s)
{
	int rc;

	for (size_t i = 0; i < s->states.n; i++)
		s->n_lines = s->v[i].n > s->n_lines ? s->v[i].n : s->n_lines;
	s->cells = calloc(s->columns.names.n + 1, sizeof(*s->cells));
	s->lines = calloc(s->n_lines + 1, sizeof(*s->lines));
	if (s->cells == NULL || s->lines == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	rc = start_table(s);
	for (size_t i = 0; rc == 0 && i < s->columns.names.n; i++)
		rc = table_column(s->t, s->columns.v[i].name,
			s->columns.v[i].numbers ? TABLE_RIGHT : TABLE_LEFT);
	return rc == 0 ? each_file(s, add_wide_row) : rc;
}

static int fill_long(struct show *s)
{
	int rc;

	table_free(s->t);
	s->t = NULL;
	rc = start_table(s);
	if (rc == 0)
		rc = table_column(s->t, s->c->one, TABLE_LEFT);
	if (rc == 0)
		rc = table_column(s->t, "Value", TABLE_RIGHT);
	return rc == 0 ? each_file(s, add_long_rows) : rc;
}

/* 1 if a line of the table is longer than the terminal; or a negative error. */
static int is_too_wide(const struct show *s)
{
	size_t width = table_terminal_width(STDOUT_FILENO);
	struct buf out = BUF_INIT;
	int rc = 0;

	if (width == 0 || s->c->md || s->c->csv)
		return 0;
	rc = table_print(s->t, TABLE_TEXT, 0, &out);
	for (const char *p = buf_str(&out); rc == 0 && *p != '\0'; p += *p == '\n') {
		size_t len = strcspn(p, "\n");

		rc = len > width;
		p += len;
	}
	buf_release(&out);
	return rc;
}

static int print_table(struct show *s)
{
	int rc = find_columns(s);

	if (rc == 0)
		rc = fill_wide(s);
	if (rc == 0)
		rc = is_too_wide(s);
	if (rc > 0)
		rc = fill_long(s);
	return rc == 0 ? values_print(s->c, s->t) : rc;
}

/* ---- JSON ---- */

static int put_error(struct node *map, const char *message)
{
	struct node *error = values_put_map(map, "error");

	return error != NULL ? values_put(error, "msg", node_string(message)) : ERR_NOMEM;
}

static int put_file(struct node *files, const struct values_file *f)
{
	struct node *file = values_put_map(files, f->path);

	if (file == NULL)
		return ERR_NOMEM;
	return f->root != NULL ? values_put(file, "data", node_dup(f->root))
			       : put_error(file, f->error);
}

static int put_state(struct node *root, const char *name, const struct values *v)
{
	struct node *state = values_put_map(root, name), *files;
	int rc = 0;

	if (state == NULL)
		return ERR_NOMEM;
	if (v->error != NULL && v->n == 0)
		return put_error(state, v->error);
	files = values_put_map(state, "data");
	if (files == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; rc == 0 && i < v->n; i++)
		rc = put_file(files, &v->v[i]);
	return rc;
}

static int print_json(struct show *s)
{
	struct node *root = node_map();
	int rc = root != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < s->states.n; i++) {
		if (s->v[i].n == 0 && s->v[i].error == NULL)
			continue; /* has none, or is the worktree that is left out */
		rc = put_state(root, s->states.named ? s->states.v[i].name : "", &s->v[i]);
	}
	if (rc == 0)
		rc = values_print_json(root);
	node_free(root);
	return rc;
}

/* 1 if the word is no path of the worktree, but Git knows a revision of that name. */
static int is_revision(const struct values_command *c, const char *word)
{
	const struct repo *repo = &c->ctx->repo;
	struct buf path = BUF_INIT, full = BUF_INIT;
	uint8_t id[REPO_ID_MAX];
	int is_path = repo->dir->worktree != NULL && repo_path(&path, repo, word) == 0 &&
		      fs_join(&full, repo->dir->worktree, buf_str(&path)) == 0 && fs_exists(full.p);

	buf_release(&path);
	buf_release(&full);
	return !is_path && (states_is_worktree(word) || git_resolve_state(repo, word, id) == 0);
}

int values_show(struct values_command *c, char **operands, int n)
{
	struct show s = {.c = c};
	int rc = command_store(c->ctx);

	for (int i = 0; rc == 0 && i < n; i++)
		rc = strvec_push(
			is_revision(c, operands[i]) ? &c->states.revs : &c->targets, operands[i]);
	if (rc == 0)
		rc = values_begin(c);
	if (rc == 0)
		rc = collect(&s);
	if (rc == 0)
		rc = values_any(c, s.v, s.states.n);
	if (rc == 0) {
		values_tell(c);
		rc = c->json ? print_json(&s) : print_table(&s);
	}
	table_free(s.t);
	free(s.cells);
	for (size_t i = 0; s.lines != NULL && i < s.n_lines; i++)
		strvec_release(&s.lines[i].text);
	free(s.lines);
	free(s.columns.v);
	strmap_release(&s.columns.places, NULL);
	strvec_release(&s.columns.names);
	for (size_t i = 0; s.v != NULL && i < s.states.n; i++)
		values_release(&s.v[i]);
	free(s.v);
	states_release(&s.states);
	buf_release(&s.text);
	return rc;
}
