/*
 * `git lfs track` and `git lfs untrack`: lines of the .gitattributes file in the current directory,
 * and which patterns there are in all of them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands/lfs/lfs.h"
#include "commands/patterns.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/attrs.h"
#include "lib/repo/git.h"
#include "lib/repo/lockable.h"
#include "lib/repo/textfile.h"

struct track {
	struct command_ctx *ctx;
	int verbose, dry_run, literal, lockable, not_lockable, no_excluded, no_modify, as_json;
	struct known {
		char *pattern; /* from the top of the work tree */
		char *source;
		int tracked, lockable;
	} * known;
	size_t n_known, cap;
	const char *source; /* of the line at hand */
};

/* ---- what there is ---- */

static void free_known(struct track *t)
{
	for (size_t i = 0; i < t->n_known; i++) {
		free(t->known[i].pattern);
		free(t->known[i].source);
	}
	free(t->known);
}

/* The pattern without slashes around it, below the directory of its file. */
static char *from_top(const char *source, const char *pattern)
{
	static const char name[] = "/.gitattributes";
	size_t len = strlen(pattern), dir = strlen(source);
	struct buf b = BUF_INIT;

	dir = dir >= sizeof(name) && strcmp(source + dir - sizeof(name) + 1, name) == 0
		      ? dir - sizeof(name) + 2
		      : 0;

	while (*pattern == '/') {
		pattern++;
		len--;
	}
	while (len > 0 && pattern[len - 1] == '/')
		len--;
	if (buf_add(&b, source, dir) < 0 || buf_add(&b, pattern, len) < 0)
		buf_reset(&b);
	return buf_detach(&b);
}

static int note_line(const struct attrs_line *l, void *data)
{
	struct track *t = data;
	struct known *k;

	if (array_room(&t->known, t->n_known, &t->cap, sizeof(*t->known)) < 0)
		return ERR_NOMEM;
	k = &t->known[t->n_known];
	*k = (struct known){
		from_top(t->source, l->pattern), strdup(t->source), l->ours, l->lockable};
	if (k->pattern == NULL || k->source == NULL) {
		free(k->pattern);
		free(k->source);
		return err_set(ERR_NOMEM, "out of memory");
	}
	t->n_known++;
	return 0;
}

/* Git LFS's order: what is farther down rules, so it comes first. */
static int longer_first(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	size_t nx = strlen(x), ny = strlen(y);

	return nx != ny ? (nx < ny) - (nx > ny) : strcmp(x, y);
}

static const char *below_top(const struct track *t, const char *path)
{
	size_t len = strlen(t->ctx->g->worktree);

	return strncmp(path, t->ctx->g->worktree, len) == 0 && path[len] == '/' ? path + len + 1
										: path;
}

/* Lines of every file. */
static int collect(struct track *t)
{
	const struct repo *repo = &t->ctx->repo;
	struct strvec files = STRVEC_INIT;
	struct buf text = BUF_INIT;
	int rc = attrs_files(&files, repo);

	if (files.n > 0)
		qsort(files.v, files.n, sizeof(*files.v), longer_first);
	for (size_t i = 0; rc == 0 && i < files.n; i++) {
		buf_reset(&text);
		t->source = below_top(t, files.v[i]);
		rc = textfile_read(&text, repo, files.v[i]);
		if (rc == ERR_DENIED) { /* a link: Git does not read it, either */
			err_clear();
			rc = 0;
		} else if (rc == 0) {
			rc = attrs_text_each(&text, note_line, t);
		}
	}
	buf_release(&text);
	strvec_release(&files);
	return rc;
}

static void list_kind(const struct track *t, int tracked)
{
	for (size_t i = 0; i < t->n_known; i++) {
		const struct known *k = &t->known[i];

		if (k->tracked == tracked)
			printf("    %s%s (%s)\n", k->pattern, k->lockable ? " [lockable]" : "",
				k->source);
	}
}

static int list(const struct track *t)
{
	struct json j;
	cJSON *patterns, *o;

	if (!t->as_json) {
		if (t->n_known == 0)
			return 0;
		puts("Listing tracked patterns");
		list_kind(t, 1);
		if (!t->no_excluded) {
			puts("Listing excluded patterns");
			list_kind(t, 0);
		}
		return 0;
	}
	json_init(&j);
	patterns = json_array(&j, j.root, "patterns");
	for (size_t i = 0; i < t->n_known; i++) {
		const struct known *k = &t->known[i];

		if (!k->tracked && t->no_excluded)
			continue;
		o = json_item(&j, patterns);
		json_string(&j, o, "pattern", k->pattern);
		json_string(&j, o, "source", k->source);
		json_bool(&j, o, "lockable", k->lockable);
		json_bool(&j, o, "tracked", k->tracked);
	}
	return lfs_print_json(&j, 0);
}

