/*
 * `git lfs status`: what is not pushed, what is staged and what is not, told as Git LFS tells it -
 * files of Git too, but not in JSON.
 *
 * Both halves are Git's own `diff-index -M` against HEAD: of the index, and of the work tree; what
 * the second repeats of the first is left out.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/lfs/lfs.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/strmap.h"
#include "lib/repo/git.h"

enum { SHORT_HEX = 7 };

struct change {
	char letter;	     /* A M D T R C U */
	struct buf from, to; /* paths from the top; `to` is empty but for R and C */
	struct pointers_query old, new;
	int has_old, has_new; /* there is a blob on that side */
	int staged;
};

struct status {
	struct command_ctx *ctx;
	int porcelain, as_json;
	struct change *v; /* the staged ones first */
	size_t n, cap, n_staged;
	struct buf branch, upstream;
	struct scan_list unpushed;
};

/* ---- collecting ---- */

static struct change *add_change(struct status *s)
{
	if (array_room(&s->v, s->n, &s->cap, sizeof(*s->v)) < 0)
		return NULL;
	memset(&s->v[s->n], 0, sizeof(*s->v));
	return &s->v[s->n++];
}

/* ":<mode> <mode> <id> <id> <letter>[<score>]" */
static int parse_header(struct change *c, const struct repo *repo, const char *header)
{
	const char *ids = header + 15;
	size_t hex = 2 * (size_t)repo->hash_len;

	if (strlen(header) < 15 + 2 * hex + 3 || header[0] != ':' ||
		repo_id_parse(c->old.blob, repo, ids) < 0 ||
		repo_id_parse(c->new.blob, repo, ids + hex + 1) < 0)
		return err_set(ERR_CORRUPT, "unexpected output of git diff-index");
	c->letter = ids[2 * hex + 2];
	c->has_old = !repo_id_is_zero(c->old.blob);
	c->has_new = !repo_id_is_zero(c->new.blob);
	return 0;
}

/* The next change; 1, 0 at the end. */
static int read_change(struct status *s, struct git_reader *r)
{
	struct change *c;
	char *record;
	size_t len;
	int rc = git_reader_next(r, '\0', &record, &len);

	if (rc <= 0)
		return rc;
	c = add_change(s);
	if (c == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	rc = parse_header(c, &s->ctx->repo, record);
	if (rc == 0 && (rc = git_reader_next(r, '\0', &record, &len)) > 0)
		rc = buf_addstr(&c->from, record);
	if (rc == 0 && (c->letter == 'R' || c->letter == 'C') &&
		(rc = git_reader_next(r, '\0', &record, &len)) > 0)
		rc = buf_addstr(&c->to, record);
	return rc < 0 ? rc : 1;
}

static int diff_index(struct status *s, const char *base, int cached)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	int rc = git_prepare(&run, &s->ctx->repo, "diff-index", "-z", "-M", NULL), end;

	if (rc == 0 && cached)
		rc = strvec_push(&run.argv, "--cached");
	if (rc == 0)
		rc = strvec_pushl(&run.argv, base, "--", NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, NULL);
	while (rc == 0 && (rc = read_change(s, r)) > 0)
		rc = 0;
	end = git_reader_finish(r);
	run_release(&run);
	return rc == 0 ? end : rc;
}

static int key_of(struct buf *key, const struct status *s, const struct change *c)
{
	char old[REPO_HEX_MAX + 1], new[REPO_HEX_MAX + 1];

	repo_id_hex(old, &s->ctx->repo, c->old.blob);
	repo_id_hex(new, &s->ctx->repo, c->new.blob);
	buf_reset(key);
	return buf_addf(
		key, "%s:%s:%s", old, new, c->to.len > 0 ? buf_str(&c->to) : buf_str(&c->from));
}

static void release_change(struct change *c)
{
	buf_release(&c->from);
	buf_release(&c->to);
}

/* Drop what the work tree's half repeats. */
static int drop_repeated(struct status *s)
{
	struct strmap staged = STRMAP_INIT;
	struct buf key = BUF_INIT;
	size_t kept = s->n_staged;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n; i++) {
		rc = key_of(&key, s, &s->v[i]);
		if (rc == 0 && i < s->n_staged) {
			s->v[i].staged = 1;
			rc = strmap_put(&staged, key.p, NULL);
		} else if (rc == 0 && strmap_has(&staged, key.p)) {
			release_change(&s->v[i]);
		} else if (rc == 0) {
			s->v[kept++] = s->v[i];
		}
	}
	if (rc == 0)
		s->n = kept;
	strmap_release(&staged, NULL);
	buf_release(&key);
	return rc;
}

