/*
 * git-dvx-filter: what its parts share.  Data flows  Git -> session -> clean -> store  on `git
 * add`, and store -> smudge -> session -> Git  or  smudge -> late -> worktree  on checkout.
 */
#ifndef FILTER_FILTER_H
#define FILTER_FILTER_H

#include <signal.h>

#include "filter/forshow.h"
#include "filter/late.h"
#include "filter/minsize.h"
#include "lib/base/buf.h"
#include "lib/base/pathmatch.h"
#include "lib/setup/config.h"
#include "lib/setup/gitdir.h"
#include "lib/setup/lfsext.h"
#include "lib/store/store.h"

struct filter {
	struct gitdir *git; /* these three are NULL until filter_open_repository */
	struct config *config;
	struct store *store;
	struct minsize *minsize; /* NULL: no minimum anywhere */
	struct late *late;
	struct lfsext_list extensions; /* of Git LFS; usually none */
	int inline_only;	       /* dvx.rehydrate = inline */
	int skip_smudge;	       /* GIT_LFS_SKIP_SMUDGE: pointers stay pointers */
	struct pathmatch wanted;       /* lfs.fetchinclude, lfs.fetchexclude: others stay, too */
	int pointers_on_error;	       /* lfs.skipdownloaderrors */
	struct forshow forshow;	       /* whether Git only wants to show differences */
	int hash_len;		       /* of Git's object ids: 20 or 32 */
};

/* Non-zero after SIGINT, SIGTERM or SIGHUP. */
extern volatile sig_atomic_t filter_stop;

/* Find the repository and its settings, once.  0 or a negative error. */
int filter_open_repository(struct filter *f);
void filter_release(struct filter *f);
/* An unnamed file for what is too large for memory: a descriptor, or a negative error. */
int filter_spool(const struct filter *f);

/* Content that comes from Git (or from standard input). */
struct source {
	/* The next piece, borrowed until the next call: 1, 0 at the end, or a negative error. */
	int (*next)(struct source *s, const uint8_t **data, size_t *len);
};

/* Where the answer goes. */
struct sink {
	/* 0 or a negative error. */
	int (*put)(struct sink *s, const void *data, size_t len);
};

/* Clean: the content of `path` (may be NULL) becomes a pointer in `out`, or passes unchanged
 * through `out`: a pointer, the empty file, a file below the minimum size.  The object can be read
 * back when this returns 0. */
int clean_content(struct filter *f, const char *path, struct source *in, struct buf *out);

/* What a smudge request turned into. */
enum smudge_verdict {
	SMUDGE_TEXT,	/* answer `text` itself: no pointer, one that shall stay, or one that is
			   rehydrated late */
	SMUDGE_CONTENT, /* answer what is in `content`: a small object */
	SMUDGE_STREAM	/* answer with smudge_stream */
};

struct smudge_request {
	const char *path; /* may be NULL */
	int can_delay;	  /* Git is checking out: the file will lie at `path` */
	const char *text; /* the whole blob */
	size_t text_len;
	struct buf content; /* out, with SMUDGE_CONTENT; reused between requests, the caller
			       releases it */
	struct oid oid;	    /* out, with SMUDGE_STREAM */
	uint64_t size;	    /* out */
	int fd;		    /* out: what is to be streamed, when extensions made it; else -1 */
};

/* Decide; what is to be streamed has been fetched if it was missing.  An enum smudge_verdict or a
 * negative error. */
int smudge_decide(struct filter *f, struct smudge_request *r);
/* Stream the object's content.  Nothing of it may be used unless this returns 0. */
int smudge_stream(struct filter *f, const struct smudge_request *r, struct sink *out);

/* The long-running process on stdin and stdout (gitattributes(5), "Long Running Filter Process").
 * Exit code. */
int session_run(struct filter *f);

#endif
