/*
 * Encoders and decoders of the protocol of blobs over SSH (see blobwire.h).  Both halves are here,
 * so that what one writes and the other reads stands side by side.  A decoder takes a frame only if
 * it is exactly as long as its type has it, and every number is in its range.
 */
#include "lib/wire/blobwire.h"
#include "lib/base/err.h"

#include <string.h>

static const char magic[] = "git-dvx-blobs ";

enum {
	MAGIC_LEN = sizeof magic - 1,
	NOISE_MAX = 200, /* bytes of a foreign line that are shown */
	LIST_LEN = 1,
	NAME_LEN = 1 + OID_LEN,
	GET_LEN = NAME_LEN + 8 + 4,
	PUT_LEN = NAME_LEN + 8,
	VALUE_LEN = 8
};

/* ---- hello ---- */

static const struct {
	unsigned bit;
	const char *word;
} capability_words[] = {{BLOBWIRE_READ_ONLY, "read-only"}, {BLOBWIRE_NO_REMOVE, "no-remove"}};

enum { N_CAPABILITIES = sizeof capability_words / sizeof *capability_words };

int blobwire_hello_format(struct buf *out, unsigned capabilities)
{
	int rc = buf_addf(out, "%s%d %s", magic, BLOBWIRE_PROTOCOL, DVX_VERSION);

	for (size_t i = 0; rc == 0 && i < N_CAPABILITIES; i++)
		if (capabilities & capability_words[i].bit)
			rc = buf_addf(out, " %s", capability_words[i].word);
	return rc < 0 ? rc : buf_addch(out, '\n');
}

/* The first line that is not empty, as the message. */
static ssize_t show_noise(const char *p, size_t len)
{
	const char *lf;
	size_t n;

	while (len && (*p == '\n' || *p == '\r')) {
		p++;
		len--;
	}
	lf = len ? memchr(p, '\n', len) : NULL;
	n = lf ? (size_t)(lf - p) : len;
	if (n && p[n - 1] == '\r')
		n--;
	if (n > NOISE_MAX)
		n = NOISE_MAX;
	return err_set(ERR_CORRUPT, "%.*s", (int)n, p);
}

/* The word at *p, which ends before a space or at `end`; *p moves behind both. */
static size_t next_word(const char **p, const char *end, const char **word)
{
	const char *space = memchr(*p, ' ', (size_t)(end - *p));

	*word = *p;
	*p = space ? space + 1 : end;
	return (size_t)((space ? space : end) - *word);
}

static int parse_number(const char *word, size_t len, unsigned *out)
{
	*out = 0;
	if (len == 0 || len > 6)
		return ERR_CORRUPT;
	for (size_t i = 0; i < len; i++) {
		if (word[i] < '0' || word[i] > '9')
			return ERR_CORRUPT;
		*out = *out * 10 + (unsigned)(word[i] - '0');
	}
	return 0;
}

/* Behind the magic, up to the line's end. */
static int parse_hello_words(struct blobwire_hello *out, const char *p, const char *end)
{
	const char *word;
	size_t len;

	for (const char *c = p; c < end; c++)
		if (*c < ' ' || *c > '~') /* negative where char is signed */
			return ERR_CORRUPT;
	len = next_word(&p, end, &word);
	if (parse_number(word, len, &out->protocol) < 0)
		return ERR_CORRUPT;
	len = next_word(&p, end, &word);
	if (len == 0 || len >= sizeof out->program)
		return ERR_CORRUPT;
	memcpy(out->program, word, len);
	while (p < end) {
		len = next_word(&p, end, &word);
		for (size_t i = 0; i < N_CAPABILITIES; i++)
			if (strlen(capability_words[i].word) == len &&
				memcmp(capability_words[i].word, word, len) == 0)
				out->capabilities |= capability_words[i].bit;
	}
	return 0;
}

ssize_t blobwire_hello_parse(struct blobwire_hello *out, const void *bytes, size_t len, int at_end)
{
	const char *p = bytes;
	size_t seen = len < BLOBWIRE_HELLO_MAX ? len : BLOBWIRE_HELLO_MAX;
	const char *lf = seen ? memchr(p, '\n', seen) : NULL;
	size_t start = seen < MAGIC_LEN ? seen : MAGIC_LEN;
	int ours = start == 0 || memcmp(p, magic, start) == 0;

	memset(out, 0, sizeof *out);
	if (!lf && !at_end && len < BLOBWIRE_HELLO_MAX)
		return 0;
	if (!lf || !ours || parse_hello_words(out, p + MAGIC_LEN, lf) < 0)
		return show_noise(p, len);
	if (out->protocol != BLOBWIRE_PROTOCOL)
		return err_set(ERR_UNSUPPORTED,
			"git-dvx %s speaks version %u of the protocol, this one speaks %d",
			out->program, out->protocol, BLOBWIRE_PROTOCOL);
	return lf + 1 - p;
}

