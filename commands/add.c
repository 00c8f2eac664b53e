/*
 * `git dvx add`: makes sure that the named files are tracked, and stages them as pointers in
 * parallel, past Git's pipe.
 *
 * What to track follows what was typed: a file is tracked by its path, a directory by everything
 * below it, a quoted pattern as that pattern.  Files that attributes send to us already need no new
 * line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/ignored.h"
#include "commands/json.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/progress.h"
#include "lib/repo/addlist.h"
#include "lib/repo/addrun.h"
#include "lib/repo/attrs.h"
#include "lib/repo/git.h"
#include "lib/repo/textfile.h"

struct add {
	struct command_ctx *ctx;
	const struct repo *repo;
	const char *min_size;
	int unignore, dry_run, as_json, verbose, jobs;
	struct add_operand *operands;
	size_t n;
	struct add_list list;
	struct strvec also; /* .gitattributes, .gitignore: staged, too */
	struct buf before;  /* .gitattributes as it was, if we changed it */
	int changed_attributes;
};

static const char attributes_file[] = ".gitattributes";

/* ---- what hides, what is not there ---- */

static int exists(const struct add *a, const char *path)
{
	struct buf full = BUF_INIT;
	int yes = fs_join(&full, a->repo->dir->worktree, path) == 0 && fs_exists(full.p);

	buf_release(&full);
	return yes;
}

/* An operand that no file belongs to, or (--unignore) a directory that may hold more: 1 if ignore
 * rules are in the way, and stay. */
static int look_behind(struct add *a, const struct add_operand *o)
{
	int mend = a->unignore && !a->dry_run, rc = 0;

	if (!o->path || (!o->found && !exists(a, o->path)))
		return err_set(ERR_NOTFOUND, "'%s' does not match any file", o->typed);
	if (*o->path)
		rc = ignored_handle(a->repo, o->path, o->is_dir, mend, &a->also);
	if (rc == 0 && o->is_dir)
		rc = ignored_handle_below(a->repo, o->path, mend, &a->also);
	return rc < 0 ? rc : rc > 0;
}

static void forget_list(struct add *a)
{
	size_t i;

	add_list_release(&a->list);
	for (i = 0; i < a->n; i++)
		a->operands[i].found = 0;
}

/* Collect the files; with --unignore a second time, when the first round brought some back. */
static int collect(struct add *a)
{
	int rc, hidden = 0;
	size_t i;

	if ((rc = add_list_collect(&a->list, a->repo, a->operands, a->n)) < 0)
		return rc;
	for (i = 0; i < a->n; i++) {
		if (a->operands[i].found && !(a->unignore && a->operands[i].is_dir))
			continue;
		if ((rc = look_behind(a, &a->operands[i])) < 0)
			return rc;
		hidden += rc;
	}
	if (hidden)
		return err_set(ERR_DENIED, "ignore rules are in the way; nothing was added");
	if (!a->also.n)
		return 0;
	forget_list(a);
	return add_list_collect(&a->list, a->repo, a->operands, a->n);
}

/* ---- tracking ---- */

/* With everything tracked, our own settings are not. */
static int spare_settings(struct buf *text)
{
	int rc = attrs_text_spare(text, "/.dvxconfig");

	return rc < 0 ? rc : attrs_text_spare(text, "/.lfsconfig");
}

/* The line for an operand: pattern as typed, everything below a directory, or just this path. */
static int track_operand(struct add *a, struct buf *text, const struct add_operand *o)
{
	const char *prefix = a->repo->dir->prefix ? a->repo->dir->prefix : "";
	struct buf quoted = BUF_INIT, typed = BUF_INIT;
	int rc, changed = 0;

	if (o->path) {
		rc = attrs_quote_path(&quoted, o->path, o->is_dir);
	} else {
		/* Without a slash a pattern matches at any depth, also in attributes. */
		rc = buf_addf(&typed, "%s%s%s%s", *prefix ? "/" : "", prefix,
			*prefix && !strchr(o->typed, '/') ? "**/" : "", o->typed);
		if (rc == 0)
			rc = attrs_quote(&quoted, typed.p);
	}
	if (rc == 0)
		rc = changed = attrs_text_track(text, quoted.p, a->min_size);
	if (rc >= 0 && o->path && o->is_dir && (rc = buf_addstr(&quoted, "/.git*")) == 0 &&
		(rc = attrs_text_spare(text, quoted.p)) >= 0) {
		changed |= rc;
		if (!*o->path)
			rc = spare_settings(text);
	}
	if (rc > 0)
		changed = 1;
	buf_release(&quoted);
	buf_release(&typed);
	return rc < 0 ? rc : changed;
}

