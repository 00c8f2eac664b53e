/*
 * Merging two dvx.lock files of a common base.  Git's text merge sees lines: it joins halves of two
 * runs of a stage, and stumbles over neighbouring stages that have nothing to do with each other.
 * Here a stage's entry is the unit, for only a whole entry is something that was run.
 *
 * The three files become blocks (stagelock.h), of which the merged file is put together and
 * formatted as `git dvx repro` would.
 */
#include "lib/pipeline/lockmerge.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/markers.h"
#include "lib/pipeline/stagelock_internal.h"

enum { BASE, OURS, THEIRS, N_SIDES };
static const char *const words[N_SIDES] = {"base", "ours", "theirs"};

struct merge {
	struct stagelock *side[N_SIDES];
	struct stagelock *out;
	struct strvec *conflicts;
	int marker_size;
	const char *labels[N_SIDES];
};

/* ---- who changed it ---- */

static int same_text(const struct lock_block *a, const struct lock_block *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a->text, b->text) == 0;
}

/* Whether two runs of a stage were one, but for the machine that they were made on. */
static int same_run(const struct locked_stage *a, const struct locked_stage *b)
{
	struct locked_stage x, y;
	struct buf text[2] = {BUF_INIT, BUF_INIT};
	int same;

	if (a == NULL || b == NULL)
		return 0;
	x = *a;
	y = *b;
	x.environment = y.environment = NULL;
	same = locked_stage_format(&text[0], &x) == 0 && locked_stage_format(&text[1], &y) == 0 &&
	       strcmp(text[0].p, text[1].p) == 0;
	buf_release(&text[0]);
	buf_release(&text[1]);
	return same;
}

/* The side whose block is the merged one; -1: there is a conflict. */
static int winner(struct lock_block *const v[N_SIDES])
{
	if (same_text(v[OURS], v[THEIRS]) || same_text(v[BASE], v[THEIRS]))
		return OURS;
	if (same_text(v[BASE], v[OURS]))
		return THEIRS;
	return v[OURS] != NULL && v[THEIRS] != NULL && same_run(v[OURS]->stage, v[THEIRS]->stage)
		       ? OURS
		       : -1;
}

/* ---- the merged file ---- */

/* A block of the merged file, with the text that is taken over. */
static int put_block(
	struct lock_blocks *to, const char *name, struct buf *text, const char *environment)
{
	struct lock_block *b = lock_block_add(to, name);

	if (b == NULL) {
		buf_release(text);
		return err_no_memory();
	}
	b->text = buf_detach(text);
	if (environment != NULL)
		b->environment = strdup(environment);
	return b->text != NULL && (environment == NULL || b->environment != NULL) ? 0
										  : err_no_memory();
}

static int copy_block(struct lock_blocks *to, const struct lock_block *b)
{
	struct buf text = BUF_INIT;
	int rc = b != NULL ? buf_addstr(&text, b->text) : 0;

	if (rc < 0 || b == NULL) {
		buf_release(&text);
		return rc;
	}
	rc = put_block(to, b->name, &text, b->environment);
	if (rc == 0)
		to->v[to->n - 1].value = b->value;
	return rc;
}

/* Both versions of a block between markers.  Those of a stage may name two environments, which both
 * have to stay: a second block, without text, holds the name of theirs. */
static int put_conflict(
	struct merge *m, struct lock_blocks *to, const char *name, struct lock_block *const v[])
{
	const struct lock_block *ours = v[OURS], *theirs = v[THEIRS];
	struct buf text = BUF_INIT, nothing = BUF_INIT;
	int rc = markers_add(&text, '<', m->marker_size, m->labels[OURS], "\n");

	if (rc == 0 && ours != NULL)
		rc = buf_addstr(&text, ours->text);
	if (rc == 0)
		rc = markers_add(&text, '=', m->marker_size, NULL, "\n");
	if (rc == 0 && theirs != NULL)
		rc = buf_addstr(&text, theirs->text);
	if (rc == 0)
		rc = markers_add(&text, '>', m->marker_size, m->labels[THEIRS], "\n");
	if (rc == 0)
		rc = strvec_push(m->conflicts, name);
	if (rc < 0) {
		buf_release(&text);
		return rc;
	}
	rc = put_block(to, name, &text, ours != NULL ? ours->environment : NULL);
	if (rc == 0)
		rc = buf_addstr(&nothing, "");
	if (rc == 0 && theirs != NULL && theirs->environment != NULL)
		return put_block(to, name, &nothing, theirs->environment);
	buf_release(&nothing);
	return rc;
}

/* The blocks of all sides by their names. */
static int index_blocks(struct strmap at[static N_SIDES], const struct lock_blocks *const from[])
{
	int rc = 0;

	for (int i = 0; i < N_SIDES; i++)
		for (size_t k = 0; rc == 0 && k < from[i]->n; k++)
			rc = strmap_put(&at[i], from[i]->v[k].name, &from[i]->v[k]);
	return rc;
}

