/*
 * check-attr answers each question at once when it reads from a pipe: "path NUL attribute NUL value
 * NUL".
 */
#include "filter/attrask.h"

#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"

void attrask_release(struct attrask *a)
{
	if (a->started)
		run_finish(&a->git);
	run_release(&a->git);
	buf_release(&a->answer);
}

static int start(struct attrask *a, const char *attribute)
{
	int rc;

	if (a->started)
		return 0;
	strvec_release(&a->git.argv); /* of a start that failed */
	rc = strvec_pushl(&a->git.argv, "git", "check-attr", "--stdin", "-z", attribute, NULL);
	a->git.in = RUN_PIPE;
	a->git.out = RUN_PIPE;
	if (rc == 0)
		rc = run_start(&a->git);
	a->started = rc == 0;
	return rc;
}

int attrask_value(struct attrask *a, const char *attribute, const char *path, const char **value)
{
	size_t start_of_value = 0;
	int fields = 0, rc;
	char c;

	buf_reset(&a->answer);
	if ((rc = start(a, attribute)) < 0 ||
		(rc = fs_write_full(a->git.in_fd, path, strlen(path) + 1)) < 0)
		return rc;
	while (fields < 3) {
		ssize_t n = fs_read_full(a->git.out_fd, &c, 1);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return err_set(ERR_IO, "'git check-attr' ended without an answer");
		if ((rc = buf_addch(&a->answer, c)) < 0)
			return rc;
		if (c == '\0' && ++fields == 2)
			start_of_value = a->answer.len;
	}
	*value = a->answer.p + start_of_value;
	return 0;
}