static int wants_tracking(const struct add_file *f)
{
	return f->kind == ADD_TODO && f->asked && add_file_trackable(f) && !f->attrs.ours;
}

/* Add lines for the operands of files that are not ours yet (all operands, with --min-size).  1 if
 * the text changed. */
static int track_operands(struct add *a, struct buf *text)
{
	const struct add_operand *last = NULL;
	int rc, changed = 0;
	size_t i;

	for (i = 0; i < a->list.n; i++) {
		const struct add_file *f = &a->list.v[i];

		if (f->operand == last || f->kind != ADD_TODO || !f->asked ||
			!add_file_trackable(f) || (f->attrs.ours && !a->min_size))
			continue;
		if (f->attrs.other)
			return err_set(ERR_DENIED,
				"'%s' goes through another filter ('git check-attr filter -- %s' "
				"tells); take that away first",
				f->path, f->path);
		last = f->operand;
		if ((rc = track_operand(a, text, last)) < 0)
			return rc;
		changed |= rc;
	}
	return changed;
}

/* A pattern of Git's command line may reach further than the same pattern in attributes: then paths
 * are tracked. */
static int track_paths(struct add *a, struct buf *text)
{
	struct buf quoted = BUF_INIT;
	int rc = 0, changed = 0;
	size_t i;

	for (i = 0; i < a->list.n && rc >= 0; i++) {
		if (!wants_tracking(&a->list.v[i]))
			continue;
		buf_reset(&quoted);
		if ((rc = attrs_quote_path(&quoted, a->list.v[i].path, 0)) == 0)
			rc = attrs_text_track(text, quoted.p, a->min_size);
		changed |= rc > 0;
	}
	buf_release(&quoted);
	return rc < 0 ? rc : changed;
}

/* One round: change the text, write it, and ask Git what it makes of it. */
static int track_round(
	struct add *a, struct buf *text, int (*change)(struct add *a, struct buf *text))
{
	int rc = change(a, text);

	if (rc <= 0 || a->dry_run)
		return rc;
	a->changed_attributes = 1;
	if ((rc = textfile_write(text, a->repo, attributes_file)) < 0 ||
		(rc = add_list_attrs(&a->list, a->repo, 0)) < 0)
		return rc;
	return 1;
}

/* Nothing was staged: the attributes become what they were. */
static void put_attributes_back(struct add *a)
{
	struct buf path = BUF_INIT;

	if (!a->changed_attributes)
		return;
	a->changed_attributes = 0;
	if (a->before.len)
		(void)textfile_write(&a->before, a->repo, attributes_file);
	else if (fs_join(&path, a->repo->dir->worktree, attributes_file) == 0)
		(void)unlink(path.p);
	buf_release(&path);
}

/* See that all files are routed to us. */
static int track(struct add *a)
{
	struct buf text = BUF_INIT;
	int rc, changed = 0;
	size_t i;

	if ((rc = add_list_attrs(&a->list, a->repo, 1)) < 0 ||
		(rc = textfile_read(&text, a->repo, attributes_file)) < 0 ||
		(rc = buf_add(&a->before, text.p, text.len)) < 0 ||
		(rc = changed = track_round(a, &text, track_operands)) < 0)
		goto done;
	if (!changed && (rc = add_list_attrs(&a->list, a->repo, 0)) < 0)
		goto done;
	if ((rc = track_round(a, &text, track_operands)) < 0 || a->dry_run)
		goto done;
	changed |= rc;
	if (changed && ((rc = track_round(a, &text, track_paths)) < 0 ||
			       (rc = strvec_push(&a->also, attributes_file)) < 0))
		goto done;
	for (i = 0; i < a->list.n; i++) {
		if (!wants_tracking(&a->list.v[i]))
			continue;
		rc = err_set(ERR_DENIED,
			"attributes elsewhere keep '%s' from being tracked; see 'git check-attr -a "
			"-- %s'",
			a->list.v[i].path, a->list.v[i].path);
		goto done;
	}
	rc = 0;
done:
	buf_release(&text);
	return rc < 0 ? rc : 0;
}

