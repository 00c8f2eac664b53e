/*
 * Messages of Git LFS's SSH protocol (lfsssh.h): heads and bodies, which lie on pkt-lines, and the
 * lines about objects.  Those about locks are in lfsssh_locks.c.  A line is one packet; that it
 * ends with LF is usual, not required.
 */
#include "lib/wire/lfsssh.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

/* ---- heads ---- */

/* A packet as text: without its LF.  Lines never have a NUL: what comes behind would be hidden. */
static int to_line(const uint8_t **data, size_t *len)
{
	if (memchr(*data, '\0', *len))
		return err_set(ERR_CORRUPT, "a line with a NUL byte");
	if (*len && (*data)[*len - 1] == '\n')
		--*len;
	return 0;
}

static int add_to_head(struct lfsssh_head *h, const uint8_t *data, size_t len, size_t *total)
{
	int rc = to_line(&data, &len);

	if (rc < 0)
		return rc;
	*total += len;
	if (h->args.n >= LFSSSH_ARGS_MAX || *total > LFSSSH_HEAD_MAX)
		return err_set(ERR_LIMIT, "a message with too many arguments");
	if (h->line)
		return strvec_pushn(&h->args, (const char *)data, len);
	h->line = strndup((const char *)data, len);
	return h->line ? 0 : err_set(ERR_NOMEM, "out of memory");
}

int lfsssh_head_read(struct lfsssh_head *h, struct pkt_reader *r)
{
	const uint8_t *data;
	size_t len, total = 0;
	int rc = 0, kind;

	*h = (struct lfsssh_head){.line = NULL};
	while (rc == 0 && (kind = pkt_read(r, &data, &len)) == PKT_DATA)
		rc = add_to_head(h, data, len, &total);
	if (rc < 0)
		goto done;
	if (kind < 0)
		rc = kind;
	else if (h->line)
		rc = kind == PKT_EOF ? err_set(ERR_CORRUPT, "the stream ends inside a message") : 1;
	else if (kind != PKT_EOF)
		rc = err_set(ERR_CORRUPT, "a message without a line");
	h->has_body = kind == PKT_DELIM;
done:
	if (rc <= 0)
		lfsssh_head_release(h);
	return rc;
}

void lfsssh_head_release(struct lfsssh_head *h)
{
	free(h->line);
	strvec_release(&h->args);
	*h = (struct lfsssh_head){.line = NULL};
}

const char *lfsssh_arg(const struct lfsssh_head *h, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < h->args.n; i++)
		if (strncmp(h->args.v[i], key, len) == 0 && h->args.v[i][len] == '=')
			return h->args.v[i] + len + 1;
	return NULL;
}

/* Decimal digits alone, up to INT64_MAX: the size of no file is larger. */
static int parse_number(uint64_t *out, const char *text)
{
	uint64_t n = 0;

	if (!*text)
		return ERR_INVALID;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || n > INT64_MAX / 10)
			return ERR_INVALID;
		n = 10 * n + (uint64_t)(*text - '0');
	}
	*out = n;
	return n > INT64_MAX ? ERR_INVALID : 0;
}

int lfsssh_arg_number(uint64_t *out, const struct lfsssh_head *h, const char *key)
{
	const char *text = lfsssh_arg(h, key);

	if (!text)
		return 0;
	if (parse_number(out, text) < 0)
		return err_set(ERR_INVALID, "'%s=%.40s' is no number", key, text);
	return 1;
}

int lfsssh_message_write(struct pkt_writer *w, const char *line, const struct strvec *args)
{
	int rc = pkt_write_line(w, line);

	for (size_t i = 0; rc == 0 && i < args->n; i++)
		rc = pkt_write_line(w, args->v[i]);
	return rc < 0 ? rc : pkt_write_flush(w);
}

int lfsssh_head_write(struct pkt_writer *w, const char *line, ...)
{
	const char *arg;
	va_list args;
	int rc = pkt_write_line(w, line);

	va_start(args, line);
	while (rc == 0 && (arg = va_arg(args, const char *)))
		rc = pkt_write_line(w, arg);
	va_end(args);
	return rc;
}

/* ---- bodies ---- */

int lfsssh_body_data(struct pkt_reader *r, const uint8_t **data, size_t *len)
{
	int kind = pkt_read(r, data, len);

	if (kind == PKT_EOF)
		return err_set(ERR_CORRUPT, "the stream ends inside a message");
	if (kind == PKT_DELIM)
		return err_set(ERR_CORRUPT, "a message with two delimiters");
	return kind < 0 ? kind : kind == PKT_DATA;
}

