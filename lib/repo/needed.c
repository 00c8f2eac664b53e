/*
 * One `git rev-list --objects` for everything that refs, reflogs and indexes of all worktrees
 * reach; the pointer cache then says which of the blobs are pointers.  What Git's own walk does not
 * look at is added: the commits that a merge or rebase under way has written down (MERGE_HEAD…),
 * the refs that another worktree has for itself (a bisection's), and the journals of data that
 * still has to be placed.  With a narrower scope, smaller walks say what of it is kept.
 */
#include "lib/repo/needed.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/git.h"
#include "lib/repo/scan_candidates.h"
#include "lib/worktree/pending.h"

/* Files in a worktree's Git directory that name commits which are in use and no ref may name. (What
 * ORIG_HEAD and FETCH_HEAD name is not: a reflog has it, as long as it is to be had again.) */
static const char *const head_files[] = {"HEAD", "MERGE_HEAD", "MERGE_AUTOSTASH",
	"CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "BISECT_HEAD", "AUTO_MERGE",
	"rebase-merge/autostash", "rebase-merge/orig-head", "rebase-merge/onto",
	"rebase-merge/stopped-sha", "rebase-apply/autostash", "rebase-apply/orig-head",
	"rebase-apply/onto"};
/* Refs that each worktree has for itself, in loose files always; `git rev-list --all` lists only
 * those of the worktree where it runs. */
static const char *const private_refs[] = {"refs/bisect", "refs/rewritten", "refs/worktree"};
enum { HEAD_FILE_MAX = 16 * 1024 * 1024 };

void needed_release(struct needed *n)
{
	scan_list_release(&n->kept);
	oidmap_release(&n->is_kept);
	scan_list_release(&n->older);
	oidmap_release(&n->is_older);
}

/* ---- worktrees ---- */

struct collecting {
	const struct repo *repo;
	struct buf tips; /* object names, a line each, that may not exist any more */
	struct scan_candidates c;
	struct scan_list *list;
	struct pointers *pointers;
	struct strvec *locks;
};

static int add_tips_of_file(struct collecting *x, const char *path)
{
	size_t hex = 2 * (size_t)x->repo->hash_len;
	struct buf text = {.max = HEAD_FILE_MAX};
	uint8_t id[REPO_ID_MAX];
	const char *line;
	int rc = buf_read_file(&text, path);

	if (rc < 0) {
		buf_release(&text);
		if (rc == ERR_NOTFOUND)
			err_clear();
		return rc == ERR_NOTFOUND ? 0 : rc;
	}
	for (line = buf_str(&text); rc == 0 && *line;) {
		const char *end = strchrnul(line, '\n');

		if ((size_t)(end - line) >= hex && repo_id_parse(id, x->repo, line) == 0)
			rc = buf_addf(&x->tips, "%.*s\n", (int)hex, line);
		line = *end ? end + 1 : end;
	}
	err_clear();
	buf_release(&text);
	return rc;
}

/* "gitdir" is what Git knows a linked worktree by. */
static int is_no_worktree(const char *git_dir)
{
	struct buf path = BUF_INIT;
	int none = buf_addf(&path, "%s/gitdir", git_dir) == 0 && !fs_exists(path.p);

	buf_release(&path);
	return none;
}

/* What HEAD of a worktree named is not known when it is damaged: then nothing can be said. */
static int check_head(const struct repo *repo, const char *git_dir)
{
	struct buf path = BUF_INIT, text = {.max = HEAD_FILE_MAX};
	uint8_t id[REPO_ID_MAX];
	int rc = buf_addf(&path, "%s/HEAD", git_dir);

	if (rc == 0)
		rc = buf_read_file(&text, path.p);
	if (rc == 0 && strncmp(buf_str(&text), "ref: refs/", 10) != 0 &&
		(text.len < 2 * (size_t)repo->hash_len ||
			repo_id_parse(id, repo, buf_str(&text)) < 0))
		rc = err_set(ERR_CORRUPT, "it is empty or damaged");
	if (rc == ERR_NOTFOUND && is_no_worktree(git_dir)) {
		err_clear();
		rc = 0;
	}
	if (rc < 0 && rc != ERR_NOMEM)
		err_prefix(rc,
			"cannot find out what a worktree needs from '%s'; write the branch there "
			"('ref: refs/heads/<name>') or remove the worktree by 'git worktree remove "
			"--force'",
			path.p);
	buf_release(&path);
	buf_release(&text);
	return rc;
}

