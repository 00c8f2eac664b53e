/*
 * JSON output of the commands: the document is printed as a whole, or not at all.
 */
#include <stdio.h>

#include "commands/command.h"
#include "commands/json.h"

int json_print(struct json *j)
{
	struct buf text = BUF_INIT;
	int rc = json_format(j, &text, !command_is_git_lfs());

	if (rc == 0)
		puts(buf_str(&text));
	buf_release(&text);
	return rc;
}
