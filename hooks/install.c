/*
 * The stubs that Git runs, put into the hooks directory and taken out again (docs/hooks.md).
 *
 * A stub of ours is known by its second line.  Whatever else lies there is somebody else's: it is
 * left alone, and the user is told the line that makes both run.
 */
#include "hooks/install.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hooks/lfs_stub.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/git.h"

const char *const hooks_names[] = {
	"pre-commit", "pre-push", "post-checkout", "post-commit", "post-merge", NULL};

static const char marker[] = "#!/bin/sh\n# git-dvx hook ";

enum kind {
	HOOK_NONE,
	HOOK_OURS,
	HOOK_OLD /* ours, of another version */,
	HOOK_CHAINED,
	HOOK_LFS /* Git LFS's own */,
	HOOK_FOREIGN
};

void hooks_result_release(struct hooks_result *r)
{
	strvec_release(&r->foreign);
	*r = (struct hooks_result)HOOKS_RESULT_INIT;
}

int hooks_dir(struct buf *out, const struct repo *repo)
{
	struct buf path = BUF_INIT;
	int rc = git_run(repo, NULL, 0, &path, "rev-parse", "--git-path", "hooks", (char *)NULL);

	if (rc == 0 && path.len)
		buf_truncate(&path, path.len - 1);
	/* Git prints it as seen from where it ran: the top of the worktree. */
	if (rc == 0)
		rc = fs_join(out, repo->dir->worktree ? repo->dir->worktree : repo->dir->git_dir,
			path.p);
	buf_release(&path);
	return rc;
}

int hooks_stub(struct buf *out, const char *name)
{
	int guards = !strncmp(name, "pre-", 4);

	/* A missing program stops what would lose data, and nothing else. */
	return buf_addf(out,
		"%s%s: made by 'git dvx install', removed by 'git dvx uninstall'\n"
		"command -v git-dvx >/dev/null 2>&1 || { echo \"git-dvx is not on the PATH; "
		"install "
		"it, or remove '$0'\" >&2; exit %d; }\n"
		"exec git-dvx hook %s \"$@\"\n",
		marker, name, guards ? 2 : 0, name);
}

/* Whose is the hook at `path`? */
static int kind_of(enum kind *out, const char *path, const char *name)
{
	struct buf text = BUF_INIT, stub = BUF_INIT, call = BUF_INIT;
	size_t i, lines = 0;
	int rc;

	if ((rc = buf_read_file(&text, path)) < 0) {
		*out = HOOK_NONE;
		rc = rc == ERR_NOTFOUND ? 0 : rc;
		goto done;
	}
	if ((rc = hooks_stub(&stub, name)) < 0 ||
		(rc = buf_addf(&call, "git-dvx hook %s", name)) < 0)
		goto done;
	for (i = 0; i < text.len; i++)
		lines += text.p[i] == '\n';
	if (!strcmp(buf_str(&text), stub.p))
		*out = HOOK_OURS;
	else if (!strncmp(buf_str(&text), marker, sizeof marker - 1) && lines <= 4)
		*out = HOOK_OLD;
	else if (lfs_stub_is(buf_str(&text), name))
		*out = HOOK_LFS;
	else
		*out = strstr(buf_str(&text), call.p) ? HOOK_CHAINED : HOOK_FOREIGN;
done:
	buf_release(&text);
	buf_release(&stub);
	buf_release(&call);
	return rc;
}

/* Write the stub, executable, in one rename. */
static int write_stub(const char *path, const char *name)
{
	struct buf temp = BUF_INIT, stub = BUF_INIT;
	struct stat st;
	int fd = -1, rc;

	if ((rc = hooks_stub(&stub, name)) < 0)
		goto done;
	if ((fd = fs_tempfile(&temp, path)) < 0) {
		rc = fd;
		goto done;
	}
	if ((rc = fs_write_full(fd, stub.p, stub.len)) < 0)
		goto done;
	/* Executable for whom the umask lets read. */
	if (fstat(fd, &st) < 0 ||
		fchmod(fd, (st.st_mode & 0777) | ((st.st_mode & 0444) >> 2)) < 0) {
		rc = err_sys("cannot make '%s' executable", temp.p);
		goto done;
	}
	if ((rc = fs_close(&fd, temp.p)) < 0)
		goto done;
	if (rename(temp.p, path) < 0)
		rc = err_sys("cannot put '%s' in place", path);
done:
	if (fd >= 0)
		close(fd);
	if (rc < 0 && temp.len)
		unlink(temp.p);
	buf_release(&temp);
	buf_release(&stub);
	return rc;
}

