/*
 * What people write to mean stages - names, addresses, groups, files, outputs, the ".dvc" names of
 * old tutorials - into stages; and back, the address that a stage is told by.
 */
#include "lib/pipeline/pipeline_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/nearest.h"
#include "lib/base/pathmatch.h"

int stage_list_add(struct stage_list *l, const struct stage *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i] == s)
			return 0;
	if (l->n == l->cap) {
		size_t cap = l->cap > 0 ? 2 * l->cap : 16;
		const struct stage **grown = reallocarray(l->v, cap, sizeof(*grown));

		if (grown == NULL)
			return err_set(ERR_NOMEM, "out of memory");
		l->v = grown;
		l->cap = cap;
	}
	l->v[l->n++] = s;
	return 0;
}

void stage_list_release(struct stage_list *l)
{
	free(l->v);
	memset(l, 0, sizeof(*l));
}

const struct pipefile *pipeline_file(const struct pipeline *p, const char *dir)
{
	for (size_t i = 0; i < p->n_files; i++)
		if (strcmp(p->files[i].dir, dir) == 0)
			return &p->files[i];
	return NULL;
}

/* The file whose stages go by their bare names in `dir`; NULL: none. */
static const struct pipefile *home_file(const struct pipeline *p, const char *dir)
{
	const struct pipefile *f = pipeline_file(p, dir);

	return f == NULL && p->n_files == 1 ? &p->files[0] : f;
}

/* --- addresses -------------------------------------------------------------------------------- */

/* Append the way from one directory to a path: "../x/y". */
static int add_relative(struct buf *out, const char *dir, const char *path)
{
	int rc = 0;

	while (*dir != '\0') {
		size_t len = strcspn(dir, "/");

		if (strncmp(dir, path, len) != 0 || path[len] != '/')
			break;
		dir += len + (dir[len] == '/');
		path += len + 1;
	}
	while (rc == 0 && *dir != '\0') {
		rc = buf_addstr(out, "../");
		dir += strcspn(dir, "/");
		dir += *dir == '/';
	}
	return rc == 0 ? buf_addstr(out, path) : rc;
}

int stage_address(struct buf *out, const struct stage *s, const char *dir)
{
	const char *slash = strrchr(s->file, '/');
	size_t len = slash != NULL ? (size_t)(slash - s->file) : 0;
	int rc;

	if (strlen(dir) == len && strncmp(dir, s->file, len) == 0)
		return buf_addstr(out, s->name);
	rc = add_relative(out, dir, s->file);
	return rc == 0 ? buf_addf(out, ":%s", s->name) : rc;
}

/* --- targets ---------------------------------------------------------------------------------- */

/* 1 if a name means this stage: its own, its group's, or a pattern. */
static int is_named(const struct stage *s, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(s->name, name, len) == 0 && (s->name[len] == '\0' || s->name[len] == '@'))
		return 1;
	return strpbrk(name, "*?") != NULL && pathmatch_glob(name, s->name);
}

/* Stages of one file (NULL: of any) by name; how many were found, or a negative error. */
static int find_named(
	const struct pipeline *p, const char *file, const char *name, struct stage_list *out)
{
	int found = 0, rc;

	for (size_t i = 0; i < p->n; i++) {
		const struct stage *s = p->v[i];

		if ((file != NULL && strcmp(s->file, file) != 0) ||
			(name != NULL && !is_named(s, name)))
			continue;
		rc = stage_list_add(out, s);
		if (rc < 0)
			return rc;
		found++;
	}
	return found;
}

/* The file of stages at `path` seen from `dir`, else from the top. */
static const struct pipefile *file_at(const struct pipeline *p, const char *dir, const char *path)
{
	const struct pipefile *found = NULL;
	struct buf from_dir = BUF_INIT, from_top = BUF_INIT;

	if (pipeline_path(&from_dir, NULL, dir, path) < 0)
		buf_reset(&from_dir);
	if (pipeline_path(&from_top, NULL, "", path) < 0)
		buf_reset(&from_top);
	for (size_t i = 0; i < p->n_files; i++) {
		if (strcmp(p->files[i].path, buf_str(&from_dir)) == 0) {
			found = &p->files[i];
			break;
		}
		if (strcmp(p->files[i].path, buf_str(&from_top)) == 0)
			found = &p->files[i];
	}
	buf_release(&from_dir);
	buf_release(&from_top);
	return found;
}

