/*
 * Runs a fuzzer's entry point over its saved inputs (tests/fuzz/corpus/<name>), as a test that
 * needs no fuzzing engine.  The name is that of the program: replay_<name>.  Speaks TAP; a crash is
 * the failure.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	struct buf input = BUF_INIT;
	int err;

	err = buf_read_file(&input, path);
	if (!err)
		LLVMFuzzerTestOneInput((const uint8_t *)buf_str(&input), input.len);
	else
		printf("# %s\n", err_msg());
	buf_release(&input);
	return err;
}

int main(void)
{
	const char *name = program_invocation_short_name + strlen("replay_");
	struct buf path = BUF_INIT;
	struct dirent *entry;
	DIR *dir = NULL;
	int inputs = 0, bad = 0;

	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	if (buf_addf(&path, "tests/fuzz/corpus/%s/", name) == 0)
		dir = opendir(buf_str(&path));
	while (dir && (entry = readdir(dir))) {
		size_t len = path.len;

		if (entry->d_name[0] == '.')
			continue;
		if (buf_addstr(&path, entry->d_name) < 0 || replay_file(buf_str(&path)) < 0)
			bad++;
		inputs++;
		buf_truncate(&path, len);
	}
	printf("1..1\n%s 1 - fuzz_%s: %d saved inputs\n", inputs && !bad ? "ok" : "not ok", name,
		inputs);
	if (dir)
		closedir(dir);
	buf_release(&path);
	return inputs && !bad ? EXIT_SUCCESS : EXIT_FAILURE;
}
