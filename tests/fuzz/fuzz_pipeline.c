/*
 * Any bytes as a file of stages: it is refused with a message that has its place, or its stages
 * keep what pipeline.h promises - names, paths from the top, a command - and the graph of them is
 * refused or in order.  A NUL byte divides the file of stages from the params.yaml beside it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pipeline/dag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

struct params {
	const uint8_t *text; /* NULL: no such file */
	size_t len;
};

static int read_params(void *data, const char *path, struct buf *out)
{
	const struct params *p = data;

	if (p->text == NULL || strcmp(path, "sub/params.yaml") != 0)
		return err_set(ERR_NOTFOUND, "no file '%s'", path);
	return buf_add(out, p->text, p->len);
}

/* Without ".", ".." and empty components; relative, but for dependencies. */
static void check_path(const char *path, int may_be_absolute)
{
	if (may_be_absolute && *path == '/')
		path++;
	while (*path != '\0') {
		size_t len = strcspn(path, "/");

		require(len > 0 && !(len == 1 && path[0] == '.') &&
			!(len == 2 && path[0] == '.' && path[1] == '.'));
		path += len;
		if (*path == '/')
			require(*++path != '\0');
	}
}

static void check_stage(const struct stage *s)
{
	require(s->name[0] != '\0' && strcmp(s->file, "sub/dvx.yaml") == 0);
	require(s->cmd.n > 0);
	check_path(s->wdir, 0);
	for (size_t i = 0; i < s->n_deps; i++)
		check_path(s->deps[i].path, 1);
	for (size_t i = 0; i < s->n_outs; i++) {
		check_path(s->outs[i].path, 0);
		require(s->outs[i].path[0] != '\0' && strncmp(s->outs[i].path, ".git/", 5) != 0);
	}
	for (size_t i = 0; i < s->n_params; i++)
		check_path(s->params[i].file, 1);
}

/* Every stage once, behind what it needs. */
static void check_order(const struct dag *d)
{
	size_t n = d->pipeline->n;
	char *seen = calloc(n + 1, 1);

	require(seen != NULL);
	for (size_t i = 0; i < n; i++) {
		size_t at = d->order[i];

		require(at < n && !seen[at]);
		for (size_t k = 0; k < d->up[at].n; k++)
			require(seen[d->up[at].v[k]]);
		seen[at] = 1;
	}
	free(seen);
}

static void check_targets(const struct pipeline *p)
{
	for (size_t i = 0; i < p->n && i < 8; i++) {
		struct stage_list list = {0};
		struct buf address = BUF_INIT;

		require(stage_address(&address, p->v[i], "elsewhere") == 0);
		require(pipeline_find(p, "sub", p->v[i]->name, &list) == 0 && list.n > 0);
		stage_list_release(&list);
		buf_release(&address);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
	size_t len = nul != NULL ? (size_t)(nul - data) : size;
	struct params params = {nul != NULL ? nul + 1 : NULL, nul != NULL ? size - len - 1 : 0};
	struct pipeline_reader reader = {read_params, &params, NULL};
	struct pipeline *p = NULL;
	struct dag *d = NULL;

	if (pipeline_parse(&p, "sub/dvx.yaml", data, len, &reader) < 0) {
		require(p == NULL && strncmp(err_msg(), "sub/", 4) == 0);
		return 0;
	}
	for (size_t i = 0; i < p->n; i++)
		check_stage(p->v[i]);
	check_targets(p);
	if (dag_new(&d, p) == 0)
		check_order(d);
	dag_free(d);
	pipeline_free(p);
	return 0;
}