static int add_head_files(const char *git_dir, void *data)
{
	struct collecting *x = data;
	struct buf path = BUF_INIT;
	int rc = check_head(x->repo, git_dir);

	for (size_t i = 0; rc == 0 && i < sizeof(head_files) / sizeof(head_files[0]); i++) {
		buf_reset(&path);
		rc = buf_addf(&path, "%s/%s", git_dir, head_files[i]);
		if (rc == 0)
			rc = add_tips_of_file(x, path.p);
	}
	buf_release(&path);
	return rc;
}

/* The files in the directory `path` and below; `path` is as it was afterwards. */
static int add_ref_files(struct collecting *x, struct buf *path)
{
	size_t before = path->len;
	DIR *dir = opendir(path->p);
	struct dirent *d;
	struct stat st;
	int rc = 0;

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ? 0
							   : err_sys("cannot read '%s'", path->p);
	while (rc == 0 && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		rc = buf_addf(path, "/%s", d->d_name);
		if (rc == 0 && lstat(path->p, &st) == 0)
			rc = S_ISDIR(st.st_mode) ? add_ref_files(x, path)
						 : add_tips_of_file(x, path->p);
		buf_truncate(path, before);
	}
	closedir(dir);
	return rc;
}

static int add_private_refs(const char *git_dir, void *data)
{
	struct buf path = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(private_refs) / sizeof(private_refs[0]); i++) {
		buf_reset(&path);
		rc = buf_addf(&path, "%s/%s", git_dir, private_refs[i]);
		if (rc == 0)
			rc = add_ref_files(data, &path);
	}
	buf_release(&path);
	return rc;
}

static int note_lock(const char *git_dir, void *data)
{
	struct collecting *x = data;
	struct buf path = BUF_INIT;
	int rc = buf_addf(&path, "%s/index.lock", git_dir);

	if (rc == 0 && fs_exists(path.p))
		rc = strvec_push(x->locks, path.p);
	buf_release(&path);
	return rc;
}

int needed_index_locks(struct strvec *out, const struct repo *repo)
{
	struct collecting x = {.repo = repo, .locks = out};

	return repo_each_git_dir(repo, note_lock, &x);
}

/* ---- walks ---- */

/* "<name> <path>" of a blob; the path is missing where Git has none. */
static int add_object(struct collecting *x, const char *line, size_t len)
{
	size_t hex = 2 * (size_t)x->repo->hash_len, path = len > hex ? hex + 1 : len;
	uint8_t id[REPO_ID_MAX];

	if (len < hex || repo_id_parse(id, x->repo, line) < 0)
		return err_set(ERR_CORRUPT, "unexpected output of 'git rev-list'");
	return scan_candidates_add(
		&x->c, x->repo, line + path, len - path, S_IFREG | 0644, id, NULL);
}

/* All blobs that "git rev-list --objects <args>" lists, args ended by NULL; `tips` (may be NULL)
 * are read from its stdin. */
static int walk(struct collecting *x, const struct buf *tips, const char *const *args)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	struct buf input = BUF_INIT;
	char *line;
	size_t len;
	int rc, end;

	rc = git_prepare(&run, x->repo, "rev-list", "--objects", "--filter=object:type=blob",
		"--filter-provided-objects", "--ignore-missing", (char *)NULL);
	if (rc == 0) /* what a graft hides can be had again */
		rc = strvec_push(&run.env, "GIT_GRAFT_FILE=/dev/null/none");
	if (rc == 0 && git_is_partial(x->repo))
		rc = strvec_push(&run.argv, "--missing=allow-promisor");
	for (; rc == 0 && *args; args++)
		rc = strvec_push(&run.argv, *args);
	if (rc == 0 && tips) {
		rc = strvec_push(&run.argv, "--stdin");
		if (rc == 0)
			rc = buf_add(&input, buf_str(tips), tips->len);
	}
	if (rc == 0)
		rc = git_reader_start(&r, &run, tips ? &input : NULL);
	while (rc == 0 && (rc = git_reader_next(r, '\n', &line, &len)) > 0)
		rc = add_object(x, line, len);
	end = git_reader_finish(r);
	rc = rc ? rc : end;
	run_release(&run);
	buf_release(&input);
	return rc < 0 ? err_prefix(rc, "cannot find out which data is needed") : rc;
}

