/*
 * The file: a header of 16 bytes, then records of 112 bytes, appended with one write each under a
 * lock; in memory, a table from each hash to the last record that has it.  Only the last one is
 * kept, so a chunk that thousands of objects share (zeros) costs no more than another.
 */
#include "transfer/depot/similar.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/store/chunker.h"
#include "lib/store/oidmap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
	HEADER_LEN = 16,
	RECORD_LEN = OID_LEN + 8 * SIMILAR_HASHES + 8 + 8, /* oid, hashes, count, check */
	WINDOW = 4 * 1024 * 1024
};
static const char header[HEADER_LEN] = "dvx sketches 1\n";

struct record {
	struct oid oid;
	struct sketch sketch;
};

struct slot {
	uint64_t hash;
	uint32_t record; /* number + 1; 0: free */
};

struct similar {
	pthread_mutex_t lock;
	struct buf path, lock_path;
	uint64_t ino;  /* of the file that was read: it may be replaced by a shorter one */
	uint64_t read; /* bytes of it */
	struct record *records;
	size_t n, cap;
	struct oidmap known;
	struct slot *slots;
	size_t mask, used;
};

/* ---- sketches ---- */

static void sketch_note(struct sketch *k, uint64_t hash)
{
	unsigned i = k->n;

	if (k->n == SIMILAR_HASHES && hash >= k->hashes[SIMILAR_HASHES - 1])
		return;
	for (unsigned j = 0; j < k->n; j++) {
		if (k->hashes[j] == hash)
			return;
	}
	if (k->n < SIMILAR_HASHES)
		k->n++;
	else
		i--;
	for (; i > 0 && k->hashes[i - 1] > hash; i--)
		k->hashes[i] = k->hashes[i - 1];
	k->hashes[i] = hash;
}

int sketch_of_file(struct sketch *out, int fd)
{
	uint8_t *window = malloc(WINDOW);
	size_t have = 0;
	uint64_t offset = 0;
	int rc = 0, final = 0;

	memset(out, 0, sizeof(*out));
	if (!window)
		return err_set(ERR_NOMEM, "out of memory");
	while (!final) {
		ssize_t got = fs_pread_full(fd, window + have, WINDOW - have, offset);
		size_t at = 0, n;

		if (got < 0) {
			rc = (int)got;
			break;
		}
		final = (size_t)got < WINDOW - have;
		offset += (uint64_t)got;
		have += (size_t)got;
		while ((n = chunker_next(window + at, have - at, final)) > 0) {
			sketch_note(out, XXH3_64bits(window + at, n));
			at += n;
		}
		have -= at;
		memmove(window, window + at, have);
	}
	free(window);
	return rc;
}

/* ---- the table ---- */

static size_t slot_of(const struct similar *s, uint64_t hash)
{
	size_t i = (size_t)(hash * 0x9e3779b97f4a7c15u >> 20) & s->mask;

	while (s->slots[i].record && s->slots[i].hash != hash)
		i = (i + 1) & s->mask;
	return i;
}

static void point_hash(struct similar *s, uint64_t hash, uint32_t record)
{
	struct slot *slot = &s->slots[slot_of(s, hash)];

	s->used += slot->record == 0;
	*slot = (struct slot){hash, record};
}

static int grow_table(struct similar *s)
{
	size_t n = s->mask ? (s->mask + 1) * 2 : 4096;
	struct slot *slots;

	if (s->mask && (s->used + SIMILAR_HASHES) * 2 <= s->mask)
		return 0;
	slots = calloc(n, sizeof(*slots));
	if (!slots)
		return err_set(ERR_NOMEM, "out of memory");
	free(s->slots);
	s->slots = slots;
	s->mask = n - 1;
	s->used = 0;
	for (size_t i = 0; i < s->n; i++) {
		for (unsigned k = 0; k < s->records[i].sketch.n; k++)
			point_hash(s, s->records[i].sketch.hashes[k], (uint32_t)i + 1);
	}
	return 0;
}

