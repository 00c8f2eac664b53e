/*
 * Bundles as files of this repository, and the asking of git-dvx-transfer, which carries them to
 * and from a remote.
 */
#include "lib/pipeline/runcache_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/run.h"
#include "lib/wire/batchline.h"

enum { OVERHEAD = 2 * OID_LEN + 4 }; /* bytes of an entry besides its text */

/* ---- ids ---- */

void runcache_ids_release(struct runcache_ids *ids)
{
	free(ids->v);
	memset(ids, 0, sizeof(*ids));
}

int runcache_ids_add(struct runcache_ids *ids, const struct oid *id)
{
	if (array_room(&ids->v, ids->n, &ids->cap, sizeof(*ids->v)) < 0)
		return ERR_NOMEM;
	ids->v[ids->n++] = *id;
	return 0;
}

/* ---- copies ---- */

static int copy_path(struct buf *out, const struct repo *repo, const struct oid *id)
{
	char hex[OID_HEX_LEN + 1];
	int rc = runcache_dir(out, repo);

	oid_to_hex(hex, id);
	return rc < 0 ? rc : buf_addf(out, "/%s.runs", hex);
}

size_t runcache_bundle_size(const struct repo *repo, const struct oid *id)
{
	struct buf path = BUF_INIT;
	struct stat st;
	size_t size = 0;

	if (copy_path(&path, repo, id) == 0 && lstat(path.p, &st) == 0 && S_ISREG(st.st_mode))
		size = (size_t)st.st_size;
	buf_release(&path);
	return size;
}

int runcache_bundle_each(const struct repo *repo, const struct oid *id,
	int (*fn)(const struct runbundle_entry *e, void *data), void *data)
{
	struct buf path = BUF_INIT, bytes = {.max = RUNBUNDLE_MAX};
	struct oid found;
	int rc = copy_path(&path, repo, id);

	if (rc == 0)
		rc = buf_read_file(&bytes, path.p);
	if (rc < 0)
		goto done;
	oid_of(&found, bytes.p, bytes.len);
	if (oid_eq(&found, id)) {
		rc = runbundle_parse(bytes.p, bytes.len, fn, data);
	} else {
		unlink(path.p);
		rc = err_set(ERR_CORRUPT, "it was damaged here");
	}
	if (rc < 0)
		err_prefix(rc, "bundle '%s'", path.p);
done:
	buf_release(&path);
	buf_release(&bytes);
	return rc;
}

/* ---- making them ---- */

void runcache_pile_release(struct runcache_pile *p)
{
	for (size_t i = 0; i < p->n; i++)
		free((void *)(uintptr_t)p->v[i].text);
	free(p->v);
	memset(p, 0, sizeof(*p));
}

int runcache_pile_add(struct runcache_pile *p, const struct runbundle_entry *e)
{
	void *text;

	if (array_room(&p->v, p->n, &p->cap, sizeof(*p->v)) < 0)
		return ERR_NOMEM;
	text = malloc(e->len + 1);
	if (!text)
		return err_set(ERR_NOMEM, "out of memory");
	memcpy(text, e->text, e->len);
	p->v[p->n] = *e;
	p->v[p->n++].text = text;
	p->bytes += OVERHEAD + e->len;
	return 0;
}

static int cmp_entries(const void *a, const void *b)
{
	return runbundle_cmp(a, b);
}

static int write_copy(const struct repo *repo, const struct buf *bytes, struct runcache_ids *ids)
{
	struct buf path = BUF_INIT;
	struct oid id;
	int rc;

	oid_of(&id, bytes->p, bytes->len);
	rc = copy_path(&path, repo, &id);
	if (rc == 0)
		rc = fs_mkdirs_parent(path.p);
	if (rc == 0)
		rc = fs_replace_file(path.p, bytes->p, bytes->len, 0);
	if (rc == 0)
		rc = runcache_ids_add(ids, &id);
	buf_release(&path);
	return rc;
}

int runcache_pile_write(struct runcache_pile *p, const struct repo *repo, struct runcache_ids *ids)
{
	struct buf bytes = {.max = RUNBUNDLE_MAX};
	size_t n = 0;
	int rc = runbundle_begin(&bytes);

	if (p->n)
		qsort(p->v, p->n, sizeof(*p->v), cmp_entries);
	for (size_t i = 0; rc == 0 && i < p->n; i++) {
		if (n && runbundle_cmp(&p->v[i - 1], &p->v[i]) == 0)
			continue;
		rc = runbundle_add(&bytes, &p->v[i]);
		if (rc == ERR_LIMIT && n) { /* full: this one opens the next */
			rc = write_copy(repo, &bytes, ids);
			buf_reset(&bytes);
			if (rc == 0)
				rc = runbundle_begin(&bytes);
			if (rc == 0)
				rc = runbundle_add(&bytes, &p->v[i]);
		}
		n++;
	}
	if (rc == 0 && n)
		rc = write_copy(repo, &bytes, ids);
	buf_release(&bytes);
	runcache_pile_release(p);
	return rc;
}

