/*
 * What reading and writing by rclone share (see rclone_store.h): runs of it whose answer is short,
 * the store's format, and the kind of backend behind it.
 */
#include "transfer/rclone/rclone_store.h"
#include "lib/base/err.h"

#include <stdlib.h>
#include <string.h>

enum { FEATURES_MAX = 1 << 20, FORMAT_MAX = 256 };

struct remote_rclone *rclone_store_of(struct remote *r)
{
	return (struct remote_rclone *)r;
}

int rclone_store_blob(
	const struct remote_rclone *d, enum remote_class c, const struct oid *name, struct buf *out)
{
	struct buf file = BUF_INIT;
	int rc = remote_blob_path(&file, c, name);

	if (rc == 0)
		rc = rclone_place_file(out, &d->place, file.p);
	buf_release(&file);
	return rc;
}

/* ---- one run each ---- */

/* `rclone <verb>` whose output is of no interest. */
int rclone_store_run(struct remote_rclone *d, const char *verb, const char *const *options,
	const char *operand, const char *second)
{
	struct rclone_run run;
	struct buf doing = BUF_INIT;
	int rc = buf_addf(&doing, "'rclone %s' of '%s'", verb, second ? second : operand);

	if (rc == 0)
		rc = rclone_start(&run, &d->base, &d->place, verb, options, operand, second);
	if (rc == 0)
		rc = rclone_end(&run, doing.p);
	buf_release(&doing);
	return rc;
}

/* `rclone <verb> <operand>`, what it prints appended; more than `max` bytes are ERR_LIMIT. */
int rclone_store_text(struct remote_rclone *d, const char *verb, const char *const *options,
	const char *operand, struct buf *out, size_t max)
{
	struct rclone_run run;
	struct buf doing = BUF_INIT;
	ssize_t n = -1;
	int rc;

	out->max = max;
	rc = buf_addf(&doing, "'rclone %s' of '%s'", verb, operand);
	if (rc == 0)
		rc = rclone_start(&run, &d->base, &d->place, verb, options, operand, NULL);
	if (rc < 0)
		goto done;
	while (rc == 0 && n) {
		char piece[4096];

		n = rclone_read(&run, piece, sizeof(piece));
		rc = n < 0 ? (int)n : buf_add(out, piece, (size_t)n);
	}
	if (rc < 0)
		rclone_abort(&run);
	else
		rc = rclone_end(&run, doing.p);
done:
	buf_release(&doing);
	return rc;
}

int rclone_store_size(struct remote_rclone *d, const char *place, uint64_t *size)
{
	static const char *const options[] = {"--no-mimetype", "--no-modtime", NULL};
	struct rclone_item item = {NULL, 0, 0};
	struct buf text = BUF_INIT;
	int rc = rclone_store_text(d, "lsjson --stat", options, place, &text, RCLONE_LINE_MAX);

	if (rc == 0)
		rc = rclone_item_parse(&item, buf_str(&text), text.len);
	if (rc == 0)
		rc = err_set(ERR_NOTFOUND, "there is no '%s'", place);
	if (rc > 0) {
		*size = item.size;
		rc = 0;
	}
	free(item.path);
	buf_release(&text);
	return rc;
}

/* ---- the store as a whole ---- */

int rclone_store_ask_format(struct remote_rclone *d, struct rclone_run *run)
{
	static const char *const options[] = {"--count", "256", NULL};
	struct buf file = BUF_INIT;
	int rc = rclone_place_file(&file, &d->place, "format");

	if (rc == 0)
		rc = rclone_start(run, &d->base, &d->place, "cat", options, file.p, NULL);
	buf_release(&file);
	return rc;
}

/* Object stores know no directories: of a file that is not there they print nothing. */
static int judge_format(struct remote_rclone *d, const char *text, enum rclone_format *state)
{
	*state = *text ? FORMAT_GOOD : FORMAT_MISSING;
	if (!*text || strcmp(text, RCLONE_STORE_FORMAT) == 0)
		return 0;
	return err_set(ERR_UNSUPPORTED,
		"the store at '%s:%s' says '%.*s', which this version of git-dvx cannot use; a "
		"newer git-dvx may",
		d->place.remote, d->place.path, (int)strcspn(text, "\n"), text);
}

int rclone_store_take_format(struct remote_rclone *d, struct rclone_run *run)
{
	enum rclone_format state = FORMAT_MISSING;
	char text[FORMAT_MAX + 1];
	ssize_t n = rclone_read(run, text, FORMAT_MAX);
	int rc;

	if (n < 0) {
		rclone_abort(run);
		return (int)n;
	}
	text[n] = '\0';
	rc = rclone_end(run, "cannot read the store's 'format'");
	if (rc == 0)
		rc = judge_format(d, text, &state);
	else if (rc == ERR_NOTFOUND)
		rc = 0;
	if (rc == 0) {
		pthread_mutex_lock(&d->lock);
		d->format = state;
		pthread_mutex_unlock(&d->lock);
	}
	return rc < 0 ? err_prefix(rc, "remote '%s'", d->base.name) : 0;
}

enum rclone_format rclone_store_format(struct remote_rclone *d)
{
	enum rclone_format state;

	pthread_mutex_lock(&d->lock);
	state = d->format;
	pthread_mutex_unlock(&d->lock);
	return state;
}

int rclone_store_class(struct remote_rclone *d)
{
	struct buf text = BUF_INIT, root = BUF_INIT;
	int rc = buf_addf(&root, "%s:", d->place.remote);

	if (rc == 0)
		rc = rclone_store_text(d, "backend features", NULL, root.p, &text, FEATURES_MAX);
	if (rc == 0)
		rc = rclone_class_parse(text.p, text.len);
	buf_release(&text);
	buf_release(&root);
	return rc;
}