static int learn(struct similar *s, const struct oid *oid, const struct sketch *k)
{
	int rc = grow_table(s);

	if (rc == 0 && s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 256;
		struct record *v = reallocarray(s->records, cap, sizeof(*v));

		if (!v)
			return err_set(ERR_NOMEM, "out of memory");
		s->records = v;
		s->cap = cap;
	}
	if (rc == 0 && oidmap_set(&s->known, oid, (uint32_t)s->n) < 0)
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc < 0)
		return rc;
	s->records[s->n].oid = *oid;
	s->records[s->n++].sketch = *k;
	for (unsigned i = 0; i < k->n; i++)
		point_hash(s, k->hashes[i], (uint32_t)s->n);
	return 0;
}

static void forget_all(struct similar *s)
{
	oidmap_release(&s->known);
	free(s->slots);
	s->slots = NULL;
	s->mask = s->used = s->n = 0;
	s->read = 0;
}

/* ---- the file ---- */

static void encode(uint8_t out[static RECORD_LEN], const struct oid *oid, const struct sketch *k)
{
	uint8_t *p = out + OID_LEN;

	memcpy(out, oid->id, OID_LEN);
	for (unsigned i = 0; i < SIMILAR_HASHES; i++, p += 8)
		be64_put(p, i < k->n ? k->hashes[i] : 0);
	be64_put(p, k->n);
	be64_put(p + 8, XXH3_64bits(out, RECORD_LEN - 8));
}

static int decode(struct record *r, const uint8_t *p)
{
	const uint8_t *hashes = p + OID_LEN;
	uint64_t n = be64_get(hashes + 8 * SIMILAR_HASHES);

	if (be64_get(p + RECORD_LEN - 8) != XXH3_64bits(p, RECORD_LEN - 8) || n > SIMILAR_HASHES)
		return ERR_CORRUPT;
	memcpy(r->oid.id, p, OID_LEN);
	r->sketch.n = (unsigned)n;
	for (unsigned i = 0; i < n; i++)
		r->sketch.hashes[i] = be64_get(hashes + (size_t)8 * i);
	return 0;
}

/* Read what is new.  *good: where the whole records end. */
static int read_new(struct similar *s, int fd)
{
	uint8_t bytes[64 * RECORD_LEN];
	struct record r;
	struct stat st;
	ssize_t n;
	int rc = 0;

	if (fstat(fd, &st) < 0)
		return err_sys("cannot stat '%s'", s->path.p);
	if (st.st_ino != s->ino || (uint64_t)st.st_size < s->read)
		forget_all(s);
	s->ino = st.st_ino;
	if (s->read == 0) {
		n = fs_pread_full(fd, bytes, HEADER_LEN, 0);
		if (n != HEADER_LEN || memcmp(bytes, header, HEADER_LEN) != 0)
			return n < 0 ? (int)n : 0; /* not ours: counts as empty */
		s->read = HEADER_LEN;
	}
	while (rc == 0 && (n = fs_pread_full(fd, bytes, sizeof(bytes), s->read)) >= RECORD_LEN) {
		for (ssize_t at = 0; rc == 0 && n - at >= RECORD_LEN; at += RECORD_LEN) {
			if (decode(&r, bytes + at) < 0)
				return 0;
			rc = learn(s, &r.oid, &r.sketch);
			s->read += RECORD_LEN;
		}
	}
	return rc < 0 ? rc : n < 0 ? (int)n : 0;
}

static int refresh(struct similar *s)
{
	int fd = open(s->path.p, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0 && errno == ENOENT) {
		forget_all(s);
		return 0;
	}
	if (fd < 0)
		return err_sys("cannot open '%s'", s->path.p);
	rc = read_new(s, fd);
	close(fd);
	return rc;
}

/* Under the lock of the file: the younger half of the records, in a new file. */
static int halve(struct similar *s)
{
	struct buf bytes = BUF_INIT;
	uint8_t record[RECORD_LEN];
	int rc = buf_add(&bytes, header, HEADER_LEN);

	for (size_t i = s->n / 2; rc == 0 && i < s->n; i++) {
		encode(record, &s->records[i].oid, &s->records[i].sketch);
		rc = buf_add(&bytes, record, RECORD_LEN);
	}
	if (rc == 0)
		rc = fs_replace_file(s->path.p, bytes.p, bytes.len, 0);
	buf_release(&bytes);
	return rc < 0 ? rc : refresh(s);
}