static int resolve(struct status *s)
{
	struct pointers *p = NULL;
	int rc = pointers_open(&p, &s->ctx->repo);

	for (size_t i = 0; rc == 0 && i < s->n; i++) {
		if (s->v[i].has_old)
			rc = pointers_resolve(p, &s->v[i].old, 1);
		if (rc == 0 && s->v[i].has_new)
			rc = pointers_resolve(p, &s->v[i].new, 1);
	}
	pointers_close(p);
	return rc;
}

/* Stat data of files that were only touched; what is unmerged makes it fail, and stays to be seen.
 */
static int refresh(const struct repo *repo)
{
	struct buf ignored = BUF_INIT;
	int rc = git_status_of(
		repo, NULL, 0, &ignored, "update-index", "-q", "--unmerged", "--refresh", NULL);

	buf_release(&ignored);
	return rc < 0 ? rc : 0;
}

static int collect(struct status *s)
{
	const struct repo *repo = &s->ctx->repo;
	const char *base = git_has_head(repo) ? "HEAD" : git_empty_tree(repo);
	int rc = refresh(repo);

	if (rc == 0)
		rc = diff_index(s, base, 1);
	s->n_staged = s->n;
	if (rc == 0)
		rc = diff_index(s, base, 0);
	if (rc == 0)
		rc = drop_repeated(s);
	return rc == 0 ? resolve(s) : rc;
}

/* The branch's name and its upstream's, each empty if there is none. */
static int read_branch(struct status *s)
{
	const struct repo *repo = &s->ctx->repo;
	struct run r = RUN_INIT;
	int rc;

	if (!git_has_head(repo))
		return 0;
	rc = git_run(repo, NULL, 0, &s->branch, "rev-parse", "--abbrev-ref", "HEAD", NULL);
	buf_rtrim(&s->branch);
	if (rc == 0)
		rc = git_prepare(&r, repo, "rev-parse", "--abbrev-ref", "@{upstream}", NULL);
	r.err = RUN_NULL;
	if (rc == 0)
		rc = run_capture(&r, NULL, 0, &s->upstream);
	if (rc > 0)
		buf_reset(&s->upstream);
	buf_rtrim(&s->upstream);
	run_release(&r);
	return rc < 0 ? rc : 0;
}

static int list_unpushed(struct status *s)
{
	struct strvec include = STRVEC_INIT, exclude = STRVEC_INIT;
	struct pointers *p = NULL;
	int rc = pointers_open(&p, &s->ctx->repo);

	if (rc == 0)
		rc = strvec_push(&include, "HEAD");
	if (rc == 0)
		rc = strvec_push(&exclude, buf_str(&s->upstream));
	if (rc == 0)
		rc = scan_range(&s->unpushed, &s->ctx->repo, p, &include, &exclude, NULL);
	if (rc == 0)
		rc = scan_list_unique_oid(&s->unpushed);
	pointers_close(p);
	strvec_release(&include);
	strvec_release(&exclude);
	return rc;
}

/* ---- for people ---- */

static int hash_blob(size_t i, enum git_type type, const void *data, size_t len, void *arg)
{
	(void)i;
	if (type != GIT_BLOB || data == NULL)
		return 0;
	oid_of(arg, data, len);
	return 1;
}

static int hash_path(struct oid *oid, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return 0;
	rc = oid_of_file(oid, fd);
	close(fd);
	return rc == 0;
}

/* "LFS: 3f2a91c", "Git: 3f2a91c", "File: 3f2a91c" or "File: deleted". */
static int describe(struct buf *out, const struct status *s, const struct pointers_query *q,
	int has, const char *name)
{
	char hex[OID_HEX_LEN + 1];
	struct git_object object = {.type = GIT_MISSING};
	struct buf path = BUF_INIT;
	struct oid oid = {{0}};
	const char *word = "File";
	int rc = 0, found = 1;

	if (has && pointers_is_pointer(q)) {
		word = "LFS";
		oid = q->oid;
	} else if (has) {
		memcpy(object.id, q->blob, sizeof(object.id));
		rc = git_objects_read(&s->ctx->repo, &object, 1, hash_blob, &oid);
		if (rc > 0) {
			word = "Git";
			rc = 0;
		}
	}
	if (rc == 0 && strcmp(word, "File") == 0) { /* also for what was hashed, not stored */
		rc = fs_join(&path, s->ctx->g->worktree, name);
		found = rc == 0 && hash_path(&oid, buf_str(&path));
	}
	oid_to_hex(hex, &oid);
	if (rc == 0)
		rc = found ? buf_addf(out, "%s: %.*s", word, SHORT_HEX, hex)
			   : buf_addf(out, "%s: deleted", word);
	buf_release(&path);
	return rc;
}

