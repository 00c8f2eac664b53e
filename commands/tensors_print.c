/*
 * A tensor diff as text: the first line says how many, then come metadata, then tensors in the
 * order of tensordiff.h.  Names are anything, so they go through visible.h.  The JSON of it is in
 * tensors_node.c.
 */
#include "commands/tensors_print.h"

#include <stdio.h>
#include <string.h>

#include "commands/insideline.h"
#include "commands/visible.h"

struct printing {
	const struct tensordiff *d;
	struct insideline line;
};

/* ---- the first line ---- */

static int add_whole(struct buf *out, const struct tensordiff *d)
{
	size_t both = d->same + d->count[TENSORDIFF_CHANGED] + d->count[TENSORDIFF_RESHAPED] +
		      d->count[TENSORDIFF_RENAMED];
	size_t old = both + d->count[TENSORDIFF_REMOVED], now = both + d->count[TENSORDIFF_ADDED];
	int rc = buf_addstr(out, " (of ");

	if (rc == 0)
		rc = buf_addcount(out, old);
	if (rc == 0 && old != now) {
		rc = buf_addstr(out, " -> ");
		if (rc == 0)
			rc = buf_addcount(out, now);
	}
	return rc == 0 ? buf_addch(out, ')') : rc;
}

/* "1 tensor added, 2 changed (of 148 -> 149)" */
static int add_summary(struct buf *out, const struct tensordiff *d)
{
	int first = 1, rc = 0;

	for (size_t i = 0; rc == 0 && i < TENSORDIFF_KINDS; i++) {
		if (d->count[i] == 0)
			continue;
		rc = first ? 0 : buf_addstr(out, ", ");
		if (rc == 0)
			rc = buf_addcount(out, d->count[i]);
		if (rc == 0)
			rc = buf_addf(out, "%s %s",
				!first		   ? ""
				: d->count[i] == 1 ? " tensor"
						   : " tensors",
				tensors_print_kind(i));
		first = 0;
	}
	if (rc == 0 && first)
		rc = buf_addstr(out, d->n_meta > 0 ? "metadata differ" : "the same tensors");
	return rc == 0 ? add_whole(out, d) : rc;
}

static int print_summary(struct printing *p)
{
	struct buf summary = BUF_INIT;
	int rc = add_summary(&summary, p->d);

	if (rc == 0)
		rc = insideline_title(&p->line, buf_str(&summary));
	buf_release(&summary);
	return rc;
}

/* ---- metadata ---- */

/* "metadata epoch: 3 -> 4" */
static int print_meta(struct printing *p, const struct tensordiff_meta *m)
{
	int rc = buf_addstr(&p->line.text, "    metadata ");

	if (rc == 0)
		rc = visible_text(&p->line.text, m->key);
	if (rc == 0)
		rc = buf_addstr(&p->line.text, ": ");
	if (rc == 0)
		rc = insideline_value(&p->line, insideline_red, m->old);
	if (rc == 0)
		rc = buf_addstr(&p->line.text, " -> ");
	if (rc == 0)
		rc = insideline_value(&p->line, insideline_green, m->now);
	return rc == 0 ? insideline_end(&p->line) : rc;
}

/* ---- tensors ---- */

/* "F32 [768, 768]" */
static int add_type(struct buf *out, const struct tensor *x)
{
	int rc = visible_text(out, x->dtype);

	if (rc == 0)
		rc = buf_addch(out, ' ');
	return rc == 0 ? tensor_shape_format(out, x) : rc;
}

/* "12.3 % of elements", "3 of 589,824 elements" */
static int add_share(struct buf *out, const struct tensordiff_change *x)
{
	uint64_t all = x->now->elements;
	double percent = 100.0 * (double)x->elements_changed / (double)all;
	int rc;

	if (x->elements_changed == all)
		return buf_addstr(out, all == 1 ? "its value" : "all elements");
	if (percent >= 0.1)
		return buf_addf(out, "%.1f %% of elements", percent < 99.9 ? percent : 99.9);
	rc = buf_addcount(out, x->elements_changed);
	if (rc == 0)
		rc = buf_addstr(out, " of ");
	if (rc == 0)
		rc = buf_addcount(out, all);
	return rc == 0 ? buf_addstr(out, " elements") : rc;
}

/* ", |diff| 0.52 (norm 31.2 -> 31.25, largest 0.013; 3 not finite)" */
static int add_norms(struct buf *out, const struct tensordiff_change *x)
{
	char old[32], now[32];
	int rc = buf_addf(out, ", |diff| %.4g (norm ", x->norm_diff);

	snprintf(old, sizeof old, "%.4g", x->norm_old);
	snprintf(now, sizeof now, "%.4g", x->norm_now);
	if (rc == 0)
		rc = buf_addf(out, "%s%s%s, largest %.4g", old, strcmp(old, now) ? " -> " : "",
			strcmp(old, now) ? now : "", x->max_diff);
	if (rc == 0 && (x->odd_old > 0 || x->odd_now > 0)) {
		rc = buf_addstr(out, "; NaN or infinite: ");
		if (rc == 0)
			rc = buf_addcount(out, x->odd_old);
		if (rc == 0)
			rc = buf_addstr(out, " -> ");
		if (rc == 0)
			rc = buf_addcount(out, x->odd_now);
	}
	return rc == 0 ? buf_addch(out, ')') : rc;
}