/* ---- deciding and doing ---- */

/* Each file's way: pointer, plain `git add`, or nothing. */
static void decide(struct add *a)
{
	uint64_t min = 0;
	size_t i;

	if (a->min_size)
		(void)opt_parse_size(&min, a->min_size); /* checked before */
	for (i = 0; i < a->list.n; i++) {
		struct add_file *f = &a->list.v[i];
		uint64_t limit = a->dry_run && a->min_size ? min : f->attrs.min_size;

		if (f->kind != ADD_TODO)
			continue;
		if (add_file_trackable(f) && f->size && f->size >= limit)
			f->kind = ADD_DATA;
		else
			f->kind = f->same ? ADD_UNCHANGED : ADD_PLAIN;
	}
}

static void print_dry_run(const struct add *a)
{
	size_t i;

	for (i = 0; i < a->list.n; i++) {
		const struct add_file *f = &a->list.v[i];

		if (f->kind == ADD_DATA)
			printf("add '%s' as a pointer\n", f->path);
		else if (f->kind == ADD_PLAIN)
			printf("add '%s'\n", f->path);
		else if (f->kind == ADD_GONE)
			printf("remove '%s'\n", f->path);
	}
}

static int print_json(const struct add *a, const struct add_result *r)
{
	char hex[OID_HEX_LEN + 1];
	struct json j;
	cJSON *files, *item;
	size_t i;

	json_init(&j);
	json_uint(&j, j.root, "added", r->pointers);
	json_uint(&j, j.root, "bytes", r->bytes);
	json_uint(&j, j.root, "plain", r->plain);
	json_uint(&j, j.root, "removed", r->gone);
	files = json_array(&j, j.root, "files");
	for (i = 0; i < a->list.n; i++) {
		if (a->list.v[i].kind != ADD_DATA)
			continue;
		item = json_item(&j, files);
		oid_to_hex(hex, &a->list.v[i].oid);
		json_string(&j, item, "path", a->list.v[i].path);
		json_string(&j, item, "oid", hex);
		json_uint(&j, item, "size", a->list.v[i].size);
	}
	return json_print(&j);
}

static void print_text(const struct add *a, const struct add_result *r)
{
	char bytes[16], hex[OID_HEX_LEN + 1];
	size_t i;

	for (i = 0; a->verbose && i < a->list.n; i++) {
		if (a->list.v[i].kind != ADD_DATA)
			continue;
		oid_to_hex(hex, &a->list.v[i].oid);
		printf("%.*s  %s\n", OID_SHOWN, hex, a->list.v[i].path);
	}
	if (r->pointers)
		printf("added %zu file%s (%s) as pointer%s\n", r->pointers,
			r->pointers == 1 ? "" : "s", progress_bytes(bytes, r->bytes),
			r->pointers == 1 ? "" : "s");
	if (r->plain)
		printf("added %zu file%s as %s\n", r->plain, r->plain == 1 ? "" : "s",
			r->plain == 1 ? "it is" : "they are");
	if (r->gone)
		printf("removed %zu file%s\n", r->gone, r->gone == 1 ? "" : "s");
	if (!r->pointers && !r->plain && !r->gone)
		printf("%s (%zu file%s)\n",
			a->changed_attributes ? "updated .gitattributes; nothing else changed"
					      : "nothing changed",
			a->list.n, a->list.n == 1 ? "" : "s");
}

/* Have each .gitattributes on the way to `path` staged, too. */
static int stage_attributes_of(struct add *a, const char *path)
{
	struct buf file = BUF_INIT;
	const char *p = path;
	size_t i;
	int rc = 0;

	do {
		buf_reset(&file);
		if ((rc = buf_add(&file, path, (size_t)(p - path))) < 0 ||
			(rc = buf_addstr(&file, attributes_file)) < 0)
			break;
		for (i = 0; i < a->also.n && strcmp(a->also.v[i], file.p) != 0; i++)
			;
		if (i == a->also.n && exists(a, file.p))
			rc = strvec_push(&a->also, file.p);
		p = strchr(p, '/');
		p = p ? p + 1 : NULL;
	} while (rc == 0 && p);
	buf_release(&file);
	return rc;
}

/* A commit needs the attributes that route its files to us: are the staged ones up to that?  (They
 * were not staged if an earlier run was stopped, or if `git dvx track` wrote them.)  One file of
 * each operand is asked about. */
