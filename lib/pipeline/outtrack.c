/*
 * After a stage ran: lines in the top .gitattributes for its outputs, so that plain `git add`
 * stores them as pointers.
 *
 * This is asked after every run, so what has its line is recognised by the text alone; Git's
 * `check-attr` and `check-ignore` are started for new outputs only.
 */
#include "lib/pipeline/outtrack.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/repo/attrs.h"
#include "lib/repo/ignore.h"
#include "lib/repo/textfile.h"

static const char attributes_file[] = ".gitattributes";

void outtrack_result_release(struct outtrack_result *r)
{
	strvec_release(&r->tracked);
	strvec_release(&r->ignored);
}

/* One output that is there. */
struct item {
	const char *path;
	int is_dir;
	char *quoted; /* its pattern */
	char *probe;  /* the path, or one below the directory: what Git is asked about */
	int has_line;
	int known; /* its line was there before */
};

struct tracking {
	const struct repo *repo;
	struct item *v;
	size_t n;
	struct buf text; /* of .gitattributes */
	int changed;	 /* it has to be written */
	struct outtrack_result *result;
};

static void release(struct tracking *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].quoted);
		free(t->v[i].probe);
	}
	free(t->v);
	buf_release(&t->text);
}

/* ---- which outputs ---- */

/* Append "/<name>" of some entry of the directory; an empty one gets a name that could be. */
static int add_some_entry(struct buf *probe, const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	int rc = 0, found = 0;

	while (d != NULL && !found && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		found = 1;
		rc = buf_addf(probe, "/%s", e->d_name);
	}
	if (d != NULL)
		closedir(d);
	return found ? rc : buf_addstr(probe, "/data");
}

static int fill_item(struct item *item, const char *full, const char *path)
{
	struct buf quoted = BUF_INIT, probe = BUF_INIT;
	int rc = attrs_quote_path(&quoted, path, item->is_dir);

	item->path = path;
	if (rc == 0)
		rc = buf_addstr(&probe, path);
	if (rc == 0 && item->is_dir)
		rc = add_some_entry(&probe, full);
	if (rc == 0) {
		item->quoted = buf_detach(&quoted);
		item->probe = buf_detach(&probe);
		if (item->quoted == NULL || item->probe == NULL)
			rc = err_no_memory();
	}
	buf_release(&quoted);
	buf_release(&probe);
	return rc;
}

static int take_output(struct tracking *t, const struct stage_path *out)
{
	struct buf full = BUF_INIT;
	struct stat st;
	struct item *item = &t->v[t->n];
	int rc;

	if (!out->cache || out->path[0] == '/' || out->path[0] == '\0')
		return 0;
	rc = fs_join(&full, t->repo->dir->worktree, out->path);
	if (rc == 0 && lstat(full.p, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) {
		item->is_dir = S_ISDIR(st.st_mode);
		t->n++;
		rc = fill_item(item, full.p, out->path);
	}
	buf_release(&full);
	return rc;
}

static int take_outputs(struct tracking *t, const struct stage *const *v, size_t n)
{
	size_t most = 0;
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		most += v[i]->n_outs;
	t->v = calloc(most + 1, sizeof *t->v);
	if (t->v == NULL)
		return err_no_memory();
	for (size_t i = 0; rc == 0 && i < n; i++)
		for (size_t k = 0; rc == 0 && k < v[i]->n_outs; k++)
			rc = take_output(t, &v[i]->outs[k]);
	return rc;
}

/* ---- attributes ---- */

static int mark_line(const struct attrs_line *line, void *data)
{
	struct tracking *t = data;

	for (size_t i = 0; line->ours && i < t->n; i++)
		if (strcmp(line->pattern, t->v[i].quoted) == 0)
			t->v[i].has_line = t->v[i].known = 1;
	return 0;
}

static int add_line(struct tracking *t, struct item *item)
{
	struct buf spared = BUF_INIT;
	int rc = attrs_text_track(&t->text, item->quoted, NULL);

	if (rc >= 0 && item->is_dir) {
		rc = buf_addf(&spared, "%s/.git*", item->quoted);
		if (rc == 0)
			rc = attrs_text_spare(&t->text, spared.p);
	}
	if (rc >= 0)
		rc = strvec_push(&t->result->tracked, item->path);
	item->has_line = t->changed = 1;
	buf_release(&spared);
	return rc < 0 ? rc : 0;
}

/* Keep the outputs that Git has to be asked about. */
static void forget_known(struct tracking *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].known) {
			free(t->v[i].quoted);
			free(t->v[i].probe);
		} else {
			t->v[kept++] = t->v[i];
		}
	}
	t->n = kept;
}

