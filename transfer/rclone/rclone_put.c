/*
 * Putting blobs by rclone (docs/rclone.md): is it there, upload, and rename where an upload in
 * progress could be seen under its name.  Every run costs a start-up, so these are as few as is
 * safe.
 */
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/rclone/rclone_store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

/* A name in tmp/ that is nobody else's; other kinds of remote clear such names when they are old.
 */
static int temp_place(struct remote_rclone *d, struct buf *out)
{
	unsigned long long random;
	struct buf file = BUF_INIT;
	int rc = 0;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		rc = err_sys("cannot get random bytes");
	if (rc == 0)
		rc = buf_addf(&file, "tmp/put-%016llx", random);
	if (rc == 0)
		rc = rclone_place_file(out, &d->place, file.p);
	buf_release(&file);
	return rc;
}

/* Delete what is no use any more; the error at hand stays. */
static void drop_temp(struct remote_rclone *d, const char *temp)
{
	struct buf why = BUF_INIT;
	int kept = buf_addstr(&why, err_msg());

	rclone_store_run(d, "deletefile", NULL, temp, NULL);
	if (kept == 0)
		err_set(ERR_REMOTE, "%s", why.p);
	buf_release(&why);
}

/* The file behind `fd` becomes `place`.  rclone opens it by our descriptor, not by a pipe: should
 * we die, it sees no end of file that is none, and it can compare checksums with the other end.
 *
 * Told to look at the destination, rclone deletes what it finds there before it renames; so it is
 * told so only for a name that is known to hold damage (`replace`).  Else somebody may just have
 * put the same blob, and others be reading it. */
static int upload(struct remote_rclone *d, int fd, uint64_t size, const char *place, int replace)
{
	static const char *const copy[] = {"--copy-links", "--ignore-times", NULL};
	const char *const move[] = {replace ? "--ignore-times" : "--no-check-dest", NULL};
	struct buf source = BUF_INIT, temp = BUF_INIT;
	int rc = buf_addf(&source, "/proc/%ld/fd/%d", (long)getpid(), fd);

	if (rc == 0 && ftruncate(fd, (off_t)size) < 0) /* rclone takes all that is in it */
		rc = err_sys("cannot prepare what goes to remote '%s'", d->base.name);
	if (rc == 0 && d->class == RCLONE_RENAME)
		rc = temp_place(d, &temp);
	if (rc == 0)
		rc = rclone_store_run(d, "copyto", copy, source.p, temp.len ? temp.p : place);
	if (rc == 0 && temp.len) {
		rc = rclone_store_run(d, "moveto", move, temp.p, place);
		if (rc < 0)
			drop_temp(d, temp.p);
	}
	/* what is missing while writing is no blob that somebody could look for */
	if (rc == ERR_NOTFOUND)
		rc = err_set(
			ERR_REMOTE, "cannot write '%s': the folder went away meanwhile", place);
	buf_release(&source);
	buf_release(&temp);
	return rc;
}

/* With the lock held: `format`, before the first blob. */
static int make_format(struct remote_rclone *d)
{
	struct remote_put *put = NULL;
	struct buf place = BUF_INIT;
	int rc = remote_spool(&d->base, REMOTE_FRAGMENT, &put);

	if (rc == 0 && write(put->fd, RCLONE_STORE_FORMAT, sizeof(RCLONE_STORE_FORMAT) - 1) !=
			       (ssize_t)sizeof(RCLONE_STORE_FORMAT) - 1)
		rc = err_sys("cannot prepare 'format'");
	if (rc == 0)
		rc = rclone_place_file(&place, &d->place, "format");
	if (rc == 0)
		rc = upload(d, put->fd, sizeof(RCLONE_STORE_FORMAT) - 1, place.p, 0);
	if (rc == 0)
		d->format = FORMAT_GOOD;
	remote_spool_free(put);
	buf_release(&place);
	return rc;
}

/* Before the first put: what kind of backend, and the store's format. */
static int ready_to_write(struct remote_rclone *d)
{
	struct rclone_run run;
	int rc = 0;

	if (rclone_store_format(d) == FORMAT_UNKNOWN) {
		rc = rclone_store_ask_format(d, &run);
		if (rc == 0)
			rc = rclone_store_take_format(d, &run);
	}
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&d->lock);
	if (!d->class) {
		rc = rclone_store_class(d);
		d->class = rc > 0 ? rc : 0;
	}
	if (rc >= 0 && d->format == FORMAT_MISSING)
		rc = make_format(d);
	pthread_mutex_unlock(&d->lock);
	return rc < 0 ? rc : 0;
}

/* Does the blob at `place` hold what its name says?  1, 0, or an error. */
static int is_whole(struct remote_rclone *d, const char *place, const struct oid *name)
{
	struct rclone_run run;
	struct oid_ctx hash;
	struct oid found;
	char *piece = malloc(PIECE);
	ssize_t n = 1;
	int rc;

	if (!piece)
		return err_set(ERR_NOMEM, "out of memory");
	rc = rclone_start(&run, &d->base, &d->place, "cat", NULL, place, NULL);
	if (rc < 0)
		goto done;
	oid_init(&hash);
	while (n > 0) {
		n = rclone_read(&run, piece, PIECE);
		if (n > 0)
			oid_update(&hash, piece, (size_t)n);
	}
	oid_final(&hash, &found);
	if (n < 0) {
		rclone_abort(&run);
		rc = (int)n;
	} else {
		rc = rclone_end(&run, "cannot read back what is there already");
		rc = rc < 0 ? rc : oid_eq(&found, name);
	}
done:
	free(piece);
	return rc;
}

/* What is under the name now?  1 the blob, 0 nothing, 2 something else, or an error. */
static int look(struct remote_rclone *d, const char *place, const struct oid *name, uint64_t size)
{
	uint64_t there;
	int rc = rclone_store_size(d, place, &there);

	if (rc == ERR_NOTFOUND)
		return 0;
	if (rc == 0 && there == size)
		rc = is_whole(d, place, name);
	return rc == 0 ? 2 : rc;
}

int rclone_put_commit(struct remote *r, struct remote_put *p, const struct oid *name, uint64_t size)
{
	struct remote_rclone *d = rclone_store_of(r);
	struct buf place = BUF_INIT;
	int taken = 0, replace;
	int rc = rclone_store_blob(d, p->class, name, &place);

	if (rc == 0)
		rc = ready_to_write(d);
	if (rc == 0)
		rc = taken = look(d, place.p, name, size);
	replace = rc == 2;
	if (rc == 0 || replace)
		rc = taken = upload(d, p->fd, size, place.p, replace);
	/* where a rename does not replace: somebody else may have been first */
	if (rc == ERR_REMOTE && d->class == RCLONE_RENAME && !replace) {
		struct buf why = BUF_INIT;

		rc = buf_addstr(&why, err_msg());
		if (rc == 0)
			taken = look(d, place.p, name, size);
		rc = taken == 1 ? 1 : err_set(ERR_REMOTE, "%s", buf_str(&why));
		buf_release(&why);
	}
	buf_release(&place);
	return rc < 0 ? err_prefix(rc, "cannot write to remote '%s'", r->name) : taken;
}
