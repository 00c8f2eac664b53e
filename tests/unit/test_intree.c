/*
 * Files of the tree: what they may say, what is refused, and secrets that should not be in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/setup/config.h"
#include "lib/setup/intree.h"
#include "tests/unit/config_repo.h"

static void test_tree_may_not_say_everything(void **state)
{
	static const char text[] =
		"[dvx]\n\tremote = r\n\tminSize = 1M\n\tversion = 1\n\thooks = x\n"
		"[dvx-remote \"r\"]\n\turl = u\n\tregion = eu\n\tendpointurl = e\n\tprofile = p\n"
		"\tstorageclass = s\n\tsecretAccessKey = k\n\tcommand = rm\n"
		"[lfs]\n\tstorage = /etc\n\turl = https://x\n[core]\n\tsshCommand = evil\n"
		"[dvx-remote]\n\turl = nosub\n[filter \"dvx\"]\n\tclean = evil\n"
		"[include]\n\tpath = /etc/passwd\n[dvx-remote \"a\\\\tb\x1b[1m\"]\n\tpassword = "
		"p\n";
	static const char lfs[] =
		"[lfs]\n\turl = u\n\tstorage = s\n[lfs \"https://h\"]\n\taccess = basic\n"
		"[remote \"o\"]\n\tlfsurl = l\n\turl = no\n[dvx]\n\tremote = no\n";
	struct strvec pairs = STRVEC_INIT;
	struct buf refused = BUF_INIT;

	(void)state;
	assert_int_equal(intree_parse(&pairs, &refused, ".dvxconfig", text, sizeof text - 1), 0);
	assert_int_equal(pairs.n, 2 * (8 + 2));
	assert_string_equal(pairs.v[14], "dvx-remote.r.storageclass");
	assert_string_equal(pairs.v[16], INTREE_LEAK_KEY);
	assert_string_equal(pairs.v[17], "dvx-remote.r.secretaccesskey");
	assert_string_equal(refused.p,
		".dvxconfig: dvx.hooks, .dvxconfig: dvx-remote.r.secretaccesskey, "
		".dvxconfig: dvx-remote.r.command, .dvxconfig: lfs.storage, .dvxconfig: lfs.url, "
		".dvxconfig: core.sshcommand, .dvxconfig: dvx-remote.url, "
		".dvxconfig: filter.dvx.clean, .dvxconfig: include.path, "
		".dvxconfig: dvx-remote.a\\tb?[1m.password");
	strvec_release(&pairs);
	buf_reset(&refused);
	assert_int_equal(intree_parse(&pairs, &refused, ".lfsconfig", lfs, sizeof lfs - 1), 0);
	assert_int_equal(pairs.n, 2 * 3);
	assert_string_equal(refused.p,
		".lfsconfig: lfs.storage, .lfsconfig: remote.o.url, .lfsconfig: dvx.remote");
	strvec_release(&pairs);
	buf_release(&refused);
}

static void test_passwords_in_urls(void **state)
{
	static const struct {
		const char *url;
		size_t at, len;
	} cases[] = {{"https://me:hush@h/x", 11, 4}, {"ssh://me@h:22/x", 0, 0},
		{"ssh://me:a@b@h:22", 9, 3}, {"me@h:x", 0, 0}, {"s3://b/a:b@c", 0, 0},
		{"rclone://r:p/a:b@c", 0, 0}, {"https://:x@h", 9, 1}, {"/a://b:c@d", 0, 0}};
	static const char text[] = "[dvx-remote \"r\"]\n\turl = ssh://me:hush@h/x\n";
	struct strvec pairs = STRVEC_INIT;
	struct buf refused = BUF_INIT;
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(intree_url_secret(cases[i].url, &at), cases[i].len);
		if (cases[i].len)
			assert_int_equal(at, cases[i].at);
	}
	assert_int_equal(intree_parse(&pairs, &refused, ".dvxconfig", text, sizeof text - 1), 0);
	assert_int_equal(pairs.n, 4);
	assert_string_equal(pairs.v[0], INTREE_LEAK_KEY);
	assert_string_equal(pairs.v[1], "dvx-remote.r.url");
	assert_string_equal(pairs.v[3], "ssh://me@h/x");
	strvec_release(&pairs);
	buf_release(&refused);
}

static void test_bad_file_of_the_tree(void **state)
{
	(void)state;
	scratch_write("r/.dvxconfig", "[dvx]\n\tremote = a\n<<<<<<< HEAD\n");
	assert_string_equal(value_of("dvx.remote"),
		"error: bad configuration line 3 in '.dvxconfig'; it is written as git-config(1) "
		"says, without conflict marks and without '_' in names");
	scratch_write("r/.dvxconfig", "[dvx]\n\thooks = x\n");
	assert_string_equal(value_of("dvx.hooks"), "(unset)");
	/* a link counts as absent: it could lead anywhere */
	assert_int_equal(unlink(scratch_path("r/.dvxconfig")), 0);
	scratch_write("outside", "[dvx]\n\tremote = linked\n");
	assert_int_equal(symlink("../outside", scratch_path("r/.dvxconfig")), 0);
	assert_string_equal(value_of("dvx.remote"), "(unset)");
	assert_int_equal(unlink(scratch_path("r/.dvxconfig")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree_may_not_say_everything),
		cmocka_unit_test(test_passwords_in_urls),
		cmocka_unit_test(test_bad_file_of_the_tree),
	};

	return cmocka_run_group_tests(tests, build, tear_down);
}
