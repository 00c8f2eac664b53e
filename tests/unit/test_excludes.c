/*
 * Ignore rules: what gitignore(5) says, and - over random rules and random trees - the very files
 * that `git ls-files --others --exclude-standard` names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/pipeline/excludes.h"
#include "lib/pipeline/fingerprint.h"
#include "lib/pipeline/listing.h"
#include "tests/unit/git_repo.h"

static int hides(const char *rules, const char *path, int is_dir)
{
	struct excludes *e;
	int hidden;

	assert_int_equal(excludes_new(&e, NULL, "", rules, strlen(rules)), 0);
	hidden = excludes_hide(e, path, is_dir);
	excludes_free(e);
	return hidden;
}

static void test_rules(void **state)
{
	(void)state;
	assert_true(hides("*.o", "a/b.o", 0));
	assert_false(hides("*.o", "a/b.os", 0));
	assert_true(hides("name", "a/b/name", 1));
	assert_false(hides("name/", "a/name", 0));
	assert_true(hides("name/", "a/name", 1));
	assert_true(hides("/name", "name", 0));
	assert_false(hides("/name", "a/name", 0));
	assert_true(hides("a/name", "a/name", 0));
	assert_false(hides("a/name", "x/a/name", 0));
	assert_true(hides("**/a/name", "x/a/name", 0));
	assert_true(hides("a/**", "a/x/y", 0));
	assert_false(hides("a/**", "a", 1));
	assert_true(hides("a/**/b", "a/b", 0));
	assert_true(hides("a/**/b", "a/x/y/b", 0));
	assert_false(hides("a/*", "a/x/y", 0));
	assert_false(hides("*.o\n!b.o", "a/b.o", 0));
	assert_true(hides("!b.o\n*.o", "a/b.o", 0));
	assert_true(hides("\\#a", "#a", 0));
	assert_true(hides("\\!a", "!a", 0));
	assert_true(hides("a  ", "a", 0));
	assert_true(hides("a\\ ", "a ", 0));
	assert_true(hides("a\r\nb\r\n", "a", 0));
	assert_true(hides("\xef\xbb\xbf"
			  "a",
		"a", 0));
	assert_true(hides("f[ab]o", "fao", 0));
	assert_false(hides("f[!ab]o", "fao", 0));
	assert_false(hides("", "a", 0));
	assert_false(hides("/\n!\n# a", "a", 0));
}

/* The file deeper down wins, and only speaks of what lies below it. */
static void test_parents(void **state)
{
	struct excludes *top, *sub;

	(void)state;
	assert_int_equal(excludes_new(&top, NULL, "", "*.o\n/x", 6), 0);
	assert_int_equal(excludes_new(&sub, top, "a/b", "!y.o\n/x", 7), 0);
	assert_false(excludes_hide(sub, "a/b/y.o", 0));
	assert_true(excludes_hide(sub, "a/b/z.o", 0));
	assert_true(excludes_hide(sub, "a/b/x", 0));
	assert_false(excludes_hide(sub, "a/b/c/x", 0));
	assert_true(excludes_hide(sub, "x", 0));
	excludes_free(sub);
	excludes_free(top);
}

/* ---- beside Git ---- */

static uint32_t seed = 1;

static uint32_t below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void add_component(struct buf *b)
{
	static const char *const parts[] = {"a", "b", "ab", "a.o", "b.o", "x y", "[a]", "!a", "#a"};

	assert_int_equal(buf_addstr(b, parts[below(9)]), 0);
}

static void add_path(struct buf *b, uint32_t depth)
{
	for (uint32_t i = 0; i <= depth; i++) {
		if (i > 0)
			assert_int_equal(buf_addch(b, '/'), 0);
		add_component(b);
	}
}

