/*
 * Reading S3's XML (see s3_xml.h).  One reader walks any document and hands over each element that
 * ends, with its text and how deep it lies; the two kinds of documents differ in what they do
 * with that.  A document type ends the parsing: with it go entities, and all that can be done with
 * them.
 */
#include "transfer/s3/s3_xml.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/isotime.h"

#include <ctype.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LEN = 31 };

struct reader;

/* An element has ended; `depth` of the root is 1.  0 or a negative error, which ends the parsing.
 */
typedef int element_fn(struct reader *r, int depth, const char *name, const char *text);

struct reader {
	XML_Parser parser;
	char names[S3_XML_DEPTH_MAX][NAME_MAX_LEN + 1]; /* of the open elements; longer ones cut:
							 * none that we know is so long */
	int depth;
	struct buf text; /* since the last tag */
	element_fn *element;
	void *data;
	int rc;
};

/* ---- the reader ---- */

static void stop(struct reader *r, int rc)
{
	if (r->rc == 0)
		r->rc = rc;
	XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL on_start(void *data, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = data;
	const char *colon = strrchr(name, ':');

	(void)attributes;
	if (r->rc)
		return;
	if (r->depth == S3_XML_DEPTH_MAX) {
		stop(r, err_set(ERR_LIMIT, "elements nested more than %d deep", S3_XML_DEPTH_MAX));
		return;
	}
	strncpy(r->names[r->depth], colon ? colon + 1 : name, NAME_MAX_LEN);
	r->depth++;
	buf_reset(&r->text);
}

static void XMLCALL on_end(void *data, const XML_Char *name)
{
	struct reader *r = data;
	int rc;

	(void)name;
	if (r->rc)
		return;
	rc = r->element(r, r->depth, r->names[r->depth - 1], buf_str(&r->text));
	if (rc < 0)
		stop(r, rc);
	r->depth--;
	memset(r->names[r->depth], 0, sizeof r->names[r->depth]);
	buf_reset(&r->text);
}

static void XMLCALL on_text(void *data, const XML_Char *text, int len)
{
	struct reader *r = data;
	int rc = r->rc ? 0 : buf_add(&r->text, text, (size_t)len);

	if (rc == ERR_LIMIT)
		rc = err_set(ERR_LIMIT, "a text of more than %d bytes", S3_XML_TEXT_MAX);
	if (rc < 0)
		stop(r, rc);
}

static void XMLCALL on_doctype(void *data, const XML_Char *name, const XML_Char *sysid,
	const XML_Char *pubid, int has_internal_subset)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)has_internal_subset;
	stop(data, err_set(ERR_CORRUPT, "it has a document type, which S3 never sends"));
}

/* Walk a document.  0, what `element` returned, ERR_CORRUPT, ERR_LIMIT, ERR_NOMEM. */
static int read_document(const char *xml, size_t len, element_fn *element, void *data)
{
	struct reader r = {.element = element, .data = data, .text = {.max = S3_XML_TEXT_MAX}};

	if (len > S3_XML_MAX)
		return err_set(ERR_LIMIT, "the answer has more than %d MiB", S3_XML_MAX >> 20);
	r.parser = XML_ParserCreate("UTF-8");
	if (!r.parser)
		return err_set(ERR_NOMEM, "out of memory");
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	if (XML_Parse(r.parser, xml, (int)len, 1) != XML_STATUS_OK && r.rc == 0) {
		enum XML_Error e = XML_GetErrorCode(r.parser);

		r.rc = e == XML_ERROR_NO_MEMORY
			       ? err_set(ERR_NOMEM, "out of memory")
			       : err_set(ERR_CORRUPT, "no well-formed XML: %s, line %lu",
					 XML_ErrorString(e),
					 (unsigned long)XML_GetCurrentLineNumber(r.parser));
	}
	XML_ParserFree(r.parser);
	buf_release(&r.text);
	return r.rc;
}

/* ---- a page of a listing ---- */

struct page_reader {
	struct s3_xml_page *page;
	struct s3_xml_object now; /* the <Contents> that is being read */
	int has_size;
	int encoded;
};

/* Keep a string in the page.  Its buffer was made large enough for every text of the document, so
 * that it never moves. */
static int keep(struct s3_xml_page *p, const char **out, const char *text, size_t len)
{
	size_t start = p->text.len;
	int rc = buf_add(&p->text, text, len);

	if (rc == 0)
		rc = buf_add(&p->text, "", 1);
	if (rc == 0)
		*out = p->text.p + start;
	return rc;
}

static int read_size(uint64_t *out, const char *text)
{
	int64_t n = 0;

	if (!*text)
		return err_set(ERR_CORRUPT, "an object without a size");
	for (; *text; text++)
		if (!isdigit((unsigned char)*text) || __builtin_mul_overflow(n, 10, &n) ||
			__builtin_add_overflow(n, *text - '0', &n))
			return err_set(ERR_CORRUPT, "an object with a bad size");
	*out = (uint64_t)n;
	return 0;
}

/* A child of <Contents>. */
static int page_property(struct page_reader *p, const char *name, const char *text)
{
	size_t len = strlen(text);

	if (strcmp(name, "Key") == 0)
		return keep(p->page, &p->now.key, text, len);
	if (strcmp(name, "Size") == 0) {
		p->has_size = 1;
		return read_size(&p->now.size, text);
	}
	if (strcmp(name, "ETag") == 0) {
		if (len >= 2 && text[0] == '"' && text[len - 1] == '"')
			return keep(p->page, &p->now.etag, text + 1, len - 2);
		return keep(p->page, &p->now.etag, text, len);
	}
	if (strcmp(name, "LastModified") == 0 && isotime_parse(&p->now.mtime, text) < 0)
		p->now.mtime = 0;
	return 0;
}

