/*
 * Locks before a push.  The server's list is asked for once; then Git says which of the locked
 * paths the new commits touch, pointers or not.  What the server said about our own locks is
 * remembered, for the modes of lockable files.
 *
 * A server without locks is asked once: the answer is kept as lfs.<url>.locksverify = false, where
 * Git LFS keeps it, too.
 */
#include "hooks/pre_push_locks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/strmap.h"
#include "lib/repo/git.h"
#include "lib/repo/lockable.h"
#include "lib/repo/lockcache.h"
#include "lib/base/gitvalue.h"
#include "lib/setup/lfs_endpoint.h"
#include "lib/setup/remotes.h"
#include "lib/setup/urlmatch.h"
#include "lib/wire/lockwire.h"
#include "lib/worktree/place.h"

enum { NAMED = 20 };

enum verify { VERIFY_NO, VERIFY_YES, VERIFY_TRY };

/* ---- whether to ask ---- */

struct policy {
	enum verify verify;
	char *url; /* of the server; NULL: a local repository */
	char *remote;
};

static void policy_release(struct policy *p)
{
	free(p->url);
	free(p->remote);
}

static void read_setting(struct policy *p, const struct repo *repo)
{
	const char *value =
		p->url ? urlmatch_get(repo->config, "lfs", p->url, "locksverify", URLMATCH_ANY)
		       : config_get(repo->config, "lfs.locksverify");

	p->verify = !value ? VERIFY_TRY : gitvalue_bool(value, 0) ? VERIFY_YES : VERIFY_NO;
}

/* A remote that nothing can be said about is the upload's to complain of. */
static int find_policy(struct policy *p, const struct repo *repo, const char *git_remote)
{
	struct lfs_endpoint *endpoint = NULL;
	struct remote_spec *spec = NULL;
	int rc = remotes_resolve(&spec, repo->dir, repo->config, NULL, git_remote);

	p->verify = VERIFY_NO;
	if (rc == 0 && spec->kind == REMOTE_LFS)
		rc = lfs_endpoint_find(&endpoint, repo->dir, repo->config, spec, LFS_UPLOAD);
	if (rc == 0 && endpoint && endpoint->url && !(p->url = strdup(endpoint->url)))
		rc = ERR_NOMEM;
	if (rc == 0 && !(p->remote = strdup(spec->name)))
		rc = ERR_NOMEM;
	if (rc == 0 && (p->url || spec->kind == REMOTE_GITDIR))
		read_setting(p, repo);
	lfs_endpoint_free(endpoint);
	remote_spec_free(spec);
	if (rc == ERR_NOMEM)
		return err_set(rc, "out of memory");
	err_clear();
	return 0;
}

/* ---- which locked files are pushed ---- */

/* "git log" reads revisions and then paths: what is pushed, and only the locked files of it. */
static int format_query(
	struct buf *input, const struct pre_push *push, const struct lfs_lock_page *page)
{
	const struct lfs_lock_list *lists[] = {&page->ours, &page->theirs};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < push->include.n; i++)
		rc = buf_addf(input, "%s\n", push->include.v[i]);
	for (size_t i = 0; rc == 0 && i < push->exclude.n; i++)
		rc = buf_addf(input, "^%s\n", push->exclude.v[i]);
	if (rc == 0)
		rc = buf_addstr(input, "--\n");
	for (int which = 0; which < 2; which++)
		for (size_t i = 0; rc == 0 && i < lists[which]->n; i++)
			if (place_path_ok(lists[which]->v[i].path))
				rc = buf_addf(input, "%s\n", lists[which]->v[i].path);
	return rc;
}

/* The locked paths that the new commits change: into `touched`. */
static int find_touched(struct strmap *touched, const struct repo *repo,
	const struct pre_push *push, const char *known_as, const struct lfs_lock_page *page)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	struct buf input = BUF_INIT;
	char *path;
	size_t len;
	int rc = format_query(&input, push, page), end;

	if (rc == 0)
		rc = git_prepare(&run, repo, "--literal-pathspecs", "log", "-z",
			"--format=", "--name-only", "--no-renames", "--full-history", "-m",
			"--ignore-missing", "--stdin", (char *)NULL);
	if (rc == 0 && known_as)
		rc = strvec_push(&run.argv, "--not");
	if (rc == 0 && known_as)
		rc = strvec_pushf(&run.argv, "--remotes=%s", known_as);
	if (rc == 0)
		rc = git_reader_start(&r, &run, &input);
	while (rc == 0 && (rc = git_reader_next(r, '\0', &path, &len)) > 0)
		rc = len ? strmap_put(touched, path, NULL) : 0;
	end = git_reader_finish(r);
	run_release(&run);
	buf_release(&input);
	return rc ? rc : end;
}

/* ---- telling ---- */