static int add_lines(struct tracking *t, const char *const *probes)
{
	struct attrs *attrs = calloc(t->n, sizeof *attrs);
	int rc = attrs != NULL ? attrs_check(t->repo, probes, t->n, attrs) : err_no_memory();

	for (size_t i = 0; rc == 0 && i < t->n; i++) {
		if (attrs[i].ours)
			continue;
		rc = attrs[i].other
			     ? err_set(ERR_DENIED,
				       "output '%s' goes through another filter ('git check-attr "
				       "filter -- %s' tells); take that away, or declare it with "
				       "'cache: false'",
				       t->v[i].path, t->v[i].probe)
			     : add_line(t, &t->v[i]);
	}
	free(attrs);
	return rc;
}

static int find_ignored(struct tracking *t, const char *const *probes)
{
	struct ignore_hit *hits = calloc(t->n, sizeof *hits);
	int rc = hits != NULL ? ignore_check(t->repo, probes, t->n, hits) : err_no_memory();

	for (size_t i = 0; rc == 0 && i < t->n; i++)
		if (hits[i].hidden)
			rc = strvec_push(&t->result->ignored, t->v[i].path);
	if (hits != NULL)
		ignore_hits_release(hits, t->n);
	free(hits);
	return rc;
}

int outtrack_lock_merge(struct buf *text)
{
	static const char pattern[] = "dvx.lock";

	if (attrs_text_speaks_of(text, pattern, "merge"))
		return 0;
	return attrs_text_give(text, pattern, "merge=dvx");
}

/* A file of stages that ran is there: two branches of it are to be merged by stages. */
static int track_lock(struct tracking *t)
{
	int rc = outtrack_lock_merge(&t->text);

	if (rc > 0) {
		t->changed = 1;
		rc = strvec_push(&t->result->tracked, "dvx.lock");
	}
	return rc;
}

/* Ask about what is not known yet. */
static int track_new(struct tracking *t)
{
	const char **probes = calloc(t->n, sizeof *probes);
	int rc;

	if (probes == NULL)
		return err_no_memory();
	for (size_t i = 0; i < t->n; i++)
		probes[i] = t->v[i].probe;
	rc = add_lines(t, probes);
	if (rc == 0)
		rc = find_ignored(t, probes);
	free(probes);
	return rc;
}

/* Read, ask, write. */
static int track(struct tracking *t)
{
	int rc = textfile_read(&t->text, t->repo, attributes_file);

	if (rc == 0)
		rc = attrs_text_each(&t->text, mark_line, t);
	forget_known(t);
	if (rc == 0)
		rc = track_lock(t);
	if (rc == 0 && t->n > 0)
		rc = track_new(t);
	if (rc == 0 && t->changed)
		rc = textfile_write(&t->text, t->repo, attributes_file);
	return rc;
}

int outtrack_stages(
	const struct repo *repo, const struct stage *const *v, size_t n, struct outtrack_result *r)
{
	struct tracking t = {.repo = repo, .result = r};
	struct buf path = BUF_INIT;
	int lock = -1, rc = take_outputs(&t, v, n);

	if (rc < 0)
		goto done;
	/* another run may be about to add its lines */
	rc = buf_addf(&path, "%s/dvx/outtrack.lock", repo->dir->git_dir);
	if (rc == 0)
		rc = lock = flock_take_mkdirs(path.p, -1);
	if (rc >= 0)
		rc = track(&t);
done:
	if (lock >= 0)
		close(lock);
	release(&t);
	buf_release(&path);
	return rc;
}