/* ---- files that the patterns match ---- */

/* Make it stat-dirty: `git add` will look at it and make a pointer. */
static int touch(const struct track *t, const char *path)
{
	struct buf full = BUF_INIT;
	int rc = fs_join(&full, t->ctx->g->worktree, path);

	if (rc == 0 && utimensat(AT_FDCWD, full.p, NULL, AT_SYMLINK_NOFOLLOW) < 0 &&
		fs_exists(full.p))
		rc = err_sys("cannot touch '%s'", path);
	buf_release(&full);
	return rc;
}

/* Git's own files, and ours, must not become pointers. */
static int is_forbidden(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;

	return strncmp(name, ".git", 4) == 0 || strncmp(name, ".lfs", 4) == 0 ||
	       strcmp(name, ".dvxconfig") == 0;
}

static int touch_all(const struct track *t, const char *pattern, const struct buf *paths, size_t n)
{
	int rc = 0;

	if (t->verbose || t->dry_run)
		printf("Found %zu files previously added to Git matching pattern: %s\n", n,
			pattern);
	for (size_t pos = 0; rc == 0 && pos < paths->len; pos += strlen(paths->p + pos) + 1) {
		const char *path = paths->p + pos;

		if (is_forbidden(path)) {
			printf("Pattern '%s' matches forbidden file '%s'. If you would like to "
			       "track %s, modify .gitattributes manually.\n",
				pattern, path, path);
			return 0;
		}
	}
	for (size_t pos = 0; rc == 0 && pos < paths->len; pos += strlen(paths->p + pos) + 1) {
		if (t->verbose || t->dry_run)
			printf("Touching \"%s\"\n", paths->p + pos);
		if (!t->dry_run)
			rc = touch(t, paths->p + pos);
	}
	return rc;
}

static int touch_matching(const struct track *t, const char *typed)
{
	struct pattern p = PATTERN_INIT;
	struct buf paths = BUF_INIT;
	size_t n = 0;
	int rc = pattern_parse(&p, &t->ctx->repo, typed, t->literal);

	if (t->verbose || t->dry_run)
		printf("Searching for files matching pattern: %s\n", typed);
	if (rc == 0)
		rc = git_run(&t->ctx->repo, NULL, 0, &paths, "ls-files", "-z", "--cached", "--",
			p.pathspec.p, NULL);
	for (size_t i = 0; i < paths.len; i++)
		n += paths.p[i] == '\0';
	if (rc == 0)
		rc = touch_all(t, typed, &paths, n);
	if (rc == 0 && !t->dry_run && (t->lockable || t->not_lockable))
		rc = lockable_pathspec(&t->ctx->repo, p.pathspec.p, t->lockable);
	if (rc == ERR_INVALID)
		err_clear(); /* nothing that has been added can be meant */
	pattern_release(&p);
	buf_release(&paths);
	return rc == ERR_INVALID || rc > 0 ? 0 : rc;
}

/* ---- tracking ---- */

static const char *without_dot_slash(const char *typed)
{
	while (strncmp(typed, "./", 2) == 0)
		for (typed += 2; *typed == '/'; typed++)
			;
	return typed;
}

/* 1 if a line says all that is asked for. */
static int is_known(const struct track *t, const char *quoted)
{
	struct buf source = BUF_INIT;
	char *wanted;
	int found = 0;

	if (pattern_file(&source, &t->ctx->repo) < 0)
		return 0;
	wanted = from_top(source.p, quoted);
	for (size_t i = 0; wanted != NULL && i < t->n_known && !found; i++) {
		const struct known *k = &t->known[i];

		found = k->tracked && strcmp(k->pattern, wanted) == 0 &&
			(t->lockable ? k->lockable : !t->not_lockable || !k->lockable);
	}
	free(wanted);
	buf_release(&source);
	return found;
}

/* The pattern as it is written in the file; of a file name, what globs treat specially is escaped.
 */
static int quote(struct buf *quoted, const char *typed, int literal)
{
	struct buf escaped = BUF_INIT;
	int rc = 0;

	for (const char *p = typed; rc == 0 && *p != '\0'; p++) {
		if (literal && strchr("*?[]\\", *p) != NULL)
			rc = buf_addch(&escaped, '\\');
		if (rc == 0)
			rc = buf_addch(&escaped, *p);
	}
	if (rc == 0)
		rc = attrs_quote(quoted, buf_str(&escaped));
	buf_release(&escaped);
	return rc;
}