/* ---- frames ---- */

ssize_t blobwire_frame_parse(struct blobwire_frame *out, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint32_t payload;

	if (len < BLOBWIRE_HEADER_LEN)
		return 0;
	payload = be32_get(p);
	if (payload > BLOBWIRE_PAYLOAD_MAX)
		return err_set(ERR_CORRUPT, "a frame of %lu bytes", (unsigned long)payload);
	if (p[9] || p[10] || p[11])
		return err_set(ERR_CORRUPT, "a frame with a bad header");
	if (len - BLOBWIRE_HEADER_LEN < payload)
		return 0;
	*out = (struct blobwire_frame){.type = p[8],
		.id = be32_get(p + 4),
		.payload = p + BLOBWIRE_HEADER_LEN,
		.len = payload};
	return (ssize_t)BLOBWIRE_HEADER_LEN + (ssize_t)payload;
}

void blobwire_header(uint8_t out[static BLOBWIRE_HEADER_LEN], uint8_t type, uint32_t id, size_t len)
{
	be32_put(out, (uint32_t)len);
	be32_put(out + 4, id);
	out[8] = type;
	out[9] = out[10] = out[11] = 0;
}

/* Append a frame.  On failure the buffer is as before. */
static int add_frame(struct buf *out, uint8_t type, uint32_t id, const void *payload, size_t len)
{
	uint8_t header[BLOBWIRE_HEADER_LEN];
	int rc = buf_grow(out, sizeof header + len);

	if (rc < 0)
		return rc;
	blobwire_header(header, type, id, len);
	rc = buf_add(out, header, sizeof header);
	return rc < 0 || len == 0 ? rc : buf_add(out, payload, len);
}

/* ---- requests ---- */

static int bad_request(const struct blobwire_frame *f)
{
	return err_set(ERR_CORRUPT, "a malformed request of type %d", f->type);
}

/* Class and name, which four requests begin with. */
static int parse_name(struct blobwire_request *out, const uint8_t *p)
{
	out->class = p[0];
	memcpy(out->name.id, p + 1, OID_LEN);
	return out->class >= BLOBWIRE_PACK && out->class <= BLOBWIRE_RUNS ? 0 : ERR_CORRUPT;
}

static int parse_get(struct blobwire_request *out, const uint8_t *p)
{
	out->offset = be64_get(p + NAME_LEN);
	out->length = be32_get(p + NAME_LEN + 8);
	if (out->offset > INT64_MAX - BLOBWIRE_GET_MAX || out->length == 0 ||
		out->length > BLOBWIRE_GET_MAX)
		return ERR_CORRUPT;
	return parse_name(out, p);
}

static int parse_put(struct blobwire_request *out, const uint8_t *p)
{
	out->size = be64_get(p + NAME_LEN);
	return out->size > INT64_MAX ? ERR_CORRUPT : parse_name(out, p);
}

static int parse_list(struct blobwire_request *out, const uint8_t *p)
{
	out->listing = p[0];
	return p[0] >= BLOBWIRE_FRAGMENTS && p[0] <= BLOBWIRE_RUN_BUNDLES ? 0 : ERR_CORRUPT;
}

int blobwire_request_parse(struct blobwire_request *out, const struct blobwire_frame *f)
{
	int rc = ERR_CORRUPT;

	memset(out, 0, sizeof *out);
	out->type = f->type;
	out->id = f->id;
	if (f->id == 0)
		return bad_request(f);
	switch (f->type) {
	case BLOBWIRE_LIST:
		rc = f->len == LIST_LEN ? parse_list(out, f->payload) : rc;
		break;
	case BLOBWIRE_SIZE:
	case BLOBWIRE_REMOVE:
		rc = f->len == NAME_LEN ? parse_name(out, f->payload) : rc;
		break;
	case BLOBWIRE_GET:
		rc = f->len == GET_LEN ? parse_get(out, f->payload) : rc;
		break;
	case BLOBWIRE_PUT:
		rc = f->len == PUT_LEN ? parse_put(out, f->payload) : rc;
		break;
	case BLOBWIRE_PUT_DATA:
		out->data = f->payload;
		out->data_len = f->len;
		rc = 0;
		break;
	case BLOBWIRE_COMMIT:
	case BLOBWIRE_PING:
		rc = f->len == 0 ? 0 : rc;
		break;
	default:
		return err_set(ERR_UNSUPPORTED, "unknown request of type %d", f->type);
	}
	return rc < 0 ? bad_request(f) : 0;
}