static int print_change(const struct status *s, const struct change *c)
{
	const char *to_name = c->to.len > 0 ? buf_str(&c->to) : buf_str(&c->from);
	struct buf line = BUF_INIT;
	int rc = repo_relative(&line, &s->ctx->repo, buf_str(&c->from));

	if (rc == 0 && c->to.len > 0 && (rc = buf_addstr(&line, " -> ")) == 0)
		rc = repo_relative(&line, &s->ctx->repo, buf_str(&c->to));
	if (rc == 0)
		rc = buf_addstr(&line, " (");
	if (rc == 0 && c->letter != 'A')
		rc = describe(&line, s, c->has_old ? &c->old : &c->new, c->has_old || c->has_new,
			buf_str(&c->from));
	if (rc == 0 && c->letter != 'A')
		rc = buf_addstr(&line, " -> ");
	if (rc == 0)
		rc = describe(&line, s, &c->new, c->has_new, to_name);
	if (rc == 0)
		printf("\t%s)\n", line.p);
	buf_release(&line);
	return rc;
}

static int print_text(struct status *s)
{
	char hex[OID_HEX_LEN + 1];
	int rc = read_branch(s);

	if (rc == 0 && s->branch.len > 0)
		printf("On branch %s\n", s->branch.p);
	if (rc == 0 && s->upstream.len > 0) {
		rc = list_unpushed(s);
		printf("Objects to be pushed to %s:\n\n", s->upstream.p);
	}
	for (size_t i = 0; rc == 0 && i < s->unpushed.n; i++) {
		oid_to_hex(hex, &s->unpushed.v[i].oid);
		printf("\t%s (%s)\n", s->unpushed.v[i].path, hex);
	}
	puts("\nObjects to be committed:\n");
	for (size_t i = 0; rc == 0 && i < s->n; i++)
		if (s->v[i].staged)
			rc = print_change(s, &s->v[i]);
	puts("\nObjects not staged for commit:\n");
	for (size_t i = 0; rc == 0 && i < s->n; i++)
		if (!s->v[i].staged)
			rc = print_change(s, &s->v[i]);
	putchar('\n');
	return rc;
}

/* ---- for programs ---- */

static void print_porcelain_line(const struct change *c)
{
	if (c->to.len > 0)
		printf("%c  %s -> %s\n", c->letter, buf_str(&c->from), c->to.p);
	else if (c->letter == 'M')
		printf(" M %s\n", buf_str(&c->from));
	else
		printf("%c  %s\n", c->letter, buf_str(&c->from));
}

static void print_porcelain(const struct status *s)
{
	for (int staged = 0; staged <= 1; staged++)
		for (size_t i = 0; i < s->n; i++)
			if (s->v[i].staged == staged)
				print_porcelain_line(&s->v[i]);
}

static const char *name_of(const struct change *c)
{
	return c->to.len > 0 ? c->to.p : buf_str(&c->from);
}

static int by_name(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	int order = strcmp(name_of(x), name_of(y));

	return order != 0 ? order : y->staged - x->staged;
}

/* By name; staged changes stand over what else is known of their path. */
static int print_json(struct status *s)
{
	struct json j;
	cJSON *files, *o;

	json_init(&j);
	files = json_object(&j, j.root, "files");
	if (s->n > 0)
		qsort(s->v, s->n, sizeof(*s->v), by_name);
	for (size_t i = 0; i < s->n; i++) {
		const struct change *c = &s->v[i];
		const char *name = name_of(c);
		const char letter[2] = {c->letter, '\0'};

		if (!pointers_is_pointer(c->has_old ? &c->old : &c->new) ||
			cJSON_GetObjectItemCaseSensitive(files, name) != NULL)
			continue;
		o = json_object(&j, files, name);
		json_string(&j, o, "status", letter);
		if (c->to.len > 0)
			json_string(&j, o, "from", buf_str(&c->from));
	}
	return lfs_print_json(&j, 1);
}

int lfs_status(struct command_ctx *ctx, int argc, char **argv)
{
	struct status s = {.ctx = ctx};
	const struct opt options[] = {
		{'p', "porcelain", OPT_FLAG, &s.porcelain, NULL, "print for scripts", 0},
		{'j', "json", OPT_FLAG, &s.as_json, NULL, "print JSON", 0}, OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options, "git lfs status [<options>]", 0, &n))
		return rc;
	rc = command_repo(ctx);
	if (rc == 0)
		rc = collect(&s);
	if (rc == 0 && s.porcelain)
		print_porcelain(&s);
	else if (rc == 0)
		rc = s.as_json ? print_json(&s) : print_text(&s);
	for (size_t i = 0; i < s.n; i++)
		release_change(&s.v[i]);
	free(s.v);
	buf_release(&s.branch);
	buf_release(&s.upstream);
	scan_list_release(&s.unpushed);
	return rc;
}
