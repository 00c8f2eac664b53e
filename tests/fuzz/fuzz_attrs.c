/*
 * Any bytes as a .gitattributes file: tracking a pattern must hold, untracking must undo it, and
 * what others wrote must still be there, byte for byte.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/repo/attrs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static int is_tracked(const struct attrs_line *line, void *data)
{
	if (!strcmp(line->pattern, "*.x"))
		*(int *)data = line->ours;
	return 0;
}

static int tracked(const struct buf *text)
{
	int yes = 0;

	require(attrs_text_each(text, is_tracked, &yes) == 0);
	return yes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT;
	int added;

	require(buf_add(&text, data, size) == 0);
	added = attrs_text_track(&text, "*.x", NULL);
	require(added >= 0);
	if (added) {
		require(text.len > size && (!size || !memcmp(text.p, data, size)));
		require(text.p[text.len - 1] == '\n');
	} else {
		require(text.len == size);
	}
	require(attrs_text_track(&text, "*.x", NULL) == 0);
	require(attrs_text_track(&text, "*.x", "1M") >= 0);
	require(attrs_text_track(&text, "*.x", "1M") == 0);
	require(tracked(&text));
	require(attrs_text_lockable(&text, "*.x", 1) >= 0);
	require(attrs_text_lockable(&text, "*.x", 1) == 0);
	require(attrs_text_lockable(&text, "*.x", 0) == 1);
	require(tracked(&text));
	require(attrs_text_untrack(&text, "*.x") == 1);
	require(attrs_text_untrack(&text, "*.x") == 0);
	require(!tracked(&text));
	buf_release(&text);
	return 0;
}
