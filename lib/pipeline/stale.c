/*
 * Whether a stage has to run: what dvx.yaml declares and the worktree holds now is made into the
 * same value that dvx.lock holds of the last run (stale_inputs.c), and the two are compared here.
 */
#include "lib/pipeline/stale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/pipeline/listing.h"
#include "lib/pipeline/stale_internal.h"

enum { TEXT_MAX = 200, FILES_MAX = 1000 };

void stale_release(struct stale *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].name);
		free(s->v[i].old);
		free(s->v[i].now);
		strvec_release(&s->v[i].files);
	}
	free(s->v);
	locked_stage_free(s->now);
	memset(s, 0, sizeof(*s));
}

struct check {
	struct stale *out;
	const struct stale_context *c;
	const struct stage *stage;
	int explain;
};

/* Add a reason; the texts are copied (NULL: none). */
static int add(const struct check *k, enum stale_what what, enum stale_how how, const char *name,
	const char *old, const char *now)
{
	struct stale *s = k->out;
	struct stale_reason *r;

	if (array_room(&s->v, s->n, &s->cap, sizeof(*s->v)) < 0)
		return ERR_NOMEM;
	r = &s->v[s->n++];
	memset(r, 0, sizeof(*r));
	r->what = what;
	r->how = how;
	if ((name != NULL && (r->name = strdup(name)) == NULL) ||
		(old != NULL && (r->old = strdup(old)) == NULL) ||
		(now != NULL && (r->now = strdup(now)) == NULL))
		return err_set(ERR_NOMEM, "out of memory");
	return 0;
}

static enum stale_how how_of(int was, int is)
{
	return !was ? STALE_NEW : !is ? STALE_DELETED : STALE_MODIFIED;
}

/* ---- commands ---- */

/* The command, for people. */
static int describe_cmd(struct buf *out, const struct locked_stage *s)
{
	const struct strvec *cmd = &s->cmd;
	int rc = s->wdir != NULL ? buf_addf(out, "(in %s) ", s->wdir) : buf_add(out, "", 0);

	for (size_t i = 0; rc == 0 && i < cmd->n; i++)
		rc = buf_addf(out, "%s%s", i > 0 ? "\n" : "", cmd->v[i]);
	return rc;
}

static int check_cmd(const struct check *k, const struct locked_stage *lock)
{
	struct buf old = BUF_INIT, now = BUF_INIT;
	int rc;

	if (strvec_eq(&lock->cmd, &k->out->now->cmd) &&
		strcmp(lock->wdir != NULL ? lock->wdir : "",
			k->out->now->wdir != NULL ? k->out->now->wdir : "") == 0)
		return 0;
	rc = describe_cmd(&old, lock);
	if (rc == 0)
		rc = describe_cmd(&now, k->out->now);
	if (rc == 0)
		rc = add(k, STALE_CMD, STALE_MODIFIED, NULL, buf_str(&old), buf_str(&now));
	buf_release(&old);
	buf_release(&now);
	return rc;
}

/* ---- files and directories ---- */

/* "3f2a91c04b (1.2 MiB, 10 files)" */
static void describe(char out[static 80], const struct fingerprint *fp)
{
	char hex[OID_HEX_LEN + 1], size[16], files[40] = "";

	oid_to_hex(hex, &fp->oid);
	if (fp->type == FP_DIR)
		snprintf(files, sizeof(files), ", %llu file%s", (unsigned long long)fp->nfiles,
			fp->nfiles == 1 ? "" : "s");
	snprintf(out, 80, "%.*s (%s%s%s)", OID_SHOWN, hex, progress_bytes(size, fp->size), files,
		fp->executable ? ", executable" : "");
}

static int note_file(char status, const char *path, void *data)
{
	struct stale_reason *r = data;

	if (r->n_files++ >= FILES_MAX)
		return 0;
	return strvec_pushf(&r->files, "%c %s", status, path);
}

/* The files of a directory that differ, where the old listing is here. */
static int name_files(const struct check *k, const struct stage_path *p,
	const struct fingerprint *old, struct stale_reason *r)
{
	struct buf then = BUF_INIT, now = BUF_INIT;
	uint64_t size;
	int rc;

	if (!store_find_size(k->c->store, &old->oid, &size))
		return 0;
	rc = store_read(k->c->store, &old->oid, size, &then);
	if (rc == 0)
		rc = fingerprints_listing(k->c->fp, p, &now);
	if (rc == 0)
		rc = listing_diff(&then, &now, note_file, r);
	if (rc > 0 || rc == ERR_CORRUPT || rc == ERR_NOTFOUND)
		rc = 0; /* it was only to be told more */
	buf_release(&then);
	buf_release(&now);
	return rc;
}

/* `declared` NULL: it is not declared any more. */
static int add_path(const struct check *k, enum stale_what what, const char *path,
	const struct stage_path *declared, const struct fingerprint *old,
	const struct fingerprint *now)
{
	char was[80], is[80];
	int has_old = old != NULL, has_now = now != NULL && now->type != FP_ABSENT, rc;

	if (k->explain && has_old)
		describe(was, old);
	if (k->explain && has_now)
		describe(is, now);
	rc = add(k, what, declared == NULL ? STALE_DELETED : how_of(has_old, has_now), path,
		k->explain && has_old ? was : NULL, k->explain && has_now ? is : NULL);
	if (rc == 0 && k->explain && has_old && has_now && declared != NULL &&
		old->type == FP_DIR && now->type == FP_DIR)
		rc = name_files(k, declared, old, &k->out->v[k->out->n - 1]);
	return rc;
}

static const struct stage_path *find_declared(
	const struct stage_path *v, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].path, path) == 0)
			return &v[i];
	return NULL;
}

