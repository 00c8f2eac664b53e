/*
 * What a rehydration writes into the pending journal: the files whose data is owed.
 */
#include "lib/worktree/rehydrate_journal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

static int is_owed(const struct rehydrate_item *i)
{
	return i->wish == REHYDRATE_DATA &&
	       (i->state == REHYDRATE_TODO || i->state == REHYDRATE_LEFT);
}

static struct pending_item *journal_items(const struct rehydrate_item *items, size_t total,
	int (*want)(const struct rehydrate_item *), size_t *n)
{
	struct pending_item *list = calloc(total + 1, sizeof *list);

	*n = 0;
	for (size_t i = 0; list && i < total; i++) {
		const struct rehydrate_item *item = &items[i];
		struct pending_item *p = &list[*n];

		if (!want(item))
			continue;
		*p = (struct pending_item){
			.path = item->path, .oid = item->oid, .size = item->size};
		memcpy(p->blob, item->blob, sizeof p->blob);
		++*n;
	}
	return list;
}

static int is_owed_or_unpatched(const struct rehydrate_item *i)
{
	return is_owed(i) || (i->wish == REHYDRATE_DATA && i->state == REHYDRATE_DONE);
}

int rehydrate_journal_begin(
	struct pending **journal, const char *git_dir, const struct rehydrate_item *items, size_t n)
{
	size_t owed;
	struct pending_item *list = journal_items(items, n, is_owed, &owed);
	int rc = 0;

	*journal = NULL;
	if (!list)
		return err_set(ERR_NOMEM, "out of memory");
	if (owed)
		rc = pending_begin(journal, git_dir, list, owed);
	free(list);
	return rc;
}

void rehydrate_journal_end(
	struct pending *journal, const struct rehydrate_item *items, size_t n, int patch_failed)
{
	size_t owed;
	struct pending_item *list =
		journal_items(items, n, patch_failed ? is_owed_or_unpatched : is_owed, &owed);

	if (list && journal)
		pending_end(journal, list, owed);
	pending_free(journal);
	free(list);
}
