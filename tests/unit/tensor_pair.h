/*
 * Two model files and what tensordiff says of them, for its tests.
 */
#ifndef TESTS_UNIT_TENSOR_PAIR_H
#define TESTS_UNIT_TENSOR_PAIR_H

#include <math.h>

#include "lib/tensor/tensordiff.h"
#include "tests/unit/tensor_files.h"

struct pair {
	struct opened old, now;
	struct tensordiff diff;
};

__attribute__((unused)) static void pair_of(
	struct pair *p, const char *name, const struct buf *old, const struct buf *now)
{
	int rc;

	open_file(&p->old, name, old);
	open_file(&p->now, name, now);
	rc = tensordiff_run(&p->diff, p->old.file, p->now.file, NULL);
	if (rc < 0)
		print_error("%s\n", err_msg());
	assert_int_equal(rc, 0);
}

__attribute__((unused)) static void pair_release(struct pair *p)
{
	tensordiff_release(&p->diff);
	close_file(&p->old);
	close_file(&p->now);
}

__attribute__((unused)) static void near(double x, double expected)
{
	if (!(fabs(x - expected) <= 1e-12 * fabs(expected)))
		print_error("%.17g is not %.17g\n", x, expected);
	assert_true(fabs(x - expected) <= 1e-12 * fabs(expected));
}

/* Two .npy files of one dimension, of these types. */
__attribute__((unused)) static void npy_pair(struct pair *p, const char *old_type, const void *old,
	const char *now_type, const void *now, size_t elements, size_t old_size, size_t now_size)
{
	struct buf a = BUF_INIT, b = BUF_INIT, header = BUF_INIT;

	assert_int_equal(
		buf_addf(&header, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,)}",
			old_type, elements),
		0);
	make_npy(&a, header.p, old, elements * old_size);
	buf_reset(&header);
	assert_int_equal(
		buf_addf(&header, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,)}",
			now_type, elements),
		0);
	make_npy(&b, header.p, now, elements * now_size);
	pair_of(p, "m.npy", &a, &b);
	buf_release(&a);
	buf_release(&b);
	buf_release(&header);
}

/* "~a >b=c ": kinds and names. */
__attribute__((unused)) static void changes_are(const struct pair *p, const char *expected)
{
	static const char signs[] = "+->!~";
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < p->diff.n; i++) {
		const struct tensordiff_change *x = &p->diff.v[i];

		assert_int_equal(buf_addf(&out, "%c%s", signs[x->kind],
					 x->now ? x->now->name : x->old->name),
			0);
		if (x->kind == TENSORDIFF_RENAMED)
			assert_int_equal(buf_addf(&out, "=%s", x->old->name), 0);
		put_text(&out, " ");
	}
	assert_string_equal(buf_str(&out), expected);
	buf_release(&out);
}

#endif