static int stage_attributes(struct add *a)
{
	const char **paths = calloc(a->list.n ? a->list.n : 1, sizeof *paths);
	struct attrs *attrs = calloc(a->list.n ? a->list.n : 1, sizeof *attrs);
	const struct add_operand *last = NULL;
	size_t i, n = 0;
	int rc = 0;

	if (!paths || !attrs) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	for (i = 0; i < a->list.n; i++) {
		if (a->list.v[i].kind != ADD_DATA || a->list.v[i].operand == last)
			continue;
		last = a->list.v[i].operand;
		paths[n++] = a->list.v[i].path;
	}
	rc = attrs_check_cached(a->repo, paths, n, attrs);
	for (i = 0; i < n && rc == 0; i++)
		if (!attrs[i].ours)
			rc = stage_attributes_of(a, paths[i]);
done:
	free(paths);
	free(attrs);
	return rc;
}

static int run(struct add *a)
{
	struct add_options o = {a->jobs, command_stop(), NULL, &a->also};
	struct add_result r = {0};
	uint64_t files = 0, bytes = 0;
	size_t i;
	int rc;

	for (i = 0; i < a->list.n; i++) {
		if (a->list.v[i].kind != ADD_DATA)
			continue;
		files++;
		bytes += a->list.v[i].size;
	}
	if ((rc = command_store(a->ctx)) < 0 || (rc = stage_attributes(a)) < 0)
		return rc;
	o.progress = files ? progress_new("Adding", files, bytes, PROGRESS_AUTO) : NULL;
	rc = add_run(&a->list, a->repo, a->ctx->s, &o, &r);
	progress_free(o.progress);
	if (rc < 0) {
		if (r.staging)
			a->changed_attributes = 0; /* they may be staged */
		return rc;
	}
	if (a->as_json)
		return print_json(a, &r);
	print_text(a, &r);
	return 0;
}

static int add(struct add *a, char *const *operands, size_t n)
{
	size_t i;
	int rc;

	if (!(a->operands = calloc(n, sizeof *a->operands)))
		return err_set(ERR_NOMEM, "out of memory");
	for (i = 0; i < n; i++, a->n++)
		if ((rc = add_operand_parse(&a->operands[i], a->repo, operands[i])) < 0)
			return rc;
	if ((rc = collect(a)) < 0 || (rc = track(a)) < 0)
		return rc;
	decide(a);
	if (a->dry_run) {
		print_dry_run(a);
		return 0;
	}
	return run(a);
}

int cmd_add(struct command_ctx *ctx, int argc, char **argv)
{
	struct add a = {.ctx = ctx, .list = ADD_LIST_INIT, .also = STRVEC_INIT};
	int n, status, rc;
	uint64_t size;
	const struct opt table[] = {
		{0, "min-size", OPT_VALUE, &a.min_size, "<size>",
			"leave smaller files to Git (10K, 1M, …; 0: track all)", 0},
		{0, "unignore", OPT_FLAG, &a.unignore, NULL,
			"add lines to .gitignore that bring back what it hides", 0},
		{'n', "dry-run", OPT_FLAG, &a.dry_run, NULL, "say what would be done", 0},
		{'j', "jobs", OPT_INT, &a.jobs, "<n>", "files read at once", 0},
		{'v', "verbose", OPT_FLAG, &a.verbose, NULL, "list the files", 0},
		{0, "json", OPT_FLAG, &a.as_json, NULL, "print the result as JSON", 0},
		OPT_END,
	};

	if (command_options(
		    &status, argc, argv, table, "git dvx add [<options>] <path>...", 0, &n) != 0)
		return status;
	if (!n)
		return command_usage("what to add? 'git dvx add .' adds everything here");
	if (a.min_size && opt_parse_size(&size, a.min_size) < 0)
		return command_usage("--min-size: %s", err_msg());
	if ((rc = command_repo(ctx)) < 0)
		return rc;
	a.repo = &ctx->repo;
	rc = add(&a, argv + 1, (size_t)n);
	if (rc < 0)
		put_attributes_back(&a);
	buf_release(&a.before);
	add_operands_release(a.operands, a.n);
	free(a.operands);
	add_list_release(&a.list);
	strvec_release(&a.also);
	return rc;
}