static int add_amount(struct buf *out, const struct tensordiff_change *x)
{
	int rc;

	if (x->has_norms && x->elements_changed == 0)
		return buf_addstr(out, ": the same values");
	rc = buf_addstr(out, ": ");
	if (rc == 0)
		rc = x->elements_changed == 0 ? buf_addstr(out, "other bytes") : add_share(out, x);
	return rc == 0 && x->has_norms ? add_norms(out, x) : rc;
}

/* "! fc.weight: F32 [10, 5] -> F32 [20, 5]"; of another type alone, by how much it differs. */
static int add_reshaped(struct buf *out, const struct tensordiff_change *x)
{
	int rc = buf_addstr(out, ": ");

	if (rc == 0)
		rc = add_type(out, x->old);
	if (rc == 0)
		rc = buf_addstr(out, " -> ");
	if (rc == 0)
		rc = add_type(out, x->now);
	return rc == 0 && x->has_norms ? add_amount(out, x) : rc;
}

static int add_change(struct buf *out, const struct tensordiff_change *x)
{
	const struct tensor *there = x->now != NULL ? x->now : x->old;
	int rc = 0;

	if (x->kind == TENSORDIFF_RENAMED) {
		rc = visible_text(out, x->old->name);
		if (rc == 0)
			rc = buf_addstr(out, " -> ");
	}
	if (rc == 0)
		rc = visible_text(out, there->name);
	if (rc == 0 && x->kind == TENSORDIFF_RESHAPED)
		return add_reshaped(out, x);
	if (rc == 0)
		rc = buf_addch(out, ' ');
	if (rc == 0)
		rc = add_type(out, there);
	return rc == 0 && x->kind == TENSORDIFF_CHANGED ? add_amount(out, x) : rc;
}

static int print_change(struct printing *p, const struct tensordiff_change *x)
{
	static const char signs[] = {
		[TENSORDIFF_ADDED] = '+',
		[TENSORDIFF_REMOVED] = '-',
		[TENSORDIFF_RENAMED] = '>',
		[TENSORDIFF_RESHAPED] = '!',
		[TENSORDIFF_CHANGED] = '~',
	};
	const char *color = x->kind == TENSORDIFF_ADDED	    ? insideline_green
			    : x->kind == TENSORDIFF_REMOVED ? insideline_red
							    : "";
	int rc = buf_addf(
		&p->line.text, "    %s%c ", insideline_paint(&p->line, color), signs[x->kind]);

	if (rc == 0)
		rc = add_change(&p->line.text, x);
	if (rc == 0 && *color)
		rc = buf_addstr(&p->line.text, insideline_paint(&p->line, insideline_plain));
	return rc == 0 ? insideline_end(&p->line) : rc;
}

static int print_all(struct printing *p)
{
	size_t most = p->line.o->most;
	int rc = print_summary(p);

	for (size_t i = 0; rc == 0 && i < p->d->n_meta && i < most; i++)
		rc = print_meta(p, &p->d->meta[i]);
	if (rc == 0 && p->d->n_meta > most)
		rc = insideline_rest(&p->line, p->d->n_meta - most, "metadata ");
	for (size_t i = 0; rc == 0 && i < p->d->n && i < most; i++)
		rc = print_change(p, &p->d->v[i]);
	if (rc == 0 && p->d->n > most)
		rc = insideline_rest(&p->line, p->d->n - most, "");
	buf_release(&p->line.text);
	return rc;
}

int tensors_print_text(const struct tensordiff *d, const struct rows_print *o)
{
	struct printing p = {.d = d, .line.o = o};

	return print_all(&p);
}

/* Lines of the block begin with blanks: none of them can end it. */
int tensors_print_markdown(const struct tensordiff *d, const struct rows_print *o)
{
	const struct rows_print plainly = {.most = o->most, .path = o->path};
	struct printing p = {.d = d, .line.o = &plainly};
	int rc;

	puts("```");
	rc = print_all(&p);
	puts("```");
	return rc;
}

/* ---- one file ---- */

static int list_tensor(struct buf *out, struct tensor_file *t, const struct tensor *x, int hashes)
{
	uint64_t hash[2];
	int rc = hashes ? tensor_hash(hash, t, x) : 0;

	if (rc == 0)
		rc = visible_text(out, x->name);
	if (rc == 0)
		rc = buf_addch(out, ' ');
	if (rc == 0)
		rc = add_type(out, x);
	if (rc == 0 && hashes)
		rc = buf_addf(out, " %016llx", (unsigned long long)hash[0]);
	return rc == 0 ? buf_addch(out, '\n') : rc;
}

int tensors_print_list(struct buf *out, struct tensor_file *t, int hashes)
{
	size_t n, n_meta;
	const struct tensor *v = tensor_list(t, &n);
	const struct tensor_meta *meta = tensor_metadata(t, &n_meta);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n_meta; i++) {
		rc = buf_addstr(out, "metadata ");
		if (rc == 0)
			rc = visible_text(out, meta[i].key);
		if (rc == 0)
			rc = buf_addstr(out, ": ");
		if (rc == 0)
			rc = visible_text(out, meta[i].value);
		if (rc == 0)
			rc = buf_addch(out, '\n');
	}
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = list_tensor(out, t, &v[i], hashes);
	return rc;
}
