/*
 * How many requests an S3 server gets at once: more after each round that went well, half as many
 * after a complaint, and one complaint of many requests counts once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "transfer/s3/s3_gate.c" /* programs have no archive to link against */

static void enter(struct s3_gate *g, int n)
{
	while (n-- > 0)
		assert_int_equal(s3_gate_enter(g, NULL), 0);
}

static void leave(struct s3_gate *g, int n, enum s3_gate_outcome outcome)
{
	while (n-- > 0)
		s3_gate_leave(g, outcome);
}

/* As many as fit at once, all with that outcome. */
static void round_of(struct s3_gate *g, enum s3_gate_outcome outcome)
{
	int n = g->width;

	enter(g, n);
	leave(g, n, outcome);
}

static void a_round_that_went_well_makes_room_for_one_more(void **state)
{
	struct s3_gate g;

	(void)state;
	s3_gate_init(&g);
	for (int width = S3_GATE_START; width < S3_GATE_MAX; width++) {
		assert_int_equal(g.width, width);
		round_of(&g, S3_GATE_WELL);
	}
	round_of(&g, S3_GATE_WELL);
	assert_int_equal(g.width, S3_GATE_MAX);
	s3_gate_release(&g);
}

static void what_says_nothing_of_the_load_changes_nothing(void **state)
{
	struct s3_gate g;

	(void)state;
	s3_gate_init(&g);
	for (int i = 0; i < 5; i++)
		round_of(&g, S3_GATE_OTHER);
	assert_int_equal(g.width, S3_GATE_START);
	s3_gate_release(&g);
}

static void requests_that_are_refused_together_are_one_complaint(void **state)
{
	struct s3_gate g;

	(void)state;
	s3_gate_init(&g);
	round_of(&g, S3_GATE_OVERLOAD);
	assert_int_equal(g.width, S3_GATE_START / 2);
	assert_int_equal(g.inside, 0);
	round_of(&g, S3_GATE_OVERLOAD);
	assert_int_equal(g.width, S3_GATE_START / 4);
	for (int i = 0; i < 5; i++)
		round_of(&g, S3_GATE_OVERLOAD);
	assert_int_equal(g.width, 1); /* one always may */
	round_of(&g, S3_GATE_WELL);
	assert_int_equal(g.width, 2);
	s3_gate_release(&g);
}

static volatile int stop;

static void *stop_soon(void *data)
{
	(void)data;
	usleep(20 * 1000);
	stop = 1;
	return NULL;
}

static void who_waits_sees_the_wish_to_stop(void **state)
{
	struct s3_gate g;
	pthread_t thread;

	(void)state;
	s3_gate_init(&g);
	enter(&g, S3_GATE_START);
	assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
	assert_int_equal(s3_gate_enter(&g, &stop), ERR_INTERRUPTED);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(g.inside, S3_GATE_START);
	s3_gate_release(&g);
}

static void *enter_one(void *data)
{
	struct s3_gate *g = data;

	return s3_gate_enter(g, NULL) == 0 ? g : NULL;
}

static void who_waits_gets_in_when_another_leaves(void **state)
{
	struct s3_gate g;
	pthread_t thread;
	void *got = NULL;

	(void)state;
	s3_gate_init(&g);
	enter(&g, S3_GATE_START);
	assert_int_equal(pthread_create(&thread, NULL, enter_one, &g), 0);
	leave(&g, 1, S3_GATE_OTHER);
	assert_int_equal(pthread_join(thread, &got), 0);
	assert_ptr_equal(got, &g);
	assert_int_equal(g.inside, S3_GATE_START);
	s3_gate_release(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_round_that_went_well_makes_room_for_one_more),
		cmocka_unit_test(what_says_nothing_of_the_load_changes_nothing),
		cmocka_unit_test(requests_that_are_refused_together_are_one_complaint),
		cmocka_unit_test(who_waits_sees_the_wish_to_stop),
		cmocka_unit_test(who_waits_gets_in_when_another_leaves),
	};

	return cmocka_run_group_tests_name("s3_gate", tests, NULL, NULL);
}
