/*
 * What is read of a command's text, of programs' words and of the system's files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/pipeline/environ_internal.h"

static int join(const struct strvec *words, void *data)
{
	for (size_t i = 0; i < words->n; i++)
		assert_int_equal(buf_addf(data, "%s%s", i ? "," : "", words->v[i]), 0);
	return buf_addch(data, '|');
}

static void check_commands(const char *line, const char *expected)
{
	struct buf out = BUF_INIT;

	assert_int_equal(environ_commands(line, join, &out), 0);
	assert_string_equal(buf_str(&out), expected);
	buf_release(&out);
}

static void test_commands(void **state)
{
	(void)state;
	check_commands("python a.py --x 1", "python,a.py,--x,1|");
	check_commands("a && b || c; d & e", "a|b|c|d|e|");
	check_commands("a | b", "a|b|");
	check_commands("echo 'x; y' \"z && w\" \\; t", "echo,x; y,z && w,;,t|");
	check_commands("a <in >out 2>err b", "a|");
	check_commands("(cd x && b)", "cd,x|b|");
	check_commands("a \"$(b c)\"", "a,\"$(b,c)\"|");
	check_commands("a 'unfinished", "a,'unfinished|");
	check_commands("", "");
	check_commands(" ;; | \n", "");
}

static int stop(const struct strvec *words, void *data)
{
	(void)words;
	++*(int *)data;
	return 7;
}

static void test_stop(void **state)
{
	int n = 0;

	(void)state;
	assert_int_equal(environ_commands("a; b", stop, &n), 7);
	assert_int_equal(n, 1);
}

static void check_version(const char *text, const char *expected)
{
	struct buf out = BUF_INIT;

	assert_int_equal(environ_version_text(&out, text), expected != NULL);
	assert_string_equal(buf_str(&out), expected ? expected : "");
	buf_release(&out);
}

static void test_versions(void **state)
{
	(void)state;
	check_version("Python 3.11.2\n", "3.11.2");
	check_version("Python 3.13.0rc1\n", "3.13.0rc1");
	check_version("Rscript (R) version 4.2.2 Patched (2022-11-10)", "4.2.2");
	check_version("julia version 1.10.0", "1.10.0");
	check_version("v18.19.0\n", "18.19.0");
	check_version("openjdk version \"17.0.9\" 2023-10-17\nOpenJDK", "17.0.9");
	check_version("This is perl 5, version 36, subversion 0 (v5.36.0) built", "5.36.0");
	check_version("GNU bash, version 5.2.15(1)-release (x86_64)", "5.2.15");
	check_version("ruby 3.1.2p20 (2022-04-12)", "3.1.2p20");
	check_version("no number, 12 or 7", NULL);
	check_version("", NULL);
}

static void test_system_files(void **state)
{
	static const char release[] = "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
	static const char cpu[] = "processor\t: 0\nmodel name\t: AMD EPYC 7763\nmodel\t: 1\n";
	static const char gpu[] = "Model: \t\t NVIDIA A100-SXM4-40GB\nIRQ: 31\n";
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(environ_os_release(&out, release), 1);
	assert_string_equal(out.p, "Debian GNU/Linux 12 (bookworm)");
	buf_reset(&out);
	assert_int_equal(environ_os_release(&out, "NAME=x"), 0);
	assert_int_equal(environ_os_release(&out, "PRETTY_NAME="), 0);
	assert_int_equal(environ_colon_line(&out, cpu, "model name"), 1);
	assert_string_equal(out.p, "AMD EPYC 7763");
	buf_reset(&out);
	assert_int_equal(environ_colon_line(&out, gpu, "Model"), 1);
	assert_string_equal(out.p, "NVIDIA A100-SXM4-40GB");
	buf_reset(&out);
	assert_int_equal(environ_colon_line(&out, gpu, "Mode"), 0);
	assert_int_equal(environ_colon_line(&out, "", "Model"), 0);
	buf_release(&out);
}

static void test_interpreters(void **state)
{
	(void)state;
	assert_string_equal(environ_interpreter("python3.11"), "python");
	assert_string_equal(environ_interpreter("/usr/bin/python"), "python");
	assert_string_equal(environ_interpreter("Rscript"), "R");
	assert_string_equal(environ_interpreter("npx"), "node");
	assert_null(environ_interpreter("python-config"));
	assert_null(environ_interpreter("pythonic"));
	assert_null(environ_interpreter("Rx"));
	assert_null(environ_interpreter(""));
	for (size_t i = 0; environ_facts[i]; i++) {
		const char *program = environ_default_program(environ_facts[i]);

		if (program)
			assert_string_equal(environ_interpreter(program), environ_facts[i]);
	}
}

static int note(const char *name, const struct node *old, const struct node *now, void *data)
{
	return buf_addf(data, "%s:%s>%s ", name, old ? old->text : "", now ? now->text : "");
}

static void test_diff(void **state)
{
	struct node *a = node_map(), *b = node_map(), *in = node_map();
	struct buf out = BUF_INIT;

	(void)state;
	environ_set(a, "same", "1");
	environ_set(b, "same", "1");
	environ_set(a, "gone", "1");
	environ_set(b, "new", "2");
	environ_set(a, "other", "1");
	environ_set(b, "other", "2");
	environ_set(in, "x", "3");
	node_set(b, "map", in);
	assert_int_equal(environ_diff(a, b, note, &out), 0);
	assert_string_equal(out.p, "gone:1> other:1>2 new:>2 map.x:>3 ");
	buf_reset(&out);
	assert_int_equal(environ_diff(NULL, NULL, note, &out), 0);
	assert_int_equal(environ_diff(b, NULL, note, &out), 0);
	assert_string_equal(out.p, "same:1> new:2> other:2> map.x:3> ");
	node_free(a);
	node_free(b);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_system_files),
		cmocka_unit_test(test_interpreters),
		cmocka_unit_test(test_diff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
