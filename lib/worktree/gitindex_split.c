/*
 * Split index: reading it as one list, and writing the small file anew with more replacements.
 *
 * The index file begins with the replacing entries, nameless (version 4: nothing stripped, nothing
 * appended), in the order of the bits of the "replaced" bitmap; the added entries follow in index
 * order.  In version 4 the first added entry is packed against an empty name either way, so
 * replacements can be put in front of it without touching it.
 */
#include "lib/worktree/gitindex_split.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <stdlib.h>
#include <string.h>

static int links_to_nothing(const struct gitindex_file *own)
{
	for (int i = 0; own->link && i < own->hash_len; i++)
		if (own->data[own->link + (size_t)i])
			return 0;
	return 1;
}

static int shared_path(struct buf *out, const struct gitindex_file *own, const char *path)
{
	int rc = fs_dirname(out, path);

	if (rc == 0)
		rc = buf_addstr(out, "/sharedindex.");
	for (int i = 0; rc == 0 && i < own->hash_len; i++)
		rc = buf_addf(out, "%02x", own->data[own->link + (size_t)i]);
	return rc;
}

int gitindex_split_bitmaps(struct gitindex_split *s, const struct gitindex_file *own)
{
	const uint8_t *p = own->data + own->link + own->hash_len;
	size_t left = own->link_len - (size_t)own->hash_len;
	ssize_t used;
	int rc;

	if ((rc = ewah_init(&s->deleted, s->base.count)) < 0 ||
		(rc = ewah_init(&s->replaced, s->base.count)) < 0)
		return rc;
	if (left) {
		if ((used = ewah_read(&s->deleted, p, left)) < 0)
			return (int)used;
		p += used;
		left -= (size_t)used;
		if ((used = ewah_read(&s->replaced, p, left)) < 0)
			return (int)used;
		if ((size_t)used != left)
			return err_set(ERR_CORRUPT, "bytes behind the bitmaps");
	}
	if (ewah_count(&s->replaced) != own->stripped)
		return err_set(ERR_CORRUPT, "%zu replacements for %zu entries", own->stripped,
			ewah_count(&s->replaced));
	return 0;
}

static int check_base(const struct gitindex_split *s, const struct gitindex_file *own)
{
	const struct gitindex_file *base = &s->base;

	if (memcmp(base->data + base->trailer, own->data + own->link, (size_t)own->hash_len) != 0)
		return err_set(ERR_CORRUPT, "the shared index is not the one that the index names");
	if (base->link || base->stripped)
		return err_set(ERR_CORRUPT, "the shared index is itself split");
	return 0;
}

int gitindex_split_open(
	struct gitindex_split **out, const struct gitindex_file *own, const char *path)
{
	struct gitindex_split *s = NULL;
	struct buf name = BUF_INIT;
	int rc = 0;

	*out = NULL;
	if (links_to_nothing(own)) {
		if (own->stripped)
			return err_set(ERR_CORRUPT, "'%s': entries without a name", path);
		return 0;
	}
	s = calloc(1, sizeof *s);
	if (!s)
		return err_set(ERR_NOMEM, "out of memory");
	if ((rc = shared_path(&name, own, path)) < 0)
		goto done;
	if ((rc = gitindex_file_load(&s->base, name.p, own->hash_len)) < 0)
		goto done;
	if ((rc = check_base(s, own)) < 0 || (rc = gitindex_split_bitmaps(s, own)) < 0)
		err_prefix(rc, "'%s': split index", path);
done:
	buf_release(&name);
	if (rc < 0)
		gitindex_split_free(s);
	else
		*out = s;
	return rc;
}

void gitindex_split_free(struct gitindex_split *s)
{
	if (!s)
		return;
	gitindex_file_release(&s->base);
	ewah_release(&s->deleted);
	ewah_release(&s->replaced);
	free(s);
}

/* ---- reading ---- */