/* ---- git-dvx-transfer ---- */

static int format_requests(struct buf *out, const struct runcache_ids *ids)
{
	int rc = 0;

	for (size_t i = 0; ids && rc == 0 && i < ids->n; i++)
		rc = batch_request_format(
			out, &(struct batch_request){.oid = ids->v[i], .size = BATCH_SIZE_UNKNOWN});
	return rc;
}

struct answers {
	struct runcache_transfer *t;
	struct runcache_ids *good;
	struct oidmap seen;
	int done;
};

void runcache_bundle_note(struct runcache_transfer *t, const char *why)
{
	if (t->damaged++ == 0)
		snprintf(t->why, sizeof(t->why), "%s", why);
}

static int take_answer(struct answers *to, char *line)
{
	struct batch_answer a;
	int rc = batch_answer_parse(&a, line, strlen(line));

	if (rc < 0)
		return err_prefix(rc, "bad answer of git-dvx-transfer");
	if (a.kind == BATCH_ANSWER_FATAL)
		return err_set(a.code, "%s", a.text);
	to->done |= a.kind == BATCH_ANSWER_DONE;
	if (a.kind == BATCH_ANSWER_OK)
		to->t->bytes += a.bytes;
	if (a.kind != BATCH_ANSWER_OK && a.kind != BATCH_ANSWER_PRESENT &&
		a.kind != BATCH_ANSWER_ERROR)
		return 0;
	rc = oidmap_add(&to->seen, &a.oid, 0);
	if (rc > 0 && a.kind == BATCH_ANSWER_ERROR)
		runcache_bundle_note(to->t, a.text);
	else if (rc > 0 && to->good)
		rc = runcache_ids_add(to->good, &a.oid);
	return rc < 0 ? rc : 0;
}

static int prepare(struct run *r, const char *verb, const struct runcache_transfer *t)
{
	struct buf program = BUF_INIT;
	int rc = run_resolve_sibling(&program, "git-dvx-transfer");

	if (rc == 0)
		rc = strvec_pushl(&r->argv, program.p, "runs", verb, (char *)NULL);
	if (rc == 0 && t->remote)
		rc = strvec_pushf(&r->argv, "--remote=%s", t->remote);
	if (rc == 0 && t->git_remote)
		rc = strvec_pushf(&r->argv, "--git-remote=%s", t->git_remote);
	if (rc == 0 && t->jobs > 0)
		rc = strvec_pushf(&r->argv, "--jobs=%d", t->jobs);
	buf_release(&program);
	return rc;
}

int runcache_bundle_ask(const char *verb, const struct runcache_ids *ids,
	struct runcache_transfer *t, struct runcache_ids *good)
{
	struct answers to = {.t = t, .good = good};
	struct buf requests = BUF_INIT, out = BUF_INIT;
	struct run r = RUN_INIT;
	char *line, *next;
	int rc = prepare(&r, verb, t), status = 0;

	if (rc == 0)
		rc = format_requests(&requests, ids);
	if (rc == 0)
		rc = status = run_capture(&r, buf_str(&requests), requests.len, &out);
	for (line = out.p; rc >= 0 && line && *line; line = next) {
		next = strchr(line, '\n');
		if (!next)
			break;
		*next++ = '\0';
		rc = take_answer(&to, line);
	}
	if (rc >= 0 && !to.done)
		rc = status == 130 || (t->stop && *t->stop)
			     ? err_set(ERR_INTERRUPTED, "interrupted")
			     : err_set(ERR_REMOTE, "git-dvx-transfer ended early (exit status %d)",
				       status);
	run_release(&r);
	buf_release(&requests);
	buf_release(&out);
	oidmap_release(&to.seen);
	return rc < 0 ? rc : 0;
}

int runcache_bundle_put(const struct runcache_ids *ids, struct runcache_transfer *t)
{
	struct runcache_transfer one = {
		.remote = t->remote, .git_remote = t->git_remote, .jobs = t->jobs, .stop = t->stop};
	int rc = runcache_bundle_ask("push", ids, &one, NULL);

	t->bytes += one.bytes;
	if (rc == 0 && one.damaged)
		rc = err_set(ERR_REMOTE, "the run cache could not be sent: %s", one.why);
	return rc;
}