/* Under both locks: put the record behind the last good one, over what is damaged. */
static int append(struct similar *s, const struct oid *oid, const struct sketch *k)
{
	uint8_t record[RECORD_LEN];
	int rc = 0;
	int fd = open(s->path.p, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0)
		return err_sys("cannot open '%s'", s->path.p);
	rc = read_new(s, fd);
	if (rc == 0 && s->read == 0) {
		rc = fs_pwrite_full(fd, header, HEADER_LEN, 0);
		s->read = HEADER_LEN;
	}
	if (rc == 0 && ftruncate(fd, (off_t)s->read) < 0)
		rc = err_sys("cannot cut '%s'", s->path.p);
	if (rc == 0 && !oidmap_get(&s->known, oid, NULL)) {
		encode(record, oid, k);
		rc = fs_pwrite_full(fd, record, RECORD_LEN, s->read);
		if (rc == 0)
			rc = learn(s, oid, k);
		s->read += RECORD_LEN;
	}
	close(fd);
	return rc;
}

/* ---- outside ---- */

int similar_open(struct similar **out, const char *path)
{
	struct similar *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return err_set(ERR_NOMEM, "out of memory");
	pthread_mutex_init(&s->lock, NULL);
	rc = buf_addstr(&s->path, path);
	if (rc == 0)
		rc = buf_addf(&s->lock_path, "%s.lock", path);
	if (rc == 0)
		rc = refresh(s);
	if (rc < 0)
		similar_close(s);
	else
		*out = s;
	return rc;
}

void similar_close(struct similar *s)
{
	if (!s)
		return;
	forget_all(s);
	free(s->records);
	buf_release(&s->path);
	buf_release(&s->lock_path);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int similar_refresh(struct similar *s)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = refresh(s);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* How many of the hashes lead to this record? */
static unsigned votes_for(const uint32_t *found, unsigned n, uint32_t record)
{
	unsigned votes = 0;

	for (unsigned i = 0; i < n; i++)
		votes += found[i] == record;
	return votes;
}

int similar_find(
	struct similar *s, const struct sketch *k, const struct oid *self, struct oid *base)
{
	uint32_t found[SIMILAR_HASHES], best = 0;
	unsigned n = 0, most = 0;

	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; s->mask && i < k->n; i++) {
		uint32_t record = s->slots[slot_of(s, k->hashes[i])].record;

		if (record && !oid_eq(&s->records[record - 1].oid, self))
			found[n++] = record;
	}
	for (unsigned i = 0; i < n; i++) {
		unsigned votes = votes_for(found, n, found[i]);

		if (votes > most || (votes == most && found[i] > best)) {
			most = votes;
			best = found[i];
		}
	}
	if (best)
		*base = s->records[best - 1].oid;
	pthread_mutex_unlock(&s->lock);
	return best != 0;
}

void similar_base(struct similar *s, const char *file, const struct oid *self, struct sketch *k,
	struct oid **base)
{
	struct oid found;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || sketch_of_file(k, fd) < 0) {
		k->n = 0;
	} else if (similar_find(s, k, self, &found)) {
		free(*base);
		*base = malloc(sizeof(**base));
		if (*base)
			**base = found;
	}
	if (fd >= 0)
		close(fd);
	err_clear();
}

int similar_add(struct similar *s, const struct oid *oid, const struct sketch *k)
{
	int lock = -1, rc;

	if (k->n == 0)
		return 0;
	pthread_mutex_lock(&s->lock);
	rc = fs_mkdirs_parent(s->path.p);
	if (rc == 0)
		rc = lock = flock_take(s->lock_path.p, -1);
	if (rc >= 0) {
		rc = append(s, oid, k);
		if (rc == 0 && s->n >= SIMILAR_RECORDS_MAX)
			rc = halve(s);
		close(lock);
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}
