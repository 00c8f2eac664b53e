/*
 * Files of stages and what they resolve to (tests/unit/pipelines): the examples of DVC's
 * documentation, and cases of types, names and paths whose results are those of DVC 3.67.
 *
 * A case is a text of sections: "=== dvx.yaml" and other files beside it, then "=== stages", what
 * pipeline_text.h prints of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "tests/unit/pipeline_text.h"

#define CASES "tests/unit/pipelines"

/* The section of a case; 1 and its text, or 0. */
static int section(const char *text, const char *name, struct buf *out)
{
	size_t len = strlen(name);

	for (const char *at = text; (at = strstr(at, "=== ")) != NULL; at += 4) {
		const char *end;

		if (strncmp(at + 4, name, len) != 0 || at[4 + len] != '\n')
			continue;
		at += 4 + len + 1;
		end = strstr(at, "\n=== ");
		assert_int_equal(
			buf_add(out, at, end != NULL ? (size_t)(end + 1 - at) : strlen(at)), 0);
		return 1;
	}
	return 0;
}

static int read_section(void *data, const char *path, struct buf *out)
{
	return section(data, path, out) ? 0 : err_set(ERR_NOTFOUND, "no file '%s'", path);
}

static void check_case(const char *name)
{
	struct buf path = BUF_INIT, text = BUF_INIT, stages = BUF_INIT, file = BUF_INIT;
	struct buf found = BUF_INIT;
	struct pipeline_reader reader = {.read = read_section};
	struct pipeline *p = NULL;

	assert_int_equal(buf_addf(&path, CASES "/%s", name), 0);
	assert_int_equal(buf_read_file(&text, path.p), 0);
	assert_true(section(text.p, "dvx.yaml", &file));
	assert_true(section(text.p, "stages", &stages));
	reader.data = text.p;
	if (pipeline_parse(&p, "dvx.yaml", file.p, file.len, &reader) < 0)
		fail_msg("%s: %s", name, err_msg());
	print_pipeline(&found, p);
	if (strcmp(buf_str(&found), stages.p) != 0)
		fail_msg("%s: expected\n%s\nfound\n%s", name, stages.p, buf_str(&found));
	pipeline_free(p);
	buf_release(&path);
	buf_release(&text);
	buf_release(&stages);
	buf_release(&file);
	buf_release(&found);
}

static void test_examples(void **state)
{
	DIR *dir = opendir(CASES);
	struct dirent *entry;
	size_t n = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		check_case(entry->d_name);
		n++;
	}
	closedir(dir);
	assert_true(n >= 22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
