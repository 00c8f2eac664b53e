/*
 * Which Git LFS server: a table of configurations, each asked of Git LFS as well (`git lfs env`)
 * where that is installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/setup/lfs_endpoint.h"
#include "tests/unit/config_repo.h"

struct row {
	const char *config;  /* of the user */
	const char *in_tree; /* .lfsconfig; NULL: none */
	const char *download; /* "URL", "URL ssh=…", "URL user=…", "… untrusted", "error: part" */
	const char *upload;  /* NULL: the same */
	const char *git_lfs; /* where Git LFS is asked and knows less; "": is not asked */
};

#define ORIGIN(url) "[remote \"origin\"]\n\turl = " url "\n"

static const struct row rows[] = {
	/* the URL of the repository */
	{ORIGIN("https://example.com/org/repo.git"), NULL,
		"https://example.com/org/repo.git/info/lfs", NULL, NULL},
	{ORIGIN("https://example.com/org/repo"), NULL, "https://example.com/org/repo.git/info/lfs",
		NULL, NULL},
	{ORIGIN("https://example.com/org/repo/"), NULL, "https://example.com/org/repo.git/info/lfs",
		NULL, NULL},
	{ORIGIN("http://example.com:8080/a"), NULL, "http://example.com:8080/a.git/info/lfs", NULL,
		NULL},
	{ORIGIN("https://EXAMPLE.com:443/a"), NULL, "https://example.com/a.git/info/lfs", NULL,
		"https://EXAMPLE.com:443/a.git/info/lfs"},
	{ORIGIN("https://me@example.com/a"), NULL, "https://example.com/a.git/info/lfs user=me",
		NULL, "https://me@example.com/a.git/info/lfs"},
	{ORIGIN("https://me:se%20cret@example.com/a"), NULL,
		"https://example.com/a.git/info/lfs user=me password=se cret", NULL, ""},
	{ORIGIN("git@example.com:org/repo.git"), NULL,
		"https://example.com/org/repo.git/info/lfs ssh=git@example.com:org/repo.git", NULL,
		NULL},
	{ORIGIN("example.com:repo"), NULL,
		"https://example.com/repo.git/info/lfs ssh=example.com:repo", NULL, NULL},
	{ORIGIN("git@example.com:/abs/b"), NULL,
		"https://example.com/abs/b.git/info/lfs ssh=git@example.com:/abs/b", NULL, ""},
	{ORIGIN("git@[example.com:2222]:a/b.git"), NULL,
		"https://example.com/a/b.git/info/lfs ssh=git@[example.com:2222]:a/b.git", NULL,
		""},
	{ORIGIN("git@[::1]:a/b.git"), NULL, "https://[::1]/a/b.git/info/lfs ssh=git@[::1]:a/b.git",
		NULL, ""},
	{ORIGIN("ssh://git@example.com:2222/org/repo.git"), NULL,
		"https://example.com/org/repo.git/info/lfs "
		"ssh=ssh://git@example.com:2222/org/repo.git",
		NULL, NULL},
	{ORIGIN("git+ssh://example.com/x.git"), NULL,
		"https://example.com/x.git/info/lfs ssh=ssh://example.com/x.git", NULL, NULL},
	{ORIGIN("git://example.com/a.git"), NULL, "https://example.com/a.git/info/lfs", NULL, NULL},
	{"[lfs]\n\tgitprotocol = http\n" ORIGIN("git://example.com/a.git"), NULL,
		"http://example.com/a.git/info/lfs", NULL, NULL},
	/* settings before it */
	{"[lfs]\n\turl = https://lfs.example.com/x\n" ORIGIN("git@example.com:a"), NULL,
		"https://lfs.example.com/x", NULL, NULL},
	{"[lfs]\n\turl = https://lfs.example.com/x/\n" ORIGIN("git@example.com:a"), NULL,
		"https://lfs.example.com/x", NULL, "https://lfs.example.com/x/"},
	{"[lfs]\n\turl = https://d/x\n\tpushurl = https://u/x\n" ORIGIN("git@example.com:a"), NULL,
		"https://d/x", "https://u/x", NULL},
	{"[lfs]\n\tpushurl = https://u/x\n" ORIGIN("https://example.com/a"), NULL,
		"https://example.com/a.git/info/lfs", "https://u/x", NULL},
	{"[lfs]\n\turl = ssh://git@lfs.example.com/x.git\n" ORIGIN("/srv/a.git"), NULL,
		"https://lfs.example.com/x.git ssh=ssh://git@lfs.example.com/x.git", NULL, NULL},
	{ORIGIN("https://example.com/a") "\tlfsurl = https://r/d\n\tlfspushurl = https://r/u\n",
		NULL, "https://r/d", "https://r/u", NULL},
	{"[lfs]\n\turl = https://all/x\n" ORIGIN(
		 "https://example.com/a") "\tlfsurl = https://r/d\n\tlfspushurl = https://r/u\n",
		NULL, "https://all/x", NULL, NULL},
	{ORIGIN("https://example.com/a") "\tpushurl = git@example.com:b\n", NULL,
		"https://example.com/a.git/info/lfs",
		"https://example.com/b.git/info/lfs ssh=git@example.com:b", NULL},
	/* insteadOf */
	{"[url \"https://example.com/\"]\n\tinsteadOf = ex:\n" ORIGIN("ex:a/b"), NULL,
		"https://example.com/a/b.git/info/lfs", NULL, NULL},
	{"[url \"https://one/\"]\n\tinsteadOf = ex:\n[url \"https://two/\"]\n\tinsteadOf = "
	 "ex:a/\n" ORIGIN("ex:a/b"),
		NULL, "https://two/b.git/info/lfs", NULL, NULL},
	{"[url \"https://mirror/\"]\n\tinsteadOf = https://example.com/\n"
	 "[url \"git@example.com:\"]\n\tpushInsteadOf = https://example.com/\n" ORIGIN(
		 "https://example.com/a"),
		NULL, "https://mirror/a.git/info/lfs",
		"https://example.com/a.git/info/lfs ssh=git@example.com:a", NULL},
	{"[url \"ssh://p/\"]\n\tpushInsteadOf = https://example.com/\n" ORIGIN(
		 "https://example.com/a") "\tpushurl = https://example.com/b\n",
		NULL, "https://example.com/a.git/info/lfs", "https://example.com/b.git/info/lfs",
		NULL},
	{"[url \"https://lfs.example.com/\"]\n\tinsteadOf = l:\n[lfs]\n\turl = l:x\n" ORIGIN(
		 "git@example.com:a"),
		NULL, "https://lfs.example.com/x", NULL, NULL},
	/* .lfsconfig; the user's own wins */
	{ORIGIN("https://example.com/a"), "[lfs]\n\turl = https://example.com/other\n",
		"https://example.com/other", NULL, NULL},
	{"[lfs]\n\turl = https://mine/\n" ORIGIN("https://example.com/a"),
		"[lfs]\n\turl = https://theirs/\n", "https://mine", NULL, "https://mine/"},
	{ORIGIN("https://example.com/a"), "[remote \"origin\"]\n\tlfsurl = https://example.com/o\n",
		"https://example.com/o", NULL, NULL},
	/* trust: a committed file on another host, or on a worse protected way to the same */
	{ORIGIN("https://example.com/a"), "[lfs]\n\turl = https://evil.example.org/x\n",
		"https://evil.example.org/x untrusted", NULL, NULL},
	{ORIGIN("https://example.com/a"), "[lfs]\n\turl = http://example.com/x\n",
		"http://example.com/x untrusted", NULL, NULL},
	{ORIGIN("git@example.com:a"), "[lfs]\n\turl = http://example.com/x\n",
		"http://example.com/x untrusted", NULL, NULL},
	{ORIGIN("git@example.com:a"), "[lfs]\n\turl = https://example.com:8443/x\n",
		"https://example.com:8443/x", NULL, NULL},
	{ORIGIN("http://example.com/a"), "[lfs]\n\turl = http://example.com/x\n",
		"http://example.com/x", NULL, NULL},
	{ORIGIN("http://example.com/a"), "[lfs]\n\turl = http://example.com:81/x\n",
		"http://example.com:81/x untrusted", NULL, NULL},
	{ORIGIN("git@example.com:a"), "[lfs]\n\turl = ssh://evil.example.org/x\n",
		"https://evil.example.org/x untrusted", NULL, ""},
	{ORIGIN("/srv/a.git"), "[lfs]\n\turl = https://example.com/x\n",
		"https://example.com/x untrusted", NULL, NULL},
	{"[remote \"other\"]\n\turl = https://evil.example.org/\n" ORIGIN("https://example.com/a"),
		"[lfs]\n\turl = https://evil.example.org/x\n",
		"https://evil.example.org/x untrusted", NULL, ""},
	{ORIGIN("git://example.com/a.git"), "[lfs]\n\tgitprotocol = http\n",
		"http://example.com/a.git/info/lfs untrusted", NULL, ""},
	{"[lfs]\n\turl = https://evil.example.org/x\n" ORIGIN("https://example.com/a"),
		"[lfs]\n\turl = https://evil.example.org/x\n", "https://evil.example.org/x", NULL,
		NULL},
	/* agents */
	{"[lfs]\n\tstandalonetransferagent = a\n" ORIGIN("/srv/a.git"), NULL, "agent=a", NULL, ""},
	{"[lfs \"https://example.com\"]\n\tstandalonetransferagent = b\n" ORIGIN(
		 "https://example.com/a"),
		NULL, "https://example.com/a.git/info/lfs agent=b", NULL, ""},
	{ORIGIN("https://example.com/a"), "[lfs]\n\tstandalonetransferagent = b\n",
		"https://example.com/a.git/info/lfs", NULL, ""},
	/* refused */
	{"[lfs]\n\turl = ftp://example.com/x\n" ORIGIN("/srv/a.git"), NULL,
		"error: lfs.url: no Git LFS server is reached by ftp://", NULL, ""},
	{"[lfs]\n\turl = https:///x\n" ORIGIN("/srv/a.git"), NULL,
		"error: lfs.url: it names no host", NULL, ""},
	{"[lfs]\n\turl = https://-x/\n" ORIGIN("/srv/a.git"), NULL,
		"error: lfs.url: its host is none", NULL, ""},
	{"[lfs]\n\turl = https://exa%0ample.com/\n" ORIGIN("/srv/a.git"), NULL,
		"error: lfs.url: its host is none", NULL, ""},
	{"[lfs]\n\turl = https://u%0ahost=h@example.com/\n" ORIGIN("/srv/a.git"), NULL,
		"error: lfs.url: its user name or password encodes a control character", NULL, ""},
	{"[lfs]\n\turl = https://u:p%00@example.com/\n" ORIGIN("/srv/a.git"), NULL,
		"error: lfs.url: its user name or password encodes a control character", NULL, ""},
	{"[lfs]\n\turl = \"https://example.com/a\\nb\"\n" ORIGIN("/srv/a.git"), NULL,
		"error: lfs.url: remote URL with a control character", NULL, ""},
	{"[lfs]\n\turl = https://example.com\\\\@evil/\n" ORIGIN("/srv/a.git"), NULL,
		"error: lfs.url: it has a backslash", NULL, ""},
	{"[lfs]\n\turl = ssh://-oProxyCommand=touch%20x/x\n" ORIGIN("/srv/a.git"), NULL,
		"error: lfs.url: its host is none", NULL, ""},
	{"[lfs]\n\turl = ssh://-oProxyCommand=x@example.com/x\n" ORIGIN("/srv/a.git"), NULL,
		"error: lfs.url: its user name begins with '-'", NULL, ""},
	{ORIGIN("-oProxyCommand=x:y"), NULL,
		"error: remote URL '-oProxyCommand=x:y' begins with '-'", NULL, ""},
	{"[url \"ssh://-oProxyCommand=x/\"]\n\tinsteadOf = ex:\n" ORIGIN("ex:a"), NULL,
		"error: remote.origin.url: its host is none", NULL, ""},
	{"[url \"ssh://-oProxyCommand=x/\"]\n\tpushInsteadOf = https://example.com/\n" ORIGIN(
		 "https://example.com/a"),
		NULL, "https://example.com/a.git/info/lfs",
		"error: remote.origin.url: its host is none", ""},
	{ORIGIN("https://example.com/a") "\tpushurl = -oProxyCommand=x:y\n", NULL,
		"https://example.com/a.git/info/lfs", "error: remote.origin.pushurl: ", ""},
	{ORIGIN("https://example.com/a"), "[lfs]\n\turl = ssh://-oProxyCommand=x/y\n",
		"error: lfs.url (set by a committed file): its host is none", NULL, ""},
	{ORIGIN("https://example.com/a"), "[lfs]\n\turl = https://me:pw@example.com/a\n",
		"error: lfs.url (set by a committed file): a committed file sets it", NULL, ""},
	{"[lfs]\n\turl = /srv/objects\n" ORIGIN("https://example.com/a"), NULL,
		"error: remote 'origin': no git repository at", NULL, ""},
};

