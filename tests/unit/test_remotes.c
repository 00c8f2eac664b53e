/*
 * Which remote is meant, what kind it is, where it lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/setup/remotes.h"
#include "tests/unit/scratch.h"

static struct gitdir *repo;

static int build(void **state)
{
	if (scratch_enter(state) < 0)
		return -1;
	scratch_git(".", "init", "-q", "r", NULL);
	scratch_write("r/sub/f", "1\n");
	scratch_git("r", "add", ".", NULL);
	scratch_git("r", "commit", "-qm", "1", NULL);
	scratch_git(".", "init", "-q", "--bare", "server.git", NULL);
	if (chdir("r/sub") < 0)
		return -1;
	return gitdir_discover(&repo);
}

static int tear_down(void **state)
{
	gitdir_free(repo);
	return scratch_leave(state);
}

/* Every test writes all the configuration there is. */
static void configure(const char *text)
{
	scratch_write("home/.gitconfig", text);
}

/* "<name> <kind> <path or URL>" of what is resolved, '@' for the scratch directory; or the error.
 */
static const char *resolve(const char *name, const char *git_remote)
{
	static const char *const kinds[] = {"dir", "git", "s3", "ssh", "rclone", "other"};
	static char text[9000];
	struct remote_spec *s = NULL;
	struct config *c;
	const char *place;
	size_t skip;

	assert_int_equal(config_load(&c, repo), 0);
	if (remotes_resolve(&s, repo, c, name, git_remote) < 0) {
		assert_null(s);
		snprintf(text, sizeof text, "error: %s", err_msg());
		config_free(c);
		return text;
	}
	place = s->path ? s->path : s->url;
	assert_true((s->path != NULL) == (s->kind == REMOTE_DIR || s->kind == REMOTE_GITDIR));
	skip = strncmp(place, scratch, strlen(scratch)) == 0 ? strlen(scratch) : 0;
	snprintf(text, sizeof text, "%s %s %s%s", s->name, kinds[s->kind], skip ? "@" : "",
		place + skip);
	remote_spec_free(s);
	config_free(c);
	return text;
}

static void test_none(void **state)
{
	(void)state;
	configure("");
	assert_string_equal(resolve(NULL, NULL),
		"error: no blob remote is configured; run 'git dvx remote add -d NAME URL'");
	assert_string_equal(resolve("storage", NULL),
		"error: no remote 'storage'; 'git dvx remote list' shows what there is, 'git dvx "
		"remote add storage URL' makes it");
	configure("[remote \"a\"]\nurl = x:y\n[remote \"b\"]\nurl = x:z\n"); /* two, none of them
										origin */
	assert_string_equal(resolve(NULL, NULL),
		"error: no blob remote is configured; run 'git dvx remote add -d NAME URL'");
	remote_spec_free(NULL);
}

static void test_order(void **state)
{
	(void)state;
	configure("[remote \"only\"]\nurl = h:only\n");
	assert_string_equal(resolve(NULL, NULL), "only other h:only");
	configure("[remote \"up\"]\nurl = h:up\n[remote \"origin\"]\nurl = h:origin\n");
	assert_string_equal(resolve(NULL, NULL), "origin other h:origin");
	configure("[remote \"up\"]\nurl = h:up\n[remote \"origin\"]\nurl = h:origin\n"
		  "[branch \"main\"]\nremote = up\n");
	assert_string_equal(resolve(NULL, NULL), "up other h:up");
	assert_string_equal(resolve(NULL, "origin"), "origin other h:origin");
	assert_string_equal(resolve(NULL, "https://h/x"), "https://h/x other https://h/x");
	configure("[remote \"origin\"]\nurl = h:origin\n[branch \"main\"]\nremote = .\n");
	assert_string_equal(resolve(NULL, NULL), "origin other h:origin");
	/* a blob remote that is the default goes before all of them, a name before the default */
	configure(
		"[remote \"origin\"]\nurl = h:origin\n[dvx]\nremote = s\n[dvx-remote \"s\"]\nurl = "
		"s3://bucket\n[dvx-remote \"origin\"]\nurl = s3://other\n");
	assert_string_equal(resolve(NULL, "origin"), "s s3 s3://bucket");
	assert_string_equal(resolve("origin", NULL), "origin s3 s3://other");
	configure("[remote \"origin\"]\nurl = h:origin\n[dvx]\nremote = origin\n");
	assert_string_equal(resolve(NULL, NULL), "origin other h:origin");
	configure("[dvx]\nremote = gone\n");
	assert_memory_equal(
		resolve(NULL, NULL), "error: default remote (dvx.remote): no remote 'gone'; ", 54);
}

