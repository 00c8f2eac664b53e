/*
 * The download of one object (see lfs_basic.h): its bytes are hashed and written while they arrive.
 * What an earlier run, or an attempt that broke off, has brought is not asked for again; a server
 * that knows no ranges, or gets them wrong, starts at the beginning.
 */
#include "lib/base/err.h"
#include "transfer/blob/deliver.h"
#include "transfer/lfs/lfs_basic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORTH_A_TRY = 1024 * 1024 }; /* bytes: an attempt that brought so many was none in vain */

struct get {
	struct lfs_job *job;
	struct deliver out;
	int open;
	uint64_t have;	   /* bytes from an earlier run, while out.size is 0 */
	uint64_t from;	   /* this attempt asks for what is behind so many bytes */
	uint64_t reported; /* to engine_progress */
	int anew;	   /* ranges, or what was there, are no good */
	int kept;	   /* bytes of an earlier run are in it */
	int restarts;
};

static void report(struct get *g, uint64_t bytes)
{
	g->reported += bytes;
	engine_progress(g->job->asker->engine, bytes);
}

static void give_back(struct get *g)
{
	engine_progress(g->job->asker->engine, -g->reported);
	g->reported = 0;
}

static void restart(struct get *g)
{
	if (g->open)
		deliver_abort(&g->out);
	g->open = 0;
	give_back(g);
}

static int prepare(struct get *g)
{
	int rc = 0;

	if (!g->open) {
		rc = deliver_resume(&g->out, g->job->asker->engine, g->job->object, &g->have);
		g->open = 1;
		g->kept = 0;
	}
	g->from = g->anew ? 0 : g->out.size ? g->out.size : g->have;
	return rc;
}

/* The bytes of an earlier run are the beginning. */
static int keep(struct get *g)
{
	int rc = deliver_keep(&g->out, g->have);

	if (rc == 0)
		report(g, g->have);
	g->kept = 1;
	return rc;
}

/* ---- the answer ---- */

/* "bytes 5-9/10", or an asterisk for 10: what we asked for? */
static int is_our_range(const struct get *g, const char *value)
{
	uint64_t first, last, size = g->job->object->size;
	int end = 0;

	if (!value || sscanf(value, "bytes %" SCNu64 "-%" SCNu64 "/%n", &first, &last, &end) < 2 ||
		!end)
		return 0;
	if (strcmp(value + end, "*") != 0 && strtoull(value + end, NULL, 10) != size)
		return 0;
	return first == g->from && last >= first && last < size;
}

static int refuse_length(const struct get *g, const char *value)
{
	errno = 0;
	if (!value || strtoull(value, NULL, 10) == g->job->object->size)
		return 0;
	return err_set(ERR_CORRUPT, "the server has %.20s bytes under this id instead of %" PRIu64,
		value, g->job->object->size);
}

static int on_headers(const struct http_response *r, void *data)
{
	struct get *g = data;
	const char *encoding = http_response_header(r, "content-encoding");

	if (encoding && strcasecmp(encoding, "identity") != 0)
		return err_set(ERR_CORRUPT,
			"the server compresses it (%.40s), which was not asked for", encoding);
	if (r->status == 206) {
		if (!is_our_range(g, http_response_header(r, "content-range"))) {
			if (g->anew) /* no range was asked for */
				return err_set(ERR_REMOTE, "the server sends a part of it only");
			g->anew = 1;
			return err_set(ERR_CHANGED, "the server sends another part");
		}
		return g->out.size == 0 && g->from ? keep(g) : 0;
	}
	if (g->out.size) { /* from the beginning after all */
		g->anew = 1;
		restart(g);
		if (prepare(g) < 0)
			return err_prefix(ERR_IO, "cannot begin again");
	}
	return refuse_length(g, http_response_header(r, "content-length"));
}

static int on_bytes(const void *p, size_t len, void *data)
{
	struct get *g = data;
	int rc = deliver_data(&g->out, p, len);

	if (rc < 0)
		return rc;
	g->job->travelled += len;
	report(g, len);
	return engine_check_stop(g->job->asker->engine);
}

/* ---- attempts ---- */

static int request(struct get *g, const struct lfs_action *a, struct http_response *response)
{
	char range[64];
	const struct lfs_request q = {.method = "GET",
		.href = a->href,
		.headers = &a->headers,
		.range = g->from ? range : NULL,
		.authenticated = g->job->answer.objects[0].authenticated,
		.begin = on_headers,
		.sink = on_bytes,
		.sink_data = g,
		.once = 1};

	snprintf(range, sizeof(range), "bytes=%" PRIu64 "-", g->from);
	return lfs_client_request(g->job->asker->client, &q, response);
}

/* All bytes are there: are they right?  What an earlier run left may be what is wrong. */
static int finish(struct get *g)
{
	int rc, kept = g->kept;

	if (g->out.size < g->job->object->size && g->from)
		return err_set(ERR_REMOTE, "the server sent less than it said");
	rc = deliver_finish(&g->out);
	g->open = 0;
	if (rc != ERR_CORRUPT || !kept || g->anew)
		return rc == ERR_CORRUPT
			       ? err_set(rc, "what the server sends is not the object: %s",
					 err_msg())
			       : rc;
	give_back(g);
	g->anew = 1;
	return ERR_CHANGED;
}

/* 0, ERR_CHANGED: at once again, from the beginning. */
static int attempt(struct get *g, const struct lfs_action *a, struct http_response *response)
{
	int rc = prepare(g);

	if (rc == 0 && g->from == g->job->object->size) { /* only its end was missing */
		rc = g->out.size ? 0 : keep(g);
	} else if (rc == 0) {
		rc = request(g, a, response);
		if (rc < 0 && response->status == 416 && g->from) {
			g->anew = 1;
			rc = ERR_CHANGED;
		}
	}
	if (rc == ERR_CHANGED)
		restart(g);
	return rc == 0 ? finish(g) : rc;
}

static int try_again(struct get *g, int rc, const struct http_response *response, unsigned *tries,
	uint64_t *mark)
{
	if (rc == ERR_CHANGED && g->restarts++ == 0)
		return 1;
	if (g->job->travelled - *mark >= WORTH_A_TRY)
		*tries = 0;
	*mark = g->job->travelled;
	return lfs_job_again(g->job, LFS_ACTION_DOWNLOAD, rc, response, tries);
}

int lfs_basic_download(struct lfs_job *j)
{
	struct get g = {.job = j};
	struct http_response response = {0};
	const struct lfs_action *a;
	unsigned tries = 0;
	uint64_t mark = 0;
	int rc;

	do {
		rc = lfs_job_action(j, LFS_ACTION_DOWNLOAD, &a);
		if (rc == 0 && !a)
			rc = err_set(ERR_REMOTE, "the server has it, and names no way to fetch it");
		if (rc < 0)
			break;
		rc = attempt(&g, a, &response);
		if (rc < 0)
			rc = try_again(&g, rc, &response, &tries, &mark);
	} while (rc > 0);
	if (g.open)
		deliver_abort(&g.out);
	if (rc < 0)
		give_back(&g);
	http_response_release(&response);
	return rc;
}
