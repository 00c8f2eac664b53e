/*
 * Texts of one format into nodes, for the tests of its reader: YAML, unless DOCUMENT is a name
 * that ends as files of another one do.
 */
#ifndef TESTS_UNIT_DOCUMENT_H
#define TESTS_UNIT_DOCUMENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/yaml/yaml.h"

#ifndef DOCUMENT
#define DOCUMENT "t.yaml"
#endif

/* Free it with node_free. */
static inline struct node *parsed(const char *text)
{
	struct node *n = NULL;
	int rc = doc_parse(&n, DOCUMENT, text, strlen(text));

	if (rc < 0)
		print_error("%s\n", err_msg());
	assert_int_equal(rc, 0);
	assert_non_null(n);
	return n;
}

static inline void reads_as(const char *text, const char *json)
{
	struct node *n = parsed(text);
	struct buf out = BUF_INIT;

	assert_int_equal(node_json(&out, n, 0), 0);
	assert_string_equal(buf_str(&out), json);
	buf_release(&out);
	node_free(n);
}

#endif
