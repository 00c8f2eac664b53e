/*
 * Files that must stay as they are, or must not be committed at all.
 *
 * Git's own files (.gitkeep, .gitignore) are free in a guarded directory.  What a merge brings from
 * the other side was committed there, so a merge is not looked at.  A file that becomes a pointer
 * to the same content is not changed.
 */
#include "hooks/pre_commit_guard.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/git.h"

enum { NAMED = 10 };

static int is_gits_own(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strncmp(slash != NULL ? slash + 1 : path, ".git", 4);
}

static int in_merge(const struct repo *repo)
{
	struct buf path = BUF_INIT;
	int there = fs_join(&path, repo->dir->git_dir, "MERGE_HEAD") == 0 && fs_exists(path.p);

	buf_release(&path);
	return there;
}

static int hash_blob(size_t i, enum git_type type, const void *data, size_t len, void *arg)
{
	(void)i;
	(void)type;
	if (data == NULL)
		return 1;
	oid_of(arg, data, len);
	return 0;
}

/* 1 if Git's blob on one side is the content that the pointer on the other one stands for. */
static int is_content_of(
	const struct repo *repo, const struct pointers_query *blob, const struct pointers_query *p)
{
	struct git_object object = {.type = GIT_MISSING};
	struct oid oid;
	int rc;

	memcpy(object.id, blob->blob, sizeof(object.id));
	rc = git_objects_info(repo, &object, 1);
	if (rc == 0 && (object.type != GIT_BLOB || object.size != p->size))
		return 0;
	if (rc == 0)
		rc = git_objects_read(repo, &object, 1, hash_blob, &oid);
	return rc < 0 ? rc : rc == 0 && oid_eq(&oid, &p->oid);
}

/* 1 if the content is another one now, or gone. */
static int is_changed(const struct repo *repo, const struct staged_change *c)
{
	int was = pointers_is_pointer(&c->old), is = pointers_is_pointer(&c->new), rc;

	if (c->old_mode == 0)
		return 0;
	if (c->new_mode == 0 || S_ISREG(c->old_mode) != S_ISREG(c->new_mode))
		return 1;
	if (was && is)
		return !oid_eq(&c->old.oid, &c->new.oid);
	if (!was && !is)
		return memcmp(c->old.blob, c->new.blob, (size_t)repo->hash_len) != 0;
	rc = was ? is_content_of(repo, &c->new, &c->old) : is_content_of(repo, &c->old, &c->new);
	return rc < 0 ? rc : !rc;
}

/* 1 if this change is against the file's guard. */
static int is_refused(
	const struct repo *repo, const struct staged_change *c, enum attrs_guard guard)
{
	if (guard == ATTRS_GUARD_NEVER)
		return c->new_mode != 0;
	return guard == ATTRS_GUARD_IMMUTABLE && !is_gits_own(c->path) ? is_changed(repo, c) : 0;
}

/* Print the changes against this guard: how many there are, or a negative error. */
static int judge(const struct repo *repo, const struct staged *s, const struct attrs *attrs,
	enum attrs_guard guard, const char *title)
{
	int n = 0, rc;

	for (size_t i = 0; i < s->n; i++) {
		if (attrs[i].guard != guard)
			continue;
		rc = is_refused(repo, &s->v[i], guard);
		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		if (n == 0)
			fprintf(stderr, "error: %s:\n", title);
		if (n++ < NAMED)
			fprintf(stderr, "  %s%s\n", s->v[i].path,
				guard == ATTRS_GUARD_NEVER ? ""
				: s->v[i].new_mode == 0	   ? " (deleted)"
							   : " (changed)");
	}
	if (n > NAMED)
		fprintf(stderr, "  ... and %d more\n", n - NAMED);
	return n;
}

int pre_commit_guard(const struct repo *repo, const struct staged *s, const struct attrs *attrs)
{
	int never, immutable = 0;

	never = judge(repo, s, attrs, ATTRS_GUARD_NEVER,
		"files that must not be committed are staged (dvx-guard=never in .gitattributes)");
	if (never > 0)
		fputs("run 'git rm --cached <path>', and let .gitignore hide it\n", stderr);
	if (never >= 0 && !in_merge(repo))
		immutable = judge(repo, s, attrs, ATTRS_GUARD_IMMUTABLE,
			"this commit would change files that must stay as they are "
			"(dvx-guard=immutable in .gitattributes)");
	if (immutable > 0)
		fputs("write what is derived from them elsewhere; 'git restore --staged --worktree "
		      "<path>' brings one back, 'git commit --no-verify' commits them all the "
		      "same\n",
			stderr);
	if (never < 0 || immutable < 0)
		return never < 0 ? never : immutable;
	return never > 0 || immutable > 0;
}
