/*
 * What the parts of pipeline_*.c share: one file of stages on its way into a struct pipeline.
 *
 *   pipeline.c         load, parse, free
 *   pipeline_schema.c  the shape of the file, before anything is resolved
 *   pipeline_vars.c    `vars:` and params.yaml into the template's context
 *   pipeline_expand.c  foreach, matrix, `${}`: definitions into stages
 *   pipeline_stage.c   one resolved definition into a struct stage
 *   pipeline_items.c   its lists of files
 *   pipeline_top.c     the lists of the file itself
 *   pipeline_path.c    paths from the top
 *   pipeline_find.c    names and targets into stages
 */
#ifndef LIB_PIPELINE_PIPELINE_INTERNAL_H
#define LIB_PIPELINE_PIPELINE_INTERNAL_H

#include "lib/base/strmap.h"
#include "lib/pipeline/pipeline.h"
#include "lib/pipeline/template.h"

enum {
	PIPELINE_FILE_MAX = 16 * 1024 * 1024, /* bytes of a file of stages or variables */
	PIPELINE_STAGES_MAX = 200000	      /* of one project */
};

struct pipeline_build {
	struct pipeline *p;
	const char *file; /* "sub/dvx.yaml"; borrowed, as are the next two */
	const char *dir;  /* "sub" */
	const struct pipeline_reader *reader;
	struct template t;
	struct strmap names; /* of this file's stages */
	struct strmap used;  /* variables of files that templates put in (template.h) */
	size_t made;	     /* by templates (template.h) */
	struct {	     /* the last result of pipeline_local_vars */
		const struct node *vars;
		char *wdir;
		struct template t;
	} local;
};

/* The array of n elements of `size` bytes with room for one more, zeroed; NULL (the old one stays)
 * when out of memory.  Capacities are the powers of two, so that none need be kept. */
void *pipeline_grow(void *array, size_t n, size_t size);

/* Check keys and types of the whole file.  0; ERR_INVALID: place, what, the most similar key. */
int pipeline_schema(const char *file, const struct node *root);

/* Load params.yaml and the variables of the file's `vars` (may be NULL), into b->t. */
int pipeline_vars(struct pipeline_build *b, const struct node *vars);
/* The variables of a stage: what `vars` says, files from `wdir`, on top of b->t.  *out is borrowed
 * until the next call: all stages of a matrix share them. */
int pipeline_local_vars(const struct template **out, struct pipeline_build *b,
	const struct node *vars, const char *wdir);
void pipeline_local_release(struct pipeline_build *b);

/* Append what templates put in to the parameters that are shown. */
int pipeline_used(struct pipeline_build *b);

/* Append every stage of `stages:`. */
int pipeline_expand(struct pipeline_build *b, const struct node *stages);

/* Append one stage; `def` has no ${} left. */
int pipeline_stage(
	struct pipeline_build *b, const char *name, unsigned line, const struct node *def);
/* The lists of a stage that name files. */
int pipeline_deps(struct pipeline_build *b, struct stage *s, const struct node *list, int env);
int pipeline_outs(struct pipeline_build *b, struct stage *s, enum stage_path_kind kind,
	const struct node *list);
int pipeline_params(struct pipeline_build *b, struct stage *s, const struct node *list);
/* ERR_INVALID: one path twice in the stage. */
int pipeline_check_twice(struct pipeline_build *b, const struct stage *s);

/* The top-level lists: metrics, plots, params. */
int pipeline_top(struct pipeline_build *b, const struct node *root);

/* One more, zeroed, in an array of paths; NULL: out of memory (message set). */
struct stage_path *pipeline_add_path(struct stage_path **v, size_t *n);
/* The path `text` that stands at `at`, seen from `wdir`, from the top into *out. */
int pipeline_read_path(struct pipeline_build *b, char **out, const char *wdir,
	const struct node *at, const char *text);
/* A copy of the scalar's text into *out, where there is one. */
int pipeline_text(char **out, const struct node *n);
/* The bool at `key`, else `otherwise`. */
int pipeline_flag(const struct node *props, const char *key, int otherwise);
/* A copy that lives as long as the pipeline; NULL: out of memory (message set). */
const struct node *pipeline_keep(struct pipeline_build *b, const struct node *n);

/* Append `path`, seen from `dir`, as a path from the top without ".", ".." and double slashes ("":
 * the top).  An absolute one stays absolute, unless it lies below `top` (may be NULL: unknown).
 * ERR_INVALID: empty, or it leaves the project (one that does is absolute where `top` is known).
 */
int pipeline_path(struct buf *out, const char *top, const char *dir, const char *path);

#endif
