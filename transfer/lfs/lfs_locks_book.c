/*
 * Locks of a local Git repository (REMOTE_GITDIR): the book that its SSH server keeps, too, so that
 * people on a shared directory have locks, and see those of people who come by SSH.  The owner is
 * who runs this.
 */
#include "transfer/lfs/lfs_locks_book.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"

int lfs_locks_book_open(struct lockbook **out, const struct remote_spec *spec)
{
	struct buf directory = BUF_INIT;
	int rc = fs_join(&directory, spec->path, "dvx/server/locks");

	if (rc == 0)
		rc = lockbook_open(out, directory.p);
	buf_release(&directory);
	return rc;
}

void lfs_locks_book_owner(char owner[static LFS_LOCKS_OWNER_MAX])
{
	char memory[4096];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(geteuid(), &entry, memory, sizeof(memory), &found) == 0 && found)
		snprintf(owner, LFS_LOCKS_OWNER_MAX, "%s", found->pw_name);
	else
		snprintf(owner, LFS_LOCKS_OWNER_MAX, "uid %lu", (unsigned long)geteuid());
}

static int create(void *server, const struct lfs_lock_query *q, struct lfs_lock *out)
{
	char owner[LFS_LOCKS_OWNER_MAX];

	lfs_locks_book_owner(owner);
	return lockbook_create(server, q->path, owner, out);
}

static int list(void *server, const struct lfs_lock_query *q, struct lfs_lock_page *out)
{
	return lockbook_list(server, q, out);
}

static int verify(void *server, const struct lfs_lock_query *q, struct lfs_lock_page *out)
{
	const struct lfs_lock_query any = {.limit = 1};
	struct lfs_lock_page some = {.next_cursor = NULL};
	char owner[LFS_LOCKS_OWNER_MAX];
	int rc = lockbook_list(server, &any, &some), none = some.ours.n == 0;

	lfs_lock_page_release(&some);
	if (rc < 0 || none) /* mostly: then it does not matter who this is */
		return rc;
	lfs_locks_book_owner(owner);
	return lockbook_verify(server, q, owner, out);
}

static int remove_lock(void *server, const struct lfs_lock_query *q, struct lfs_lock *out)
{
	char owner[LFS_LOCKS_OWNER_MAX];

	lfs_locks_book_owner(owner);
	return lockbook_remove(server, q, owner, out);
}

const struct lfs_lock_ops lfs_locks_book = {create, list, verify, remove_lock};
