/*
 * Writing and recognising conflict markers.
 */
#include "lib/base/markers.h"

int markers_add(struct buf *out, char c, int size, const char *label, const char *eol)
{
	int rc = 0;

	for (int i = size > 0 ? size : MARKERS_SIZE; rc == 0 && i > 0; i--)
		rc = buf_addch(out, c);
	if (rc == 0 && label != NULL)
		rc = buf_addf(out, " %s", label);
	return rc == 0 ? buf_addstr(out, eol) : rc;
}

int markers_at(const char *line, size_t len)
{
	size_t n = 0;

	if (len == 0 || (line[0] != '<' && line[0] != '>'))
		return 0;
	while (n < len && line[n] == line[0])
		n++;
	return n >= MARKERS_SIZE && n < len && line[n] == ' ';
}
