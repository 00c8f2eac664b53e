/*
 * `git dvx track`: writes .gitattributes lines, so that plain `git add` makes pointers of the files
 * that match; without arguments lists what is tracked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/ignored.h"
#include "commands/json.h"
#include "commands/patterns.h"
#include "lib/base/err.h"
#include "lib/repo/attrs.h"
#include "lib/repo/git.h"
#include "lib/repo/lockable.h"
#include "lib/repo/textfile.h"

struct track {
	struct command_ctx *ctx;
	const char *min_size;
	int literal, dry_run, unignore;
	int lockable;	 /* 0: as it is; else enum lockable_wish */
	struct buf file; /* the .gitattributes to change */
	struct buf text;
	int changed;
};

enum lockable_wish { NOT_LOCKABLE = 1, LOCKABLE };

/* ---- listing ---- */

struct listing {
	const char *file;
	int ours; /* which kind is printed now */
	int any;
	struct json *json;
	cJSON *array;
};

static int list_line(const struct attrs_line *l, void *data)
{
	struct listing *s = data;
	struct buf shown = BUF_INIT;
	int rc;

	if (l->ours != s->ours && !s->json)
		return 0;
	if ((rc = attrs_unquote(&shown, l->pattern)) < 0)
		goto done;
	if (s->json) {
		cJSON *item = json_item(s->json, s->array);

		json_string(s->json, item, "pattern", buf_str(&shown));
		json_string(s->json, item, "source", s->file);
		json_bool(s->json, item, "tracked", l->ours);
		json_string(s->json, item, "minSize", l->min_size);
		json_bool(s->json, item, "lockable", l->lockable);
		goto done;
	}
	if (!s->any++)
		printf(s->ours ? "Listing tracked patterns\n" : "Listing excluded patterns\n");
	printf("    %s%s (%s%s%s)\n", buf_str(&shown), l->lockable ? " [lockable]" : "", s->file,
		l->min_size ? ", from " : "", l->min_size ? l->min_size : "");
done:
	buf_release(&shown);
	return rc;
}

static int list_file(struct listing *s, const struct repo *repo, const char *file)
{
	struct buf text = BUF_INIT;
	int rc = textfile_read(&text, repo, file);

	s->file = file;
	if (rc == 0)
		rc = attrs_text_each(&text, list_line, s);
	buf_release(&text);
	return rc;
}

static int list_patterns(const struct repo *repo, int as_json)
{
	struct strvec files = STRVEC_INIT;
	struct json json;
	size_t i;
	int rc, ours;

	if ((rc = attrs_files(&files, repo)) < 0)
		return rc;
	if (as_json) {
		struct listing s = {NULL, 1, 0, &json, NULL};

		json_init(&json);
		s.array = json_array(&json, json.root, "patterns");
		for (i = 0; i < files.n && rc == 0; i++)
			rc = list_file(&s, repo, files.v[i]);
		if (rc == 0)
			rc = json_print(&json);
		strvec_release(&files);
		return rc;
	}
	for (ours = 1; ours >= 0 && rc == 0; ours--) {
		struct listing s = {NULL, ours, 0, NULL, NULL};

		for (i = 0; i < files.n && rc == 0; i++)
			rc = list_file(&s, repo, files.v[i]);
	}
	strvec_release(&files);
	return rc;
}

/* ---- tracking ---- */

/* Files that the pattern matches and an ignore rule hides. */
static int handle_ignored(const struct track *t, const struct pattern *p)
{
	const struct repo *repo = &t->ctx->repo;
	struct buf out = BUF_INIT;
	const char *path;
	size_t pos;
	int rc, shown = 0;

	if (p->path.len) {
		rc = ignored_handle(repo, p->path.p, p->is_dir, t->unignore && !t->dry_run, NULL);
		return rc < 0 ? rc : 0;
	}
	rc = git_run(repo, NULL, 0, &out, "ls-files", "-z", "-o", "-i", "--exclude-standard", "--",
		p->pathspec.p, (char *)NULL);
	for (pos = 0; rc == 0 && pos < out.len; pos += strlen(path) + 1) {
		path = out.p + pos;
		/* One rule hides many files: the first few tell the story. */
		if (!t->unignore && shown++ == 3) {
			fprintf(stderr, "warning: … and more ignored files match\n");
			break;
		}
		rc = ignored_handle(repo, path, 0, t->unignore && !t->dry_run, NULL);
		rc = rc < 0 ? rc : 0;
	}
	buf_release(&out);
	return rc;
}

static int track_one(struct track *t, const char *typed)
{
	struct pattern p = PATTERN_INIT;
	int rc, spared = 0;

	if ((rc = pattern_parse(&p, &t->ctx->repo, typed, t->literal)) < 0)
		goto done;
	rc = attrs_text_track(&t->text, p.quoted.p, t->min_size);
	if (rc >= 0 && t->lockable) {
		int changed = attrs_text_lockable(&t->text, p.quoted.p, t->lockable == LOCKABLE);

		rc = changed < 0 ? changed : rc | changed;
	}
	if (rc >= 0 && p.spare.len && (spared = attrs_text_spare(&t->text, p.spare.p)) < 0)
		rc = spared;
	if (rc < 0)
		goto done;
	printf(rc ? "Tracking \"%s\"\n" : "\"%s\" already supported\n", typed);
	fflush(stdout); /* what is said on stderr comes behind it */
	t->changed |= rc || spared;
	rc = handle_ignored(t, &p);
done:
	pattern_release(&p);
	return rc;
}