/* Names of things that are not there (any more) would stop rev-list. */
static int keep_existing(struct collecting *x)
{
	struct buf answers = BUF_INIT, kept = BUF_INIT;
	char *save, *line;
	int rc;

	if (x->tips.len == 0)
		return 0;
	rc = git_run(x->repo, buf_str(&x->tips), x->tips.len, &answers, "cat-file",
		"--batch-check=%(objectname) %(objecttype)", (char *)NULL);

	for (line = rc == 0 && answers.len ? strtok_r(answers.p, "\n", &save) : NULL;
		line && rc == 0; line = strtok_r(NULL, "\n", &save)) {
		char *space = strchr(line, ' ');

		if (space && strcmp(space, " missing") != 0)
			rc = buf_addf(&kept, "%.*s\n", (int)(space - line), line);
	}
	buf_release(&answers);
	buf_release(&x->tips);
	x->tips = kept;
	return rc;
}

/* The commits of the stash: the worktree's state, its index, the untracked files. */
static int add_stash(struct collecting *x)
{
	struct buf out = BUF_INIT;
	int rc = git_status_of(
		x->repo, NULL, 0, &out, "rev-parse", "-q", "--verify", "refs/stash", (char *)NULL);

	if (rc == 0) {
		buf_reset(&out);
		rc = git_run(x->repo, NULL, 0, &out, "rev-list", "--no-walk=unsorted", "refs/stash",
			"refs/stash^@", (char *)NULL);
		if (rc == 0)
			rc = buf_add(&x->tips, buf_str(&out), out.len);
	} else if (rc > 0) {
		rc = 0; /* nothing is stashed */
	}
	buf_release(&out);
	return rc;
}

static int add_refs(struct collecting *x, unsigned scope)
{
	struct buf out = BUF_INIT;
	int rc = 0;

	if (scope & NEEDED_BRANCHES)
		rc = git_run(x->repo, NULL, 0, &out, "for-each-ref", "--format=%(objectname)",
			"refs/heads", "refs/remotes", (char *)NULL);
	if (rc == 0 && (scope & NEEDED_TAGS))
		rc = git_run(x->repo, NULL, 0, &out, "for-each-ref", "--format=%(objectname)",
			"refs/tags", (char *)NULL);
	if (rc == 0) /* experiments, until they are removed: nothing else names their data */
		rc = git_run(x->repo, NULL, 0, &out, "for-each-ref", "--format=%(objectname)",
			"refs/dvx", (char *)NULL);
	if (rc == 0)
		rc = buf_add(&x->tips, buf_str(&out), out.len);
	buf_release(&out);
	return rc;
}

/* What only commits hold that were not pushed: whoever cleans the blob remote up from another clone
 * does not know them, so a copy there is none to rely on.  Without any Git remote nobody does. */
static int add_unpushed(struct collecting *x)
{
	static const char *const unpushed[] = {"--all", "--not", "--remotes", NULL};
	struct buf out = BUF_INIT;
	int rc = git_run(
		x->repo, NULL, 0, &out, "for-each-ref", "--count=1", "refs/remotes", (char *)NULL);

	if (rc == 0 && out.len)
		rc = walk(x, NULL, unpushed);
	buf_release(&out);
	return rc;
}

/* HEAD of every worktree, also where it is a branch's name. */
static int add_worktree_heads(struct collecting *x)
{
	struct buf out = BUF_INIT;
	char *save, *line;
	int rc = git_run(x->repo, NULL, 0, &out, "worktree", "list", "--porcelain", (char *)NULL);

	for (line = rc == 0 && out.len ? strtok_r(out.p, "\n", &save) : NULL; line && rc == 0;
		line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, "HEAD ", 5))
			rc = buf_addf(&x->tips, "%s\n", line + 5);
	buf_release(&out);
	return rc;
}

/* rev-list passes over a ref whose object is gone; then nothing can be said. */
static int check_refs(struct collecting *x)
{
	struct buf out = BUF_INIT;
	int rc = git_run(
		x->repo, NULL, 0, &out, "for-each-ref", "--format=%(objecttype)", (char *)NULL);

	buf_release(&out);
	return rc < 0 ? err_prefix(rc, "a ref is broken; see 'git fsck'") : 0;
}

