/*
 * The rclone kind of blob store: whatever the user's rclone reaches, one run of it for each request
 * (docs/rclone.md).  Every run costs a start-up, so a blob is put by as few as is safe: is it
 * there, upload, and rename where an upload in progress could be seen under its name.
 */
#include "lib/base/err.h"
#include "transfer/rclone/rclone_store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PARALLEL = 8 };

static int rclone_describe(
	struct remote *r, enum remote_class c, const struct oid *name, struct buf *out)
{
	return rclone_store_blob(rclone_store_of(r), c, name, out);
}

/* ---- listing ---- */

static int missing_store(const struct remote_rclone *d)
{
	return err_set(ERR_NOTFOUND,
		"remote '%s' does not exist yet: no blob store at '%s:%s'; 'git dvx push' creates "
		"it, or correct it by 'git dvx remote modify %s url rclone://REMOTE:PATH'",
		d->base.name, d->place.remote, d->place.path, d->base.name);
}

struct listing {
	const char *folder; /* what is listed */
	remote_list_fn *fn;
	void *data;
	size_t n;
};

static int take_item(struct listing *l, const struct rclone_item *item)
{
	struct remote_entry e = {.size = item->size, .mtime = item->mtime};
	struct buf path = BUF_INIT;
	int rc = buf_addf(&path, "%s/%s", l->folder, item->path);

	if (rc == 0 && remote_blob_parse(path.p, &e.class, &e.name)) {
		l->n++;
		rc = l->fn(&e, l->data);
	}
	buf_release(&path);
	return rc;
}

/* The whole lines in `text`, which are then dropped from it. */
static int take_lines(struct listing *l, struct buf *text)
{
	size_t at = 0;
	int rc = 0;

	while (rc == 0) {
		const char *line = text->p + at, *nl = memchr(line, '\n', text->len - at);
		struct rclone_item item;

		if (!nl)
			break;
		at += (size_t)(nl - line) + 1;
		rc = rclone_item_parse(&item, line, (size_t)(nl - line));
		if (rc > 0)
			rc = take_item(l, &item);
		free(item.path);
	}
	buf_consume(text, at);
	return rc;
}

static int read_listing(struct listing *l, struct rclone_run *run)
{
	struct buf text = {.max = 2 * RCLONE_LINE_MAX};
	int rc = 0;

	while (rc == 0) {
		char piece[RCLONE_LINE_MAX / 2];
		ssize_t n = rclone_read(run, piece, sizeof(piece));

		rc = n < 0 ? (int)n : buf_add(&text, piece, (size_t)n);
		if (rc == 0)
			rc = take_lines(l, &text);
		if (n <= 0)
			break;
	}
	buf_release(&text);
	return rc;
}

static int list_folder(struct remote_rclone *d, struct listing *l, int recurse)
{
	const char *options[] = {"--files-only", "--no-mimetype", "--use-server-modtime",
		recurse ? "--recursive" : NULL, NULL};
	struct rclone_run run;
	struct buf place = BUF_INIT;
	int rc = rclone_place_file(&place, &d->place, l->folder);

	if (rc == 0)
		rc = rclone_start(&run, &d->base, &d->place, "lsjson", options, place.p, NULL);
	if (rc < 0)
		goto done;
	rc = read_listing(l, &run);
	if (rc != 0)
		rclone_abort(&run);
	else
		rc = rclone_end(&run, "cannot list the blobs");
	if (rc == ERR_NOTFOUND)
		rc = 0; /* nothing has been put there yet */
done:
	buf_release(&place);
	return rc < 0 ? err_prefix(rc, "remote '%s'", d->base.name) : rc;
}

static int rclone_list(
	struct remote *r, enum remote_listing what, remote_list_fn *fn, void *data, int64_t *now)
{
	struct remote_rclone *d = rclone_store_of(r);
	struct listing l = {remote_listing_folder(what), fn, data, .n = 0};
	struct rclone_run format;
	int ask = rclone_store_format(d) != FORMAT_GOOD, rc, rc_format;

	if (now)
		*now = time(NULL);
	/* both at the same time */
	rc = ask ? rclone_store_ask_format(d, &format) : 0;
	if (rc < 0)
		return rc;
	rc = list_folder(d, &l, what == REMOTE_LIST_PACKS);
	if (ask && rc != 0) {
		rclone_abort(&format);
	} else if (ask) {
		rc_format = rclone_store_take_format(d, &format);
		rc = rc_format;
	}
	if (rc == 0 && l.n == 0 && rclone_store_format(d) != FORMAT_GOOD)
		rc = missing_store(d);
	return rc;
}

/* ---- reading ---- */

static int rclone_size(
	struct remote *r, enum remote_class c, const struct oid *name, uint64_t *size)
{
	struct buf place = BUF_INIT;
	int rc = rclone_store_blob(rclone_store_of(r), c, name, &place);

	if (rc == 0)
		rc = rclone_store_size(rclone_store_of(r), place.p, size);
	buf_release(&place);
	return rc;
}

