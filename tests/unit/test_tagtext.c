/*
 * Tag objects: what they say, what a hostile one cannot make them say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/registry/tagtext.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define SHA256 "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
#define HEAD   "object " COMMIT "\ntype commit\ntag churn@v1.0.0\n"
#define TAGGER "tagger Ann B <ann@example.com> 1700000000 +0130\n"

/* Parse a copy; *memory is to be freed. */
static int parse(struct tagtext *t, char **memory, const char *text)
{
	*memory = strdup(text);
	return tagtext_parse(t, *memory, strlen(text));
}

static void all_of_it(void **state)
{
	struct tagtext t;
	char *memory;

	(void)state;
	assert_int_equal(parse(&t, &memory,
				 HEAD TAGGER "\nsubject\n\nbody\n\npath: a/b c.pkl\nsha256: " SHA256
					     "\nsize: 12\ncommit: " COMMIT "\n"),
		0);
	assert_string_equal(t.target, COMMIT);
	assert_string_equal(t.type, "commit");
	assert_string_equal(t.name, "churn@v1.0.0");
	assert_string_equal(t.who, "Ann B");
	assert_string_equal(t.email, "ann@example.com");
	assert_int_equal(t.when, 1700000000);
	assert_int_equal(t.zone, 90);
	assert_string_equal(t.message, "subject\n\nbody");
	assert_string_equal(t.path, "a/b c.pkl");
	assert_string_equal(t.sha256, SHA256);
	assert_int_equal(t.size, 12);
	assert_string_equal(t.commit, COMMIT);
	free(memory);
}

static void signatures(void **state)
{
	static const char *const kinds[] = {"PGP SIGNATURE", "SSH SIGNATURE", "PGP MESSAGE"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct tagtext t;
		char text[1000], *memory;

		snprintf(text, sizeof(text),
			HEAD TAGGER "\nsubject\n\ncommit: " COMMIT "\n-----BEGIN %s-----\nabc\n\n"
				    "path: x\ncommit: " COMMIT "\n-----END %s-----\n",
			kinds[i], kinds[i]);
		assert_int_equal(parse(&t, &memory, text), 0);
		assert_string_equal(t.message, "subject");
		assert_string_equal(t.commit, COMMIT);
		assert_null(t.path);
		free(memory);
	}
}

/* A last paragraph that is not all trailers is text, every byte of it. */
static void no_trailers(void **state)
{
	static const char *const ends[] = {"path: a", "commit: " COMMIT "\nSigned-off-by: x <y>",
		"commit: " COMMIT "\ncommit: " COMMIT, "commit: 123", "commit: " COMMIT "0",
		"path: ../x\ncommit: " COMMIT, "path: /x\ncommit: " COMMIT,
		"path: a/./b\ncommit: " COMMIT, "path: a//b\ncommit: " COMMIT,
		"path: a\x1b[31m\ncommit: " COMMIT, "path: \ncommit: " COMMIT,
		"size: -1\ncommit: " COMMIT, "size: 1x\ncommit: " COMMIT,
		"size: 9999999999999999999\ncommit: " COMMIT, "sha256: abc\ncommit: " COMMIT,
		"path: a\npath: b\ncommit: " COMMIT, " commit: " COMMIT};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		char text[1000], *memory;
		struct tagtext t;

		snprintf(text, sizeof(text), HEAD TAGGER "\nsubject\n\n%s\n", ends[i]);
		assert_int_equal(parse(&t, &memory, text), 0);
		snprintf(text, sizeof(text), "subject\n\n%s", ends[i]);
		assert_string_equal(t.message, text);
		assert_null(t.path);
		assert_null(t.commit);
		assert_null(t.sha256);
		assert_int_equal(t.size, 0);
		free(memory);
	}
}

/* The subject is never taken for trailers. */
static void subject_alone(void **state)
{
	struct tagtext t;
	char *memory;

	(void)state;
	assert_int_equal(parse(&t, &memory, HEAD TAGGER "\ncommit: " COMMIT "\n"), 0);
	assert_string_equal(t.message, "commit: " COMMIT);
	assert_null(t.commit);
	free(memory);
	assert_int_equal(parse(&t, &memory, HEAD TAGGER "\n"), 0);
	assert_string_equal(t.message, "");
	free(memory);
	assert_int_equal(parse(&t, &memory, HEAD TAGGER), 0);
	assert_string_equal(t.message, "");
	free(memory);
}

