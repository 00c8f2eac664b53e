/*
 * `git dvx fsck`, objects: every one is read to its end and hashed, several at once.  With --repair
 * what is damaged is moved aside, and what then is missing is fetched from the remote and checked
 * again.
 */
#include "commands/fsck.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/progress.h"
#include "lib/base/workers.h"
#include "lib/repo/git.h"
#include "lib/repo/sync.h"
#include "lib/store/store_gc.h"

enum { COMMITS_NAMED = 3 };

struct verdict {
	int rc;	   /* 0: whole */
	char *why; /* heap */
};

struct check {
	struct fsck *f;
	struct scan_list list;
	struct verdict *v; /* of each item */
	struct progress *progress;
	const volatile int *stop;
};

static void forget(struct verdict *v)
{
	free(v->why);
	*v = (struct verdict){0, NULL};
}

static int check_one(size_t i, void *data)
{
	struct check *c = data;
	const struct scan_item *item = &c->list.v[i];

	if (*c->stop)
		return err_set(ERR_INTERRUPTED, "interrupted");
	forget(&c->v[i]);
	c->v[i].rc = store_verify(c->f->ctx->s, &item->oid, item->size);
	if (c->v[i].rc == ERR_NOMEM || c->v[i].rc == ERR_INTERRUPTED)
		return c->v[i].rc;
	if (c->v[i].rc < 0)
		c->v[i].why = strdup(err_msg());
	progress_add(c->progress, 1, item->size);
	return 0;
}

static int check_all(struct check *c)
{
	uint64_t bytes = 0;
	int rc;

	for (size_t i = 0; i < c->list.n; i++)
		bytes += c->list.v[i].size;
	c->progress = progress_new(
		"Checking", c->list.n, bytes, c->f->as_json ? PROGRESS_OFF : PROGRESS_AUTO);
	rc = workers_run(c->f->jobs, c->list.n, check_one, c);
	progress_free(c->progress);
	c->progress = NULL;
	return rc;
}

/* ---- telling ---- */

static const char *path_of(const struct scan_item *item)
{
	return *item->path ? item->path : "(no path)";
}

static void tell(struct check *c, size_t i)
{
	const struct scan_item *item = &c->list.v[i];
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, &item->oid);
	if (c->v[i].rc == ERR_CORRUPT)
		fsck_problem(c->f, "corruptObject", item->path, hex,
			"objects: corruptObject: %s (%s) is corrupt", path_of(item), hex);
	else
		fsck_problem(c->f, "openError", item->path, hex,
			"objects: openError: %s (%s) could not be checked: %s", path_of(item), hex,
			c->v[i].rc == ERR_NOTFOUND ? "no such object here" : c->v[i].why);
}

/* " in 1a2b3c4, 5d6e7f8": the commits that brought the pointer, or took it away. */
static void add_commits(const struct check *c, const struct scan_item *item, struct buf *out)
{
	char hex[REPO_HEX_MAX + 1];
	struct buf arg = BUF_INIT, names = BUF_INIT;
	char *save, *line;
	int n = 0;

	repo_id_hex(hex, &c->f->ctx->repo, item->blob);
	if (buf_addf(&arg, "--find-object=%s", hex) == 0 &&
		git_status_of(&c->f->ctx->repo, NULL, 0, &names, "log", "--all", "--reflog",
			"--format=%h", "-n", "3", buf_str(&arg), (char *)NULL) == 0 &&
		names.len)
		for (line = strtok_r(names.p, "\n", &save); line && n < COMMITS_NAMED;
			line = strtok_r(NULL, "\n", &save))
			(void)buf_addf(out, "%s%s", n++ ? ", " : " in ", line);
	err_clear();
	buf_release(&arg);
	buf_release(&names);
}

static void tell_lost(struct check *c, size_t i, const char *why)
{
	const struct scan_item *item = &c->list.v[i];
	char hex[OID_HEX_LEN + 1];
	struct buf commits = BUF_INIT;

	oid_to_hex(hex, &item->oid);
	add_commits(c, item, &commits);
	fsck_problem(c->f, "notRepaired", item->path, hex,
		"objects: not repaired: %s (%s)%s: %s; push it from a clone that has it ('git dvx "
		"push -A'), or put the right file in place and 'git add --renormalize' it",
		path_of(item), hex, buf_str(&commits), why);
	buf_release(&commits);
}

/* ---- mending ---- */

static void tell_aside(struct fsck *f)
{
	if (f->bad_dir)
		fsck_say(f, "objects: repair: moving corrupt objects to %s", f->bad_dir);
	else
		fsck_say(
			f, "objects: repair: moving corrupt objects to %s/bad", f->ctx->g->dvx_dir);
}