static int merge_block(struct merge *m, struct lock_blocks *to, const char *name,
	const struct strmap at[static N_SIDES])
{
	struct lock_block *v[N_SIDES];
	int side;

	for (int i = 0; i < N_SIDES; i++)
		v[i] = strmap_get(&at[i], name);
	side = winner(v);
	return side >= 0 ? copy_block(to, v[side]) : put_conflict(m, to, name, v);
}

/* Named by what they hold: there is nothing to merge, and none is removed.  Those that nobody names
 * any more are left out when the file is formatted. */
static int unite_environment(struct merge *m, struct lock_blocks *to, const char *name,
	const struct strmap at[static N_SIDES])
{
	const struct lock_block *ours = strmap_get(&at[OURS], name);
	const struct lock_block *theirs = strmap_get(&at[THEIRS], name);

	(void)m;
	if (ours == NULL || (theirs != NULL && same_text(strmap_get(&at[BASE], name), ours)))
		return copy_block(to, theirs);
	return copy_block(to, ours);
}

/* One of the three parts of a file. */
typedef struct lock_blocks *part_of(struct stagelock *l);

static struct lock_blocks *stages_of(struct stagelock *l)
{
	return &l->stages;
}

static struct lock_blocks *environments_of(struct stagelock *l)
{
	return &l->environments;
}

static struct lock_blocks *others_of(struct stagelock *l)
{
	return &l->others;
}

/* All that ours has, then what only theirs has. */
static int merge_blocks(struct merge *m, part_of *part,
	int (*merge_one)(struct merge *m, struct lock_blocks *to, const char *name,
		const struct strmap at[static N_SIDES]))
{
	const struct lock_blocks *const from[N_SIDES] = {
		part(m->side[BASE]), part(m->side[OURS]), part(m->side[THEIRS])};
	const struct lock_blocks *ours = from[OURS], *theirs = from[THEIRS];
	struct strmap at[N_SIDES] = {STRMAP_INIT, STRMAP_INIT, STRMAP_INIT};
	int rc = index_blocks(at, from);

	for (size_t i = 0; rc == 0 && i < ours->n; i++)
		rc = merge_one(m, part(m->out), ours->v[i].name, at);
	for (size_t i = 0; rc == 0 && i < theirs->n; i++)
		if (!strmap_has(&at[OURS], theirs->v[i].name))
			rc = merge_one(m, part(m->out), theirs->v[i].name, at);
	for (int i = 0; i < N_SIDES; i++)
		strmap_release(&at[i], NULL);
	return rc;
}

static int merge_head(struct merge *m)
{
	const char *base = m->side[BASE]->head, *ours = m->side[OURS]->head;
	const char *head = base != NULL && ours != NULL && strcmp(base, ours) == 0
				   ? m->side[THEIRS]->head
				   : ours;

	if (head == NULL)
		return 0;
	m->out->head = strdup(head);
	return m->out->head != NULL ? 0 : err_no_memory();
}

/* Every block as lines. */
static int read_side(struct stagelock **out, const char *name, const char *text, size_t len)
{
	int rc = stagelock_parse(out, name, text, len);

	return rc == 0 ? stagelock_format_blocks(*out) : rc;
}

/* A block that was moved may have lost the anchor that it refers to, or found another one. */
static int check_result(struct merge *m, const struct buf *out, size_t start)
{
	struct stagelock *l = NULL;
	int rc = stagelock_parse(&l, "merged", out->p + start, out->len - start);

	const char *name;

	if (rc == 0 && (name = stagelock_difference(m->out, l)) != NULL)
		rc = err_set(ERR_INVALID, "'%s' would say something else there", name);
	stagelock_free(l);
	return rc < 0 ? err_prefix(ERR_INVALID, "cannot merge stages") : 0;
}

int lockmerge_run(struct buf *out, struct strvec *conflicts, const char *const text[3],
	const size_t len[3], const struct lockmerge_options *o)
{
	struct merge m = {.conflicts = conflicts,
		.marker_size = o->marker_size,
		.out = calloc(1, sizeof(*m.out))};
	const size_t start = out->len, before = conflicts->n;
	int rc = m.out != NULL ? 0 : err_no_memory();

	for (int i = 0; rc == 0 && i < N_SIDES; i++) {
		m.labels[i] = o->labels[i] != NULL ? o->labels[i] : words[i];
		rc = read_side(&m.side[i], words[i], text[i], len[i]);
	}
	if (rc == 0)
		rc = merge_head(&m);
	if (rc == 0)
		rc = merge_blocks(&m, stages_of, merge_block);
	if (rc == 0)
		rc = merge_blocks(&m, environments_of, unite_environment);
	if (rc == 0)
		rc = merge_blocks(&m, others_of, merge_block);
	if (rc == 0)
		rc = stagelock_format(out, m.out);
	if (rc == 0 && conflicts->n == before)
		rc = check_result(&m, out, start);
	for (int i = 0; i < N_SIDES; i++)
		stagelock_free(m.side[i]);
	stagelock_free(m.out);
	return rc;
}
