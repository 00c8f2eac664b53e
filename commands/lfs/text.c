/*
 * Sizes, last lines and JSON as Git LFS prints them.
 */
#include <stdio.h>
#include <string.h>

#include "commands/lfs/lfs.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

const char *lfs_bytes(char out[static 16], uint64_t bytes)
{
	static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1000 && unit < 6) {
		value /= 1000;
		unit++;
	}
	if (unit == 0)
		snprintf(out, 16, "%u B", (unsigned)bytes);
	else
		snprintf(out, 16, value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return out;
}

void lfs_print_done(const char *what, size_t objects, uint64_t bytes, int64_t began_ns)
{
	double seconds = (double)(fs_now_ns() - began_ns) / 1e9;
	char size[16], rate[16];

	if (objects == 0)
		return;
	printf("%s: 100%% (%zu/%zu), %s | %s/s, done.\n", what, objects, objects,
		lfs_bytes(size, bytes),
		lfs_bytes(rate, seconds > 0 ? (uint64_t)((double)bytes / seconds) : 0));
}

static int new_line(struct buf *out, int depth)
{
	int rc = buf_addch(out, '\n');

	for (int i = 0; rc == 0 && i < depth; i++)
		rc = buf_addch(out, ' ');
	return rc;
}

/* Compact JSON in lines: what stands in quotes is copied. */
static int indent(struct buf *out, const char *text)
{
	int rc = 0, depth = 0, quoted = 0;

	for (const char *p = text; rc == 0 && *p != '\0'; p++) {
		int empty = strchr("{[", *p) != NULL && strchr("}]", p[1]) != NULL;

		if (quoted) {
			rc = buf_addch(out, *p);
			if (*p == '\\')
				rc = buf_addch(out, *++p);
			else if (*p == '"')
				quoted = 0;
			continue;
		}
		if (strchr("}]", *p) != NULL && strchr("{[", p[-1]) == NULL)
			rc = new_line(out, --depth);
		if (rc == 0)
			rc = buf_addch(out, *p);
		quoted = *p == '"';
		if (rc == 0 && *p == ':')
			rc = buf_addch(out, ' ');
		else if (rc == 0 && strchr("{[", *p) != NULL && !empty)
			rc = new_line(out, ++depth);
		else if (rc == 0 && *p == ',')
			rc = new_line(out, depth);
	}
	return rc;
}

int lfs_print_json(struct json *j, int compact)
{
	struct buf text = BUF_INIT, lines = BUF_INIT;
	int rc = json_format(j, &text, 0);

	buf_rtrim(&text);
	if (rc == 0 && !compact)
		rc = indent(&lines, buf_str(&text));
	if (rc == 0)
		puts(compact ? buf_str(&text) : buf_str(&lines));
	buf_release(&text);
	buf_release(&lines);
	return rc;
}
