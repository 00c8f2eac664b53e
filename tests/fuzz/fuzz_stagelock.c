/*
 * Any bytes as a dvx.lock.  What is read is edited: the entries must be the same afterwards, one is
 * added and removed again, and the text no longer changes then.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/stagelock_same.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For stagelock_each: the other file (`data`) has the stage, and says the same of it. */
static int require_same_stage(const struct locked_stage *s, void *data)
{
	const struct locked_stage *other = stagelock_get(data, s->name);
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct oid key, other_key;

	require(other != NULL);
	require(locked_stage_format(&a, s) == 0 && locked_stage_format(&b, other) == 0);
	require(strcmp(a.p, b.p) == 0);
	require(locked_stage_key(&key, s) == 0 && locked_stage_key(&other_key, other) == 0);
	require(oid_eq(&key, &other_key));
	buf_release(&a);
	buf_release(&b);
	return 0;
}

static int count(const struct locked_stage *s, void *data)
{
	require(s->name != NULL);
	++*(size_t *)data;
	return 0;
}

/* `text`, changed and parsed. */
static struct stagelock *edit(struct buf *text, const struct stagelock_change *change, size_t n)
{
	struct stagelock *l;

	require(stagelock_edit(text, "dvx.lock", change, n) == 0);
	require(stagelock_parse(&l, "dvx.lock", buf_str(text), text->len) == 0);
	return l;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char name[] = "fuzz: the new one";
	struct locked_stage new = {.name = name};
	struct stagelock_change change = {name, &new};
	struct stagelock *before, *after;
	struct buf text = BUF_INIT, again = BUF_INIT;
	size_t n = 0, m = 0;

	if (stagelock_parse(&before, "dvx.lock", data, size) < 0)
		return 0;
	require(stagelock_each(before, count, &n) == 0);
	require(buf_add(&text, data, size) == 0);
	after = edit(&text, &change, 1);
	require(stagelock_get(after, name) != NULL);
	require(stagelock_each(before, require_same_stage, after) == 0 ||
		stagelock_get(before, name));
	stagelock_free(after);
	change.stage = NULL;
	after = edit(&text, &change, 1);
	require(stagelock_get(after, name) == NULL);
	require(stagelock_each(after, count, &m) == 0);
	require(m == n - (stagelock_get(before, name) != NULL));
	if (stagelock_get(before, name) == NULL)
		require_same_documents(before, after);
	stagelock_free(after);
	require(buf_add(&again, text.p, text.len) == 0);
	after = edit(&again, &change, 1);
	require(strcmp(text.p, again.p) == 0);
	stagelock_free(after);
	stagelock_free(before);
	buf_release(&text);
	buf_release(&again);
	return 0;
}
