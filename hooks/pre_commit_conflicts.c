/*
 * What a merge left for a person must not slip into a commit: conflict markers in a table or in
 * dvx.lock, and the versions that were put beside a file, which `git add -A` takes along.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hooks/pre_commit_conflicts.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/markers.h"
#include "lib/repo/conflicts.h"
#include "lib/repo/datafile.h"

enum { PIECE = 256 << 10, MARKER_MAX = 1024 };

/* The line of the first conflict marker in a file; 0: there is none. */
static int find_marker(uint64_t *line, int fd)
{
	struct buf piece = BUF_INIT;
	uint64_t at = 0, n = 1;
	int rc = buf_grow(&piece, PIECE), begins = 1;

	*line = 0;
	while (rc == 0) {
		ssize_t got = fs_pread_full(fd, piece.p, PIECE, at);
		const char *p = piece.p, *end = p + (got > 0 ? got : 0);

		if (got <= 0) {
			rc = (int)got;
			break;
		}
		for (const char *next; p < end; p = next, begins = 1, n++) {
			/* a line that this piece cuts is looked at with the next one */
			if (begins && got == PIECE && p > piece.p && end - p < MARKER_MAX)
				break;
			if (begins && markers_at(p, (size_t)(end - p))) {
				*line = n;
				goto done;
			}
			next = memchr(p, '\n', (size_t)(end - p));
			begins = next != NULL;
			if (next == NULL) {
				p = end;
				break;
			}
			next++;
		}
		at += (uint64_t)(p - piece.p);
	}
done:
	buf_release(&piece);
	return rc;
}

static int open_staged(
	int *fd, const struct staged_change *c, const struct repo *repo, struct store *store)
{
	struct datafile f = {.kind = DATAFILE_GIT, .path = c->path};
	uint64_t size;

	memcpy(f.blob, c->new.blob, sizeof f.blob);
	if (pointers_is_pointer(&c->new)) {
		f.kind = DATAFILE_OBJECT;
		f.oid = c->new.oid;
		f.size = c->new.size;
		if (!datafile_is_here(&f, store))
			return 0; /* so it is not what the merge made */
	}
	return datafile_open(fd, &size, &f, repo, store);
}

/* 1 and told: there are markers. */
static int judge_marked(const struct staged_change *c, const struct repo *repo, struct store *store)
{
	uint64_t line = 0;
	int fd = -1, rc = open_staged(&fd, c, repo, store);

	if (rc == 0 && fd >= 0)
		rc = find_marker(&line, fd);
	if (fd >= 0)
		close(fd);
	if (rc < 0 || line == 0)
		return rc;
	fprintf(stderr,
		"error: %s:%" PRIu64 ": a merge left conflict markers here; keep what is right, "
		"remove the marker lines, or take a whole version with 'git dvx checkout "
		"--ours|--theirs', then 'git add' it\n",
		c->path, line);
	return 1;
}

static const struct staged_change *find_staged(const struct staged *s, const char *path)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].path, path) == 0)
			return s->v[i].status != 'D' ? &s->v[i] : NULL;
	return NULL;
}

static int is_new(const struct staged *s, const char *path)
{
	const struct staged_change *c = find_staged(s, path);

	return c != NULL && c->status == 'A';
}

int pre_commit_conflicts(const struct staged *s, const struct repo *repo, struct store *store)
{
	struct conflicts left;
	int rc = conflicts_read(&left, repo), refused = 0;

	for (size_t i = 0; rc >= 0 && i < left.marked.n; i++) {
		const struct staged_change *c = find_staged(s, left.marked.v[i]);

		rc = c != NULL ? judge_marked(c, repo, store) : 0;
		refused |= rc > 0;
	}
	for (size_t i = 0; rc >= 0 && i < left.beside.n; i++) {
		const char *path = conflicts_beside_path(left.beside.v[i]);

		if (!is_new(s, path))
			continue;
		fprintf(stderr,
			"error: '%s' is a version that a merge put beside its file; 'git rm -f' "
			"it, or "
			"rename it to keep it\n",
			path);
		refused = 1;
	}
	if (rc >= 0 && !refused && left.marked.n > 0)
		rc = conflicts_forget_marked(repo, &left);
	conflicts_release(&left);
	return rc < 0 ? rc : refused;
}
