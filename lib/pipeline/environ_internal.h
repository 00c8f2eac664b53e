/*
 * The parts of environ.h: the machine, the programs that a stage's command starts, files and
 * variables.
 */
#ifndef LIB_PIPELINE_ENVIRON_INTERNAL_H
#define LIB_PIPELINE_ENVIRON_INTERNAL_H

#include "lib/base/strvec.h"
#include "lib/pipeline/environ.h"

/* Set a string in the map, unless it is empty or NULL.  0 or ERR_NOMEM. */
int environ_set(struct node *map, const char *name, const char *value);

/* ---- environ_machine.c ---- */

/* One fact of the machine, appended: 1, 0 when it is not known, or an error.  Names that are none
 * of the machine's are not known. */
int environ_machine(struct buf *out, const char *name);
/* Their names, NULL-terminated. */
extern const char *const environ_machine_facts[];

/* Pure: PRETTY_NAME of an os-release file; the value of a line "key : value" of /proc/cpuinfo and
 * of NVIDIA's /proc files.  Appended: 1, or 0. */
int environ_os_release(struct buf *out, const char *text);
int environ_colon_line(struct buf *out, const char *text, const char *key);

/* ---- environ_command.c ---- */

/* A program that runs the stage's own code. */
struct environ_program {
	const char *fact; /* "python", "R"…; static */
	char *path;	  /* absolute, links not followed */
	char *conda;	  /* the name of the conda environment that it was asked for by; NULL */
};
struct environ_programs {
	struct environ_program *v;
	size_t n, cap;
};
void environ_programs_release(struct environ_programs *p);
/* The programs of a command, each once, as far as can be seen without running it. */
int environ_find_programs(
	struct environ_programs *out, const struct repo *repo, const struct stage *s);
/* The fact that a program of this name is, NULL: none. */
const char *environ_interpreter(const char *name);
/* The name by which a fact's program is found in PATH ("python3"); NULL: it is no program. */
const char *environ_default_program(const char *fact);

/* Pure: the words of each simple command of a line, comments and redirections left out; fn stops by
 * non-zero. */
int environ_commands(
	const char *line, int (*fn)(const struct strvec *words, void *data), void *data);

/* ---- environ_version.c ---- */

/* Append the version of a program: remembered, read from files beside it, or asked of it - never of
 * a program that lies in the worktree or that `path` reaches through it.  1, 0 when it is not
 * known, or an error. */
int environ_version(struct buf *out, const struct repo *repo, const char *fact, const char *path);
/* A "python" that is a script of a version manager (pyenv) becomes the one that it starts in this
 * directory.  0 or an error. */
int environ_unshim(struct buf *path, const struct repo *repo, const char *fact, const char *wdir);
/* Pure: the version in what a program prints of itself: "Python 3.11.2" has "3.11.2".  1 or 0. */
int environ_version_text(struct buf *out, const char *text);

/* ---- environ_python.c ---- */

/* Add "python-env" and "python-packages". */
int environ_python(struct node *map, const struct repo *repo, const struct environ_program *p);
/* Append the directory of the virtual or conda environment that the program belongs to.  1 or 0. */
int environ_prefix(struct buf *out, const char *path);
/* Append "3.11" of "<prefix>/lib/python3.11".  1 or 0. */
int environ_python_series(struct buf *out, const char *prefix);

#endif