/* A pattern as wide as "*" must not turn Git's own files, or our settings, into pointers. */
static int spare_own_files(struct track *t)
{
	enum { N = 5 };
	static const struct {
		const char *path, *pattern;
	} own[N] = {{".gitattributes", ".git*"}, {".gitignore", ".git*"}, {".gitmodules", ".git*"},
		{".dvxconfig", "/.dvxconfig"}, {".lfsconfig", "/.lfsconfig"}};
	const char *paths[N];
	struct attrs attrs[N];
	int i, rc, changed = 0;

	for (i = 0; i < N; i++)
		paths[i] = own[i].path;
	if ((rc = attrs_check(&t->ctx->repo, paths, N, attrs)) < 0)
		return rc;
	for (i = 0; i < N && rc >= 0; i++) {
		if (!attrs[i].ours)
			continue;
		/* at the end: a line above the pattern at hand has no effect */
		if ((rc = attrs_text_unspare(&t->text, own[i].pattern)) >= 0)
			rc = attrs_text_spare(&t->text, own[i].pattern);
		changed |= rc;
	}
	return rc >= 0 && changed ? textfile_write(&t->text, &t->ctx->repo, t->file.p) : rc;
}

static void hint_committed(const struct repo *repo)
{
	int n = pattern_count_stale(repo, 0);

	if (n > 0)
		printf("%d committed file%s not pointers yet; to turn them into pointers: git add "
		       "--renormalize .\n",
			n, n == 1 ? " that match is" : "s that match are");
}

/* Without it the pointers of a commit would stay text in every clone. */
static void hint_attributes(const struct track *t)
{
	fprintf(stderr, "run 'git add %s' to make it part of the commit\n",
		strrchr(t->file.p, '/') ? strrchr(t->file.p, '/') + 1 : t->file.p);
}

/* The attributes are in place: let the files' modes follow. */
static int set_modes(const struct track *t, int n, char *const *patterns)
{
	int rc = 0;

	for (int i = 0; i < n && t->lockable && rc >= 0; i++) {
		struct pattern p = PATTERN_INIT;

		rc = pattern_parse(&p, &t->ctx->repo, patterns[i], t->literal);
		if (rc >= 0)
			rc = lockable_pathspec(
				&t->ctx->repo, p.pathspec.p, t->lockable == LOCKABLE);
		pattern_release(&p);
	}
	return rc < 0 ? rc : 0;
}

static int track_all(struct track *t, int n, char *const *patterns)
{
	const struct repo *repo = &t->ctx->repo;
	int i, rc;

	if ((rc = pattern_file(&t->file, repo)) < 0 ||
		(rc = textfile_read(&t->text, repo, t->file.p)) < 0)
		return rc;
	for (i = 0; i < n; i++)
		if ((rc = track_one(t, patterns[i])) < 0)
			return rc;
	if (t->dry_run)
		return 0;
	if (!t->changed)
		return set_modes(t, n, patterns);
	if ((rc = textfile_write(&t->text, repo, t->file.p)) < 0 || (rc = spare_own_files(t)) < 0 ||
		(rc = set_modes(t, n, patterns)) < 0)
		return rc;
	hint_attributes(t);
	hint_committed(repo);
	return 0;
}

int cmd_track(struct command_ctx *ctx, int argc, char **argv)
{
	struct track t = {.ctx = ctx};
	int list = 0, as_json = 0, n, status, rc;
	uint64_t size;
	const struct opt table[] = {
		{0, "list", OPT_FLAG, &list, NULL, "list the patterns", 0},
		{0, "json", OPT_FLAG, &as_json, NULL, "list them as JSON", 0},
		{0, "min-size", OPT_VALUE, &t.min_size, "<size>",
			"leave smaller files to Git (10K, 1M, …; 0: track all)", 0},
		{0, "filename", OPT_FLAG, &t.literal, NULL,
			"arguments are file names, not patterns", 0},
		{0, "unignore", OPT_FLAG, &t.unignore, NULL,
			"add lines to .gitignore that bring back what it hides", 0},
		{'l', "lockable", OPT_SET, &t.lockable, NULL,
			"files are read-only unless locked by 'git dvx lock'", LOCKABLE},
		{0, "not-lockable", OPT_SET, &t.lockable, NULL, "no longer so", NOT_LOCKABLE},
		{'d', "dry-run", OPT_FLAG, &t.dry_run, NULL, "change nothing", 0},
		OPT_END,
	};

	if (command_options(&status, argc, argv, table, "git dvx track [<options>] [<pattern>...]",
		    0, &n) != 0)
		return status;
	if (t.min_size && opt_parse_size(&size, t.min_size) < 0)
		return command_usage("--min-size: %s", err_msg());
	if ((rc = command_repo(ctx)) < 0)
		return rc;
	if (!n || list || as_json)
		return n ? command_usage("--list takes no patterns")
			 : list_patterns(&ctx->repo, as_json);
	rc = track_all(&t, n, argv + 1);
	buf_release(&t.file);
	buf_release(&t.text);
	return rc;
}
