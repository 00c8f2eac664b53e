/*
 * The pre-push hook.  What has to travel is what the new commits brought in and the remote's own
 * branches do not reach: history that was pushed before is not looked at again.  A failed upload
 * stops the push.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hooks/pre_push.h"
#include "hooks/pre_push_locks.h"
#include "lib/base/err.h"
#include "lib/repo/git.h"
#include "lib/repo/sync.h"
#include "lib/base/gitvalue.h"

enum { NAMED = 20, INPUT_MAX = 64 << 20 };

static int is_zero_id(const char *id, size_t len)
{
	return strspn(id, "0") >= len;
}

void pre_push_release(struct pre_push *p)
{
	strvec_release(&p->include);
	strvec_release(&p->exclude);
	strvec_release(&p->refs);
}

static int add_ref(struct strvec *refs, const char *name, size_t len)
{
	for (size_t i = 0; i < refs->n; i++)
		if (strlen(refs->v[i]) == len && memcmp(refs->v[i], name, len) == 0)
			return 0;
	return strvec_pushn(refs, name, len);
}

/* One line; `end` is its LF. */
static int parse_line(struct pre_push *p, const char *line, const char *end)
{
	const char *field[4];
	size_t len[4];
	int n = 0, rc;

	for (const char *at = line; n < 4 && at < end; n++) {
		const char *space = memchr(at, ' ', (size_t)(end - at));

		field[n] = at;
		len[n] = (size_t)((space != NULL ? space : end) - at);
		at += len[n] + 1;
	}
	if (n != 4 || len[1] == 0 || len[3] == 0)
		return err_set(ERR_INVALID, "unexpected line on standard input: '%.*s'",
			(int)(end - line), line);
	if (is_zero_id(field[1], len[1]))
		return 0; /* a ref is deleted */
	rc = strvec_pushn(&p->include, field[1], len[1]);
	if (rc == 0)
		rc = add_ref(&p->refs, field[2], len[2]);
	if (rc == 0 && !is_zero_id(field[3], len[3]))
		rc = strvec_pushn(&p->exclude, field[3], len[3]);
	return rc;
}

int pre_push_parse(struct pre_push *p, const struct buf *lines)
{
	const char *at = buf_str(lines), *end;
	int rc = 0;

	for (; rc == 0 && *at != '\0'; at = end + (*end == '\n')) {
		end = at + strcspn(at, "\n");
		if (end > at)
			rc = parse_line(p, at, end);
	}
	return rc;
}

/* 1 when the push must not go on; tells on stderr. */
static int judge(const struct sync *sync, int allow_incomplete)
{
	size_t failed = sync_failed(sync), missing = 0;
	struct buf names = BUF_INIT;

	if (failed == 0)
		return 0;
	for (size_t i = 0; i < sync->n; i++)
		missing += sync->objects[i].state == ERR_NOTFOUND;
	if (sync_failures(&names, sync, BATCH_UPLOAD, NAMED) < 0)
		err_clear();
	if (failed == missing && allow_incomplete) {
		fprintf(stderr,
			"warning: %zu object%s not here and not on the remote; pushed without "
			"%s:\n%s",
			missing, missing == 1 ? " is" : "s are", missing == 1 ? "it" : "them",
			buf_str(&names));
		buf_release(&names);
		return 0;
	}
	fprintf(stderr,
		"error: %zu of %zu objects could not be pushed to '%s', so nothing was pushed:\n%s",
		failed, sync->n, sync->result.remote, buf_str(&names));
	if (missing > 0)
		fputs("objects that are nowhere: get them with 'git dvx fetch', or set "
		      "lfs.allowincompletepush\n",
			stderr);
	buf_release(&names);
	return 1;
}

static int upload(const struct repo *repo, const char *git_remote, const struct pre_push *push,
	const struct scan_list *l)
{
	/* An object may be for several refs; the server is told of one that has a say. */
	const struct batch_options o = {
		.git_remote = git_remote, .ref = push->refs.n == 1 ? push->refs.v[0] : NULL};
	struct sync sync = SYNC_INIT;
	struct buf summary = BUF_INIT;
	int rc = sync_upload(&sync, l, &o);

	if (rc < 0) {
		rc = err_prefix(rc, "the data was not pushed, so nothing was pushed");
		goto done;
	}
	rc = sync_summary(&summary, &sync, BATCH_UPLOAD, 0);
	if (rc > 0)
		fprintf(stderr, "%s\n", buf_str(&summary));
	if (rc >= 0)
		rc = judge(&sync, config_bool(repo->config, "lfs.allowincompletepush", 0));
done:
	buf_release(&summary);
	sync_release(&sync);
	return rc;
}

int pre_push_run(const struct repo *repo, const char *remote, const char *url)
{
	const char *known_as = strcmp(remote, url) == 0 ? NULL : remote;
	struct pre_push push = {.refs = STRVEC_INIT};
	struct scan_list l = SCAN_LIST_INIT;
	struct buf lines = {NULL, 0, 0, INPUT_MAX};
	struct pointers *p = NULL;
	int rc;

	if (gitvalue_lfs_env("GIT_LFS_SKIP_PUSH", 0))
		return 0;
	rc = buf_read_fd(&lines, STDIN_FILENO);
	if (rc == 0)
		rc = pre_push_parse(&push, &lines);
	if (rc < 0 || push.include.n == 0)
		goto done;
	rc = pointers_open(&p, repo);
	if (rc == 0)
		rc = scan_range(&l, repo, p, &push.include, &push.exclude, known_as);
	pointers_close(p);
	if (rc == 0)
		rc = pre_push_locks(repo, &push, remote, known_as, l.n > 0);
	if (rc == 0 && l.n > 0)
		rc = upload(repo, remote, &push, &l);
done:
	scan_list_release(&l);
	pre_push_release(&push);
	buf_release(&lines);
	return rc;
}