struct path_list {
	const struct locked_path *v;
	size_t n;
	const struct stage_path *declared;
	size_t n_declared;
};

/* Walk both sorted lists.  `l` is what there is now. */
static int check_paths(const struct check *k, enum stale_what what, const struct path_list *l,
	const struct locked_path *old, size_t n_old)
{
	size_t i = 0, j = 0;
	int rc = 0;

	while (rc == 0 && (i < l->n || j < n_old)) {
		int order = i == l->n ? 1 : j == n_old ? -1 : strcmp(l->v[i].path, old[j].path);
		const char *path = order <= 0 ? l->v[i].path : old[j].path;
		const struct fingerprint *was = order >= 0 ? &old[j].fp : NULL;
		const struct fingerprint *is = order <= 0 ? &l->v[i].fp : NULL;

		if (was == NULL || is == NULL || !fingerprint_eq(was, is))
			rc = add_path(k, what, path,
				order <= 0 ? find_declared(l->declared, l->n_declared, path) : NULL,
				was, is);
		i += order <= 0;
		j += order >= 0;
	}
	return rc;
}

/* ---- parameters and the environment ---- */

/* A value for people, cut where it gets long. */
static char *value_text(const struct node *n)
{
	struct buf text = BUF_INIT;

	if (node_print(&text, n) < 0) {
		buf_release(&text);
		return NULL;
	}
	if (text.len > TEXT_MAX) {
		buf_truncate(&text, TEXT_MAX);
		(void)buf_addstr(&text, "…");
	}
	return buf_detach(&text);
}

static int add_value(const struct check *k, enum stale_what what, const char *file, const char *key,
	const struct node *old, const struct node *now)
{
	struct buf name = BUF_INIT;
	char *was = old != NULL ? value_text(old) : NULL;
	char *is = now != NULL ? value_text(now) : NULL;
	int rc = buf_addf(&name, "%s%s%s", file, file[0] != '\0' ? ": " : "", key);

	if (rc == 0)
		rc = add(k, what, how_of(old != NULL, now != NULL), name.p, was, is);
	buf_release(&name);
	free(was);
	free(is);
	return rc;
}

/* Keys in the order of `now`, then those that are gone. */
static int check_values(const struct check *k, enum stale_what what, const char *file,
	const struct node *old, const struct node *now)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && now != NULL && i < now->n; i++) {
		const struct node *was = node_get(old, now->keys[i]);

		if (was == NULL || !node_equal(was, now->items[i]))
			rc = add_value(k, what, file, now->keys[i], was, now->items[i]);
	}
	for (size_t i = 0; rc == 0 && old != NULL && i < old->n; i++)
		if (node_get(now, old->keys[i]) == NULL)
			rc = add_value(k, what, file, old->keys[i], old->items[i], NULL);
	return rc;
}

static int check_params(const struct check *k, const struct node *old, const struct node *now)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && now != NULL && i < now->n; i++)
		rc = check_values(
			k, STALE_PARAM, now->keys[i], node_get(old, now->keys[i]), now->items[i]);
	for (size_t i = 0; rc == 0 && old != NULL && i < old->n; i++)
		if (node_get(now, old->keys[i]) == NULL)
			rc = check_values(k, STALE_PARAM, old->keys[i], old->items[i], NULL);
	return rc;
}

/* ---- all together ---- */

static int check_against(const struct check *k, const struct locked_stage *lock)
{
	const struct locked_stage *now = k->out->now;
	const struct stage *s = k->stage;
	const struct path_list deps = {now->deps, now->n_deps, s->deps, s->n_deps};
	const struct path_list outs = {now->outs, now->n_outs, s->outs, s->n_outs};
	size_t inputs;
	int rc = check_cmd(k, lock);

	if (rc == 0)
		rc = check_paths(k, STALE_DEP, &deps, lock->deps, lock->n_deps);
	if (rc == 0)
		rc = check_params(k, lock->params, now->params);
	if (rc == 0)
		rc = check_values(k, STALE_ENV, "", lock->env, now->env);
	inputs = k->out->n;
	if (rc == 0)
		rc = check_paths(k, STALE_OUT, &outs, lock->outs, lock->n_outs);
	k->out->only_outs = inputs == 0 && k->out->n > 0;
	return rc;
}

/* Outputs that dvx.lock knows nothing of cannot be put back. */
static int outs_are_known(const struct locked_stage *now, const struct locked_stage *lock)
{
	if (now->n_outs != lock->n_outs)
		return 0;
	for (size_t i = 0; i < now->n_outs; i++)
		if (strcmp(now->outs[i].path, lock->outs[i].path) != 0)
			return 0;
	return 1;
}

int stale_check(struct stale *out, const struct stale_context *c, const struct stage *s,
	const struct locked_stage *lock, int explain)
{
	struct check k = {out, c, s, explain};
	int rc;

	memset(out, 0, sizeof(*out));
	rc = stale_gather(&out->now, c, s, STALE_GATHER_OUTS);
	if (rc == 0 && lock == NULL)
		rc = add(&k, STALE_NEVER_RUN, 0, NULL, NULL, NULL);
	else if (rc == 0)
		rc = check_against(&k, lock);
	if (rc == 0 && out->only_outs && !outs_are_known(out->now, lock))
		out->only_outs = 0;
	if (rc == 0 &&
		(s->always_changed || (s->n_deps == 0 && s->n_params == 0 && s->n_outs == 0))) {
		rc = add(&k, STALE_ALWAYS, 0, NULL, NULL, NULL);
		out->only_outs = 0;
	}
	if (rc < 0)
		stale_release(out);
	return rc;
}

int stale_inputs(struct locked_stage **out, const struct stale_context *c, const struct stage *s)
{
	return stale_gather(out, c, s, STALE_GATHER_ALL);
}