/* From where the store put it to where the caller wants it. */
static int move_on(const char *dir, const char *path)
{
	struct buf to = BUF_INIT;
	int rc = fs_join(&to, dir, strrchr(path, '/') + 1);

	if (rc == 0)
		rc = fs_mkdirs_parent(to.p);
	if (rc == 0 && rename(path, to.p) < 0)
		rc = err_sys("cannot move '%s' to '%s'", path, to.p);
	buf_release(&to);
	return rc;
}

/* Damaged packs are copied without what is damaged, damaged whole objects are moved. */
static int set_aside(struct check *c)
{
	struct store *s = c->f->ctx->s;
	struct buf to = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->f->bad_packs.n; i++) {
		buf_reset(&to);
		rc = store_set_pack_aside(s, c->f->bad_packs.v[i], &to);
		if (rc == 0)
			fsck_say(c->f, "store: repair: moved damaged pack to %s", buf_str(&to));
		c->f->aside += rc == 0;
		if (rc == ERR_NOTFOUND || rc == ERR_LOCKED)
			rc = 0;
	}
	for (size_t i = 0, n = 0; rc == 0 && i < c->list.n; i++) {
		if (c->v[i].rc != ERR_CORRUPT)
			continue;
		buf_reset(&to);
		rc = store_set_aside(s, &c->list.v[i].oid, &to);
		if (rc == 0 && n++ == 0)
			tell_aside(c->f);
		if (rc == 0 && c->f->bad_dir)
			rc = move_on(c->f->bad_dir, to.p);
		c->f->aside += rc == 0;
		if (rc == ERR_NOTFOUND) /* it was in a pack, or lies in an alternate */
			rc = 0;
	}
	if (rc == 0)
		err_clear();
	buf_release(&to);
	return rc;
}

/* The items that are not whole, in front.  How many. */
static size_t keep_bad(struct check *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->list.n; i++) {
		if (c->v[i].rc == 0)
			continue;
		if (n != i) {
			c->list.v[n] = c->list.v[i];
			c->v[n] = c->v[i];
			c->v[i] = (struct verdict){0, NULL};
		}
		n++;
	}
	return c->list.n = n;
}

static int mend(struct check *c)
{
	const struct batch_options o = {.remote = c->f->remote,
		.jobs = c->f->jobs,
		.progress = c->f->as_json ? PROGRESS_OFF : PROGRESS_AUTO,
		.stop = c->stop};
	struct sync sync = SYNC_INIT;
	char *why = NULL;
	size_t bad = keep_bad(c), mended = 0;
	int rc = set_aside(c);

	if (rc == 0 && bad)
		rc = sync_download(&sync, &c->list, c->f->ctx->s, &o);
	if (rc < 0 && rc != ERR_INTERRUPTED && rc != ERR_NOMEM) {
		why = strdup(
			err_msg()); /* nothing could be fetched; some may be whole all the same */
		rc = 0;
	}
	if (rc == 0)
		rc = check_all(c);
	for (size_t i = 0; rc == 0 && i < c->list.n; i++) {
		if (c->v[i].rc < 0)
			tell_lost(c, i, why ? why : "the remote does not have it");
		else
			mended++;
	}
	if (mended)
		fsck_say(c->f, "objects: repaired: %zu object%s", mended, mended == 1 ? "" : "s");
	free(why);
	sync_release(&sync);
	return rc;
}

int fsck_objects(struct fsck *f)
{
	struct check c = {.f = f, .list = SCAN_LIST_INIT, .stop = command_stop()};
	size_t n = 0, before = f->problems;
	int rc = fsck_list(f, &c.list, 0);

	if (rc == 0)
		rc = scan_list_unique_oid(&c.list);
	c.v = calloc(c.list.n + 1, sizeof(*c.v));
	n = c.list.n;
	if (rc == 0 && !c.v)
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc == 0)
		rc = check_all(&c);
	for (size_t i = 0; rc == 0 && i < c.list.n; i++)
		if (c.v[i].rc < 0)
			tell(&c, i);
	if (rc == 0 && f->repair) {
		f->problems = before; /* what remains is told again */
		rc = mend(&c);
	} else if (rc == 0 && f->move_aside) {
		rc = set_aside(&c);
	}
	for (size_t i = 0; c.v && i < n; i++)
		forget(&c.v[i]);
	free(c.v);
	scan_list_release(&c.list);
	return rc;
}