/* "<file>:<name>", the file maybe empty; 0 if it is no address of ours. */
static int find_address(
	const struct pipeline *p, const char *dir, const char *target, struct stage_list *out)
{
	const char *colon = strrchr(target, ':');
	const struct pipefile *f;
	char *path;

	if (colon == NULL)
		return 0;
	path = strndup(target, (size_t)(colon - target));
	if (path == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	f = *path != '\0' ? file_at(p, dir, path) : home_file(p, dir);
	free(path);
	return f != NULL ? find_named(p, f->path, colon + 1, out) : 0;
}

static int find_output(
	const struct pipeline *p, const char *dir, const char *target, struct stage_list *out)
{
	struct buf path = BUF_INIT;
	int rc = *target != '\0' ? pipeline_path(&path, NULL, dir, target) : ERR_INVALID, found = 0;

	for (size_t i = 0; rc == 0 && i < p->n; i++)
		for (size_t k = 0; rc == 0 && k < p->v[i]->n_outs; k++)
			if (strcmp(p->v[i]->outs[k].path, path.p) == 0) {
				rc = stage_list_add(out, p->v[i]);
				found++;
			}
	buf_release(&path);
	return rc == ERR_INVALID ? 0 : rc < 0 ? rc : found;
}

/* "train.dvc": the stage, as tutorials for DVC 0.x have it. */
static int find_old_name(
	const struct pipeline *p, const char *dir, const char *target, struct stage_list *out)
{
	const struct pipefile *home = home_file(p, dir);
	size_t len = strlen(target);
	char *name;
	int rc;

	if (len < 5 || strcmp(target + len - 4, ".dvc") != 0 || home == NULL)
		return 0;
	name = strndup(target, len - 4);
	if (name == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	rc = find_named(p, home->path, name, out);
	free(name);
	return rc;
}

static int complain(const struct pipeline *p, const char *dir, const char *target)
{
	const struct pipefile *home = home_file(p, dir);
	const char *name = strrchr(target, ':');
	struct nearest nearest;

	if (p->n_files == 0)
		return err_set(ERR_NOTFOUND,
			"no stage '%s': there is no dvx.yaml; write one, or run 'git dvx stage "
			"add'",
			target);
	nearest_init(&nearest, name != NULL ? name + 1 : target);
	for (size_t i = 0; i < p->n; i++)
		if (name != NULL || home == NULL || strcmp(p->v[i]->file, home->path) == 0)
			nearest_offer(&nearest, p->v[i]->name);
	if (nearest.best != NULL)
		return err_set(ERR_NOTFOUND, "no stage '%s' in '%s'; the most similar one is '%s'",
			target, home != NULL ? home->path : "any file of stages", nearest.best);
	return err_set(ERR_NOTFOUND,
		"no stage and no output '%s' in '%s'; 'git dvx stage list --all' shows the stages",
		target, home != NULL ? home->path : "any file of stages");
}

int pipeline_find(
	const struct pipeline *p, const char *dir, const char *target, struct stage_list *out)
{
	const struct pipefile *home = home_file(p, dir), *file;
	int rc = home != NULL && *target != '\0' ? find_named(p, home->path, target, out) : 0;

	if (rc == 0)
		rc = find_address(p, dir, target, out);
	if (rc == 0 && *target != '\0') {
		file = file_at(p, dir, target);
		if (file != NULL) {
			rc = find_named(p, file->path, NULL, out);
			return rc < 0 ? rc : 0; /* a file may have no stages */
		}
	}
	if (rc == 0)
		rc = find_output(p, dir, target, out);
	if (rc == 0)
		rc = find_old_name(p, dir, target, out);
	if (rc == 0)
		return complain(p, dir, target);
	return rc < 0 ? rc : 0;
}
