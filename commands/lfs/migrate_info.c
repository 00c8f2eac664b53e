/*
 * `migrate info`: a table of the kinds of files that take the most room, as Git LFS prints it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/lfs/lfs.h"
#include "commands/lfs/migrate.h"
#include "lib/base/err.h"

struct row {
	const char *name;
	char size[32], files[48], share[8];
};

static int by_size(const void *a, const void *b)
{
	const struct migrate_count *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return strcmp(x->name, y->name);
}

static struct row row_of(const struct migrate_count *c, uint64_t unit)
{
	struct row r = {.name = c->name};
	double in_unit = unit ? (double)c->bytes / (double)unit : 0;

	if (!unit)
		lfs_bytes(r.size, c->bytes);
	else
		snprintf(r.size, sizeof r.size, in_unit < 9.95 && unit > 1 ? "%.1f" : "%.0f",
			in_unit);
	snprintf(r.files, sizeof r.files, "%llu/%llu file%s", (unsigned long long)c->above,
		(unsigned long long)c->total, c->total == 1 ? " " : "s");
	snprintf(r.share, sizeof r.share, "%.0f%%", 100.0 * (double)c->above / (double)c->total);
	return r;
}

static int wider(int width, const char *text)
{
	int len = (int)strlen(text);

	return len > width ? len : width;
}

/* The last `separate` rows stand by themselves. */
static void print_rows(const struct row *rows, size_t n, size_t separate)
{
	int name = 0, size = 0, files = 0, share = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		name = wider(name, rows[i].name);
		size = wider(size, rows[i].size);
		files = wider(files, rows[i].files);
		share = wider(share, rows[i].share);
	}
	for (i = 0; i < n; i++) {
		if (i && n - i == separate)
			putchar('\n');
		printf("%-*s\t%-*s\t%*s\t%*s\n", name, rows[i].name, size, rows[i].size, files,
			rows[i].files, share, rows[i].share);
	}
}

static int print_counts(const struct migrate *m, const struct migrate_args *a)
{
	const struct migrate_count *pointers, *counts;
	struct migrate_count *sorted, last;
	struct row *rows;
	size_t n, i, kept = 0;

	counts = migrate_counts(m, &n, &pointers);
	sorted = calloc(n + 1, sizeof *sorted);
	rows = calloc(n + 1, sizeof *rows);
	if (!sorted || !rows) {
		free(sorted);
		free(rows);
		return err_set(ERR_NOMEM, "out of memory");
	}
	for (i = 0; i < n; i++)
		if (counts[i].above)
			sorted[kept++] = counts[i];
	if (kept)
		qsort(sorted, kept, sizeof *sorted, by_size);
	if (kept > (size_t)a->top)
		kept = (size_t)a->top;
	for (i = 0; i < kept; i++)
		rows[i] = row_of(&sorted[i], a->unit_bytes);
	if (pointers->total) {
		last = *pointers;
		last.name = (char *)"LFS Objects";
		rows[kept] = row_of(&last, a->unit_bytes);
	}
	print_rows(rows, kept + (pointers->total > 0), pointers->total > 0);
	free(sorted);
	free(rows);
	return 0;
}

int migrate_info(struct command_ctx *ctx, const struct migrate_args *a)
{
	struct migrate_options o = migrate_options_of(a);
	struct rewrite_refs refs = {0};
	struct rewrite_ids commits = {0};
	struct migrate *m = NULL;
	int rc = rewrite_refs_read(&refs, &ctx->repo);

	if (rc == 0)
		rc = migrate_commits(&commits, ctx, a, &refs);
	if (rc == 0)
		rc = migrate_new(&m, &ctx->repo, NULL, &o);
	if (rc == 0)
		rc = migrate_rewrite_commits(m, &commits, "migrate: Examining commits");
	if (rc == 0)
		rc = print_counts(m, a);
	migrate_free(m);
	rewrite_ids_release(&commits);
	rewrite_refs_release(&refs);
	return rc;
}
