/*
 * Both files are cut into chunks and each chunk is hashed; the newer one's are looked up in the
 * sorted ones of the older.  Cutting is sequential, so a file is one thread's work and the two
 * files are two threads'; SHA-256 is nearly all of the time.
 */
#include "lib/store/chunkshare.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/workers.h"
#include "lib/store/chunker.h"
#include "lib/store/oid.h"

enum { WINDOW = 4 * 1024 * 1024 };

struct chunk {
	struct oid oid;
	uint64_t len;
};

struct side {
	struct chunkshare_file file;
	struct chunk *v;
	size_t n, cap;
};

struct both {
	struct side side[2];
	const volatile int *stop;
};

static int add_chunk(struct side *s, const uint8_t *data, size_t len)
{
	if (array_room(&s->v, s->n, &s->cap, sizeof *s->v) < 0)
		return ERR_NOMEM;
	oid_of(&s->v[s->n].oid, data, len);
	s->v[s->n++].len = len;
	return 0;
}

/* Cut what is in the window.  How much of it is done with, or a negative error. */
static int64_t cut_window(struct side *s, const uint8_t *window, size_t have, int final)
{
	size_t at = 0, len;
	int rc = 0;

	while (rc == 0 && at < have && (len = chunker_next(window + at, have - at, final)) > 0) {
		rc = add_chunk(s, window + at, len);
		at += len;
	}
	return rc < 0 ? rc : (int64_t)at;
}

static int cut_file(size_t i, void *data)
{
	struct both *b = data;
	struct side *s = &b->side[i];
	uint8_t *window = malloc(WINDOW);
	uint64_t at = 0; /* of the file: where the window begins */
	int rc = window != NULL ? 0 : err_no_memory();

	while (rc == 0 && at < s->file.size) {
		uint64_t left = s->file.size - at;
		size_t want = left < WINDOW ? (size_t)left : WINDOW;
		ssize_t have = fs_pread_full(s->file.fd, window, want, at);
		int64_t done;

		if (b->stop != NULL && *b->stop)
			rc = err_set(ERR_INTERRUPTED, "interrupted");
		else if (have >= 0 && (size_t)have < want)
			rc = err_set(ERR_CORRUPT, "a file became shorter while it was read");
		if (have < 0 || rc < 0) {
			rc = have < 0 ? (int)have : rc;
			break;
		}
		done = cut_window(s, window, want, want == left);
		rc = done < 0 ? (int)done : 0;
		at += done > 0 ? (uint64_t)done : 0;
	}
	free(window);
	return rc;
}

static int cmp_chunk(const void *a, const void *b)
{
	return oid_cmp(&((const struct chunk *)a)->oid, &((const struct chunk *)b)->oid);
}

int chunkshare_changed(uint64_t *changed, struct chunkshare_file old_file,
	struct chunkshare_file now_file, const volatile int *stop)
{
	struct both b = {.side = {{.file = old_file}, {.file = now_file}}, .stop = stop};
	struct side *old = &b.side[0], *now = &b.side[1];
	int rc = workers_run(2, 2, cut_file, &b);

	*changed = 0;
	if (rc == 0 && old->n > 1)
		qsort(old->v, old->n, sizeof *old->v, cmp_chunk);
	for (size_t i = 0; rc == 0 && i < now->n; i++)
		if (old->n == 0 || !bsearch(&now->v[i], old->v, old->n, sizeof *old->v, cmp_chunk))
			*changed += now->v[i].len;
	free(old->v);
	free(now->v);
	return rc;
}