static void taggers(void **state)
{
	static const struct {
		const char *line, *who;
		int64_t when;
		int zone;
	} cases[] = {{"", "", 0, 0}, {"tagger\n", "", 0, 0}, {"tagger Ann\n", "", 0, 0},
		{"tagger <x>\n", "", 0, 0}, {"tagger Ann <x> \n", "Ann", 0, 0},
		{"tagger Ann <x> 12 -0730\n", "Ann", 12, -450},
		{"tagger Ann <x> 12 +9999\n", "Ann", 12, 0},
		{"tagger Ann <x> 12 x\n", "Ann", 12, 0}, {"tagger Ann <x> 12\n", "Ann", 12, 0},
		{"tagger Ann <x> -5 +0000\n", "Ann", 0, 0},
		{"tagger Ann <x> 999999999999 +0000\n", "Ann", 0, 0},
		{"tagger A<b <x> 12 +0000\n", "A", 0, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[500], *memory;
		struct tagtext t;

		snprintf(text, sizeof(text), HEAD "%s\nmessage\n", cases[i].line);
		assert_int_equal(parse(&t, &memory, text), 0);
		if (i != sizeof(cases) / sizeof(*cases) - 1) {
			assert_int_equal(t.when, cases[i].when);
			assert_int_equal(t.zone, cases[i].zone);
		}
		assert_string_equal(t.who, cases[i].who);
		assert_string_equal(t.message, "message");
		free(memory);
	}
}

static void damaged(void **state)
{
	static const char *const texts[] = {"", "object", "object x", "object " COMMIT "\n",
		"object " COMMIT "\ntype commit\n", "type commit\nobject " COMMIT "\ntag x\n",
		"\nobject " COMMIT "\ntype commit\ntag x\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct tagtext t;
		char *memory;

		assert_int_equal(parse(&t, &memory, texts[i]), ERR_CORRUPT);
		free(memory);
	}
}

static void long_messages(void **state)
{
	struct tagtext t, none = {0};
	struct buf text = BUF_INIT;
	char *memory, *message = malloc(TAGTEXT_MESSAGE_MAX + 10);

	(void)state;
	memset(message, 'x', TAGTEXT_MESSAGE_MAX + 10);
	memcpy(message + TAGTEXT_MESSAGE_MAX - 1, "\xc3\xa4", 3);
	assert_int_equal(buf_addf(&text, HEAD TAGGER "\n%s\n", message), 0);
	assert_int_equal(parse(&t, &memory, text.p), 0);
	assert_int_equal(strlen(t.message), TAGTEXT_MESSAGE_MAX - 1); /* no half of a letter */
	free(memory);
	buf_reset(&text);
	assert_int_equal(tagtext_format(&text, message, &none), ERR_LIMIT);
	message[TAGTEXT_MESSAGE_MAX - 1] = '\0';
	assert_int_equal(tagtext_format(&text, message, &none), 0);
	assert_int_equal(tagtext_format(&text, " \n", &none), ERR_INVALID);
	free(message);
	buf_release(&text);
}

/* What is written is read again, whatever the user's message looks like. */
static void round_trip(void **state)
{
	static const char *const messages[] = {"one", "one\n\ntwo\n\n\n",
		"one\n\npath: evil\ncommit: " COMMIT, "one\n\n\ncommit: " COMMIT "\n"};
	const struct tagtext in = {
		.path = "models/a.pkl", .sha256 = SHA256, .size = 5, .commit = COMMIT};

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		struct buf text = BUF_INIT;
		struct tagtext t;
		size_t len = strlen(messages[i]);

		while (messages[i][len - 1] == '\n')
			len--;
		assert_int_equal(buf_addstr(&text, HEAD TAGGER "\n"), 0);
		assert_int_equal(tagtext_format(&text, messages[i], &in), 0);
		assert_int_equal(tagtext_parse(&t, text.p, text.len), 0);
		assert_int_equal(strlen(t.message), len);
		assert_memory_equal(t.message, messages[i], len);
		assert_string_equal(t.path, in.path);
		assert_string_equal(t.sha256, SHA256);
		assert_string_equal(t.commit, COMMIT);
		assert_int_equal(t.size, 5);
		buf_release(&text);
	}
}

static void commit_times(void **state)
{
	(void)state;
	assert_int_equal(
		tagtext_commit_time("tree x\nauthor A <a> 5 +0\ncommitter C <c> 7 +0\n\n"), 7);
	assert_int_equal(tagtext_commit_time("tree x\n\ncommitter C <c> 7 +0\n"), 0);
	assert_int_equal(tagtext_commit_time("tree x\ncommitter C\n\n>"), 0);
	assert_int_equal(tagtext_commit_time("tree x\ncommitter C <c> x\n\n"), 0);
	assert_int_equal(tagtext_commit_time(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_of_it),
		cmocka_unit_test(signatures), cmocka_unit_test(no_trailers),
		cmocka_unit_test(subject_alone), cmocka_unit_test(taggers),
		cmocka_unit_test(damaged), cmocka_unit_test(long_messages),
		cmocka_unit_test(round_trip), cmocka_unit_test(commit_times)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