/* </Contents> */
static int page_object(struct page_reader *p)
{
	struct s3_xml_page *page = p->page;

	if (!p->now.key || !p->has_size)
		return err_set(ERR_CORRUPT, "an object without a %s", p->now.key ? "size" : "key");
	if (array_room(&page->objects, page->n, &page->cap, sizeof(*page->objects)) < 0)
		return ERR_NOMEM;
	if (!p->now.etag)
		p->now.etag = "";
	page->objects[page->n++] = p->now;
	p->now = (struct s3_xml_object){0};
	p->has_size = 0;
	return 0;
}

static int page_element(struct reader *r, int depth, const char *name, const char *text)
{
	struct page_reader *p = r->data;

	if (strcmp(r->names[0], "ListBucketResult") != 0)
		return err_set(ERR_CORRUPT, "<%s> instead of <ListBucketResult>", r->names[0]);
	if (depth == 3 && strcmp(r->names[1], "Contents") == 0)
		return page_property(p, name, text);
	if (depth != 2)
		return 0;
	if (strcmp(name, "Contents") == 0)
		return page_object(p);
	if (strcmp(name, "IsTruncated") == 0)
		p->page->truncated = strcmp(text, "true") == 0;
	else if (strcmp(name, "EncodingType") == 0)
		p->encoded = strcmp(text, "url") == 0;
	else if (strcmp(name, "NextContinuationToken") == 0 && *text)
		return keep(p->page, &p->page->next, text, strlen(text));
	return 0;
}

static int hex_value(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Undo encoding-type=url in place ('+' is a blank there, as in forms).  1 if it was well-formed and
 * without NUL, else 0. */
static int decode(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++) {
		if (*p != '%') {
			*to++ = *p == '+' ? ' ' : *p;
			continue;
		}
		if (!isxdigit((unsigned char)p[1]) || !isxdigit((unsigned char)p[2]))
			return 0;
		*to = (char)(hex_value(p[1]) << 4 | hex_value(p[2]));
		if (!*to++)
			return 0;
		p += 2;
	}
	*to = '\0';
	return 1;
}

/* The document says late that its keys are encoded.  What cannot be decoded is nobody's we know. */
static void decode_keys(struct s3_xml_page *page)
{
	size_t kept = 0;

	for (size_t i = 0; i < page->n; i++)
		if (decode(page->text.p + (page->objects[i].key - page->text.p)))
			page->objects[kept++] = page->objects[i];
	page->n = kept;
}

int s3_xml_page_parse(struct s3_xml_page *out, const char *xml, size_t len)
{
	struct page_reader p = {.page = out};
	int rc;

	*out = (struct s3_xml_page){0};
	if (len > S3_XML_MAX)
		return err_set(ERR_LIMIT, "the listing has more than %d MiB", S3_XML_MAX >> 20);
	out->text.max = len + 1; /* each text is shorter than its tags and itself */
	rc = buf_grow(&out->text, len + 1);
	if (rc == 0)
		rc = read_document(xml, len, page_element, &p);
	if (rc == 0 && out->truncated && !out->next)
		rc = err_set(ERR_CORRUPT, "there is more, but it does not say how to ask for it");
	if (rc < 0) {
		s3_xml_page_release(out);
		return err_prefix(rc, "bad listing");
	}
	if (p.encoded)
		decode_keys(out);
	if (!out->truncated)
		out->next = NULL;
	return 0;
}

void s3_xml_page_release(struct s3_xml_page *p)
{
	free(p->objects);
	buf_release(&p->text);
	*p = (struct s3_xml_page){0};
}

/* ---- errors ---- */

/* Copy what fits, whole characters of UTF-8 only, nothing that a terminal obeys. */
static void copy_text(char *to, size_t size, const char *text)
{
	size_t n = strlen(text);

	if (n >= size)
		for (n = size - 1; n && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
			;
	memcpy(to, text, n);
	to[n] = '\0';
	for (char *p = to; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	err_printable(to);
}

static int error_element(struct reader *r, int depth, const char *name, const char *text)
{
	struct s3_xml_error *e = r->data;
	const struct {
		const char *name;
		char *to;
		size_t size;
	} known[] = {
		{"Code", e->code, sizeof e->code},
		{"Message", e->message, sizeof e->message},
		{"Region", e->region, sizeof e->region},
		{"BucketName", e->bucket, sizeof e->bucket},
		{"Bucket", e->bucket, sizeof e->bucket},
		{"Endpoint", e->endpoint, sizeof e->endpoint},
		{"RequestId", e->request_id, sizeof e->request_id},
		{"ServerTime", e->server_time, sizeof e->server_time},
		{"RequestTime", e->request_time, sizeof e->request_time},
		{"Header", e->header, sizeof e->header},
	};
	int level = strcmp(r->names[0], "ErrorResponse") == 0 ? 2 : 1;

	if (r->depth < level || depth != level + 1 || strcmp(r->names[level - 1], "Error") != 0)
		return 0;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(name, known[i].name) == 0)
			copy_text(known[i].to, known[i].size, text);
	return 0;
}

int s3_xml_error_parse(struct s3_xml_error *out, const char *xml, size_t len)
{
	*out = (struct s3_xml_error){0};
	if (read_document(xml, len, error_element, out) == 0 && out->code[0])
		return 1;
	*out = (struct s3_xml_error){0};
	return 0;
}
