/*
 * Which difference is named first: the rule of docs/lineage.md, on sections that are written down
 * here as JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/lineage/lineage_diff_internal.h"
#include "lib/yaml/yaml.h"

#define COLUMN                                                                                     \
	"\"table\": {\"columns\": [{\"change\": \"added\", \"old\": null, \"new\": \"region\"}]}"
#define ROWS "\"table\": {\"columns\": [], \"added\": 2, \"removed\": 0, \"changed\": 1}"
#define FILE_OF(path, role, more)                                                                  \
	"{\"path\": \"" path "\", \"status\": \"modified\", \"role\": \"" role "\"" more "}"

/* The sections of an answer: data, params, stages, code.stages, environment. */
static struct node *answer(
	const char *data, const char *params, const char *stages, const char *code, const char *env)
{
	struct buf text = BUF_INIT;
	struct node *root = NULL;

	assert_int_equal(buf_addf(&text,
				 "{\"data\": [%s], \"params\": {%s}, \"stages\": [%s], \"code\": "
				 "{\"stages\": [%s]}, \"environment\": {%s}}",
				 data, params, stages, code, env),
		0);
	assert_int_equal(json_parse(&root, "test", text.p, text.len), 0);
	buf_release(&text);
	assert_int_equal(lineage_causes(root), 0);
	return root;
}

/* "<kind> <what>: <text>" of each cause, a line each. */
static void check(struct node *root, const char *expected)
{
	const struct node *list = node_get(root, "causes");
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < list->n; i++)
		assert_int_equal(
			buf_addf(&text, "%s %s: %s\n", lineage_text(list->items[i], "kind"),
				lineage_text(list->items[i], "what"),
				lineage_text(list->items[i], "text")),
			0);
	assert_string_equal(buf_str(&text), expected);
	buf_release(&text);
	node_free(root);
}

static const char param[] = "\"p.yaml\": {\"lr\": {\"old\": 0.1, \"new\": null}}";
static const char command[] = "{\"name\": \"train\", \"status\": \"modified\"}";
static const char script[] =
	"{\"stage\": \"train\", \"path\": \"train.py\", \"status\": \"modified\"}";
static const char fact[] = "\"train\": {\"python\": {\"old\": \"3.11\", \"new\": \"3.12\"}}";

static void order(void **state)
{
	(void)state;
	check(answer(FILE_OF("a.csv", "source", ", " ROWS) "," FILE_OF("b.csv", "source",
			     ", " COLUMN) "," FILE_OF("c.csv", "made", ", " COLUMN),
		      param, command, script, fact),
		"columns b.csv: column added: region\n"
		"data a.csv: 2 rows added, 1 changed\n"
		"params p.yaml: lr 0.1 -> (none)\n"
		"command train: another command\n"
		"code train.py: modified (stage 'train')\n"
		"environment train: python 3.11 -> 3.12\n");
}

static void on_the_way(void **state)
{
	(void)state;
	check(answer(FILE_OF("c.csv", "made", ", " COLUMN), "", "", script, ""),
		"columns c.csv: column added: region\n"
		"code train.py: modified (stage 'train')\n");
}

static void only_results(void **state)
{
	(void)state;
	check(answer(FILE_OF("c.bin", "made", ""), "", "", "", ""), "data c.bin: other content\n");
	check(answer(FILE_OF("c.bin", "made", ""), param, "", "", ""),
		"params p.yaml: lr 0.1 -> (none)\n");
	check(answer("", "", "", "", ""), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(order), cmocka_unit_test(on_the_way),
		cmocka_unit_test(only_results)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