/* Some say that a range behind the end is an error. */
static int is_range_error(int rc)
{
	return rc == ERR_REMOTE && (strstr(err_msg(), "InvalidRange") || strstr(err_msg(), "416"));
}

/* Less came than was asked for: is that all there is?  rclone prints nothing, and calls that a
 * success, for what is not there in an object store. */
static ssize_t check_short(
	struct remote_rclone *d, const char *place, uint64_t offset, ssize_t have)
{
	uint64_t size;
	int rc = rclone_store_size(d, place, &size);

	if (rc < 0)
		return rc;
	if (offset >= size ? have == 0 : (uint64_t)have == size - offset)
		return have;
	return err_set(ERR_REMOTE, "reading '%s' by rclone ended early, after %lld bytes", place,
		(long long)have);
}

static ssize_t rclone_get(struct remote *r, enum remote_class c, const struct oid *name,
	uint64_t offset, void *into, size_t len)
{
	struct remote_rclone *d = rclone_store_of(r);
	struct buf place = BUF_INIT, from = BUF_INIT, count = BUF_INIT, doing = BUF_INIT;
	struct rclone_run run;
	ssize_t n = rclone_store_blob(d, c, name, &place);

	if (n == 0 && (n = buf_addf(&from, "--offset=%llu", (unsigned long long)offset)) == 0 &&
		(n = buf_addf(&count, "--count=%zu", len)) == 0 &&
		(n = buf_addf(&doing, "cannot read '%s'", place.p)) == 0) {
		const char *options[] = {from.p, count.p, NULL};

		n = rclone_start(&run, r, &d->place, "cat", options, place.p, NULL);
	}
	if (n < 0)
		goto done;
	n = rclone_read(&run, into, len);
	if (n < 0) {
		rclone_abort(&run);
	} else {
		int rc = rclone_end(&run, doing.p);

		if (is_range_error(rc))
			rc = 0;
		n = rc < 0 ? rc : n;
	}
	if (n >= 0 && (size_t)n < len)
		n = check_short(d, place.p, offset, n);
done:
	buf_release(&place);
	buf_release(&from);
	buf_release(&count);
	buf_release(&doing);
	return n;
}

/* ---- removing ---- */

/* Who removes blobs also removes what killed writers left in tmp/, once; it is only tidiness. */
static void sweep_temp(struct remote_rclone *d)
{
	static const char *const options[] = {"--min-age=24h", "--include=/put-*", NULL};
	struct buf place = BUF_INIT;
	int first;

	pthread_mutex_lock(&d->lock);
	first = !d->swept;
	d->swept = 1;
	pthread_mutex_unlock(&d->lock);
	if (first && rclone_place_file(&place, &d->place, "tmp") == 0 &&
		rclone_store_run(d, "delete", options, place.p, NULL) < 0)
		err_clear();
	buf_release(&place);
}

static int rclone_remove(struct remote *r, enum remote_class c, const struct oid *name)
{
	struct remote_rclone *d = rclone_store_of(r);
	struct buf place = BUF_INIT;
	int rc = rclone_store_blob(d, c, name, &place);

	if (rc == 0) {
		sweep_temp(d);
		rc = rclone_store_run(d, "deletefile", NULL, place.p, NULL);
	}
	buf_release(&place);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int rclone_probe(struct remote *r, struct buf *report)
{
	static const char *const how[] = {[RCLONE_WHOLE] = "uploads appear whole",
		[RCLONE_RENAME] = "uploads are renamed into place",
		[RCLONE_IN_PLACE] = "files are written in place: it cannot rename"};
	struct remote_rclone *d = rclone_store_of(r);
	int class = rclone_store_class(d);

	if (class < 0)
		return class;
	return buf_addf(report, "rclone's '%s:': %s", d->place.remote, how[class]);
}

static void rclone_close(struct remote *r)
{
	struct remote_rclone *d = rclone_store_of(r);

	pthread_mutex_destroy(&d->lock);
	rclone_place_release(&d->place);
	free(d);
}

static const struct remote_ops rclone_ops = {
	.kind = "rclone",
	.list = rclone_list,
	.size = rclone_size,
	.get = rclone_get,
	.put_begin = remote_spool,
	.put_commit = rclone_put_commit,
	.put_free = remote_spool_free,
	.remove = rclone_remove,
	.describe = rclone_describe,
	.probe = rclone_probe,
	.close = rclone_close,
};

int remote_rclone_open(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context)
{
	struct remote_rclone *d = calloc(1, sizeof(*d));
	int rc;

	*out = NULL;
	if (!d)
		return err_set(ERR_NOMEM, "out of memory");
	pthread_mutex_init(&d->lock, NULL);
	rc = remote_init(&d->base, &rclone_ops, spec, context);
	if (rc == 0)
		rc = rclone_place_parse(&d->place, spec->url);
	if (rc < 0) {
		err_prefix(rc, "remote '%s'", spec->name);
		remote_close(&d->base);
		return rc;
	}
	d->base.parallel = PARALLEL;
	*out = &d->base;
	return 0;
}
