/*
 * Smudge: what Git gets for a blob on its way to the worktree.  During a checkout (Git says
 * can-delay) that is the pointer text itself, and the data follow after Git has finished; small
 * objects that are here go inline, which is cheaper than a second write; whoever reads without a
 * checkout (archive, cat-file --filters) gets the content.
 */
#include "filter/filter.h"

#include <string.h>

#include "lib/base/err.h"
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

	if (rc == 0)
		return SMUDGE_STREAM;
	if (is_checkout(f, r)) { /* dvx.rehydrate=inline: a checkout never fails; late_run says what
				    is missing */
		int late = remember(f, r, p, REHYDRATE_DATA);

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

int smudge_decide(struct filter *f, struct smudge_request *r)
{
	int wish = REHYDRATE_DATA, verdict = SMUDGE_TEXT, rc;
	struct pointer p;

	if (r->text_len >= POINTER_MAX || pointer_parse(&p, r->text, r->text_len) < 0 ||
		p.size == 0) {
		rc = remember_plain(f, r);
		return rc < 0 ? rc : SMUDGE_TEXT;
	}
	r->oid = p.oid;
	r->size = p.size;
	if (f->skip_smudge) {
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

int smudge_stream(struct filter *f, const struct smudge_request *r, struct sink *out)
{
	int rc = store_stream(f->store, &r->oid, r->size, to_sink, out);

	return rc < 0 ? prefix_with_object(rc, r) : 0;
}
