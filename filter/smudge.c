/*
 * Smudge: what Git gets for a blob on its way to the worktree.  During a checkout (Git says
 * can-delay) that is the pointer text itself, and the data follow after Git has finished; small
 * objects that are here go inline, which is cheaper than a second write; whoever reads without a
 * checkout (archive, cat-file --filters) gets the content - but for Git's own diff, whose driver is
 * ours and asks for a pointer (forshow.h).
 */
#include "filter/extend.h"
#include "filter/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/pointer.h"
#include "lib/wire/batch.h"
#include "lib/worktree/settle.h"

/* Larger ones are reflinked or copied in the kernel, late.  Measured: below this, Git's own write
 * is cheaper than a temporary file, a swap and a patched entry. */
enum { INLINE_MAX = STORE_SMALL_MAX };

static int is_checkout(const struct filter *f, const struct smudge_request *r)
{
	return r->can_delay && r->path && f->git->worktree;
}

static int remember(
	struct filter *f, const struct smudge_request *r, const struct pointer *p, int wish)
{
	uint8_t blob[32] = {0};

	githash_blob(blob, f->hash_len, r->text, r->text_len);
	return late_add(f->late, r->path, r->text, r->text_len, p, wish, blob);
}

static int fetch_one(struct filter *f, const struct smudge_request *r)
{
	struct batch_object object = {.oid = r->oid, .size = r->size, .path = r->path};
	struct batch_options how = {
		.stop = &filter_stop, .jobs = (int)config_int(f->config, "dvx.jobs", 0)};
	struct batch_result result;
	int rc = batch_run(BATCH_DOWNLOAD, &object, 1, &how, &result);

	if (rc == 0 && object.state < 0)
		rc = err_set(object.state, "%s",
			object.error ? object.error : "the remote does not have it");
	batch_objects_release(&object, 1);
	return rc;
}

static int prefix_with_object(int rc, const struct smudge_request *r)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, &r->oid);
	return err_prefix(rc, "%s (object %.10s…)", r->path ? r->path : "smudge", hex);
}

/* Content is asked for and cannot come later: archive, cat-file --filters, checkout-index, apply…
 */
static int decide_now(struct filter *f, struct smudge_request *r, const struct pointer *p)
{
	int rc = store_has(f->store, &r->oid, r->size) ? 0 : fetch_one(f, r);

	if (rc == 0 && p->extended)
		rc = extend_smudge(f, r->path, r->text, r->text_len, &r->fd);
	if (rc == 0)
		return SMUDGE_STREAM;
	if (is_checkout(f, r)) { /* dvx.rehydrate=inline: a checkout never fails; late_run says what
				    is missing */
		int late;

		if (p->extended)
			fprintf(stderr, "warning: %s: left as its pointer: %s\n", r->path,
				err_msg());
		late = remember(f, r, p, p->extended ? REHYDRATE_SETTLE_POINTER : REHYDRATE_DATA);
		return late < 0 ? late : SMUDGE_TEXT;
	}
	prefix_with_object(rc, r);
	return f->pointers_on_error ? SMUDGE_TEXT : rc;
}

/* Not a pointer: an ordinary blob below the minimum size, or one that was committed without the
 * filter. */
static int remember_plain(struct filter *f, const struct smudge_request *r)
{
	struct pointer self = {.size = r->text_len, .canonical = 1};

	if (r->text_len > SETTLE_MAX || r->text_len == 0 || !is_checkout(f, r))
		return 0;
	oid_of(&self.oid, r->text, r->text_len);
	return remember(f, r, &self, REHYDRATE_SETTLE_DATA);
}

static int is_skipped(const struct filter *f, const struct smudge_request *r)
{
	return f->skip_smudge || (r->path && !pathmatch_wanted(&f->wanted, r->path));
}

int smudge_decide(struct filter *f, struct smudge_request *r)
{
	int wish = REHYDRATE_DATA, verdict = SMUDGE_TEXT, skip = is_skipped(f, r), rc;
	struct pointer p;

	if (r->text_len >= POINTER_MAX || pointer_parse(&p, r->text, r->text_len) < 0 ||
		p.size == 0) {
		rc = remember_plain(f, r);
		return rc < 0 ? rc : SMUDGE_TEXT;
	}
	r->oid = p.oid;
	r->size = p.size;
	r->fd = -1;
	if (!r->can_delay && !skip && forshow_wants_pointer(&f->forshow, f->config, r->path))
		return SMUDGE_TEXT;
	if (p.extended && !skip) /* other bytes than the object's: nothing to be reflinked */
		return decide_now(f, r, &p);
	if (skip) {
		wish = REHYDRATE_SETTLE_POINTER;
	} else if (p.size <= INLINE_MAX) {
		buf_reset(&r->content);
		if (store_read(f->store, &p.oid, p.size, &r->content) == 0) {
			wish = REHYDRATE_SETTLE_DATA;
			verdict = SMUDGE_CONTENT;
		}
	}
	if (wish == REHYDRATE_DATA && (f->inline_only || !is_checkout(f, r)))
		return decide_now(f, r, &p);
	rc = is_checkout(f, r) ? remember(f, r, &p, wish) : 0;
	return rc < 0 ? rc : verdict;
}

static int to_sink(const void *data, size_t len, void *sink)
{
	struct sink *out = sink;

	return out->put(out, data, len);
}

static int stream_file(int fd, struct sink *out)
{
	enum { PIECE = 1 << 18 };
	char *piece = malloc(PIECE);
	uint64_t at = 0;
	ssize_t n = 1;
	int rc = piece ? 0 : err_set(ERR_NOMEM, "out of memory");

	while (rc == 0 && n > 0) {
		n = fs_pread_full(fd, piece, PIECE, at);
		rc = n < 0 ? (int)n : out->put(out, piece, (size_t)n);
		at += (uint64_t)n;
	}
	free(piece);
	close(fd);
	return rc;
}

int smudge_stream(struct filter *f, const struct smudge_request *r, struct sink *out)
{
	int rc = r->fd >= 0 ? stream_file(r->fd, out)
			    : store_stream(f->store, &r->oid, r->size, to_sink, out);

	return rc < 0 ? prefix_with_object(rc, r) : 0;
}