int blobwire_request_format(struct buf *out, const struct blobwire_request *r)
{
	uint8_t payload[GET_LEN > PUT_LEN ? GET_LEN : PUT_LEN];
	size_t len = 0;

	if (r->type == BLOBWIRE_PUT_DATA)
		return add_frame(out, r->type, r->id, r->data, r->data_len);
	if (r->type == BLOBWIRE_LIST) {
		payload[0] = r->listing;
		len = LIST_LEN;
	} else if (r->type == BLOBWIRE_SIZE || r->type == BLOBWIRE_GET || r->type == BLOBWIRE_PUT ||
		   r->type == BLOBWIRE_REMOVE) {
		payload[0] = r->class;
		memcpy(payload + 1, r->name.id, OID_LEN);
		len = NAME_LEN;
	}
	if (r->type == BLOBWIRE_GET) {
		be64_put(payload + NAME_LEN, r->offset);
		be32_put(payload + NAME_LEN + 8, r->length);
		len = GET_LEN;
	} else if (r->type == BLOBWIRE_PUT) {
		be64_put(payload + NAME_LEN, r->size);
		len = PUT_LEN;
	}
	return add_frame(out, r->type, r->id, payload, len);
}

/* ---- answers ---- */

/* What the near side makes of a code: its own locks, files and signals are not meant. */
static int error_of_code(uint8_t code)
{
	switch (-(int)code) {
	case ERR_IO:
	case ERR_NOTFOUND:
	case ERR_CORRUPT:
	case ERR_INVALID:
	case ERR_LIMIT:
	case ERR_NOMEM:
	case ERR_UNSUPPORTED:
	case ERR_DENIED:
		return -(int)code;
	default:
		return ERR_REMOTE;
	}
}

int blobwire_answer_parse(struct blobwire_answer *out, const struct blobwire_frame *f)
{
	int ok = 0;

	memset(out, 0, sizeof *out);
	out->type = f->type;
	out->id = f->id;
	out->data = f->payload;
	out->data_len = f->len;
	switch (f->type) {
	case BLOBWIRE_ENTRIES:
		ok = f->len && f->len % BLOBWIRE_ENTRY_LEN == 0;
		break;
	case BLOBWIRE_DATA:
		ok = f->len > 0;
		break;
	case BLOBWIRE_DONE:
	case BLOBWIRE_RECEIVED:
		ok = f->len == VALUE_LEN && (out->value = be64_get(f->payload)) <= INT64_MAX;
		break;
	case BLOBWIRE_ERROR:
		ok = f->len >= 1 && f->len <= 1 + BLOBWIRE_MESSAGE_MAX;
		if (ok) {
			out->code = error_of_code(f->payload[0]);
			out->data++;
			out->data_len--;
		}
		break;
	case BLOBWIRE_READY:
		ok = f->len == 0;
		break;
	default:
		break;
	}
	return ok ? 0 : err_set(ERR_CORRUPT, "a malformed answer of type %d", f->type);
}

int blobwire_entry_parse(struct blobwire_entry *out, const uint8_t p[static BLOBWIRE_ENTRY_LEN])
{
	uint64_t mtime = be64_get(p + NAME_LEN + 8);

	out->class = p[0];
	memcpy(out->name.id, p + 1, OID_LEN);
	out->size = be64_get(p + NAME_LEN);
	out->mtime = (int64_t)mtime;
	if (out->class < BLOBWIRE_PACK || out->class > BLOBWIRE_RUNS || out->size > INT64_MAX ||
		mtime > INT64_MAX)
		return err_set(ERR_CORRUPT, "a malformed entry in a listing");
	return 0;
}

void blobwire_entry_format(uint8_t out[static BLOBWIRE_ENTRY_LEN], const struct blobwire_entry *e)
{
	out[0] = e->class;
	memcpy(out + 1, e->name.id, OID_LEN);
	be64_put(out + NAME_LEN, e->size);
	be64_put(out + NAME_LEN + 8, e->mtime > 0 ? (uint64_t)e->mtime : 0);
}

int blobwire_value_format(struct buf *out, uint8_t type, uint32_t id, uint64_t value)
{
	uint8_t payload[VALUE_LEN];

	be64_put(payload, value);
	return add_frame(out, type, id, payload, sizeof payload);
}

int blobwire_ready_format(struct buf *out, uint32_t id)
{
	return add_frame(out, BLOBWIRE_READY, id, NULL, 0);
}

int blobwire_error_format(struct buf *out, uint32_t id, int code, const char *message)
{
	uint8_t payload[1 + BLOBWIRE_MESSAGE_MAX];
	size_t len = strnlen(message, BLOBWIRE_MESSAGE_MAX);

	payload[0] = (uint8_t)-code;
	memcpy(payload + 1, message, len);
	return add_frame(out, BLOBWIRE_ERROR, id, payload, 1 + len);
}
