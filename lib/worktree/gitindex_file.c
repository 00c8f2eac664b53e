/*
 * One index file in memory.  Loading walks all entries once, because only behind the last one are
 * the extensions, and one of them may be one we must not ignore; everything that a later walk
 * relies on (lengths, order, names) is checked by the cursor itself, so there is one decoder and no
 * unchecked path.
 *
 * The file is read, not mapped: a foreign program that truncates it cannot crash us, and the copy
 * is what gets patched.
 */
#include "lib/worktree/gitindex_file.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/oid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HASH_LEN_MAX = 32, VARINT_LIMIT = 1 << 24 };

static int corrupt_at(const struct gitindex_cursor *c, const char *what)
{
	return err_set(ERR_CORRUPT, "index entry %lu at byte %zu: %s",
		(unsigned long)(c->file->count - c->left), c->at, what);
}

void gitindex_cursor_init(struct gitindex_cursor *c, const struct gitindex_file *f)
{
	*c = (struct gitindex_cursor){.file = f, .at = GITINDEX_HEADER_LEN, .left = f->count};
}

void gitindex_cursor_init_named(struct gitindex_cursor *c, const struct gitindex_file *f)
{
	gitindex_cursor_init(c, f);
	c->at = f->first_named;
	c->left = f->count - (uint32_t)f->stripped;
}

void gitindex_cursor_release(struct gitindex_cursor *c)
{
	buf_release(&c->name);
}

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int d = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return d ? d : (a_len > b_len) - (a_len < b_len);
}

/* Entries are sorted by name, then stage; `d` compares the previous name with this one. */
static int check_order(struct gitindex_cursor *c, int d, const struct gitindex_raw *e)
{
	int stage = gitindex_raw_stage(e);

	if (c->path && e->path_len && (d > 0 || (d == 0 && c->stage >= stage)))
		return corrupt_at(c, "out of order");
	if (c->path_len && !e->path_len)
		return corrupt_at(c, "empty name");
	c->stage = stage;
	return 0;
}

/* Versions 2 and 3: the name, then 1 to 8 NUL up to a multiple of eight from the entry's start. */
static int take_plain_name(struct gitindex_cursor *c, struct gitindex_raw *e)
{
	size_t room = c->file->trailer - c->at - e->fixed_len, total;
	const char *name = (const char *)e->p + e->fixed_len;
	size_t len = e->flags & GITINDEX_NAME_MASK, found;
	int d = 0;

	if (len == GITINDEX_NAME_MASK)
		len = room;
	found = strnlen(name, len < room ? len + 1 : room);
	if (found == room || (found != len && len != room))
		return corrupt_at(c, "name does not have its length");
	total = (e->fixed_len + found + 8) & ~(size_t)7;
	if (total > room + e->fixed_len)
		return corrupt_at(c, "padding runs into the trailer");
	if (c->path)
		d = compare(c->path, c->path_len, name, found);
	e->path = name;
	e->path_len = found;
	if (check_order(c, d, e) < 0)
		return ERR_CORRUPT;
	c->path = name;
	c->path_len = found;
	c->at += total;
	return 1;
}

/* Git's variable-length integers: seven bits a byte, most significant first, each continuation adds
 * one. */
static int take_varint(const uint8_t *p, size_t room, size_t *used, size_t *value)
{
	size_t i = 0, v;

	if (!room)
		return -1;
	v = p[i] & 127;
	while (p[i++] & 128) {
		if (i == room || v > VARINT_LIMIT)
			return -1;
		v = ((v + 1) << 7) + (p[i] & 127);
	}
	*used = i;
	*value = v;
	return 0;
}

