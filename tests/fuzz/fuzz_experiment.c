/*
 * Any bytes as a commit's message, as `-S` and as a parameter file: recipes that come back are safe
 * to follow and say the same when written again; what is set is what is read.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pipeline/experiment_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static int climbs(const char *path)
{
	if (path[0] == '/')
		return 1;
	for (;; path++) {
		size_t len = strcspn(path, "/");

		if (len == 2 && strncmp(path, "..", 2) == 0)
			return 1;
		path += len;
		if (!*path)
			return 0;
	}
}

static void check_recipe(const char *text)
{
	struct experiment_recipe r = {0}, again = {0};
	struct buf out = BUF_INIT;

	require(exp_recipe_parse(&r, text) == 0);
	require(!climbs(r.dir));
	for (size_t i = 0; i < r.copies.n; i++)
		require(!climbs(r.copies.v[i]));
	require(exp_recipe_format(&out, "name", NULL, &r) == 0);
	require(exp_recipe_parse(&again, out.p) == 0);
	require(strcmp(r.dir, again.dir) == 0 && r.set.n == again.set.n &&
		r.copies.n == again.copies.n && r.force == again.force);
	exp_recipe_release(&r);
	exp_recipe_release(&again);
	buf_release(&out);
}

static void check_combinations(const char *text)
{
	struct strvec args = STRVEC_INIT, *lists = NULL;
	size_t n = 0;

	require(strvec_push(&args, text) == 0);
	if (experiment_combine(&lists, &n, &args) == 0) {
		require(n > 0 && n <= EXPERIMENT_COMBINATIONS_MAX);
		for (size_t i = 0; i < n; i++) {
			require(lists[i].n == 1 && strchr(lists[i].v[0], '=') != NULL);
			strvec_release(&lists[i]);
		}
		free(lists);
	}
	strvec_release(&args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct buf file = BUF_INIT;

	require(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check_recipe(text);
	check_combinations(text);
	if (strlen(text) < size && strchr(text, '=')) { /* "key=value\0file" */
		require(buf_addstr(&file, text + strlen(text) + 1) == 0);
		(void)!exp_set_apply(&file, "params.yaml", text);
	}
	buf_release(&file);
	free(text);
	return 0;
}