static void add(struct buf *out, const char *what, const char *value)
{
	if (value)
		assert_int_equal(buf_addf(out, "%s%s%s", out->len ? " " : "", what, value), 0);
}

/* What there is, as the table has it. */
static void describe(struct buf *out, const struct config *c, enum lfs_operation op)
{
	struct remote_spec *spec = NULL;
	struct lfs_endpoint *e = NULL;
	int rc = remotes_resolve(&spec, repo, c, NULL, NULL);

	if (rc == 0)
		rc = lfs_endpoint_find(&e, repo, c, spec, op);
	if (rc < 0) {
		add(out, "error: ", err_msg());
	} else {
		assert_string_equal(e->remote, "origin");
		assert_int_equal(e->operation, op);
		add(out, "", e->url);
		add(out, "ssh=", e->ssh);
		add(out, "user=", e->user);
		add(out, "password=", e->password);
		add(out, "agent=", e->standalone);
		add(out, "", e->trusted ? NULL : "untrusted");
	}
	lfs_endpoint_free(e);
	remote_spec_free(spec);
}

static void set_up(const struct row *r)
{
	scratch_write("home/.gitconfig", r->config);
	if (r->in_tree)
		scratch_write("r/.lfsconfig", r->in_tree);
	else
		unlink(scratch_path("r/.lfsconfig"));
}

