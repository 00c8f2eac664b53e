/*
 * Tag objects: what they say stays within its bounds, and a tag that is made of it says the same.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/registry/tagtext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int ok)
{
	if (!ok)
		abort();
}

static int same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Written again with the same trailers. */
static void again(const struct tagtext *t)
{
	struct buf text = BUF_INIT;
	struct tagtext u;

	if (t->commit && *t->message) {
		must(buf_addstr(&text, "object x\ntype commit\ntag y\n\n") == 0);
		must(tagtext_format(&text, t->message, t) == 0);
		must(tagtext_parse(&u, text.p, text.len) == 0);
		must(same(t->path, u.path) && same(t->sha256, u.sha256) &&
			same(t->commit, u.commit) && t->size == u.size);
	}
	buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);
	struct tagtext t;

	must(text != NULL);
	memcpy(text, data, len);
	text[len] = '\0';
	tagtext_commit_time(text);
	if (tagtext_parse(&t, text, len) == 0) {
		must(t.target && t.type && t.name && t.who && t.email && t.message);
		must(strlen(t.message) <= TAGTEXT_MESSAGE_MAX);
		must(t.zone > -24 * 60 && t.zone < 24 * 60 && t.when >= 0);
		must(!t.sha256 || strlen(t.sha256) == OID_HEX_LEN);
		again(&t);
	}
	err_clear();
	free(text);
	return 0;
}
