/*
 * Claims as text (see claim_journal.h; docs/running-stages.md has the format).  Whatever a record
 * announces is done after the record is on the disk, so a reader knows of everything that may have
 * happened, and finds out from the files themselves whether it did.
 */
#include "lib/pipeline/claim_journal.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/pipeline/claim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "dvx-claim 1";

static const struct {
	enum claim_item_how how;
	const char *word;
} item_words[] = {{CLAIM_ASIDE, "aside"}, {CLAIM_COPIED, "copy"}, {CLAIM_ABSENT, "absent"}};

enum { ITEM_WORDS = sizeof(item_words) / sizeof(item_words[0]) };

void claim_journal_release(struct claim_journal *j)
{
	for (size_t i = 0; i < j->n; i++)
		free(j->items[i].path);
	free(j->items);
	free(j->stage);
	free(j->lock);
	free(j->name);
	strvec_release(&j->reads);
	strvec_release(&j->writes);
	strvec_release(&j->mutex);
	memset(j, 0, sizeof *j);
}

/* ---- writing ---- */

static int add_record(struct buf *out, const char *word, const char *value)
{
	int rc = buf_addstr(out, word);

	if (rc == 0 && value)
		rc = buf_addf(out, " %s", value);
	return rc == 0 ? buf_addch(out, '\0') : rc;
}

static int add_records(struct buf *out, const char *word, const struct strvec *values)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && values && i < values->n; i++)
		rc = add_record(out, word, values->v[i]);
	return rc;
}

int claim_journal_begin(struct buf *out, const struct claim_wants *w, long pid)
{
	char number[32];
	int rc;

	snprintf(number, sizeof number, "%ld", pid);
	if ((rc = add_record(out, magic, NULL)) < 0 ||
		(rc = add_record(out, "stage", w->stage)) < 0 ||
		(rc = add_record(out, "pid", number)) < 0 ||
		(rc = add_records(out, "read", w->reads)) < 0 ||
		(rc = add_records(out, "write", w->writes)) < 0 ||
		(rc = add_records(out, "mutex", w->mutex)) < 0)
		return rc;
	return add_record(out, "ready", NULL);
}

int claim_journal_item(
	struct buf *out, size_t i, enum claim_item_how how, int keep, const char *path)
{
	const char *word = "";
	int rc;

	for (size_t w = 0; w < ITEM_WORDS; w++)
		if (item_words[w].how == how)
			word = item_words[w].word;
	rc = buf_addf(out, "%s %zu %s %s", word, i, keep ? "keep" : "drop", path);
	return rc == 0 ? buf_addch(out, '\0') : rc;
}

int claim_journal_copied(struct buf *out)
{
	return add_record(out, "copied", NULL);
}

int claim_journal_made(struct buf *out, const char *lock, const char *name, const struct oid *made)
{
	char hex[OID_HEX_LEN + 1];
	int rc;

	oid_to_hex(hex, made);
	if ((rc = add_record(out, "lock", lock)) < 0 || (rc = add_record(out, "name", name)) < 0)
		return rc;
	return add_record(out, "made", hex);
}

/* ---- reading ---- */

static int damaged(const char *record)
{
	return err_set(ERR_CORRUPT, "unexpected record '%.100s'", record);
}

static int take_string(char **to, const char *value, const char *record)
{
	if (*to)
		return damaged(record);
	*to = strdup(value);
	return *to ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* "<index> keep|drop <path>" */
static int take_item(struct claim_journal *j, enum claim_item_how how, const char *value)
{
	char *end;
	unsigned long index = strtoul(value, &end, 10);
	int keep = strncmp(end, " keep ", 6) == 0;

	if (index != j->n || (!keep && strncmp(end, " drop ", 6) != 0) || !end[6])
		return damaged(value);
	if (array_room(&j->items, j->n, &j->cap, sizeof(*j->items)) < 0)
		return ERR_NOMEM;
	j->items[j->n] = (struct claim_item){strdup(end + 6), how, keep};
	return j->items[j->n].path ? (j->n++, 0) : err_set(ERR_NOMEM, "out of memory");
}

static int take_made(struct claim_journal *j, const char *value, const char *record)
{
	if (!j->lock || !j->name || strlen(value) != OID_HEX_LEN ||
		oid_from_hex(&j->made, value) < 0)
		return damaged(record);
	return 0;
}

/* Before "ready": what is claimed. */
static int take_claim(
	struct claim_journal *j, const char *word, const char *value, const char *record)
{
	if (strcmp(word, "stage") == 0)
		return take_string(&j->stage, value, record);
	if (strcmp(word, "pid") == 0)
		return (j->pid = strtol(value, NULL, 10)) > 0 ? 0 : damaged(record);
	if (strcmp(word, "read") == 0)
		return strvec_push(&j->reads, value);
	if (strcmp(word, "write") == 0)
		return strvec_push(&j->writes, value);
	if (strcmp(word, "mutex") == 0)
		return strvec_push(&j->mutex, value);
	if (strcmp(word, "ready") == 0 && j->stage && j->pid > 0) {
		j->ready = 1;
		return 0;
	}
	return damaged(record);
}

static int take_record(struct claim_journal *j, const char *record)
{
	size_t len = strcspn(record, " ");
	const char *value = record[len] ? record + len + 1 : "";
	char word[16];

	if (len >= sizeof word)
		return damaged(record);
	memcpy(word, record, len);
	word[len] = '\0';
	if (!j->ready)
		return take_claim(j, word, value, record);
	for (size_t w = 0; w < ITEM_WORDS; w++)
		if (strcmp(word, item_words[w].word) == 0)
			return take_item(j, item_words[w].how, value);
	if (strcmp(word, "copied") == 0) {
		j->copied = 1;
		return 0;
	}
	if (strcmp(word, "lock") == 0)
		return take_string(&j->lock, value, record);
	if (strcmp(word, "name") == 0)
		return take_string(&j->name, value, record);
	return strcmp(word, "made") == 0 ? take_made(j, value, record) : damaged(record);
}

int claim_journal_parse(struct claim_journal *j, const void *text, size_t len)
{
	const char *p = text, *end = p + len, *next;
	int first = 1, made = 0, rc = 0;

	for (; rc == 0 && p < end && (next = memchr(p, '\0', (size_t)(end - p))); p = next + 1) {
		if (first && strncmp(p, magic, sizeof magic - 2) != 0)
			return damaged(p);
		if (first && strcmp(p, magic) != 0)
			return err_set(ERR_UNSUPPORTED, "format '%.40s' of a later version", p);
		made |= strncmp(p, "made ", 5) == 0;
		rc = first ? 0 : take_record(j, p);
		first = 0;
	}
	if (rc == 0 && !made) { /* the end of "lock", "name", "made" decides */
		free(j->lock);
		j->lock = NULL;
	}
	return rc;
}
