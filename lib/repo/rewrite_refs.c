/*
 * Choosing commits by refs, and moving refs.  Git does the moving in one transaction that checks
 * the old values: whoever moved a ref meanwhile wins, and the rewrite has changed nothing.
 */
#include "lib/repo/rewrite_refs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/rewrite_internal.h"

enum { TAG_MAX = 1 << 26, TAGS_DEEP = 64 };

/* ---- reading ---- */

static int add_ref(struct rewrite_refs *refs, const struct repo *repo, char *line)
{
	size_t hex = 2 * (size_t)repo->hash_len;
	char *type = line + hex + 1, *name = strchr(type, ' '), *symbolic;
	struct rewrite_ref *ref;
	void *v = refs->v;
	int rc;

	*name++ = '\0';
	symbolic = strchr(name, ' ');
	*symbolic++ = '\0';
	if (*symbolic)
		return 0;
	rc = rewrite_room(&v, &refs->cap, refs->n, sizeof *refs->v);
	refs->v = v;
	if (rc < 0)
		return rc;
	ref = &refs->v[refs->n];
	*ref = (struct rewrite_ref){.name = strdup(name), .tag = strcmp(type, "tag") == 0};
	if (!ref->name)
		return err_set(ERR_NOMEM, "out of memory");
	refs->n++;
	return repo_id_parse(ref->id, repo, line);
}

int rewrite_refs_read(struct rewrite_refs *refs, const struct repo *repo)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	char *line;
	size_t len;
	int rc, end;

	rc = git_prepare(&run, repo, "for-each-ref",
		"--format=%(objectname) %(objecttype) %(refname) %(symref)", (char *)NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, NULL);
	while (rc == 0 && (rc = git_reader_next(r, '\n', &line, &len)) > 0)
		rc = add_ref(refs, repo, line);
	end = git_reader_finish(r);
	run_release(&run);
	return rc < 0 ? rc : end;
}

void rewrite_refs_release(struct rewrite_refs *refs)
{
	size_t i;

	for (i = 0; i < refs->n; i++)
		free(refs->v[i].name);
	free(refs->v);
	*refs = (struct rewrite_refs){0};
}

/* ---- commits ---- */

static int cmp_id(const void *a, const void *b)
{
	return memcmp(a, b, REPO_ID_MAX);
}

/* A commit at which a shallow clone ends cannot get a new name: Git would look for its parents. */
static int refuse_shallow(const struct rewrite_ids *commits, const struct repo *repo)
{
	struct rewrite_ids sorted = {0};
	struct buf path = BUF_INIT, text = BUF_INIT;
	uint8_t id[REPO_ID_MAX];
	const char *p;
	size_t i;
	int rc = fs_join(&path, repo->dir->common_dir, "shallow");

	if (rc == 0 && !fs_exists(path.p))
		goto done;
	if (rc == 0)
		rc = buf_read_file(&text, path.p);
	for (i = 0; rc == 0 && i < commits->n; i++)
		rc = rewrite_ids_add(&sorted, commits->v[i]);
	if (sorted.n)
		qsort(sorted.v, sorted.n, REPO_ID_MAX, cmp_id);
	for (p = buf_str(&text); rc == 0 && p && *p; p = (p = strchr(p, '\n')) ? p + 1 : NULL)
		if (repo_id_parse(id, repo, p) == 0 && sorted.n &&
			bsearch(id, sorted.v, sorted.n, REPO_ID_MAX, cmp_id))
			rc = err_set(ERR_INVALID,
				"the history of this shallow clone ends at commit %.*s; run 'git "
				"fetch --unshallow' first",
				2 * repo->hash_len, p);
done:
	rewrite_ids_release(&sorted);
	buf_release(&path);
	buf_release(&text);
	return rc;
}

int rewrite_refs_commits(struct rewrite_ids *out, const struct repo *repo,
	const struct strvec *include, const struct strvec *exclude)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	struct buf input = BUF_INIT;
	uint8_t id[REPO_ID_MAX];
	char *line;
	size_t i, len;
	int rc = 0, end;

	for (i = 0; rc == 0 && i < include->n; i++)
		rc = buf_addf(&input, "%s\n", include->v[i]);
	for (i = 0; rc == 0 && i < exclude->n; i++)
		rc = buf_addf(&input, "^%s\n", exclude->v[i]);
	if (rc == 0)
		rc = git_prepare(&run, repo, "rev-list", "--reverse", "--topo-order", "--do-walk",
			"--stdin", "--", (char *)NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, &input);
	while (rc == 0 && (rc = git_reader_next(r, '\n', &line, &len)) > 0) {
		rc = repo_id_parse(id, repo, line);
		if (rc == 0)
			rc = rewrite_ids_add(out, id);
	}
	end = git_reader_finish(r);
	run_release(&run);
	buf_release(&input);
	if (rc == 0)
		rc = end;
	return rc < 0 ? rc : refuse_shallow(out, repo);
}

/* ---- tags ---- */

/* The tag with another object, every other byte as it was. */
static int write_tag(struct rewrite *r, const struct buf *old, const uint8_t *object,
	uint8_t id[static REPO_ID_MAX])
{
	struct buf text = BUF_INIT;
	char hex[REPO_HEX_MAX + 1];
	size_t skip = strlen("object ") + 2 * (size_t)r->repo->hash_len;
	int rc;

	repo_id_hex(hex, r->repo, object);
	rc = buf_addf(&text, "object %s", hex);
	if (rc == 0)
		rc = buf_add(&text, old->p + skip, old->len - skip);
	if (rc == 0)
		rc = rewrite_put(r, GIT_TAG, text.p, text.len, id);
	buf_release(&text);
	return rc;
}