/* Move a foreign hook out of the way. */
static int keep_old(const char *path)
{
	struct buf old = BUF_INIT;
	int rc = buf_addf(&old, "%s.old", path);

	if (rc == 0 && fs_exists(old.p))
		rc = err_set(ERR_EXISTS, "'%s' exists; move it away first", old.p);
	if (rc == 0 && rename(path, old.p) < 0)
		rc = err_sys("cannot rename '%s'", path);
	buf_release(&old);
	return rc;
}

static int install_one(const char *path, const char *name, int flags, struct hooks_result *r)
{
	enum kind kind;
	int rc;

	if ((rc = kind_of(&kind, path, name)) < 0)
		return rc;
	if (kind == HOOK_LFS)
		kind = flags & HOOKS_REPLACE_LFS ? HOOK_OLD : HOOK_FOREIGN;
	if (kind == HOOK_OURS || kind == HOOK_CHAINED)
		return 0;
	if (kind == HOOK_FOREIGN && !(flags & HOOKS_FORCE))
		return strvec_push(&r->foreign, path);
	if (kind == HOOK_FOREIGN && (rc = keep_old(path)) < 0)
		return rc;
	if ((rc = write_stub(path, name)) == 0)
		r->installed++;
	return rc;
}

int hooks_install(const struct repo *repo, int flags, struct hooks_result *r)
{
	struct buf dir = BUF_INIT, path = BUF_INIT;
	const char *const *name;
	int rc;

	if ((rc = hooks_dir(&dir, repo)) < 0)
		goto done;
	if ((rc = fs_mkdirs(dir.p)) < 0) {
		err_prefix(rc, "no place for hooks (core.hooksPath)");
		goto done;
	}
	for (name = hooks_names; *name && rc == 0; name++) {
		buf_reset(&path);
		if ((rc = fs_join(&path, dir.p, *name)) == 0)
			rc = install_one(path.p, *name, flags, r);
	}
done:
	buf_release(&dir);
	buf_release(&path);
	return rc;
}

int hooks_uninstall(const struct repo *repo, int flags, struct hooks_result *r)
{
	struct buf dir = BUF_INIT, path = BUF_INIT;
	const char *const *name;
	enum kind kind;
	int rc = hooks_dir(&dir, repo);

	for (name = hooks_names; *name && rc == 0; name++) {
		buf_reset(&path);
		if ((rc = fs_join(&path, dir.p, *name)) < 0 ||
			(rc = kind_of(&kind, path.p, *name)) < 0)
			break;
		if (kind == HOOK_LFS && (flags & HOOKS_REPLACE_LFS))
			kind = HOOK_OLD;
		if (kind == HOOK_CHAINED)
			rc = strvec_push(&r->foreign, path.p);
		else if (kind != HOOK_OURS && kind != HOOK_OLD)
			continue;
		else if (unlink(path.p) < 0)
			rc = err_sys("cannot remove '%s'", path.p);
		else
			r->removed++;
	}
	buf_release(&dir);
	buf_release(&path);
	return rc;
}

int hooks_chain_text(struct buf *out, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	/* Git gives pre-push its work on standard input, which can be read once only. */
	if (!strcmp(name, "pre-push"))
		return buf_addf(out,
			"\trefs=$(cat)\n"
			"\tprintf '%%s\\n' \"$refs\" | git-dvx hook pre-push \"$@\" || exit\n"
			"and give what follows there the same input: printf '%%s\\n' \"$refs\" | "
			"…\n");
	return buf_addf(out, "\tgit-dvx hook %s \"$@\"%s\n", name,
		!strncmp(name, "pre-", 4) ? " || exit" : "");
}
