/*
 * Asking a git-lfs-transfer which objects it has or wants (see lfs_ssh_internal.h).
 */
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/lfs/lfs_ssh_internal.h"
#include "lib/base/isotime.h"

#include <stdlib.h>
#include <string.h>

enum { NS_PER_S = 1000000000, EARLY_S = 5 };

void lfs_ssh_job_release(struct lfs_ssh_job *j)
{
	free(j->id);
	free(j->token);
	j->id = j->token = NULL;
	j->expires_at = 0;
	j->offered = 0;
}

static int write_request(
	struct lfs_ssh_link *l, const struct engine *e, const struct lfs_ssh_job *jobs, size_t n)
{
	struct buf ref = BUF_INIT;
	int rc = lfsssh_head_write(&l->out, "batch", "transfer=ssh", "hash-algo=sha256", NULL);

	if (rc == 0 && e->ref)
		rc = buf_addf(&ref, "refname=%s", e->ref);
	if (rc == 0 && e->ref)
		rc = pkt_write_line(&l->out, ref.p);
	if (rc == 0)
		rc = pkt_write_delim(&l->out);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct lfsssh_object o = {
			.oid = jobs[i].object->oid, .size = jobs[i].object->size};

		rc = lfsssh_object_write(&l->out, &o);
	}
	buf_release(&ref);
	return rc < 0 ? rc : pkt_write_flush(&l->out);
}

/* The job with this id; the answers mostly come in the order of the questions, so it is looked for
 * from `hint` on. */
static struct lfs_ssh_job *find_job(
	struct lfs_ssh_job *jobs, size_t n, const struct oid *oid, size_t hint)
{
	for (size_t i = 0; i < n; i++) {
		struct lfs_ssh_job *j = &jobs[(hint + i) % n];

		if (oid_eq(&j->object->oid, oid))
			return j;
	}
	return NULL;
}

/* Seconds since 1970 when this stops to be good, 0 for never. */
static int64_t expiry(const struct lfsssh_object *o)
{
	int64_t now = fs_now_ns() / NS_PER_S, at;
	char *end;
	long seconds;

	if (o->expires_in) {
		seconds = strtol(o->expires_in, &end, 10);
		if (end != o->expires_in && !*end && seconds > 0)
			return now + seconds - EARLY_S;
	}
	return o->expires_at && isotime_parse(&at, o->expires_at) == 0 ? at - EARLY_S : 0;
}

static int take_action(struct lfs_ssh_job *j, const struct lfsssh_object *o)
{
	lfs_ssh_job_release(j);
	j->offered = 1;
	j->expires_at = expiry(o);
	j->id = o->id ? strdup(o->id) : NULL;
	j->token = o->token ? strdup(o->token) : NULL;
	if ((o->id && !j->id) || (o->token && !j->token))
		return err_set(ERR_NOMEM, "out of memory");
	return 0;
}

struct answers {
	struct lfs_ssh_job *jobs;
	size_t n, next;
	const char *action;
	size_t lines;
};

static int take_line(struct answers *a, char *line)
{
	struct lfs_ssh_job *j;
	struct lfsssh_object o;
	char hex[OID_HEX_LEN + 1];
	int rc = lfsssh_object_parse(&o, line, 1);

	if (rc == 0 && ++a->lines > 4 * a->n) /* several actions of an object are a line each */
		rc = err_set(ERR_LIMIT, "a batch's answer with too many lines");
	if (rc < 0)
		return rc;
	j = find_job(a->jobs, a->n, &o.oid, a->next);
	oid_to_hex(hex, &o.oid);
	if (!j)
		return err_set(
			ERR_CORRUPT, "an answer about object %s, which was not asked for", hex);
	a->next = (size_t)(j - a->jobs) + 1;
	if (strcmp(o.action, a->action) != 0)
		return 0;
	if (o.size != j->object->size)
		return err_set(ERR_CORRUPT, "object %s is said to have %llu bytes", hex,
			(unsigned long long)o.size);
	return take_action(j, &o);
}

static int read_answer(struct lfs_ssh_link *l, struct answers *a, const struct lfsssh_head *h)
{
	const char *algorithm = lfsssh_arg(h, "hash-algo");
	struct buf line = BUF_INIT;
	int rc = 0;

	if (algorithm && strcmp(algorithm, "sha256") != 0)
		rc = err_set(ERR_CORRUPT, "it names objects by '%.40s', not by sha256", algorithm);
	while (rc == 0 && h->has_body && (rc = lfsssh_body_line(&l->in, &line)) == 1)
		rc = take_line(a, line.p);
	buf_release(&line);
	return rc < 0 ? lfs_ssh_link_lost(l, rc) : 0;
}

int lfs_ssh_batch(struct lfs_ssh_link *l, const struct engine *e, enum engine_direction d,
	struct lfs_ssh_job *jobs, size_t n)
{
	struct answers a = {
		.jobs = jobs, .n = n, .action = d == ENGINE_UPLOAD ? "upload" : "download"};
	struct lfsssh_head h = {.line = NULL};
	int rc = write_request(l, e, jobs, n);

	if (rc < 0)
		return lfs_ssh_link_lost(l, rc);
	rc = lfs_ssh_link_status(l, &h, 0);
	if (lfs_ssh_is_success(rc))
		rc = read_answer(l, &a, &h);
	else if (rc > 0)
		rc = lfs_ssh_link_refused(l, &h, rc);
	lfsssh_head_release(&h);
	return rc;
}
