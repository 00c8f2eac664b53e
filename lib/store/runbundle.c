/*
 * The bytes of a bundle.  git-dvx makes and reads them (lib/pipeline/runcache_remote.c),
 * git-dvx-transfer carries them without looking inside.
 */
#include "lib/store/runbundle.h"
#include "lib/base/err.h"

#include <string.h>

static const char magic[] = "DVXRUNS1";

enum {
	MAGIC_LEN = sizeof(magic) - 1,
	VERSION_AT = MAGIC_LEN - 1,
	COUNT_AT = MAGIC_LEN,
	HEAD_LEN = COUNT_AT + 4,
	KEY_AT = 0,
	VALUE_AT = OID_LEN,
	LENGTH_AT = 2 * OID_LEN,
	ENTRY_LEN = LENGTH_AT + 4
};

int runbundle_cmp(const struct runbundle_entry *a, const struct runbundle_entry *b)
{
	int order = oid_cmp(&a->key, &b->key);

	return order ? order : oid_cmp(&a->value, &b->value);
}

/* ---- writing ---- */

int runbundle_begin(struct buf *out)
{
	int rc = buf_add(out, magic, MAGIC_LEN);

	return rc < 0 ? rc : buf_add_be32(out, 0);
}

size_t runbundle_count(const struct buf *b)
{
	return b->len < HEAD_LEN ? 0 : be32_get(b->p + COUNT_AT);
}

int runbundle_add(struct buf *out, const struct runbundle_entry *e)
{
	size_t count = runbundle_count(out), before = out->len;
	int rc;

	if (e->len == 0 || e->len > RUNBUNDLE_TEXT_MAX)
		return err_set(ERR_INVALID, "an entry of %zu bytes", e->len);
	if (count == RUNBUNDLE_COUNT_MAX || before + ENTRY_LEN + e->len > RUNBUNDLE_MAX)
		return err_set(ERR_LIMIT, "the bundle is full");
	rc = buf_add(out, e->key.id, OID_LEN);
	if (rc == 0)
		rc = buf_add(out, e->value.id, OID_LEN);
	if (rc == 0)
		rc = buf_add_be32(out, (uint32_t)e->len);
	if (rc == 0)
		rc = buf_add(out, e->text, e->len);
	if (rc < 0)
		buf_truncate(out, before);
	else
		be32_put(out->p + COUNT_AT, (uint32_t)count + 1);
	return rc;
}

/* ---- reading ---- */

/* The entry at the front of what is left: its length, 0 when it does not fit. */
static size_t take_entry(struct runbundle_entry *e, const uint8_t *p, size_t left)
{
	if (left < ENTRY_LEN)
		return 0;
	memcpy(e->key.id, p + KEY_AT, OID_LEN);
	memcpy(e->value.id, p + VALUE_AT, OID_LEN);
	e->len = be32_get(p + LENGTH_AT);
	e->text = p + ENTRY_LEN;
	if (e->len == 0 || e->len > RUNBUNDLE_TEXT_MAX || e->len > left - ENTRY_LEN)
		return 0;
	return ENTRY_LEN + e->len;
}

static int check_entries(const uint8_t *p, size_t len, uint32_t count)
{
	struct runbundle_entry e, last;
	size_t at = HEAD_LEN;

	for (uint32_t i = 0; i < count; i++) {
		size_t n = take_entry(&e, p + at, len - at);

		if (n == 0)
			return err_set(
				ERR_CORRUPT, "entry %lu of a bundle is damaged", (unsigned long)i);
		if (i > 0 && runbundle_cmp(&last, &e) >= 0)
			return err_set(ERR_CORRUPT, "entry %lu of a bundle is out of order",
				(unsigned long)i);
		last = e;
		at += n;
	}
	return at == len ? 0 : err_set(ERR_CORRUPT, "%zu bytes too many in a bundle", len - at);
}

int runbundle_parse(const void *data, size_t len,
	int (*fn)(const struct runbundle_entry *e, void *arg), void *arg)
{
	const uint8_t *p = data;
	struct runbundle_entry e;
	size_t at = HEAD_LEN;
	uint32_t count;
	int rc;

	if (len < HEAD_LEN || memcmp(p, magic, VERSION_AT) != 0)
		return err_set(ERR_CORRUPT, "this is no bundle of the run cache");
	if (p[VERSION_AT] != magic[VERSION_AT])
		return err_set(ERR_UNSUPPORTED,
			"a bundle of the run cache in a version that this git-dvx does not know");
	count = be32_get(p + COUNT_AT);
	if (len > RUNBUNDLE_MAX || count > RUNBUNDLE_COUNT_MAX)
		return err_set(ERR_CORRUPT, "a bundle of %zu bytes and %lu entries", len,
			(unsigned long)count);
	rc = check_entries(p, len, count);
	for (uint32_t i = 0; rc == 0 && i < count; i++) {
		at += take_entry(&e, p + at, len - at);
		rc = fn(&e, arg);
	}
	return rc;
}