static size_t count(const struct lfs_lock_list *l, const struct strmap *touched)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += strmap_has(touched, l->v[i].path) != 0;
	return n;
}

static void name_them(const struct lfs_lock_list *l, const struct strmap *touched, int with_owner)
{
	struct buf line = BUF_INIT;
	size_t named = 0, n = count(l, touched);

	for (size_t i = 0; i < l->n && named < NAMED; i++) {
		const struct lfs_lock *lock = &l->v[i];

		if (!strmap_has(touched, lock->path))
			continue;
		named++;
		buf_reset(&line);
		if (buf_addf(&line, with_owner ? "  %s (locked by '%s')" : "  %s", lock->path,
			    lock->owner ? lock->owner : "somebody") == 0)
			fprintf(stderr, "%s\n", err_printable(line.p));
	}
	if (n > named)
		fprintf(stderr, "  ... and %zu more\n", n - named);
	buf_release(&line);
}

/* 1 when somebody else's file is among them. */
static int judge(const struct lfs_lock_page *page, const struct strmap *touched)
{
	size_t theirs = count(&page->theirs, touched), ours = count(&page->ours, touched);

	if (theirs > 0) {
		fprintf(stderr,
			"error: %zu file%s of this push %s locked by somebody else, so nothing was "
			"pushed:\n",
			theirs, theirs == 1 ? "" : "s", theirs == 1 ? "is" : "are");
		name_them(&page->theirs, touched, 1);
		return 1;
	}
	if (ours > 0) {
		fprintf(stderr,
			"hint: you hold the lock%s of what is pushed; when done, 'git dvx "
			"unlock':\n",
			ours == 1 ? "" : "s");
		name_them(&page->ours, touched, 0);
	}
	return 0;
}

static int check(const struct repo *repo, const struct pre_push *push, const char *known_as,
	const struct lfs_lock_page *page)
{
	struct strmap touched = STRMAP_INIT;
	int rc = 0;

	if (page->ours.n + page->theirs.n > 0)
		rc = find_touched(&touched, repo, push, known_as, page);
	if (rc == 0)
		rc = judge(page, &touched);
	strmap_release(&touched, NULL);
	return rc;
}

/* ---- what the server's answer means ---- */

static int set_verify(const struct repo *repo, const char *url, const char *value)
{
	struct buf key = BUF_INIT;
	int rc = buf_addf(&key, "lfs.%s.locksverify", url);

	if (rc == 0)
		rc = git_run(repo, NULL, 0, NULL, "config", "--local", key.p, value, (char *)NULL);
	buf_release(&key);
	return rc;
}

/* No answer: with locksverify = true nothing is pushed; else locks are no reason to stop work. */
static int explain(int rc, const struct policy *p, const struct repo *repo)
{
	if (rc == ERR_INTERRUPTED || rc == ERR_NOMEM)
		return rc;
	if (p->verify == VERIFY_YES)
		return err_prefix(rc, "locks cannot be verified (lfs.locksverify is true), so "
				      "nothing was pushed");
	if (rc == ERR_UNSUPPORTED) {
		if (p->url && set_verify(repo, p->url, "false") < 0)
			err_clear(); /* then it is asked again */
		return 0;
	}
	fprintf(stderr, "warning: locks cannot be verified: %s\n", err_msg());
	return 0;
}

static void hint_supported(const struct policy *p)
{
	if (p->verify == VERIFY_TRY && p->url)
		fprintf(stderr,
			"hint: '%s' has locks; to have every push verified: git config "
			"lfs.%s.locksverify true\n",
			p->remote, p->url);
}

int pre_push_locks(const struct repo *repo, const struct pre_push *push, const char *git_remote,
	const char *known_as, int with_data)
{
	const struct lockwire_options o = {.git_remote = git_remote, .refs = &push->refs};
	const struct lfs_lock_query q = {.path = NULL};
	struct lockwire_answer answer = {.remote = NULL};
	struct policy policy = {.verify = VERIFY_NO};
	int rc = 0;

	if (!with_data && (rc = lockable_any(repo)) <= 0)
		return rc;
	rc = find_policy(&policy, repo, git_remote);
	if (rc < 0 || policy.verify == VERIFY_NO)
		goto done;
	rc = lockwire_run(&answer, LOCKWIRE_VERIFY, &q, &o);
	if (rc < 0) {
		rc = explain(rc, &policy, repo);
		goto done;
	}
	hint_supported(&policy);
	rc = lockcache_save(repo, answer.remote ? answer.remote : policy.remote, LOCKCACHE_VERIFIED,
		&answer.page);
	if (rc == 0)
		rc = check(repo, push, known_as, &answer.page);
done:
	lockwire_answer_release(&answer);
	policy_release(&policy);
	return rc;
}