static void check(const struct row *r, const struct config *c, enum lfs_operation op)
{
	const char *expected = op == LFS_UPLOAD && r->upload ? r->upload : r->download;
	struct buf text = BUF_INIT;
	int same;

	describe(&text, c, op);
	same = strncmp(expected, "error: ", 7) == 0
		       ? strncmp(text.p, "error: ", 7) == 0 && strstr(text.p, expected + 7)
		       : strcmp(text.p, expected) == 0;
	if (!same)
		fail_msg("%s%s%s: %s\n  is      '%s'\n  must be '%s'", r->config,
			r->in_tree ? "--- .lfsconfig\n" : "", r->in_tree ? r->in_tree : "",
			lfs_operation_name(op), text.p, expected);
	buf_release(&text);
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct config *c;

		set_up(&rows[i]);
		assert_int_equal(config_load(&c, repo), 0);
		check(&rows[i], c, LFS_DOWNLOAD);
		check(&rows[i], c, LFS_UPLOAD);
		config_free(c);
	}
}

/* "Endpoint=URL (auth=…)" of `git lfs env`. */
static void git_lfs_says(char *out, size_t size)
{
	struct run git = RUN_INIT;
	struct buf answer = BUF_INIT;
	const char *line;

	assert_int_equal(strvec_pushl(&git.argv, "git", "lfs", "env", NULL), 0);
	git.err = RUN_NULL;
	assert_int_equal(run_capture(&git, NULL, 0, &answer), 0);
	line = strstr(buf_str(&answer), "\nEndpoint=");
	snprintf(out, size, "%.*s", line ? (int)strcspn(line + 10, " \n") : 0,
		line ? line + 10 : "");
	run_release(&git);
	buf_release(&answer);
}

