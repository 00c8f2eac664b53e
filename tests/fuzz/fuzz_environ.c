/*
 * Commands of stages and words of programs: whatever they are, reading them ends and stays inside.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/pipeline/environ_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int look(const struct strvec *words, void *data)
{
	(void)data;
	for (size_t i = 0; i < words->n; i++)
		(void)environ_interpreter(words->v[i]);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf out = BUF_INIT;
	char *text = strndup((const char *)data, len);

	if (!text)
		abort();
	(void)environ_commands(text, look, NULL);
	(void)environ_version_text(&out, text);
	(void)environ_os_release(&out, text);
	(void)environ_colon_line(&out, text, "Model");
	buf_release(&out);
	free(text);
	return 0;
}