/* ---- journals ---- */

static int add_pending(const struct pending_item *i, void *data)
{
	struct collecting *x = data;
	struct pointers_query known = {.state = POINTERS_YES, .oid = i->oid, .size = i->size};

	memcpy(known.blob, i->blob, (size_t)x->repo->hash_len);
	if (pointers_add(x->pointers, &known) < 0)
		return 1;
	return scan_candidates_add(
		       &x->c, x->repo, i->path, strlen(i->path), S_IFREG | 0644, i->blob, NULL) < 0;
}

static int add_journals(const char *git_dir, void *data)
{
	int rc = pending_each(git_dir, add_pending, data);

	if (rc > 0)
		return err_set(ERR_NOMEM, "out of memory");
	return rc == ERR_CORRUPT ? err_prefix(rc, "'git dvx checkout' in '%s' mends it", git_dir)
				 : rc;
}

/* ---- the whole ---- */

static int finish(struct collecting *x, struct pointers *p, struct oidmap *map)
{
	int rc = scan_candidates_resolve(&x->c, x->list, p);

	scan_candidates_release(&x->c);
	if (rc == 0)
		rc = scan_list_unique_oid(x->list);
	if (rc == 0)
		rc = oidmap_reserve(map, x->list->n);
	for (size_t i = 0; rc >= 0 && i < x->list->n; i++)
		rc = oidmap_add(map, &x->list->v[i].oid, (uint32_t)i);
	return rc < 0 ? rc : 0;
}

/* The index that this process was told to use is none that Git looks at by itself. */
static int add_own_index(struct collecting *x, struct pointers *p)
{
	return x->repo->dir->index && fs_exists(x->repo->dir->index)
		       ? scan_index(x->list, x->repo, p, 0)
		       : 0;
}

static int collect_kept(struct collecting *x, unsigned scope)
{
	static const char *const everything[] = {"--all", "--reflog", "--indexed-objects", NULL};
	static const char *const indexes[] = {"--indexed-objects", NULL};
	static const char *const tips[] = {"--no-walk=unsorted", NULL};
	static const char *const reflogs[] = {"--reflog", "--not", "--all", NULL};
	int rc = check_refs(x);

	/* What a `git commit` or `git stash` moves meanwhile from an index to a ref that was read
	 * before is in this; what moves the other way is found in the indexes below. */
	if (rc == 0)
		rc = walk(x, NULL, indexes);
	if (rc == 0)
		rc = repo_each_git_dir(x->repo, add_head_files, x);
	if (rc == 0)
		rc = repo_each_git_dir(x->repo, add_private_refs, x);
	if (rc == 0 && (scope & NEEDED_ALL)) {
		rc = keep_existing(x);
		return rc == 0 ? walk(x, &x->tips, everything) : rc;
	}
	if (rc == 0)
		rc = add_worktree_heads(x);
	if (rc == 0)
		rc = add_stash(x);
	if (rc == 0)
		rc = add_refs(x, scope);
	if (rc == 0)
		rc = keep_existing(x);
	if (rc == 0)
		rc = walk(x, &x->tips, tips);
	if (rc == 0)
		rc = walk(x, NULL, indexes);
	if (rc == 0)
		rc = add_unpushed(x);
	return rc == 0 ? walk(x, NULL, reflogs) : rc;
}

int needed_collect(struct needed *out, const struct repo *repo, struct pointers *p, unsigned scope,
	const struct buf *tips)
{
	static const char *const all[] = {"--all", NULL}, *const these[] = {NULL};
	struct collecting x = {
		.repo = repo, .c = SCAN_CANDIDATES_INIT, .list = &out->kept, .pointers = p};
	int rc = collect_kept(&x, scope);

	if (rc == 0 && tips && tips->len)
		rc = walk(&x, tips, these);
	if (rc == 0)
		rc = repo_each_git_dir(repo, add_journals, &x);
	if (rc == 0)
		rc = add_own_index(&x, p);
	if (rc == 0)
		rc = finish(&x, p, &out->is_kept);
	x.list = &out->older;
	if (rc == 0 && !(scope & NEEDED_ALL)) {
		rc = walk(&x, &x.tips, all);
		if (rc == 0)
			rc = finish(&x, p, &out->is_older);
	}
	scan_candidates_release(&x.c);
	buf_release(&x.tips);
	return rc;
}
