/*
 * For tests of the index code: show an index in the words of `git ls-files --stage --debug`, or
 * patch the stat data of entries to what lstat says, as a rehydration does.
 *
 *   index-tool dump <index> <hash length>
 *   index-tool patch <index> <hash length> <path>...       paths below the current directory
 *   index-tool patch-id <index> <hash length> <hex id> <path>...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/base/lockfile.h"
#include "lib/worktree/gitindex.h"

static int hash_len;

static int show(const struct gitindex_entry *e, void *data)
{
	const struct gitindex_stat *s = &e->st;

	(void)data;
	printf("%06o ", (unsigned)e->mode);
	for (int i = 0; i < hash_len; i++)
		printf("%02x", e->id[i]);
	printf(" %d\t%s\n", e->stage, e->path);
	printf("  ctime: %u:%u\n  mtime: %u:%u\n", s->ctime_sec, s->ctime_nsec, s->mtime_sec,
		s->mtime_nsec);
	printf("  dev: %u\tino: %u\n  uid: %u\tgid: %u\n", s->dev, s->ino, s->uid, s->gid);
	printf("  size: %u\n", s->size);
	return 0;
}

struct wanted {
	struct gitindex_patch *patches;
	uint8_t (*ids)[32];
	size_t n;
};

static int find_id(const struct gitindex_entry *e, void *data)
{
	struct wanted *w = data;

	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->patches[i].path, e->path) == 0)
			memcpy(w->ids[i], e->id, sizeof e->id);
	return 0;
}

static int parse_hex(uint8_t *out, const char *hex)
{
	for (int i = 0; i < hash_len; i++) {
		unsigned byte;

		if (sscanf(hex + 2 * (ptrdiff_t)i, "%2x", &byte) != 1)
			return err_set(ERR_INVALID, "bad id '%s'", hex);
		out[i] = (uint8_t)byte;
	}
	return 0;
}

static int patch(const char *index, struct gitindex *x, const char *id, char **paths, size_t n)
{
	struct wanted w = {calloc(n + 1, sizeof *w.patches), calloc(n + 1, sizeof *w.ids), n};
	struct lockfile lock = LOCKFILE_INIT;
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		struct stat st;

		if (lstat(paths[i], &st) < 0)
			return err_sys("lstat '%s'", paths[i]);
		w.patches[i].path = paths[i];
		w.patches[i].id = w.ids[i];
		gitindex_stat_fill(&w.patches[i].st, &st);
		if (id && (rc = parse_hex(w.ids[i], id)) < 0)
			return rc;
	}
	if (!id)
		rc = gitindex_each(x, find_id, &w);
	if (rc == 0)
		rc = lockfile_take(&lock, index, 0666, 0);
	if (rc == 0)
		rc = gitindex_patch(index, hash_len, w.patches, n, &lock);
	if (rc >= 0) {
		printf("%d\n", rc);
		rc = lockfile_commit(&lock);
	}
	lockfile_rollback(&lock);
	free(w.patches);
	free(w.ids);
	return rc;
}

int main(int argc, char **argv)
{
	struct gitindex *x = NULL;
	int rc;

	if (argc < 4) {
		fprintf(stderr, "usage: index-tool dump|patch|patch-id <index> <hash length>…\n");
		return 129;
	}
	hash_len = atoi(argv[3]);
	rc = gitindex_read(&x, argv[2], hash_len);
	if (rc == 0 && strcmp(argv[1], "dump") == 0)
		rc = gitindex_each(x, show, NULL);
	else if (rc == 0 && strcmp(argv[1], "patch") == 0)
		rc = patch(argv[2], x, NULL, argv + 4, (size_t)argc - 4);
	else if (rc == 0 && strcmp(argv[1], "patch-id") == 0 && argc > 4)
		rc = patch(argv[2], x, argv[4], argv + 5, (size_t)argc - 5);
	gitindex_free(x);
	if (rc < 0)
		fprintf(stderr, "error: %s\n", err_msg());
	return rc < 0 ? 128 : 0;
}
