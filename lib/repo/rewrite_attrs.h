/*
 * Attributes in a rewrite: which paths -I and -X mean, the lines that .gitattributes gets, and
 * which files the .gitattributes of a commit route to us (--fixup).  Pure.
 *
 * Patterns match as in .gitattributes: without a slash the name of a file at any depth, with one
 * the whole path from the directory of the attributes file; a directory's name does not mean its
 * files.
 */
#ifndef LIB_REPO_REWRITE_ATTRS_H
#define LIB_REPO_REWRITE_ATTRS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/strmap.h"
#include "lib/base/strvec.h"

/* ---- patterns ---- */

struct attr_pattern {
	char *glob;	/* heap */
	int whole_path; /* it has a slash */
	size_t suffix;	/* of a glob "*<text>": length of the text, else 0 */
};
/* `text` as it stands in an attributes file ([[:space:]] for a blank). */
int attr_pattern_init(struct attr_pattern *p, const char *text);
void attr_pattern_release(struct attr_pattern *p);
/* `path` from the directory that the pattern belongs to. */
int attr_pattern_matches(const struct attr_pattern *p, const char *path);

/* -I and -X. */
struct attr_filter {
	struct attr_pattern *include, *exclude;
	size_t n_include, n_exclude;
	struct strvec include_text, exclude_text; /* as given, cleaned */
};
/* Add the comma-separated patterns of a list (NULL is fine): blanks around each and one slash at
 * its end are dropped, as Git LFS does. */
int attr_filter_include(struct attr_filter *f, const char *list);
int attr_filter_exclude(struct attr_filter *f, const char *list);
int attr_filter_wants(const struct attr_filter *f, const char *path);
void attr_filter_release(struct attr_filter *f);

/* ---- lines ---- */

/* Lines to be added, in order, each once. */
struct attr_lines {
	struct strvec v;
	struct strmap set;
	uint32_t version; /* grows with each */
};
/* "<pattern><attributes>"; blanks and '#' in the pattern are written so that Git takes them
 * literally. */
int attr_lines_add(struct attr_lines *l, const char *pattern, const char *attributes);
/* The same for just this path: "/<path><attributes>", with what globs treat specially escaped. */
int attr_lines_add_path(struct attr_lines *l, const char *path, const char *attributes);
void attr_lines_release(struct attr_lines *l);
/* Append `old` (may be NULL) and the lines that it lacks.  With `once`, each line of the result
 * appears once and ends in "\n", which is how Git LFS writes the file; otherwise what was there
 * stays byte for byte. */
int attr_lines_merge(struct buf *out, const struct buf *old, const struct attr_lines *l, int once);

/* ---- who is routed to us ---- */

struct attr_levels;

int attr_levels_new(struct attr_levels **out);
void attr_levels_free(struct attr_levels *l);
/* The state below `state` (0: nothing is routed) and an attributes file of the directory `dir` with
 * this text, whose blob has the hex name `blob`: > 0, the same for the same arguments. */
int attr_levels_enter(struct attr_levels *l, uint32_t state, const char *dir, const char *blob,
	const struct buf *text);
/* 1 if the path (from the top) has filter=dvx or filter=lfs in that state. */
int attr_levels_route(const struct attr_levels *l, uint32_t state, const char *path);

#endif
