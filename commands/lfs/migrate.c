/*
 * `git dvx migrate`: history into the store and out of it.  Its command line is Git LFS's, and so
 * is what it says; which attributes it writes depends on the name by which it was called.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "commands/lfs/lfs.h"
#include "commands/lfs/migrate.h"
#include "lib/base/err.h"

enum { TOP_DEFAULT = 5 };

static const char usage[] = "git dvx migrate info [<options>] [--] [<branch>...]\n"
			    "git dvx migrate import [<options>] [--] [<branch>...]\n"
			    "git dvx migrate import --no-rewrite [-m <message>] [--] <file>...\n"
			    "git dvx migrate export [<options>] -I <paths> [--] [<branch>...]";

/* ---- numbers ---- */

/* Bytes of "", "b", "kb", "MiB"…; 0 for anything else. */
static uint64_t unit_of(const char *name)
{
	static const char letters[] = "kmgtp";
	uint64_t step = 1000, unit = 1;
	const char *at;

	if (!*name || !strcasecmp(name, "b"))
		return 1;
	at = strchr(letters, *name | 0x20);
	if (!at || !*at)
		return 0;
	if (!strcasecmp(name + 1, "ib"))
		step = 1024;
	else if (strcasecmp(name + 1, "b") != 0)
		return 0;
	for (; at >= letters; at--)
		unit *= step;
	return unit;
}

/* "1b", "20 MB", "1.5 GiB". */
static int parse_amount(uint64_t *out, const char *text)
{
	char *end;
	double value;
	uint64_t unit = 0;

	errno = 0;
	value = strtod(text, &end);
	if (end != text && value >= 0 && errno == 0) {
		end += strspn(end, " ");
		unit = unit_of(end);
	}
	if (!unit || value * (double)unit > (double)INT64_MAX)
		return command_usage("'%s' is no size; write it as '500kb' or '2 GiB'", text);
	*out = (uint64_t)(value * (double)unit);
	return 0;
}

/* ---- options ---- */

static int check_pointers(struct migrate_args *a)
{
	static const char *const names[] = {"follow", "no-follow", "ignore"};
	int i;

	if (a->fixup)
		a->pointers_mode = MIGRATE_IGNORE;
	if (!a->pointers)
		return 0;
	for (i = 0; i < 3; i++)
		if (!strcmp(a->pointers, names[i])) {
			a->pointers_mode = (enum migrate_pointers)i;
			if (a->fixup && i != MIGRATE_IGNORE)
				return command_usage(
					"Cannot use --fixup with --pointers=%s", names[i]);
			return 0;
		}
	return command_usage("Unsupported --pointers option value '%s'", a->pointers);
}

static int check_combinations(const struct migrate_args *a)
{
	if (a->everything && a->n_operands && !a->no_rewrite)
		return command_usage("Cannot use --everything with explicit reference arguments");
	if (a->everything && a->include_refs.n + a->exclude_refs.n)
		return command_usage("Cannot use --everything with --include-ref or --exclude-ref");
	if (a->fixup && (a->include || a->exclude))
		return command_usage("Cannot use --fixup with --include, --exclude");
	if (a->mode == MIGRATE_IMPORT && a->above_bytes && (a->include || a->exclude || a->fixup))
		return command_usage("Cannot use --above with --include, --exclude, --fixup");
	if (a->mode == MIGRATE_EXPORT && !a->filter.n_include)
		return command_usage("One or more files must be specified with --include");
	if (a->no_rewrite && a->mode != MIGRATE_IMPORT)
		return command_usage("--no-rewrite is for 'import'");
	if (a->no_rewrite && !a->n_operands)
		return command_usage("Expected one or more files with --no-rewrite");
	return 0;
}