void gitindex_walk_init(struct gitindex_walk *w, const struct gitindex_file *own,
	const struct gitindex_split *split)
{
	*w = (struct gitindex_walk){.own = own, .split = split};
	if (split) {
		gitindex_cursor_init(&w->base, &split->base);
		gitindex_cursor_init(&w->replacement, own);
	} else {
		w->have_base = -1;
	}
	gitindex_cursor_init_named(&w->added, own);
}

void gitindex_walk_release(struct gitindex_walk *w)
{
	gitindex_cursor_release(&w->base);
	gitindex_cursor_release(&w->replacement);
	gitindex_cursor_release(&w->added);
}

/* The replacing entry has everything but the name. */
static int take_replacement(struct gitindex_walk *w)
{
	struct gitindex_raw *e = &w->base_entry, r;
	int rc = gitindex_cursor_next(&w->replacement, &r);

	if (rc <= 0)
		return rc < 0 ? rc : err_set(ERR_CORRUPT, "split index lacks a replacement");
	r.path = e->path;
	r.path_len = e->path_len;
	*e = r;
	return 1;
}

static int next_of_base(struct gitindex_walk *w)
{
	int rc;

	while ((rc = gitindex_cursor_next(&w->base, &w->base_entry)) > 0) {
		uint32_t position = w->next_position++;
		int replaced = ewah_get(&w->split->replaced, position);

		if (ewah_get(&w->split->deleted, position)) {
			if (replaced)
				return err_set(ERR_CORRUPT,
					"split index both deletes and replaces entry %u",
					(unsigned)position);
			continue;
		}
		w->base_position = position;
		w->base_is_shared = !replaced;
		return replaced ? take_replacement(w) : 1;
	}
	return rc;
}

static int look_ahead(struct gitindex_walk *w)
{
	int rc = 1;

	if (!w->have_base && (rc = next_of_base(w)) >= 0)
		w->have_base = rc ? 1 : -1;
	if (rc >= 0 && !w->have_added &&
		(rc = gitindex_cursor_next(&w->added, &w->added_entry)) >= 0)
		w->have_added = rc ? 1 : -1;
	return rc < 0 ? rc : 0;
}

/* < 0: the base entry comes first; > 0: the added one; 0: the added one takes the other's place, as
 * in Git's add_index_entry (an added stage 0 replaces every stage). */
static int which_first(const struct gitindex_walk *w)
{
	const struct gitindex_raw *b = &w->base_entry, *a = &w->added_entry;
	size_t shorter = b->path_len < a->path_len ? b->path_len : a->path_len;
	int d;

	if (w->have_added < 0)
		return -1;
	if (w->have_base < 0)
		return 1;
	d = memcmp(b->path, a->path, shorter);
	if (d == 0)
		d = (b->path_len > a->path_len) - (b->path_len < a->path_len);
	if (d == 0 && gitindex_raw_stage(a) != 0)
		d = gitindex_raw_stage(b) - gitindex_raw_stage(a);
	return d;
}

int gitindex_walk_next(struct gitindex_walk *w, struct gitindex_walk_entry *e)
{
	int rc, d;

	for (;;) {
		if ((rc = look_ahead(w)) < 0)
			return rc;
		if (w->have_base < 0 && w->have_added < 0)
			return 0;
		if ((d = which_first(w)) != 0)
			break;
		w->have_base = 0;
	}
	if (d < 0) {
		e->raw = w->base_entry;
		e->shared = w->base_is_shared;
		e->position = w->base_position;
		w->have_base = 0;
	} else {
		e->raw = w->added_entry;
		e->shared = 0;
		w->have_added = 0;
	}
	return 1;
}

/* ---- writing ---- */

/* The entry of the shared file with other stat fields and without its name. */
static int add_replacement(struct buf *out, const struct gitindex_split *s,
	const struct gitindex_replacement *r, uint32_t version)
{
	static const uint8_t zero[8];
	const uint8_t *p = s->base.data + r->base_at;
	size_t start = out->len, flags_at = (size_t)GITINDEX_ID_AT + (size_t)s->base.hash_len;
	size_t padding = version == 4 ? 2 : 8 - r->fixed_len % 8;
	int rc;

	rc = buf_add(out, p, r->fixed_len);
	if (rc == 0)
		rc = buf_add(out, zero, padding);
	if (rc < 0)
		return rc;
	memcpy(out->p + start, r->fields, sizeof r->fields);
	be16_put(out->p + start + flags_at,
		(uint16_t)(be16_get(p + flags_at) & ~GITINDEX_NAME_MASK));
	return 0;
}

