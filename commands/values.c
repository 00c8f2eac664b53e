/*
 * The parts that showing and comparing values share: opening, targets, warnings, cells.
 */
#include "commands/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/strmap.h"

/* A file (or a state's pipeline) that could not be read, in one or more states. */
struct told {
	char *text;
	size_t more; /* states, besides the one that `text` names */
};

static void told_free(void *p)
{
	struct told *t = p;

	free(t->text);
	free(t);
}

void values_command_release(struct values_command *c)
{
	values_cache_free(c->cache);
	source_cache_free(c->sources);
	strmap_release(&c->told, told_free);
	strvec_release(&c->targets);
	strvec_release(&c->paths);
	states_options_release(&c->states);
}

/* ---- the command line ---- */

void values_words_release(struct values_words *w)
{
	free(w->v);
	strvec_release(&w->memory);
}

int values_expand_targets(struct values_words *out, int *argc, char **argv)
{
	struct strvec *words = &out->memory;
	int in_targets = 0, i = 0, rc = 0;

	for (; rc == 0 && i < *argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--targets") == 0) {
			in_targets = 1;
			continue;
		}
		in_targets = in_targets && argv[i][0] != '-';
		rc = in_targets ? strvec_pushf(words, "--targets=%s", argv[i])
				: strvec_push(words, argv[i]);
	}
	for (; rc == 0 && i < *argc; i++)
		rc = strvec_push(words, argv[i]);
	if (rc < 0)
		return rc;
	out->v = calloc(words->n + 1, sizeof(*out->v));
	if (out->v == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	memcpy(out->v, words->v, words->n * sizeof(*out->v));
	*argc = (int)words->n;
	return 0;
}

int values_begin(struct values_command *c)
{
	struct buf path = BUF_INIT;
	int rc;

	if (c->json + c->md + c->csv > 1)
		return command_usage("one of --json, --md and --csv, please");
	rc = c->type != NULL ? values_check_type(c->type) : 0;
	if (rc == 0)
		rc = command_store(c->ctx);
	for (size_t i = 0; rc == 0 && i < c->targets.n; i++) {
		buf_reset(&path);
		rc = repo_path(&path, &c->ctx->repo, c->targets.v[i]);
		if (rc == 0)
			rc = strvec_push(&c->paths, buf_str(&path));
	}
	buf_release(&path);
	if (rc == 0)
		rc = source_cache_new(&c->sources, &c->ctx->repo, c->ctx->s);
	if (rc == 0)
		rc = values_cache_new(&c->cache);
	return rc;
}

/* ---- values of states ---- */

int values_of(struct values *out, struct values_command *c, const struct state *s)
{
	const struct values_options o = {.kind = c->kind,
		.targets = (const char *const *)c->paths.v,
		.n = c->paths.n,
		.all = 0,
		.override = {c->type, c->select}};
	struct source *src = NULL;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = s->is_worktree ? source_worktree(&src, &c->ctx->repo, c->ctx->s)
			    : source_commit_id(&src, c->sources, s->name, s->id);
	if (rc == 0)
		rc = values_collect(out, c->cache, src, &o);
	source_free(src);
	return rc;
}

/* ---- warnings ---- */

static int note(struct values_command *c, const char *key, const char *state, const char *message)
{
	struct told *t = strmap_get(&c->told, key);
	struct buf text = BUF_INIT;
	int rc;

	if (t != NULL) {
		t->more++;
		return 0;
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	/* some messages name the state themselves */
	rc = strstr(message, state) != NULL ? buf_addstr(&text, message)
					    : buf_addf(&text, "%s: %s", state, message);
	t->text = buf_detach(&text);
	if (rc == 0)
		rc = t->text != NULL ? strmap_put(&c->told, key, t)
				     : err_set(ERR_NOMEM, "out of memory");
	if (rc < 0)
		told_free(t);
	return rc;
}

/* The message without the state's name: what it says of several states is the same. */
static int key_of(struct buf *out, const char *state, const char *message)
{
	const char *at;
	int rc = 0;

	buf_reset(out);
	while (rc == 0 && (at = strstr(message, state)) != NULL) {
		rc = buf_add(out, message, (size_t)(at - message));
		message = at + strlen(state);
	}
	return rc == 0 ? buf_addstr(out, message) : rc;
}

int values_note(struct values_command *c, const struct values *v)
{
	struct buf key = BUF_INIT;
	int rc = 0;

	if (v->error != NULL)
		rc = key_of(&key, v->name, v->error);
	if (rc == 0 && v->error != NULL)
		rc = note(c, buf_str(&key), v->name, v->error);

	for (size_t i = 0; rc == 0 && i < v->n; i++) {
		if (v->v[i].error == NULL)
			continue;
		rc = key_of(&key, v->name, v->v[i].error);
		if (rc == 0)
			rc = note(c, buf_str(&key), v->name, v->v[i].error);
	}
	buf_release(&key);
	return rc;
}

static int tell(const char *key, void *value, void *data)
{
	const struct told *t = value;

	(void)key;
	(void)data;
	fprintf(stderr, "warning: %s", t->text);
	if (t->more > 0)
		fprintf(stderr, " (and in %zu other revision%s)", t->more, t->more == 1 ? "" : "s");
	fputc('\n', stderr);
	return 0;
}

void values_tell(const struct values_command *c)
{
	strmap_each(&c->told, tell, NULL);
}

int values_any(const struct values_command *c, const struct values *v, size_t n)
{
	const struct values_file *first = NULL;

	if (c->paths.n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < v[i].n; k++) {
			if (v[i].v[k].root != NULL)
				return 0;
			if (first == NULL)
				first = &v[i].v[k];
		}
	if (n == 1 && v[0].error != NULL) /* then nobody knows what is declared */
		return err_set(ERR_INVALID, "%s", v[0].error);
	if (n == 1)
		return first != NULL ? err_set(first->code, "%s", first->error) : 0;
	values_tell(c);
	return err_set(ERR_NOTFOUND, "nothing of what was named can be read");
}

/* ---- output ---- */

int values_cell(
	struct buf *out, const struct values_command *c, const struct node *n, const char *missing)
{
	buf_reset(out);
	if (n == NULL)
		return buf_addstr(out, c->csv ? "" : missing);
	if (c->precision < 0 && (c->csv || c->kind != VALUES_METRICS))
		return node_print(out, n);
	return value_format(out, n, c->precision);
}

int values_print(const struct values_command *c, const struct table *t)
{
	enum table_format format = c->csv ? TABLE_CSV : c->md ? TABLE_MARKDOWN : TABLE_TEXT;
	struct buf out = BUF_INIT;
	int rc = 0;

	if (table_rows(t) > 0)
		rc = table_print(t, format,
			format == TABLE_TEXT ? table_terminal_width(STDOUT_FILENO) : 0, &out);
	if (rc == 0)
		fwrite(buf_str(&out), 1, out.len, stdout);
	buf_release(&out);
	return rc;
}

int values_put(struct node *map, const char *key, struct node *value)
{
	if (value == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	return node_append(map, key, value);
}

struct node *values_put_map(struct node *map, const char *key)
{
	struct node *child = node_map();

	return values_put(map, key, child) == 0 ? child : NULL;
}

int values_print_json(const struct node *root)
{
	struct buf out = BUF_INIT;
	int rc = node_json(&out, root, 0);

	if (rc == 0)
		puts(buf_str(&out));
	buf_release(&out);
	return rc;
}