static int understand(struct migrate_args *a, int n, char **operands)
{
	static const char *const modes[] = {"import", "export", "info"};
	int i, rc = 0;

	a->mode_name = n > 0 ? operands[0] : "";
	for (i = 0; i < 3 && strcmp(a->mode_name, modes[i]) != 0; i++)
		;
	if (i == 3)
		return command_usage(
			"'migrate' needs one of 'info', 'import' and 'export'; see 'git "
			"dvx migrate -h'");
	a->mode = (enum migrate_mode)i;
	a->operands = operands + 1;
	a->n_operands = n - 1;
	if (a->above)
		rc = parse_amount(&a->above_bytes, a->above);
	if (rc == 0 && a->unit && !(a->unit_bytes = unit_of(a->unit)))
		rc = command_usage("'%s' is no unit; one of b, kb, mb, gb, tb, pb, kib, mib, gib, "
				   "tib, pib",
			a->unit);
	if (rc == 0)
		rc = check_pointers(a);
	if (rc == 0)
		rc = attr_filter_include(&a->filter, a->include);
	if (rc == 0)
		rc = attr_filter_exclude(&a->filter, a->exclude);
	return rc < 0 ? rc : check_combinations(a);
}

static void tell_converted(const char *commit, const char *path)
{
	printf("migrate: commit %s: %s\n", commit, path);
}

struct migrate_options migrate_options_of(const struct migrate_args *a)
{
	return (struct migrate_options){
		.mode = a->mode,
		.filter = &a->filter,
		.track = a->lfs ? " filter=lfs diff=lfs merge=lfs -text"
				: " filter=dvx diff=dvx merge=dvx -text",
		.lines_once = a->lfs,
		.fixup = a->fixup,
		.above = a->above_bytes,
		.pointers = a->pointers_mode,
		.converted = a->verbose ? tell_converted : NULL,
	};
}

int cmd_migrate(struct command_ctx *ctx, int argc, char **argv)
{
	struct migrate_args a = {.top = TOP_DEFAULT, .lfs = lfs_is_called(program_invocation_name)};
	const struct opt options[] = {
		{'I', "include", OPT_VALUE, &a.include, "<paths>",
			"only files that match one of these, comma-separated", 0},
		{'X', "exclude", OPT_VALUE, &a.exclude, "<paths>", "no files that match these", 0},
		{0, "include-ref", OPT_LIST, &a.include_refs, "<ref>", "commits of this ref", 0},
		{0, "exclude-ref", OPT_LIST, &a.exclude_refs, "<ref>", "no commits of this ref", 0},
		{0, "everything", OPT_FLAG, &a.everything, NULL,
			"commits of all branches and tags, local and remote", 0},
		{0, "skip-fetch", OPT_FLAG, &a.skip_fetch, NULL,
			"do not ask the remotes which commits they have", 0},
		{'y', "yes", OPT_FLAG, &a.yes, NULL, "give up changes in the working copy", 0},
		{0, "verbose", OPT_FLAG, &a.verbose, NULL, "name each file that is converted", 0},
		{0, "object-map", OPT_VALUE, &a.object_map, "<file>",
			"write '<old id>,<new id>' of each commit", 0},
		{0, "above", OPT_VALUE, &a.above, "<size>", "import, info: only larger files", 0},
		{0, "fixup", OPT_FLAG, &a.fixup, NULL,
			"import, info: files that .gitattributes says are pointers", 0},
		{0, "no-rewrite", OPT_FLAG, &a.no_rewrite, NULL,
			"import: these files, in a new commit", 0},
		{'m', "message", OPT_VALUE, &a.message, "<message>", "message of that commit", 0},
		{0, "remote", OPT_VALUE, &a.remote, "<name>",
			"export: fetch what is not here from this remote", 0},
		{0, "top", OPT_INT, &a.top, "<n>", "info: at most so many kinds (5)", 0},
		{0, "unit", OPT_VALUE, &a.unit, "<unit>", "info: b, kb, kib, mb, mib...", 0},
		{0, "pointers", OPT_VALUE, &a.pointers, "<how>", "info: follow, no-follow, ignore",
			0},
		OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options, usage, 0, &n))
		goto done;
	rc = understand(&a, n, argv + 1);
	if (rc == 0)
		rc = command_repo(ctx);
	if (rc == 0)
		rc = a.mode == MIGRATE_INFO ? migrate_info(ctx, &a)
		     : a.no_rewrite	    ? migrate_commit(ctx, &a)
					    : migrate_run(ctx, &a);
done:
	attr_filter_release(&a.filter);
	strvec_release(&a.include_refs);
	strvec_release(&a.exclude_refs);
	return rc;
}
