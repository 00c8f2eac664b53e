/*
 * The XML documents of S3 that we read: pages of a listing (ListObjectsV2) and errors.  Pure; the
 * parser is libexpat, with everything that XML has beyond elements and text refused (document
 * types, entities, processing instructions are not looked at), and depth, size and lengths bounded.
 *
 * Specification: Amazon S3 API Reference, "ListObjectsV2" and "Error Responses".  Namespaces are
 * ignored, as are elements that are not known.
 */
#ifndef TRANSFER_S3_XML_H
#define TRANSFER_S3_XML_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

enum {
	S3_XML_MAX = 16 << 20, /* bytes of a document */
	S3_XML_DEPTH_MAX = 16,
	S3_XML_TEXT_MAX = 4096 /* bytes of one element's text */
};

/* One object of a listing; strings borrowed from the page. */
struct s3_xml_object {
	const char *key;  /* decoded, if the server had encoded it */
	const char *etag; /* without its quotes; "" if there is none */
	uint64_t size;
	int64_t mtime; /* seconds since 1970; 0 when missing or unreadable */
};

struct s3_xml_page {
	struct s3_xml_object *objects;
	size_t n;
	int truncated;	  /* there is more: ask with `next` */
	const char *next; /* NextContinuationToken, never NULL when truncated */
	/* owned */
	size_t cap;
	struct buf text;
};

/* Parse a ListBucketResult.  0; ERR_CORRUPT: it is none, or says nonsense (what, and on which
 * line); ERR_LIMIT; ERR_NOMEM.  On failure there is nothing to release. */
int s3_xml_page_parse(struct s3_xml_page *out, const char *xml, size_t len);
/* Fine on a zeroed struct. */
void s3_xml_page_release(struct s3_xml_page *p);

/* What an error document says; "" for what it has not.  Longer texts are cut, control characters
 * are replaced. */
struct s3_xml_error {
	char code[64];
	char message[512];
	char region[64];
	char bucket[256];
	char endpoint[256];
	char request_id[128];
	char server_time[40];  /* ISO 8601, with RequestTimeTooSkewed */
	char request_time[40]; /* as we had signed it */
	char header[64];       /* with NotImplemented: what is not */
};

/* Parse an <Error> document (also below <ErrorResponse>).  1: it was one, *out is set; 0: it is not
 * (HTML of a proxy, nothing at all, something broken), *out is zeroed. */
int s3_xml_error_parse(struct s3_xml_error *out, const char *xml, size_t len);

#endif