static void add_rule(struct buf *b)
{
	static const char *const globs[] = {
		"*", "**", "*.o", "?", "a*", "[ab]", "[!a]", "*b", "\\#a", "\\!a", "**/a", "a/**"};

	if (below(4) == 0)
		assert_int_equal(buf_addch(b, '!'), 0);
	if (below(4) == 0)
		assert_int_equal(buf_addch(b, '/'), 0);
	for (uint32_t i = 0, n = below(3); i <= n; i++) {
		if (i > 0)
			assert_int_equal(buf_addch(b, '/'), 0);
		if (below(2))
			assert_int_equal(buf_addstr(b, globs[below(12)]), 0);
		else
			add_component(b);
	}
	if (below(4) == 0)
		assert_int_equal(buf_addch(b, '/'), 0);
	assert_int_equal(buf_addstr(b, below(8) == 0 ? "  \r\n" : "\n"), 0);
}

static void write_rules(const char *dir)
{
	struct buf text = BUF_INIT, name = BUF_INIT;

	for (uint32_t i = 0, n = 1 + below(5); i < n; i++)
		add_rule(&text);
	assert_int_equal(buf_addf(&name, "like/%s.gitignore", dir), 0);
	scratch_write(name.p, text.p);
	buf_release(&text);
	buf_release(&name);
}

static void write_tree(void)
{
	struct buf path = BUF_INIT;
	struct buf name = BUF_INIT;

	for (int i = 0; i < 40; i++) {
		buf_reset(&name);
		buf_reset(&path);
		add_path(&name, below(4));
		assert_int_equal(buf_addf(&path, "%s/d/%s", scratch_path("like"), name.p), 0);
		if (fs_mkdirs_parent(path.p) == 0)
			(void)fs_replace_file(path.p, "", 0, 0); /* a directory may be there */
	}
	write_rules("");
	write_rules("d/");
	if (fs_exists(scratch_path("like/d/a/a")) || fs_mkdirs(scratch_path("like/d/a")) == 0)
		write_rules("d/a/");
	buf_release(&path);
	buf_release(&name);
}

/* "a\0b\0": the paths of a listing, "d/" put back. */
static int add_listed(const struct listing_file *e, void *data)
{
	return buf_addf(data, "d/%s\n", e->path);
}

static void git_files(struct buf *out, const struct repo *repo)
{
	assert_int_equal(git_run(repo, NULL, 0, out, "-c", "core.quotePath=false", "ls-files",
				 "--others", "--exclude-standard", "-z", "d", (char *)NULL),
		0);
	for (size_t i = 0; i < out->len; i++)
		if (out->p[i] == '\0')
			out->p[i] = '\n';
}

static void our_files(struct buf *out, const struct repo *repo)
{
	static char dir[] = "d";
	const struct stage_path p = {.path = dir};
	struct fingerprints *f;
	struct buf listing = BUF_INIT;

	assert_int_equal(fingerprints_open(&f, repo, NULL), 0);
	if (fingerprints_listing(f, &p, &listing) < 0)
		fail_msg("%s", err_msg());
	assert_int_equal(listing_parse(buf_str(&listing), listing.len, add_listed, out), 0);
	buf_release(&listing);
	fingerprints_close(f);
}

static int is_declared_hidden(const struct repo *repo)
{
	return git_status_of(repo, NULL, 0, NULL, "check-ignore", "-q", "d", (char *)NULL) == 0;
}

enum { ROUNDS = 50 };

static void test_like_git(void **state)
{
	struct git_repo r;
	int compared = 0;

	(void)state;
	scratch_git(".", "init", "-q", "like", (char *)NULL);
	git_repo_open(&r, "like");
	for (int round = 0; round < ROUNDS; round++) {
		struct buf git = BUF_INIT, ours = BUF_INIT;

		seed = (uint32_t)round * 7919 + 1;
		write_tree();
		if (!is_declared_hidden(&r.repo)) {
			git_files(&git, &r.repo);
			our_files(&ours, &r.repo);
			if (strcmp(buf_str(&git), buf_str(&ours)) != 0)
				fail_msg("round %d: git has\n%sand we\n%s", round, buf_str(&git),
					buf_str(&ours));
			compared++;
		}
		assert_int_equal(remove_tree(scratch_path("like/d")), 0);
		buf_release(&git);
		buf_release(&ours);
	}
	git_repo_close(&r);
	assert_true(compared > ROUNDS / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rules),
		cmocka_unit_test(test_parents), cmocka_unit_test(test_like_git)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
