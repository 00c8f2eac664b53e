/*
 * Writing small objects: this process's open pack.  The first open pack that nobody else has locked
 * is taken, so there are as many as there were writers at once.  Each object is appended by one
 * write, after which every process can read it; a log of the entries follows at the end of the
 * session.  A full pack gets its index and its name and is never touched again.
 */
#include "lib/store/store_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum {
	OPEN_PACKS_MAX = 10000,
	NAME_LEN = 32,
	SEAL_ENTRIES = 8192, /* with so many, a session ends by sealing: others open it faster */
	ENTRIES_MAX = 192 * 1024 /* what is in an open pack is kept in memory */
};

static struct packs *own_packs(struct store *s)
{
	return &s->roots[0].packs;
}

static int own_path(struct store *s, const char *name, struct buf *path)
{
	return buf_addf(path, "%s/%s", own_packs(s)->dir, name);
}

/* ---- taking a pack ---- */

/* Open and lock.  The descriptor; ERR_LOCKED when it is somebody else's, or was sealed meanwhile.
 */
static int lock_pack(struct store *s, const char *path)
{
	struct stat st, at_path;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	int rc = 0;

	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return ERR_LOCKED; /* another user's */
	if (fd < 0)
		return err_sys("cannot open pack '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		rc = errno == EWOULDBLOCK ? ERR_LOCKED : err_sys("cannot lock '%s'", path);
	else if (fstat(fd, &st) < 0)
		rc = err_sys("cannot stat '%s'", path);
	else if (stat(path, &at_path) < 0 || st.st_ino != at_path.st_ino)
		rc = ERR_LOCKED;
	else if (st.st_size == 0)
		rc = store_share_file(s, fd, path);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

/* Size of the log, or 0. */
static uint64_t log_size(struct store *s, const char *pack_name)
{
	struct buf path = BUF_INIT;
	struct stat st = {0};

	if (own_path(s, "", &path) < 0 || pack_log_name(&path, pack_name) < 0 ||
		stat(path.p, &st) < 0)
		st.st_size = 0;
	buf_release(&path);
	return (uint64_t)st.st_size;
}

static uint64_t log_size_of(size_t records)
{
	return records ? PACK_LOG_HEADER_LEN + (uint64_t)records * PACK_LOG_RECORD_LEN : 0;
}

/* What is in the locked pack, and where it ends: a torn entry behind that is cut off. */
static int enter_pack(struct store *s, int fd, const char *name, struct pack_file **out)
{
	uint8_t header[PACK_HEADER_LEN];
	struct pack_file *f;
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return err_sys("cannot stat pack '%s'", name);
	if (st.st_size < PACK_HEADER_LEN) {
		pack_header(header);
		rc = fs_pwrite_full(fd, header, sizeof header, 0);
		if (rc < 0)
			return rc;
	}
	rc = packs_open(own_packs(s), name, &f);
	if (rc >= 0 && log_size(s, name) != log_size_of(f->logged)) {
		packs_drop(own_packs(s), f); /* the log is newer than what we know */
		rc = packs_open(own_packs(s), name, &f);
	}
	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0)
		return err_sys("cannot stat pack '%s'", name);
	if ((uint64_t)st.st_size > f->scanned && (rc = pack_file_settle(f)) < 0)
		return rc;
	if ((uint64_t)st.st_size > f->scanned && ftruncate(fd, (off_t)f->scanned) < 0)
		return err_sys("cannot cut the torn end of pack '%s'", name);
	*out = f;
	return 0;
}

/* Close it, and so unlock it; it stays open for reading. */
static void leave_pack(struct session *w)
{
	w->file->pinned = 0;
	close(w->fd);
	w->fd = -1;
	w->file = NULL;
}

static int take_pack(struct store *s)
{
	struct session *w = &s->session;
	struct buf path = BUF_INIT;
	int rc = store_mkdirs(s, own_packs(s)->dir);

	for (int n = 0; rc == 0 && w->fd < 0 && n < OPEN_PACKS_MAX; n++) {
		char name[NAME_LEN];
		int fd;

		snprintf(name, sizeof name, "open-%d.pack", n);
		buf_reset(&path);
		rc = own_path(s, name, &path);
		if (rc < 0)
			break;
		fd = lock_pack(s, path.p);
		if (fd < 0) {
			rc = fd == ERR_LOCKED ? 0 : fd;
			continue;
		}
		rc = enter_pack(s, fd, name, &w->file);
		if (rc == 0) {
			w->fd = fd;
			w->start = w->file->scanned;
			w->file->pinned = 1;
			continue;
		}
		close(fd);
		if (rc == ERR_CORRUPT || rc == ERR_UNSUPPORTED)
			rc = 0; /* not ours to repair: leave it and look further */
	}
	buf_release(&path);
	if (rc == 0 && w->fd < 0)
		rc = err_set(ERR_LIMIT, "no free open pack in '%s'", own_packs(s)->dir);
	return rc;
}

/* ---- the log ---- */

static int write_log(struct store *s)
{
	struct pack_file *f = s->session.file;
	struct buf path = BUF_INIT, bytes = BUF_INIT;
	uint8_t header[PACK_LOG_HEADER_LEN];
	uint64_t at = log_size_of(f->logged);
	int fd = -1, rc;

	if (f->logged == f->n)
		return 0;
	rc = own_path(s, "", &path);
	if (rc == 0)
		rc = pack_log_name(&path, f->name);
	pack_log_header(header);
	if (rc == 0 && at == 0)
		rc = buf_add(&bytes, header, sizeof header);
	for (size_t i = f->logged; i < f->n && rc == 0; i++)
		rc = pack_log_add(&bytes, &f->entries[i]);
	if (rc < 0)
		goto done;
	fd = open(path.p, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0) {
		rc = err_sys("cannot open '%s'", path.p);
		goto done;
	}
	if (at == 0)
		rc = store_share_file(s, fd, path.p);
	if (rc == 0 && ftruncate(fd, (off_t)at) < 0)
		rc = err_sys("cannot shorten '%s'", path.p);
	if (rc == 0)
		rc = fs_pwrite_full(fd, bytes.p, bytes.len, at);
	if (rc == 0)
		f->logged = f->n;
done:
	if (fd >= 0)
		close(fd);
	buf_release(&path);
	buf_release(&bytes);
	return rc;
}

/* ---- sealing ---- */

static int hash_file(int fd, struct oid *out)
{
	uint8_t *block = malloc(STORE_BLOCK);
	struct oid_ctx hash;
	uint64_t at = 0;
	ssize_t n;

	if (!block)
		return err_set(ERR_NOMEM, "out of memory");
	oid_init(&hash);
	while ((n = fs_pread_full(fd, block, STORE_BLOCK, at)) > 0) {
		oid_update(&hash, block, (size_t)n);
		at += (uint64_t)n;
	}
	free(block);
	oid_final(&hash, out);
	return n < 0 ? (int)n : 0;
}

static int append_index(struct store *s)
{
	struct pack_file *f = s->session.file;
	struct pack_entry *sorted = malloc((f->n ? f->n : 1) * sizeof *sorted);
	struct buf index = BUF_INIT;
	int rc;

	if (!sorted)
		return err_set(ERR_NOMEM, "out of memory");
	memcpy(sorted, f->entries, f->n * sizeof *sorted);
	rc = pack_index_encode(&index, sorted, f->n, f->scanned);
	if (rc == 0)
		rc = fs_pwrite_full(s->session.fd, index.p, index.len, f->scanned);
	if (rc < 0 && ftruncate(s->session.fd, (off_t)f->scanned) < 0)
		err_prefix(rc, "pack '%s' keeps a torn end", f->name);
	free(sorted);
	buf_release(&index);
	return rc;
}

/* Index, name, end of the session's pack.  Not flushed to disk: store_sync does that for objects
 * that matter, and a pack whose index was lost in a crash is still read by a scan. */
static int seal(struct store *s)
{
	struct session *w = &s->session;
	struct buf from = BUF_INIT, to = BUF_INIT, log = BUF_INIT;
	char hex[OID_HEX_LEN + 1], *name = NULL;
	struct oid id;
	int rc = append_index(s);

	if (rc == 0)
		rc = hash_file(w->fd, &id);
	if (rc < 0)
		goto done;
	oid_to_hex(hex, &id);
	if (own_path(s, w->file->name, &from) < 0 || own_path(s, "", &log) < 0 ||
		pack_log_name(&log, w->file->name) < 0 ||
		buf_addf(&to, "%s/%s.pack", own_packs(s)->dir, hex) < 0 ||
		!(name = strdup(strrchr(to.p, '/') + 1))) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	(void)unlink(log.p); /* first, lest it should be taken for the next pack's */
	(void)sync_file_range(w->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	if (rename(from.p, to.p) < 0) {
		rc = err_sys("cannot rename '%s'", from.p);
		goto done;
	}
	free(w->file->name);
	w->file->name = name;
	name = NULL;
	pack_file_sealed(own_packs(s), w->file);
	leave_pack(w);
done:
	free(name);
	buf_release(&from);
	buf_release(&to);
	buf_release(&log);
	return rc;
}

/* ---- appending ---- */

static int has_room(const struct session *w, size_t len)
{
	uint64_t index = (w->file->n + 1) * PACK_INDEX_ENTRY_LEN + PACK_TRAILER_LEN;

	return w->file->n < ENTRIES_MAX && w->file->scanned + len + index <= PACK_MAX;
}

/* 1 if this session has stored it already, as when two threads had the same content at the same
 * time. */
static int has_appended(struct store *s, const struct oid *oid)
{
	const struct session *w = &s->session;
	struct buf stored = BUF_INIT;
	uint32_t i;
	int has;

	if (w->fd < 0 || !pack_file_place(w->file, oid, &i) ||
		w->file->entries[i].offset < w->start)
		return 0;
	has = pack_file_read(own_packs(s), w->file, &w->file->entries[i], &stored) == 0;
	buf_release(&stored);
	return has;
}

static int append(struct store *s, const struct pack_entry *parsed, const void *entry, size_t len)
{
	struct session *w = &s->session;
	struct pack_entry e = *parsed;
	uint64_t at;
	int rc = 0;

	if (has_appended(s, &e.id))
		return 0;
	while (rc == 0 && (w->fd < 0 || !has_room(w, len)))
		rc = w->fd < 0 ? take_pack(s) : seal(s);
	if (rc < 0)
		return rc;
	at = e.offset = w->file->scanned;
	rc = fs_pwrite_full(w->fd, entry, len, at);
	if (rc == 0)
		rc = pack_file_note(w->file, &e);
	if (rc < 0) {
		err_prefix(rc, "pack '%s/%s'", own_packs(s)->dir, w->file->name);
		if (ftruncate(w->fd, (off_t)at) < 0)
			leave_pack(w); /* whoever takes it next cuts it */
	}
	return rc;
}

int store_append(struct store *s, const void *entry, size_t len)
{
	struct pack_entry e;
	int rc = pack_entry_parse(&e, entry, len);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&s->lock);
	rc = store_ready(s);
	if (rc == 0)
		rc = append(s, &e, entry, len);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int session_flush(struct store *s, int end)
{
	struct session *w = &s->session;
	int rc = 0;

	if (w->fd >= 0 && end && w->file->n >= SEAL_ENTRIES)
		rc = seal(s);
	if (w->fd >= 0)
		rc = write_log(s);
	if (end && w->fd >= 0)
		leave_pack(w);
	return rc;
}