int lfsssh_body_line(struct pkt_reader *r, struct buf *line)
{
	const uint8_t *data;
	size_t len;
	int rc = lfsssh_body_data(r, &data, &len);

	buf_reset(line);
	if (rc == 1)
		rc = to_line(&data, &len);
	else
		return rc;
	if (rc == 0)
		rc = buf_add(line, data, len);
	return rc < 0 ? rc : 1;
}

int lfsssh_body_skip(struct pkt_reader *r)
{
	const uint8_t *data;
	size_t len;
	int rc;

	while ((rc = lfsssh_body_data(r, &data, &len)) == 1)
		;
	return rc;
}

/* ---- commands and statuses ---- */

enum lfsssh_command lfsssh_command_parse(const char **operand, const char *line)
{
	static const struct {
		const char *word;
		enum lfsssh_command command;
	} words[] = {{"version", LFSSSH_VERSION}, {"batch", LFSSSH_BATCH},
		{"get-object", LFSSSH_GET}, {"put-object", LFSSSH_PUT},
		{"verify-object", LFSSSH_VERIFY}, {"lock", LFSSSH_LOCK},
		{"list-lock", LFSSSH_LIST_LOCK}, {"list-locks", LFSSSH_LIST_LOCK},
		{"unlock", LFSSSH_UNLOCK}, {"quit", LFSSSH_QUIT}};
	size_t len = strcspn(line, " ");

	*operand = line[len] ? line + len + 1 : "";
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i].word) == len && memcmp(words[i].word, line, len) == 0)
			return words[i].command;
	return LFSSSH_UNKNOWN;
}

int lfsssh_status_parse(const char *line)
{
	static const char word[] = "status ";
	const char *p = line + sizeof(word) - 1;

	if (strncmp(line, word, sizeof(word) - 1) != 0 || strspn(p, "0123456789") != 3 || p[3] ||
		p[0] < '1' || p[0] > '5')
		return err_set(ERR_CORRUPT, "'%.60s' where a status was expected", line);
	return 100 * (p[0] - '0') + 10 * (p[1] - '0') + (p[2] - '0');
}

/* ---- objects ---- */

/* The next word of a line, cut off; NULL at the end. */
static char *take_word(char **line)
{
	char *word = *line;
	size_t len = strcspn(word, " ");

	*line = word + len;
	if (**line)
		*(*line)++ = '\0';
	return len ? word : NULL;
}

static void take_pair(struct lfsssh_object *o, const char *pair)
{
	struct {
		const char *key;
		const char **value;
	} known[] = {{"id=", &o->id}, {"token=", &o->token}, {"expires-in=", &o->expires_in},
		{"expires-at=", &o->expires_at}};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		size_t len = strlen(known[i].key);

		if (strncmp(pair, known[i].key, len) == 0)
			*known[i].value = pair + len;
	}
}

int lfsssh_object_parse(struct lfsssh_object *o, char *line, int answer)
{
	const char *oid = take_word(&line), *size = take_word(&line);
	const char *action = answer ? take_word(&line) : NULL;
	char *pair;

	*o = (struct lfsssh_object){.action = action};
	if (!oid || strlen(oid) != OID_HEX_LEN || oid_from_hex(&o->oid, oid) < 0)
		return err_set(ERR_INVALID, "'%.80s' is no object id", oid ? oid : "");
	if (!size || parse_number(&o->size, size) < 0)
		return err_set(ERR_INVALID, "object %s has no size, or a bad one", oid);
	if (answer && !action)
		return err_set(ERR_INVALID, "object %s has no action", oid);
	while ((pair = take_word(&line)))
		take_pair(o, pair);
	return 0;
}

int lfsssh_object_write(struct pkt_writer *w, const struct lfsssh_object *o)
{
	char hex[OID_HEX_LEN + 1];
	struct buf line = BUF_INIT;
	int rc;

	oid_to_hex(hex, &o->oid);
	rc = buf_addf(&line, "%s %llu", hex, (unsigned long long)o->size);
	if (rc == 0 && o->action)
		rc = buf_addf(&line, " %s", o->action);
	if (rc == 0 && o->id)
		rc = buf_addf(&line, " id=%s", o->id);
	if (rc == 0 && o->token)
		rc = buf_addf(&line, " token=%s", o->token);
	if (rc == 0)
		rc = pkt_write_line(w, line.p);
	buf_release(&line);
	return rc;
}
