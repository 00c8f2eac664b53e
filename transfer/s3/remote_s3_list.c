/*
 * Listing an S3 blob store, page by page.  Fragments and notices are asked for with the prefix "f",
 * so that the file "format" comes in the same answer and costs no request of its own.
 */
#include "transfer/remote/remote.h"
#include "lib/base/err.h"
#include "lib/base/isotime.h"
#include "transfer/s3/remote_s3_internal.h"
#include "transfer/s3/s3_xml.h"
#include "transfer/s3/sigv4.h"

#include <string.h>
#include <time.h>

#define PAGE_KEYS "1000"

enum { FOREIGN_PAGES_MAX = 10000 }; /* in a row: ten million objects of others, or no end at all */

struct listing {
	struct remote_s3 *s;
	enum remote_listing what;
	remote_list_fn *fn;
	void *data;
	int64_t *now;
	struct buf next; /* where the next page begins */
	int format_seen;
	unsigned foreign; /* pages since one had something of ours */
};

static int add_query(struct strvec *query, const char *name, const char *value, const char *more)
{
	struct buf text = BUF_INIT;
	int rc = buf_addf(&text, "%s=", name);

	if (rc == 0)
		rc = sigv4_encode(&text, value);
	if (rc == 0)
		rc = sigv4_encode(&text, more);
	if (rc == 0)
		rc = strvec_push(query, text.p);
	buf_release(&text);
	return rc;
}

static int build_query(const struct listing *l, struct strvec *query)
{
	static const char *const folders[] = {[REMOTE_LIST_FRAGMENTS] = "f",
		[REMOTE_LIST_PACKS] = "packs/",
		[REMOTE_LIST_RUNS] = "runs/"};
	const char *prefix = s3_client_settings(l->s->client)->prefix;
	int rc = strvec_pushl(
		query, "list-type=2", "encoding-type=url", "max-keys=" PAGE_KEYS, NULL);

	if (rc == 0)
		rc = add_query(query, "prefix", prefix, folders[l->what]);
	if (rc == 0 && l->next.len > 0)
		rc = add_query(query, "continuation-token", l->next.p, "");
	return rc;
}

/* One object: ours, or of no interest. */
static int visit(struct listing *l, const struct s3_xml_object *o)
{
	const char *prefix = s3_client_settings(l->s->client)->prefix;
	size_t len = strlen(prefix);
	struct remote_entry e = {.size = o->size, .mtime = o->mtime};

	if (strncmp(o->key, prefix, len) != 0)
		return 0;
	if (l->what == REMOTE_LIST_FRAGMENTS && strcmp(o->key + len, "format") == 0) {
		l->format_seen = 1;
		l->foreign = 0;
		return remote_s3_format_seen(l->s, o->size, o->etag);
	}
	if (!remote_blob_parse(o->key + len, &e.class, &e.name) ||
		remote_listing_of(e.class) != l->what)
		return 0;
	l->foreign = 0;
	return l->fn(&e, l->data);
}

static int no_listing(const struct listing *l, int rc)
{
	struct buf endpoint = BUF_INIT;

	if (s3_client_endpoint(l->s->client, &endpoint) == 0)
		rc = err_prefix(rc,
			"remote '%s': what %s answers is no listing of S3; check endpointurl, and "
			"whether a proxy is in between",
			l->s->base.name, endpoint.p);
	buf_release(&endpoint);
	return rc;
}

static int too_many_foreign(const struct listing *l)
{
	const struct s3_settings *set = s3_client_settings(l->s->client);

	return err_set(ERR_LIMIT,
		"remote '%s': %d pages of the listing of 's3://%s/%s' have nothing of git-dvx; "
		"check the URL, or give the remote a path of its own: 'git dvx remote modify %s "
		"url s3://%s/…'",
		l->s->base.name, FOREIGN_PAGES_MAX, set->bucket, set->prefix, l->s->base.name,
		set->bucket);
}

static int read_page(struct listing *l, const struct http_response *r, int *more)
{
	const char *date = http_response_header(r, "date");
	struct s3_xml_page page = {0};
	int rc = s3_xml_page_parse(&page, buf_str(&r->body), r->body.len);

	if (rc < 0)
		return no_listing(l, rc);
	if (l->now && *l->now == 0 && (!date || isotime_parse_http(l->now, date) < 0))
		*l->now = time(NULL);
	*more = page.truncated;
	if (*more && strcmp(page.next, buf_str(&l->next)) == 0)
		rc = err_set(ERR_CORRUPT, "remote '%s': the server's listing goes round in circles",
			l->s->base.name);
	buf_reset(&l->next);
	if (rc == 0 && *more)
		rc = buf_addstr(&l->next, page.next);
	l->foreign++;
	for (size_t i = 0; rc == 0 && i < page.n; i++)
		rc = visit(l, &page.objects[i]);
	if (rc == 0 && *more && l->foreign >= FOREIGN_PAGES_MAX)
		rc = too_many_foreign(l);
	s3_xml_page_release(&page);
	return rc;
}

int remote_s3_list(
	struct remote *r, enum remote_listing what, remote_list_fn *fn, void *data, int64_t *now)
{
	struct remote_s3 *s = (struct remote_s3 *)r;
	struct listing l = {.s = s, .what = what, .fn = fn, .data = data, .now = now};
	int rc, more = 0;

	if (now)
		*now = 0;
	do {
		struct s3_call call = {.op = S3_LIST, .method = "GET", .max = S3_XML_MAX};

		rc = build_query(&l, &call.query);
		if (rc == 0)
			rc = s3_client_call(s->client, &call);
		if (rc == 0)
			rc = read_page(&l, &call.response, &more);
		s3_call_release(&call);
	} while (rc == 0 && more);
	if (rc == 0 && what == REMOTE_LIST_FRAGMENTS && !l.format_seen)
		remote_s3_format_missing(s);
	if (rc == 0)
		remote_s3_note_region(s);
	buf_release(&l.next);
	return rc;
}
