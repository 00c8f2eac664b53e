/*
 * From parsed files to the columns that are drawn.
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
#include "lib/metrics/plots_internal.h"
#include "lib/yaml/yaml.h"

static struct node *parsed(const char *text)
{
	struct node *n = NULL;

	assert_int_equal(yaml_parse(&n, "t.yaml", text, strlen(text)), 0);
	return n;
}

static void rows(void **state)
{
	struct node *n = parsed("{auc: 0.9, thresholds: [a, b], roc: [{fpr: 0, tpr: 1}], "
				"deep: {pr: [{p: 1}, {p: 2, r: {x: 3}}]}, plain: [1, 2]}");

	(void)state;
	assert_ptr_equal(plot_rows(n, "tpr"), node_at(n, "roc"));
	assert_ptr_equal(plot_rows(n, NULL), node_at(n, "roc"));
	assert_ptr_equal(plot_rows(n, "r.x"), node_at(n, "deep.pr"));
	assert_ptr_equal(plot_rows(node_at(n, "plain"), NULL), node_at(n, "plain"));
	assert_null(plot_rows(node_at(n, "thresholds"), NULL));
	assert_null(plot_rows(node_at(n, "auc"), NULL));
	assert_string_equal(plot_field(node_at(n, "roc"), 0), "fpr");
	assert_string_equal(plot_field(node_at(n, "roc"), SIZE_MAX), "tpr");
	assert_null(plot_field(node_at(n, "plain"), 0));
	node_free(n);
}

static void column_is(const char *yaml, const char *field, const char *json)
{
	struct node *n = parsed(yaml);
	struct buf out = BUF_INIT;

	assert_int_equal(plot_column(&out, "t", n, field), 0);
	assert_string_equal(buf_str(&out), json);
	buf_release(&out);
	node_free(n);
}

static void columns(void **state)
{
	struct node *n = parsed("[{a: 1, b: 2}]");
	struct buf out = BUF_INIT;

	(void)state;
	column_is("[{a: 0.10}, {a: -2}, {b: 1}, {a: }]", "a", "[0.10,-2,null,null]");
	column_is("[{a: .nan}, {a: nan}, {a: -Inf}, {a: [1]}, {a: x}]", "a",
		"[null,null,null,null,\"x\"]");
	column_is("[{a: 1}, {a: 2}]", NULL, "[0,1]");
	column_is("[3, 4.5]", NULL, "[3,4.5]");
	column_is("[{a: {b: 7}}]", "a.b", "[7]");
	assert_int_equal(plot_column(&out, "t.csv", n, "c"), ERR_NOTFOUND);
	assert_string_equal(err_msg(), "t.csv: no field 'c'; there are: a, b");
	buf_release(&out);
	node_free(n);
}

static void strings(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(plot_json_string(&out, "a\"\n\xff</script>"), 0);
	assert_string_equal(buf_str(&out), "\"a\\\"\\n\xef\xbf\xbd</script>\"");
	buf_release(&out);
}

/* Nothing in the data can end the element that carries it. */
static void page(void **state)
{
	static const struct plots_options options;
	struct plots *p = NULL;
	struct plot *plot;
	struct buf html = BUF_INIT;
	const char *data, *end;

	(void)state;
	assert_int_equal(plots_new(&p, NULL, &options), 0);
	assert_int_equal(plots_check(p), ERR_NOTFOUND);
	plot = plots_get(p, "</script><script>alert(1)</script><!--");
	assert_non_null(plot);
	assert_ptr_equal(plots_get(p, plot->id), plot);
	err_set(ERR_NOTFOUND, "no </script>");
	assert_int_equal(plot_note(plot, "v1"), 0);
	assert_int_equal(plots_html(&html, p, "<b>&amp"), 0);
	assert_non_null(strstr(html.p, "<title>&lt;b>&amp;amp</title>"));
	data = strstr(html.p, "id=\"data\">");
	assert_non_null(data);
	end = strstr(data, "</script>");
	assert_non_null(end);
	assert_null(memchr(data + 10, '<', (size_t)(end - data) - 10));
	assert_non_null(strstr(data, "\\u003c/script\\u003e\\u003cscript\\u003ealert(1)"));
	assert_non_null(strstr(end, "'use strict'"));
	buf_release(&html);
	plots_free(p);
}

static void template_names(void **state)
{
	(void)state;
	assert_true(plots_is_template("confusion_normalized"));
	assert_false(plots_is_template("pie"));
	assert_string_equal(plots_template(0), "linear");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(columns),
		cmocka_unit_test(strings),
		cmocka_unit_test(page),
		cmocka_unit_test(template_names),
	};

	return cmocka_run_group_tests_name("plots", tests, NULL, NULL);
}