static void test_same_as_git_lfs(void **state)
{
	struct buf program = BUF_INIT;

	(void)state;
	if (run_resolve(&program, "git-lfs") < 0)
		skip();
	buf_release(&program);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];
		char expected[300], actual[300];

		if (r->git_lfs && !*r->git_lfs)
			continue;
		set_up(r);
		git_lfs_says(actual, sizeof(actual));
		snprintf(expected, sizeof(expected), "%.*s",
			(int)strcspn(r->git_lfs ? r->git_lfs : r->download, " "),
			r->git_lfs ? r->git_lfs : r->download);
		if (strcmp(actual, expected) != 0)
			fail_msg("%s%s: Git LFS has '%s', not '%s'", r->config,
				r->in_tree ? r->in_tree : "", actual, expected);
	}
}

static void test_blob_remote(void **state)
{
	static const struct {
		const char *own, *tree, *expected;
	} cases[] = {
		{"[dvx-remote \"s\"]\n\turl = https://lfs.example.com/x\n" ORIGIN(
			 "git@example.com:a"),
			NULL, "https://lfs.example.com/x"},
		{ORIGIN("git@example.com:a"),
			"[dvx-remote \"s\"]\n\turl = https://lfs.example.com/x\n",
			"https://lfs.example.com/x untrusted"},
		{ORIGIN("git@example.com:a"), "[dvx-remote \"s\"]\n\turl = https://example.com/x\n",
			"https://example.com/x"},
	};

	(void)state;
	unlink(scratch_path("r/.lfsconfig"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf text = BUF_INIT;
		struct remote_spec *spec;
		struct lfs_endpoint *e;
		struct config *c;

		scratch_write("home/.gitconfig", cases[i].own);
		scratch_write("r/.dvxconfig", cases[i].tree ? cases[i].tree : "");
		assert_int_equal(config_load(&c, repo), 0);
		assert_int_equal(remotes_resolve(&spec, repo, c, "s", NULL), 0);
		assert_int_equal(lfs_endpoint_find(&e, repo, c, spec, LFS_DOWNLOAD), 0);
		assert_string_equal(e->remote, "s");
		add(&text, "", e->url);
		add(&text, "", e->trusted ? NULL : "untrusted");
		assert_string_equal(buf_str(&text), cases[i].expected);
		lfs_endpoint_free(e);
		remote_spec_free(spec);
		config_free(c);
		buf_release(&text);
	}
	unlink(scratch_path("r/.dvxconfig"));
}

static void test_is_configured(void **state)
{
	static const struct {
		const char *own;
		int any, origin;
	} cases[] = {
		{ORIGIN("/srv/a"), 0, 0},
		{"[lfs]\n\turl = https://x/\n", 1, 1},
		{"[lfs]\n\tpushurl = https://x/\n", 1, 1},
		{"[lfs]\n\turl =\n", 0, 0},
		{ORIGIN("/srv/a") "\tlfsurl = https://x/\n", 0, 1},
		{ORIGIN("/srv/a") "\tlfspushurl = https://x/\n", 0, 1},
		{"[lfs]\n\tstandalonetransferagent = a\n", 1, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct config *c;

		scratch_write("home/.gitconfig", cases[i].own);
		assert_int_equal(config_load(&c, repo), 0);
		assert_int_equal(lfs_endpoint_is_configured(c, NULL), cases[i].any);
		assert_int_equal(lfs_endpoint_is_configured(c, "origin"), cases[i].origin);
		config_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_same_as_git_lfs),
		cmocka_unit_test(test_blob_remote),
		cmocka_unit_test(test_is_configured),
	};

	return cmocka_run_group_tests(tests, build, tear_down);
}