/* Version 4: how many bytes to drop from the previous name, then what to append, NUL. */
static int take_packed_name(struct gitindex_cursor *c, struct gitindex_raw *e)
{
	size_t room = c->file->trailer - c->at - e->fixed_len, strip, used, suffix, kept;
	size_t len = e->flags & GITINDEX_NAME_MASK;
	const uint8_t *p = e->p + e->fixed_len;
	int d;

	if (take_varint(p, room, &used, &strip) < 0 || strip > c->name.len)
		return corrupt_at(c, "bad length of the common prefix");
	kept = c->name.len - strip;
	suffix = strnlen((const char *)p + used, room - used);
	if (suffix == room - used)
		return corrupt_at(c, "name has no end");
	if (len == GITINDEX_NAME_MASK ? kept + suffix < len : kept + suffix != len)
		return corrupt_at(c, "name does not have its length");
	d = compare(buf_str(&c->name) + kept, strip, (const char *)p + used, suffix);
	buf_truncate(&c->name, kept);
	if (buf_add(&c->name, p + used, suffix) < 0)
		return ERR_NOMEM;
	e->path = buf_str(&c->name);
	e->path_len = c->name.len;
	if (check_order(c, d, e) < 0)
		return ERR_CORRUPT;
	c->path = e->path;
	c->path_len = e->path_len;
	c->at += e->fixed_len + used + suffix + 1;
	return 1;
}

static int take_fixed_part(struct gitindex_cursor *c, struct gitindex_raw *e)
{
	const struct gitindex_file *f = c->file;
	size_t flags_at = (size_t)GITINDEX_ID_AT + (size_t)f->hash_len, room = f->trailer - c->at;

	if (room < flags_at + 4)
		return corrupt_at(c, "the file ends too early");
	e->p = f->data + c->at;
	e->mode = be32_get(e->p + GITINDEX_MODE_AT);
	e->flags = be16_get(e->p + flags_at);
	e->flags_ext = 0;
	e->fixed_len = flags_at + 2;
	if (e->flags & GITINDEX_EXTENDED) {
		if (f->version < 3)
			return corrupt_at(c, "extended flags in version 2");
		e->flags_ext = be16_get(e->p + flags_at + 2);
		e->fixed_len += 2;
		if (e->flags_ext & ~(GITINDEX_SKIP_WORKTREE | GITINDEX_INTENT_TO_ADD))
			return err_set(ERR_UNSUPPORTED, "index entry with unknown flags 0x%04x",
				e->flags_ext);
	}
	return 0;
}

int gitindex_cursor_next(struct gitindex_cursor *c, struct gitindex_raw *e)
{
	int rc;

	if (!c->left)
		return 0;
	rc = take_fixed_part(c, e);
	if (rc == 0)
		rc = c->file->version == 4 ? take_packed_name(c, e) : take_plain_name(c, e);
	c->left--;
	return rc;
}

int gitindex_file_extension(const struct gitindex_file *f, size_t *at, size_t *header, size_t *len)
{
	size_t room = f->trailer - *at;

	if (!room)
		return 0;
	if (room < 8 || be32_get(f->data + *at + 4) > room - 8)
		return err_set(ERR_CORRUPT, "index extension at byte %zu is truncated", *at);
	*header = *at;
	*len = be32_get(f->data + *at + 4);
	*at += 8 + *len;
	return 1;
}

/* Extensions that start with a capital may be ignored (and kept); of the others two are known. */
static int check_extensions(struct gitindex_file *f)
{
	size_t at = f->entries_end, header, len;
	int rc;

	while ((rc = gitindex_file_extension(f, &at, &header, &len)) > 0) {
		const uint8_t *name = f->data + header;

		if (memcmp(name, "link", 4) == 0) {
			if (f->link || len < (size_t)f->hash_len)
				return err_set(ERR_CORRUPT, "bad index extension 'link'");
			f->link = header + 8;
			f->link_len = len;
		} else if (memcmp(name, "sdir", 4) != 0 && (name[0] < 'A' || name[0] > 'Z')) {
			return err_set(ERR_UNSUPPORTED,
				"the index uses the extension '%.4s', which this version does not "
				"know",
				(const char *)name);
		}
	}
	return rc;
}