/* 1 if the pattern is to be tracked and was not. */
static int track_one(const struct track *t, struct buf *text, const char *typed)
{
	struct buf quoted = BUF_INIT;
	int rc = quote(&quoted, typed, t->literal);

	if (rc == 0 && !t->no_modify && is_known(t, quoted.p)) {
		printf("\"%s\" already supported\n", typed);
	} else if (rc == 0) {
		if (!t->no_modify)
			rc = attrs_text_track_lfs(text, quoted.p);
		if (rc >= 0 && (t->lockable || t->not_lockable))
			rc = attrs_text_lockable(text, quoted.p, t->lockable);
		printf("Tracking \"%s\"\n", typed);
		rc = rc < 0 ? rc : 1;
	}
	buf_release(&quoted);
	return rc;
}

static int track_all(struct track *t, int n, char **patterns)
{
	const struct repo *repo = &t->ctx->repo;
	struct buf file = BUF_INIT, text = BUF_INIT, before = BUF_INIT;
	struct strvec fresh = STRVEC_INIT;
	int rc = pattern_file(&file, repo);

	if (rc == 0)
		rc = textfile_read(&text, repo, file.p);
	if (rc == 0)
		rc = buf_add(&before, text.p, text.len);
	for (int i = 0; rc == 0 && i < n; i++) {
		const char *typed = without_dot_slash(patterns[i]);

		rc = track_one(t, &text, typed);
		if (rc > 0)
			rc = strvec_push(&fresh, typed);
	}
	if (rc == 0 && !t->dry_run && strcmp(buf_str(&text), buf_str(&before)) != 0)
		rc = textfile_write(&text, repo, file.p);
	for (size_t i = 0; rc == 0 && i < fresh.n; i++)
		rc = touch_matching(t, fresh.v[i]);
	strvec_release(&fresh);
	buf_release(&file);
	buf_release(&text);
	buf_release(&before);
	return rc;
}

int lfs_track(struct command_ctx *ctx, int argc, char **argv)
{
	struct track t = {.ctx = ctx};
	const struct opt options[] = {
		{'v', "verbose", OPT_FLAG, &t.verbose, NULL, "say which files are touched", 0},
		{'d', "dry-run", OPT_FLAG, &t.dry_run, NULL, "change nothing, say what would be",
			0},
		{0, "filename", OPT_FLAG, &t.literal, NULL,
			"arguments are file names, not patterns", 0},
		{'l', "lockable", OPT_FLAG, &t.lockable, NULL, "files are read-only unless locked",
			0},
		{0, "not-lockable", OPT_FLAG, &t.not_lockable, NULL, "they are not any more", 0},
		{0, "no-excluded", OPT_FLAG, &t.no_excluded, NULL,
			"do not list patterns that are taken out", 0},
		{0, "no-modify-attrs", OPT_FLAG, &t.no_modify, NULL,
			"only touch files, for 'git add'", 0},
		{'j', "json", OPT_FLAG, &t.as_json, NULL, "list as JSON", 0}, OPT_END};
	int n, rc;

	if (command_options(
		    &rc, argc, argv, options, "git lfs track [<options>] [<pattern>...]", 0, &n))
		return rc;
	if (t.as_json && n > 0)
		return lfs_fail(LFS_FAILED, "--json cannot be combined with patterns");
	rc = command_repo(ctx);
	if (rc == 0)
		rc = collect(&t);
	if (rc == 0)
		rc = n > 0 ? track_all(&t, n, argv + 1) : list(&t);
	free_known(&t);
	return rc;
}

/* ---- untracking ---- */

static int untrack_one(struct buf *text, const char *typed)
{
	struct buf quoted = BUF_INIT;
	int rc = attrs_quote(&quoted, typed);

	if (rc == 0)
		rc = attrs_text_untrack(text, quoted.p);
	if (rc > 0)
		printf("Untracking \"%s\"\n", typed);
	buf_release(&quoted);
	return rc;
}

int lfs_untrack(struct command_ctx *ctx, int argc, char **argv)
{
	const struct opt options[] = {OPT_END};
	struct buf file = BUF_INIT, text = BUF_INIT;
	int n, rc, removed = 0;

	if (command_options(&rc, argc, argv, options, "git lfs untrack <path>...", 0, &n))
		return rc;
	if (n == 0) {
		puts("git lfs untrack <path> [path]*");
		return COMMAND_OK;
	}
	rc = command_repo(ctx);
	if (rc == 0)
		rc = pattern_file(&file, &ctx->repo);
	if (rc == 0)
		rc = textfile_read(&text, &ctx->repo, file.p);
	for (int i = 0; rc == 0 && i < n; i++) {
		rc = untrack_one(&text, without_dot_slash(argv[1 + i]));
		removed |= rc > 0;
		rc = rc > 0 ? 0 : rc;
	}
	if (rc == 0 && removed)
		rc = textfile_write(&text, &ctx->repo, file.p);
	buf_release(&file);
	buf_release(&text);
	return rc;
}
