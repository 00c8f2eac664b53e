/*
 * Before a stage runs: its dependencies hold their data.  In a clone that fetched no data, or after
 * a checkout that could not get it, files of the worktree are pointers; their hashes are those of
 * the data, so nothing else would notice that a command reads the pointers' text.
 */
#include "lib/pipeline/execute_internal.h"

#include <pthread.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/pathmatch.h"
#include "lib/repo/restore.h"
#include "lib/repo/scan.h"

static int is_input(const struct stage *s, const char *path)
{
	for (size_t i = 0; i < s->n_deps; i++) {
		const struct stage_path *d = &s->deps[i];

		if (d->glob ? pathmatch_glob(d->path, path) : pathmatch_within(path, d->path))
			return 1;
	}
	return 0;
}

/* Inputs of the stage that are pointers in the worktree. */
static int find_pointers(struct scan_list *l, const struct execution *x)
{
	const struct repo *repo = x->c->repo;
	struct pointers *p = NULL;
	size_t n = 0;
	int rc = pointers_open(&p, repo);

	if (rc == 0)
		rc = scan_index(l, repo, p, 1);
	pointers_close(p);
	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		if (!is_input(x->s, l->v[i].path))
			continue;
		rc = scan_file_state(repo, &l->v[i], 0, NULL);
		if (rc == SCAN_FILE_POINTER)
			l->v[n++] = l->v[i];
		rc = rc < 0 ? rc : 0;
	}
	if (rc == 0)
		l->n = n;
	return rc;
}

static int still_pointers(const struct execution *x, const struct scan_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		int state = scan_file_state(x->c->repo, &l->v[i], 0, NULL);

		if (state == SCAN_FILE_POINTER)
			return err_set(ERR_NOTFOUND,
				"stage '%s' needs the data of '%s', of which only the pointer is "
				"in the work tree; 'git dvx pull %s' gets it, or 'git dvx repro "
				"--pull'",
				x->address.p, l->v[i].path, l->v[i].path);
		if (state < 0)
			return state;
	}
	return 0;
}

int execute_place_inputs(const struct execution *x)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER; /* it writes the index */
	const struct restore_options o = {
		.fetch = x->o->flags & EXECUTE_PULL ? 1 : 0, .quiet = 1, .stop = x->o->stop};
	struct restore_result r = {.placed = 0};
	struct scan_list l = SCAN_LIST_INIT;
	int rc;

	pthread_mutex_lock(&one_at_a_time);
	rc = find_pointers(&l, x);
	if (rc == 0 && l.n)
		rc = restore_run(x->c->repo, x->c->store, &l, &o, &r);
	if (rc == 0 && l.n)
		rc = still_pointers(x, &l);
	pthread_mutex_unlock(&one_at_a_time);
	for (size_t i = 0; i < l.n; i++)
		fingerprints_forget(x->c->fp, l.v[i].path);
	restore_result_release(&r);
	scan_list_release(&l);
	return rc;
}