static int check_entries(struct gitindex_file *f)
{
	struct gitindex_cursor c;
	struct gitindex_raw e;
	int rc;

	gitindex_cursor_init(&c, f);
	f->first_named = c.at;
	while ((rc = gitindex_cursor_next(&c, &e)) > 0) {
		if (e.path_len)
			continue;
		f->stripped++;
		f->first_named = c.at;
	}
	f->entries_end = c.at;
	gitindex_cursor_release(&c);
	return rc;
}

static int check(struct gitindex_file *f)
{
	int rc;

	if (f->len < (size_t)GITINDEX_HEADER_LEN + (size_t)f->hash_len)
		return err_set(ERR_CORRUPT, "index of %zu bytes is truncated", f->len);
	if (memcmp(f->data, "DIRC", 4) != 0)
		return err_set(ERR_CORRUPT, "no index file: bad signature");
	f->version = be32_get(f->data + 4);
	f->count = be32_get(f->data + 8);
	f->trailer = f->len - (size_t)f->hash_len;
	if (f->version < 2 || f->version > 4)
		return err_set(ERR_UNSUPPORTED, "index version %u", (unsigned)f->version);
	rc = check_entries(f);
	if (rc == 0)
		rc = check_extensions(f);
	if (rc == 0 && f->stripped && !f->link)
		rc = err_set(ERR_CORRUPT, "index entries without a name");
	return rc;
}

static void set_empty(struct gitindex_file *f, int hash_len)
{
	*f = (struct gitindex_file){.version = 2, .hash_len = hash_len};
}

int gitindex_file_parse(struct gitindex_file *f, const void *data, size_t len, int hash_len)
{
	int rc;

	set_empty(f, hash_len);
	f->data = malloc(len + 1);
	if (!f->data)
		return err_set(ERR_NOMEM, "out of memory");
	if (len)
		memcpy(f->data, data, len);
	f->len = len;
	rc = check(f);
	if (rc < 0)
		gitindex_file_release(f);
	return rc;
}

static int read_whole(struct gitindex_file *f, const char *path)
{
	struct stat st;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return err_sys("cannot open '%s'", path);
	if (fstat(fd, &st) < 0) {
		rc = err_sys("cannot stat '%s'", path);
		goto done;
	}
	f->len = (size_t)st.st_size;
	f->data = malloc(f->len + 1);
	if (!f->data) {
		rc = err_set(ERR_NOMEM, "out of memory for '%s' of %zu bytes", path, f->len);
		goto done;
	}
	got = fs_read_full(fd, f->data, f->len);
	if (got < 0)
		rc = err_prefix((int)got, "'%s'", path);
	else if ((size_t)got != f->len)
		rc = err_set(ERR_CORRUPT, "'%s' became shorter while it was read", path);
done:
	close(fd);
	return rc;
}

int gitindex_file_load(struct gitindex_file *f, const char *path, int hash_len)
{
	int rc;

	set_empty(f, hash_len);
	rc = read_whole(f, path);
	if (rc == 0 && (rc = check(f)) < 0)
		err_prefix(rc, "'%s'", path);
	if (rc < 0)
		gitindex_file_release(f);
	return rc;
}

void gitindex_file_release(struct gitindex_file *f)
{
	int hash_len = f->hash_len;

	free(f->data);
	set_empty(f, hash_len);
}

int gitindex_file_unhashed(const struct gitindex_file *f)
{
	static const uint8_t zero[HASH_LEN_MAX];

	return memcmp(f->data + f->trailer, zero, (size_t)f->hash_len) == 0;
}

int gitindex_file_verify(const struct gitindex_file *f)
{
	struct githash_ctx h;
	uint8_t id[HASH_LEN_MAX];

	if (gitindex_file_unhashed(f))
		return 0;
	githash_init(&h, f->hash_len);
	githash_update(&h, f->data, f->trailer);
	githash_final(&h, id);
	if (memcmp(id, f->data + f->trailer, (size_t)f->hash_len) != 0)
		return err_set(ERR_CORRUPT, "index checksum does not match its content");
	return 0;
}