/* What a tag becomes: 1, 0 for nothing else, or a negative error. */
static int map_tag(struct rewrite *r, const uint8_t *tag, uint8_t to[static REPO_ID_MAX], int depth)
{
	static const char word[] = "object ";
	size_t hex = 2 * (size_t)r->repo->hash_len, len = sizeof word - 1;
	uint8_t object[REPO_ID_MAX];
	struct buf raw = BUF_INIT;
	const char *type;
	int rc;

	if (rewrite_lookup(r, tag, to))
		return 1;
	rc = catfile_read(r->cat, tag, GIT_TAG, TAG_MAX, &raw);
	if (rc == 0 && (raw.len < len + hex + 1 || strncmp(raw.p, word, len) != 0 ||
			       repo_id_parse(object, r->repo, raw.p + len) < 0))
		rc = err_set(ERR_CORRUPT, "a tag cannot be understood; see 'git fsck'");
	if (rc == 0) {
		type = raw.p + len + hex;
		if (!strncmp(type, "\ntype tag\n", 10))
			rc = depth < TAGS_DEEP ? map_tag(r, object, object, depth + 1)
					       : err_set(ERR_LIMIT, "tags are nested too deeply");
		else
			rc = rewrite_lookup(r, object, object);
	}
	if (rc > 0) {
		rc = write_tag(r, &raw, object, to);
		if (rc == 0)
			rc = rewrite_note(r, tag, to);
		rc = rc < 0 ? rc : 1;
	}
	buf_release(&raw);
	return rc;
}

static int stays(const char *name)
{
	return !strncmp(name, "refs/remotes/", 13) || !strncmp(name, "refs/replace/", 13);
}

int rewrite_refs_map(struct rewrite_refs *refs, struct rewrite *r)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc >= 0 && i < refs->n; i++) {
		struct rewrite_ref *ref = &refs->v[i];

		if (stays(ref->name))
			continue;
		rc = ref->tag ? map_tag(r, ref->id, ref->to, 0)
			      : rewrite_lookup(r, ref->id, ref->to);
		if (rc < 0)
			return err_prefix(rc, "'%s'", ref->name);
		ref->moves = rc > 0 && memcmp(ref->id, ref->to, REPO_ID_MAX) != 0;
	}
	return rewrite_flush(r);
}

size_t rewrite_refs_moved(const struct rewrite_refs *refs)
{
	size_t i, n = 0;

	for (i = 0; i < refs->n; i++)
		n += refs->v[i].moves != 0;
	return n;
}

/* ---- moving ---- */

/* Lines of `git update-ref --stdin`, forwards or back. */
static int add_moves(
	struct buf *out, const struct rewrite_refs *refs, const struct repo *repo, int back)
{
	char old[REPO_HEX_MAX + 1], now[REPO_HEX_MAX + 1];
	size_t i;
	int rc = buf_addstr(out, "start\n");

	for (i = 0; rc == 0 && i < refs->n; i++) {
		if (!refs->v[i].moves)
			continue;
		repo_id_hex(old, repo, refs->v[i].id);
		repo_id_hex(now, repo, refs->v[i].to);
		rc = buf_addf(out, "update %s %s %s\n", refs->v[i].name, back ? old : now,
			back ? now : old);
	}
	return rc == 0 ? buf_addstr(out, "prepare\ncommit\n") : rc;
}

/* A name of its own: what undoes an earlier migration stays, be it of the same second. */
static int claim_undo(const struct repo *repo, struct buf *undo)
{
	char when[sizeof "20260131T123456Z"];
	time_t now = time(NULL);
	struct tm tm;
	int fd = -1, rc = 0;

	gmtime_r(&now, &tm);
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm);
	for (int n = 1; rc == 0 && fd < 0; n++) {
		buf_reset(undo);
		rc = buf_addf(undo, "%s/migrate/%s", repo->dir->dvx_dir, when);
		if (rc == 0 && n > 1)
			rc = buf_addf(undo, "-%d", n);
		if (rc == 0)
			rc = buf_addstr(undo, ".undo");
		if (rc == 0)
			rc = fs_mkdirs_parent(undo->p);
		if (rc < 0)
			break;
		fd = open(undo->p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd < 0 && errno != EEXIST)
			rc = err_sys("cannot create '%s'", undo->p);
	}
	return rc == 0 ? fs_close(&fd, undo->p) : rc;
}

static int write_undo(const struct rewrite_refs *refs, const struct repo *repo, struct buf *undo)
{
	struct buf text = BUF_INIT;
	int rc = add_moves(&text, refs, repo, 1);

	if (rc == 0)
		rc = claim_undo(repo, undo);
	if (rc == 0)
		rc = fs_replace_file(undo->p, text.p, text.len, 1);
	buf_release(&text);
	return rc;
}

int rewrite_refs_move(
	const struct rewrite_refs *refs, const struct repo *repo, const char *why, struct buf *undo)
{
	struct buf moves = BUF_INIT, said = BUF_INIT;
	int rc;

	if (!rewrite_refs_moved(refs))
		return 0;
	rc = add_moves(&moves, refs, repo, 0);
	if (rc == 0)
		rc = write_undo(refs, repo, undo);
	if (rc == 0)
		rc = git_status_of(repo, moves.p, moves.len, &said, "update-ref", "-m", why,
			"--stdin", (char *)NULL);
	if (rc > 0)
		rc = err_set(ERR_CHANGED,
			"the refs could not be moved; nothing was changed, run the same command "
			"again");
	buf_release(&moves);
	buf_release(&said);
	return rc;
}
