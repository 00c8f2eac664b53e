/*
 * Where an SSH URL points, and with which words ssh is run: Git's rules, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "transfer/ssh/ssh_command.c" /* programs have no archive to link against */

static void assert_target(const char *url, const char *host, const char *port, const char *path)
{
	struct ssh_target t;

	assert_int_equal(ssh_target_parse(&t, url), 0);
	assert_string_equal(t.host, host);
	assert_string_equal(t.path, path);
	if (port)
		assert_string_equal(t.port ? t.port : "none", port);
	else
		assert_null(t.port);
	ssh_target_release(&t);
}

static void urls_are_taken_apart(void **state)
{
	(void)state;
	assert_target("ssh://host/srv/x", "host", NULL, "/srv/x");
	assert_target("SSH://host/srv/x/", "host", NULL, "/srv/x/");
	assert_target("ssh://ann@host:2222/srv/x", "ann@host", "2222", "/srv/x");
	assert_target("ssh://host:/srv", "host", NULL, "/srv");
	assert_target("ssh://host/~/x", "host", NULL, "~/x");
	assert_target("ssh://host/~ann/x", "host", NULL, "~ann/x");
	assert_target("ssh://host/a%20b%25", "host", NULL, "/a b%");
	assert_target("ssh://host/a%2", "host", NULL, "/a%2");
	assert_target("ssh://ann%40work@host/x", "ann@work@host", NULL, "/x");
	assert_target("ssh://[::1]:22/x", "::1", "22", "/x");
	assert_target("ssh://ann@[fe80::1]/x", "ann@fe80::1", NULL, "/x");
	assert_target("ssh://host/a:b@c", "host", NULL, "/a:b@c");
	assert_target("host:x", "host", NULL, "x");
	assert_target("host:/x:y", "host", NULL, "/x:y");
	assert_target("ann@host:~/x%20", "ann@host", NULL, "~/x%20");
	assert_target("[::1]:x", "::1", NULL, "x");
	assert_target("[host:2222]:x", "host", "2222", "x");
	assert_target("ann@[host:2222]:x", "ann@host", "2222", "x");
}

static void what_could_be_mistaken_is_refused(void **state)
{
	static const char *const bad[] = {"ssh://-oProxyCommand=x/y", "-oProxyCommand=x:y",
		"ssh://%2doProxyCommand=x/y", "ann@-host:x", "ssh://ann@-host/x", "ssh://[-o]/x",
		"ann@[-o:22]:x", "ssh://host", "ssh:///x", "ssh://@host/x", "ssh://ann@/x",
		"host:", "host:-x", ":x", "ssh://host:0/x", "ssh://host:65536/x", "ssh://host:2x/y",
		"ssh://host:-1/x", "[host:-1]:x", "ssh://host/%0a", "ssh://host/%00x",
		"ssh://ho%0ast/x", "ssh://host/%7f", "ssh://ho%20st/x", "host\n:x", "[host:x",
		"nothing", ""};
	struct ssh_target t;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(ssh_target_parse(&t, bad[i]), ERR_INVALID);
		assert_null(t.host);
		assert_null(t.path);
	}
}

static void words_are_quoted_for_the_far_shell(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(ssh_quote(&out, "a'b!c $(d)`e`\\"), 0);
	assert_string_equal(out.p, "'a'\\''b'\\!'c $(d)`e`\\'");
	buf_release(&out);
}

