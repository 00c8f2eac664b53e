/*
 * The environment of a run (docs/environment.md): what reproducibility breaks on and no file of the
 * project says.  Captured in milliseconds: versions are asked of programs once and remembered
 * beside the program's stat data.
 */
#ifndef LIB_PIPELINE_ENVIRON_H
#define LIB_PIPELINE_ENVIRON_H

#include "lib/pipeline/pipeline.h"
#include "lib/yaml/node.h"

/* A map of facts: os, kernel, arch, cpu, cpus, memory, gpu, gpu-driver, cuda, libc, git-dvx; the
 * versions of the interpreters that the stage's command starts (python, R, julia, node, java…); of
 * Python "python-env", the virtual or conda environment, and "python-packages": distribution ->
 * version; "files": lock files of pip, conda, uv, poetry, npm, R found at the top, in wdir and in
 * the directory of the stage's file (path -> sha256); "variables": seeds, numbers of threads and
 * the like, those of `env: vars:` and `set:`.  What is not there is left out.  Secrets never: of a
 * variable whose name speaks of one (KEY, TOKEN, SECRET, PASSWORD…) the hash's beginning is kept.
 * No program that lies in the worktree is started. */
int environ_capture(struct node **out, const struct repo *repo, const struct stage *s);

/* The part that counts as a dependency: `env: set:`, `vars:` (unset: null) and `facts:`. */
int environ_declared(struct node **out, const struct repo *repo, const struct stage *s);

/* Names of the facts that `env: facts:` may hold, NULL-terminated. */
extern const char *const environ_facts[];

/* Differences of two maps: fn(name, old, now) with NULL for what is not there. */
int environ_diff(const struct node *old, const struct node *now,
	int (*fn)(const char *name, const struct node *old, const struct node *now, void *data),
	void *data);

#endif
