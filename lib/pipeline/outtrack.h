/*
 * Outputs belong to the filter: the attributes that make `git add` turn them into pointers are
 * written once, for what stages declare with cache (not for metrics and outputs of `cache: false`).
 */
#ifndef LIB_PIPELINE_OUTTRACK_H
#define LIB_PIPELINE_OUTTRACK_H

#include "lib/pipeline/pipeline.h"

/* What had to be done, or could not be. */
struct outtrack_result {
	struct strvec tracked; /* paths that got a line in .gitattributes; dvx.lock, too */
	struct strvec ignored; /* paths that an ignore rule hides from Git, see ignore.h */
};
void outtrack_result_release(struct outtrack_result *r);

/* For what is there of the outputs of these stages (n of them); results are appended.  A path whose
 * line is in .gitattributes costs no child process, one that attributes make ours otherwise no
 * line.  Pattern for a directory: all below it.  0; ERR_DENIED: another filter is in the way. */
int outtrack_stages(
	const struct repo *repo, const struct stage *const *v, size_t n, struct outtrack_result *r);

/* The text of a .gitattributes file: `dvx.lock` is merged by its stages, unless a line says how it
 * is merged.  1 if the text changed, else 0. */
int outtrack_lock_merge(struct buf *text);

struct outtrack_request {
	const struct stage *const *v; /* n stages */
	size_t n;
	const struct strvec *also; /* paths from the top: dvx.yaml, .gitattributes…; may be NULL */
	const char *message;	   /* of a commit; NULL: stage only */
	int quiet;		   /* Git says nothing of the commit */
	const volatile int *stop;  /* may be NULL */
};
struct outtrack_added {
	int committed;		 /* there was something to commit */
	struct strvec untracked; /* dependencies that Git does not know: for the user to decide */
};
void outtrack_added_release(struct outtrack_added *a);

/* Stage (git add) the outputs of these stages as pointers past Git's pipe, with their files of
 * stages, dvx.lock, parameters, plain outputs, and those of their dependencies that Git tracks.
 * With a message these paths, and no others, are committed: what else is staged stays staged. */
int outtrack_add(const struct repo *repo, struct store *s, const struct outtrack_request *q,
	struct outtrack_added *out);

#endif