static void test_urls(void **state)
{
	static const char *const rows[][2] = {
		{"s3://bucket/p", "n s3 s3://bucket/p"},
		{"ssh://h/p", "n ssh ssh://h/p"},
		{"user@host:path/x", "n ssh user@host:path/x"},
		{"/srv/blobs", "n dir /srv/blobs"},
		{"file:///srv/a%20b", "n dir /srv/a b"},
		{"FILE://localhost/srv/b", "n dir /srv/b"},
		{"stores/blob", "n dir @/r/stores/blob"},
		{"./with:colon", "n dir @/r/./with:colon"},
		{"~/blobs", "n dir @/home/blobs"},
		{"../server.git", "n git @/server.git"},
		{"file://host/srv",
			"error: 'file://host/srv' names another host; write file:///path"},
		{"-oProxyCommand=x", "error: remote URL '-oProxyCommand=x' begins with '-'"},
		{"a\\nb", "error: remote URL with a control character"},
		{"file:///a%0ab", "error: 'file:///a%0ab' encodes a control character"},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(text, sizeof text, "[dvx-remote \"n\"]\nurl = \"%s\"\n", rows[i][0]);
		configure(text);
		assert_string_equal(resolve("n", NULL), rows[i][1]);
	}
	configure("");
	assert_string_equal(resolve("s3://b/c", NULL), "s3://b/c s3 s3://b/c");
	assert_string_equal(resolve("/tmp/x/y", NULL), "/tmp/x/y dir /tmp/x/y");
	assert_string_equal(resolve("-x", NULL), "error: remote URL '-x' begins with '-'");
	assert_string_equal(resolve("", NULL), "error: empty remote URL");
}

static void test_local_git_remotes(void **state)
{
	char text[9000];

	(void)state;
	snprintf(text, sizeof text, "[remote \"origin\"]\nurl = %s/server\n",
		scratch); /* .git left out */
	configure(text);
	assert_string_equal(resolve(NULL, NULL), "origin git @/server.git");
	snprintf(text, sizeof text, "[remote \"origin\"]\nurl = file://%s/server.git\n", scratch);
	configure(text);
	assert_string_equal(resolve(NULL, NULL), "origin git @/server.git");
	configure("[remote \"origin\"]\nurl = ../r\n");
	assert_string_equal(resolve(NULL, NULL), "origin git @/r/.git");
	configure("[remote \"origin\"]\nurl = ../nothing\n");
	assert_memory_equal(
		resolve(NULL, NULL), "error: remote 'origin': no git repository at '", 46);
	assert_string_equal(resolve(NULL, "../server.git"), "../server.git git @/server.git");
}

static void test_instead_of(void **state)
{
	char text[9000];

	(void)state;
	snprintf(text, sizeof text,
		"[url \"https://short/\"]\ninsteadOf = gh:\n[url \"%s/\"]\ninsteadOf = gh:local/\n"
		"insteadOf = work:\n[remote \"o\"]\nurl = gh:a/b\n[remote \"l\"]\nurl = "
		"gh:local/server.git\n"
		"[dvx-remote \"d\"]\nurl = gh:a\n",
		scratch);
	configure(text);
	assert_string_equal(resolve("o", NULL), "o other https://short/a/b");
	assert_string_equal(resolve("l", NULL), "l git @/server.git");
	assert_string_equal(resolve(NULL, "work:server"), "work:server git @/server.git");
	assert_string_equal(resolve("d", NULL), "d ssh gh:a"); /* Git remotes only */
}

static void test_relative_store_of_a_sibling_checkout(void **state)
{
	struct gitdir *mine = repo;
	char *top = strdup(scratch_path("r"));
	char text[9000];

	(void)state;
	configure("");
	scratch_git(".", "clone", "-q", "r", "mate", NULL);
	assert_int_equal(chdir(scratch_path("mate")), 0);
	assert_int_equal(gitdir_discover(&repo), 0);
	configure("[dvx]\nremote = s\n[dvx-remote \"s\"]\nurl = stores/blob\n");
	assert_string_equal(resolve(NULL, NULL), "s dir @/mate/stores/blob");
	assert_int_equal(fs_mkdirs(scratch_path("r/stores/blob")), 0);
	assert_string_equal(resolve(NULL, NULL), "s dir @/r/stores/blob");
	snprintf(text, sizeof text, "file://%s", top);
	scratch_git("mate", "config", "remote.origin.url", text, NULL);
	assert_string_equal(resolve(NULL, NULL), "s dir @/r/stores/blob");
	assert_int_equal(fs_mkdirs(scratch_path("mate/stores/blob")), 0); /* one's own goes first */
	assert_string_equal(resolve(NULL, NULL), "s dir @/mate/stores/blob");
	assert_int_equal(remove_tree(scratch_path("mate/stores")), 0);
	scratch_git("mate", "config", "remote.origin.url", "https://h/x", NULL);
	assert_string_equal(resolve(NULL, NULL), "s dir @/mate/stores/blob");
	gitdir_free(repo);
	repo = mine;
	free(top);
}

static void test_bare_repository(void **state)
{
	struct gitdir *mine = repo;

	(void)state;
	assert_int_equal(chdir(scratch_path("server.git")), 0);
	assert_int_equal(gitdir_discover(&repo), 0);
	configure("[dvx]\nremote = s\n[dvx-remote \"s\"]\nurl = blobs\n");
	assert_string_equal(resolve(NULL, NULL), "s dir @/server.git/blobs");
	gitdir_free(repo);
	repo = mine;
	assert_int_equal(chdir(scratch_path("r")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_local_git_remotes),
		cmocka_unit_test(test_instead_of),
		cmocka_unit_test(test_relative_store_of_a_sibling_checkout),
		cmocka_unit_test(test_bare_repository),
	};

	return cmocka_run_group_tests(tests, build, tear_down);
}
