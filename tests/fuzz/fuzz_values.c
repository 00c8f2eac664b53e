/*
 * Files of metrics of any type, and paths that select in them: the first line is the type, the
 * second the path, the rest the file.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/metrics/values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int count(const char *name, const struct node *value, void *data)
{
	if (strlen(name) == SIZE_MAX || value == NULL)
		abort();
	++*(size_t *)data;
	return 0;
}

/* The next line, NUL-terminated and yours; *data and *len are behind it. */
static char *line(const uint8_t **data, size_t *len)
{
	const uint8_t *end = *len ? memchr(*data, '\n', *len) : NULL;
	size_t n = end ? (size_t)(end - *data) : *len;
	char *text = malloc(n + 1);

	if (!text)
		abort();
	memcpy(text, *data, n);
	text[n] = '\0';
	n += end != NULL;
	*data += n;
	*len -= n;
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *type = line(&data, &len), *path = line(&data, &len);
	struct node *root = NULL, *selected = NULL;
	struct buf json = BUF_INIT;
	size_t n = 0;

	if (values_parse(&root, "m", *type ? type : NULL, data, len) == 0) {
		if (values_each(root, count, &n) != 0)
			abort();
		if (values_select(&selected, root, path) == 0 &&
			(selected == NULL || node_json(&json, selected, 0) != 0))
			abort();
	}
	node_free(selected);
	node_free(root);
	buf_release(&json);
	free(path);
	free(type);
	return 0;
}
