/*
 * Locks in Git LFS's SSH protocol (lfsssh.h): one as the arguments of an answer, many as the lines
 * of a listing, where each line repeats the id of the lock that it is about.  As in JSON, a listing
 * is taken whole or not at all.
 */
#include "lib/wire/lfsssh.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

/* Where a property of a lock goes, by its name in the protocol.  NULL: not known. */
static char **place_of(struct lfs_lock *l, const char *name, size_t len)
{
	struct {
		const char *name;
		char **place;
	} known[] = {{"id", &l->id}, {"path", &l->path}, {"locked-at", &l->locked_at},
		{"ownername", &l->owner}};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0)
			return known[i].place;
	return NULL;
}

static int set_property(char **place, const char *value)
{
	if (!place)
		return 0;
	free(*place);
	*place = strdup(value);
	return *place ? 0 : err_set(ERR_NOMEM, "out of memory");
}

int lfsssh_lock_format(struct strvec *args, const struct lfs_lock *l)
{
	int rc = strvec_pushf(args, "id=%s", l->id);

	if (rc == 0)
		rc = strvec_pushf(args, "path=%s", l->path);
	if (rc == 0 && l->locked_at)
		rc = strvec_pushf(args, "locked-at=%s", l->locked_at);
	if (rc == 0 && l->owner)
		rc = strvec_pushf(args, "ownername=%s", l->owner);
	return rc;
}

int lfsssh_lock_parse(struct lfs_lock *l, const struct lfsssh_head *h)
{
	int rc = 0;

	*l = (struct lfs_lock){.id = NULL};
	for (size_t i = 0; rc == 0 && i < h->args.n; i++) {
		const char *arg = h->args.v[i];
		size_t len = strcspn(arg, "=");

		if (arg[len])
			rc = set_property(place_of(l, arg, len), arg + len + 1);
	}
	if (rc == 0 && (!l->id || !l->path))
		rc = err_set(ERR_CORRUPT, "an answer about a lock without its id or path");
	if (rc < 0)
		lfs_lock_release(l);
	return rc;
}

/* ---- listings ---- */

static int write_property(
	struct pkt_writer *w, const char *name, const struct lfs_lock *l, const char *value)
{
	struct buf line = BUF_INIT;
	int rc = buf_addf(&line, "%s %s %s", name, l->id, value);

	if (rc == 0)
		rc = pkt_write_line(w, line.p);
	buf_release(&line);
	return rc;
}

int lfsssh_listed_write(struct pkt_writer *w, const struct lfs_lock *l, int ours)
{
	struct buf line = BUF_INIT;
	int rc = buf_addf(&line, "lock %s", l->id);

	if (rc == 0)
		rc = pkt_write_line(w, line.p);
	if (rc == 0)
		rc = write_property(w, "path", l, l->path);
	if (rc == 0 && l->locked_at)
		rc = write_property(w, "locked-at", l, l->locked_at);
	if (rc == 0 && l->owner)
		rc = write_property(w, "ownername", l, l->owner);
	if (rc == 0)
		rc = write_property(w, "owner", l, ours ? "ours" : "theirs");
	buf_release(&line);
	return rc;
}

/* The lock that the lines were about is complete. */
static int put_away(struct lfsssh_listing *l)
{
	struct lfs_lock_list *list = l->all || l->whose > 0 ? &l->page->ours
				     : l->whose < 0	    ? &l->page->theirs
							    : NULL;
	int rc = 0;

	if (!l->lock.id)
		return 0;
	if (!l->lock.path)
		return err_set(ERR_CORRUPT, "a listing with a lock that has no path");
	if (list)
		rc = lfs_lock_list_add(list, &l->lock);
	lfs_lock_release(&l->lock);
	l->whose = 0;
	return rc;
}

static int take_lock(struct lfsssh_listing *l, const char *id)
{
	int rc = put_away(l);

	if (rc == 0 && (!*id || strchr(id, ' ')))
		rc = err_set(ERR_CORRUPT, "a listing with a lock that has no id");
	return rc < 0 ? rc : set_property(&l->lock.id, id);
}

int lfsssh_listing_line(struct lfsssh_listing *l, char *line)
{
	size_t len = strcspn(line, " ");
	char *id = line + len + (line[len] != '\0'), *value;

	line[len] = '\0';
	if (strcmp(line, "lock") == 0)
		return take_lock(l, id);
	value = id + strcspn(id, " ");
	if (*value)
		*value++ = '\0';
	if (!l->lock.id || strcmp(l->lock.id, id) != 0)
		return err_set(ERR_CORRUPT, "a listing of locks that are mixed up");
	if (strcmp(line, "owner") == 0) {
		l->whose = strcmp(value, "ours") == 0 ? 1 : strcmp(value, "theirs") == 0 ? -1 : 0;
		return 0;
	}
	if (strcmp(line, "id") == 0)
		return 0;
	return set_property(place_of(&l->lock, line, len), value);
}

int lfsssh_listing_end(struct lfsssh_listing *l)
{
	return put_away(l);
}

void lfsssh_listing_release(struct lfsssh_listing *l)
{
	lfs_lock_release(&l->lock);
}