static void the_program_says_its_variant(void **state)
{
	static const struct {
		struct ssh_choice choice;
		enum ssh_variant variant;
	} cases[] = {
		{{.command = NULL}, SSH_OPENSSH},
		{{.program_env = "/usr/bin/ssh"}, SSH_OPENSSH},
		{{.program_env = "C:/x/Plink.EXE"}, SSH_PLINK},
		{{.program_env = "tortoiseplink"}, SSH_TORTOISEPLINK},
		{{.program_env = "my-ssh"}, SSH_UNKNOWN},
		{{.command = "ssh -i key"}, SSH_OPENSSH},
		{{.command = "'/opt/my dir/plink' -v"}, SSH_PLINK},
		{{.command = "my-ssh", .program_env = "plink"}, SSH_UNKNOWN},
		{{.command_env = "plink", .command = "ssh"}, SSH_PLINK},
		{{.command = "my-ssh", .variant = "putty"}, SSH_PLINK},
		{{.command = "my-ssh", .variant = "putty", .variant_env = "simple"}, SSH_SIMPLE},
		{{.command = "plink", .variant = "auto"}, SSH_PLINK},
		{{.command = "plink", .variant = "ssh"}, SSH_OPENSSH},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(ssh_variant_of(&cases[i].choice), cases[i].variant);
}

static void assert_argv(
	const struct ssh_choice *c, enum ssh_variant v, const char *port, const char *expected)
{
	char host[] = "ann@host", path[] = "/x", number[8] = "";
	struct ssh_target t = {.host = host, .path = path, .port = port ? number : NULL};
	struct strvec argv = STRVEC_INIT;
	struct buf joined = BUF_INIT;

	if (port)
		memcpy(number, port, strlen(port) + 1);
	assert_int_equal(ssh_argv(&argv, c, v, &t, "far 'x'"), 0);
	for (size_t i = 0; i < argv.n; i++)
		assert_int_equal(buf_addf(&joined, "<%s>", argv.v[i]), 0);
	assert_string_equal(joined.p, expected);
	buf_release(&joined);
	strvec_release(&argv);
}

static void the_words_are_gits(void **state)
{
	const struct ssh_choice plain = {0}, program = {.program_env = "/p"},
				shell = {.command = "ssh -i 'k'", .program_env = "/p"},
				script = {.command = "x=1 ssh"}, pipe = {.command = "ssh -v 2>log"};

	(void)state;
	assert_argv(&plain, SSH_OPENSSH, NULL, "<ssh><ann@host><far 'x'>");
	assert_argv(&plain, SSH_OPENSSH, "22", "<ssh><-p><22><ann@host><far 'x'>");
	assert_argv(&program, SSH_PLINK, "22", "</p><-P><22><ann@host><far 'x'>");
	assert_argv(&program, SSH_TORTOISEPLINK, "22", "</p><-batch><-P><22><ann@host><far 'x'>");
	assert_argv(&program, SSH_SIMPLE, NULL, "</p><ann@host><far 'x'>");
	assert_argv(&shell, SSH_OPENSSH, NULL,
		"</bin/sh><-c><exec ssh -i 'k' \"$@\"><ssh -i 'k'><ann@host><far 'x'>");
	assert_argv(&script, SSH_OPENSSH, NULL,
		"</bin/sh><-c><x=1 ssh \"$@\"><x=1 ssh><ann@host><far 'x'>");
	assert_argv(&pipe, SSH_OPENSSH, NULL,
		"</bin/sh><-c><ssh -v 2>log \"$@\"><ssh -v 2>log><ann@host><far 'x'>");
}

static void a_simple_program_takes_no_port(void **state)
{
	char host[] = "host", path[] = "/x", port[] = "22";
	const struct ssh_target t = {.host = host, .path = path, .port = port};
	const struct ssh_choice plain = {0};
	struct strvec argv = STRVEC_INIT;

	(void)state;
	assert_int_equal(ssh_argv(&argv, &plain, SSH_SIMPLE, &t, "far"), ERR_INVALID);
	strvec_release(&argv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_taken_apart),
		cmocka_unit_test(what_could_be_mistaken_is_refused),
		cmocka_unit_test(words_are_quoted_for_the_far_shell),
		cmocka_unit_test(the_program_says_its_variant),
		cmocka_unit_test(the_words_are_gits),
		cmocka_unit_test(a_simple_program_takes_no_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