/* Old replacements and new ones, in the order of their positions; `replaced` learns the new ones.
 */
static int add_nameless_entries(struct buf *out, const struct gitindex_split *s,
	const struct gitindex_file *own, const struct gitindex_replacement *add, size_t n,
	uint32_t version, struct ewah *replaced)
{
	struct gitindex_cursor c;
	struct gitindex_raw e;
	size_t next = 0;
	int rc = 0;

	gitindex_cursor_init(&c, own);
	for (uint32_t i = 0; rc >= 0 && i < s->base.count; i++) {
		if (ewah_get(&s->replaced, i)) {
			size_t start = c.at;

			rc = gitindex_cursor_next(&c, &e);
			if (rc > 0)
				rc = buf_add(out, own->data + start, c.at - start);
			ewah_set(replaced, i);
		} else if (next < n && add[next].position == i) {
			rc = add_replacement(out, s, &add[next++], version);
			ewah_set(replaced, i);
		}
	}
	gitindex_cursor_release(&c);
	return rc < 0 ? rc : 0;
}

static int add_link(struct buf *out, const struct gitindex_split *s,
	const struct gitindex_file *own, const struct ewah *replaced)
{
	size_t start = out->len;
	int rc;

	rc = buf_add(out, "link\0\0\0\0", 8);
	if (rc == 0)
		rc = buf_add(out, own->data + own->link, (size_t)own->hash_len);
	if (rc == 0)
		rc = ewah_write(out, &s->deleted);
	if (rc == 0)
		rc = ewah_write(out, replaced);
	if (rc == 0)
		be32_put(out->p + start + 4, (uint32_t)(out->len - start - 8));
	return rc;
}

/* Two extensions hold offsets of entries and only save time: they are left out, the others stay as
 * they are. */
static int add_extensions(struct buf *out, const struct gitindex_split *s,
	const struct gitindex_file *own, const struct ewah *replaced)
{
	size_t at = own->entries_end, header, len;
	int rc;

	while ((rc = gitindex_file_extension(own, &at, &header, &len)) > 0) {
		const uint8_t *p = own->data + header;

		if (memcmp(p, "EOIE", 4) == 0 || memcmp(p, "IEOT", 4) == 0)
			continue;
		if (memcmp(p, "link", 4) == 0)
			rc = add_link(out, s, own, replaced);
		else
			rc = buf_add(out, p, 8 + len);
		if (rc < 0)
			break;
	}
	return rc;
}

int gitindex_split_rebuild(const struct gitindex_split *s, const struct gitindex_file *own,
	const struct gitindex_replacement *add, size_t n, struct buf *out)
{
	struct ewah replaced = EWAH_INIT;
	uint32_t version = own->version;
	int rc;

	/* Version 3 is version 2 with room for more flags. */
	for (size_t i = 0; version == 2 && i < n; i++)
		if (add[i].fixed_len > (size_t)GITINDEX_ID_AT + (size_t)own->hash_len + 2)
			version = 3;
	if ((rc = ewah_init(&replaced, s->base.count)) < 0)
		return rc;
	if ((rc = buf_add(out, own->data, GITINDEX_HEADER_LEN)) < 0)
		goto done;
	be32_put(out->p + 4, version);
	be32_put(out->p + 8, own->count + (uint32_t)n);
	rc = add_nameless_entries(out, s, own, add, n, version, &replaced);
	if (rc == 0)
		rc = buf_add(
			out, own->data + own->first_named, own->entries_end - own->first_named);
	if (rc == 0)
		rc = add_extensions(out, s, own, &replaced);
done:
	ewah_release(&replaced);
	return rc;
}
