/*
 * Lines of a diff inside of a file (insideline.h).  They are made in memory and printed as a whole:
 * an error on the way never leaves half a line on the terminal.
 */
#include "commands/insideline.h"

#include <stdio.h>

#include "commands/visible.h"

const char insideline_red[] = "\x1b[31m", insideline_green[] = "\x1b[32m";
const char insideline_bold[] = "\x1b[1m", insideline_plain[] = "\x1b[m";

const char *insideline_paint(const struct insideline *l, const char *color)
{
	return l->o->color ? color : "";
}

int insideline_end(struct insideline *l)
{
	fputs(l->o->indent ? l->o->indent : "", stdout);
	puts(buf_str(&l->text));
	buf_reset(&l->text);
	return 0;
}

int insideline_value(struct insideline *l, const char *color, const char *value)
{
	int rc = buf_addstr(&l->text, insideline_paint(l, color));

	if (rc == 0)
		rc = visible_value(&l->text, value);
	return rc == 0 ? buf_addstr(&l->text, insideline_paint(l, insideline_plain)) : rc;
}

int insideline_title(struct insideline *l, const char *summary)
{
	int rc = buf_addstr(&l->text, insideline_paint(l, insideline_bold));

	if (rc == 0 && l->o->path != NULL) {
		rc = visible_path(&l->text, l->o->path, 0);
		if (rc == 0)
			rc = buf_addstr(&l->text, ": ");
	}
	if (rc == 0)
		rc = buf_addf(&l->text, "%s%s", summary, insideline_paint(l, insideline_plain));
	return rc == 0 ? insideline_end(l) : rc;
}

int insideline_rest(struct insideline *l, uint64_t n, const char *what)
{
	int rc = buf_addstr(&l->text, "    ... and ");

	if (rc == 0)
		rc = buf_addcount(&l->text, n);
	if (rc == 0)
		rc = buf_addf(&l->text, " more %s(--limit 0 shows all)", what);
	return rc == 0 ? insideline_end(l) : rc;
}
