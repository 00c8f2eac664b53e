/*
 * Command lines from tables (see opt.h).  The operands are gathered at the front of argv as the
 * options are taken out, so a command sees them as a plain array.
 */
#include "lib/base/opt.h"
#include "lib/base/err.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	char **argv;
	int argc, next; /* argv[next] is the next to look at */
	int n_operands; /* gathered in argv[1..] */
	const struct opt *table;
	const char *usage;
};

static int takes_value(const struct opt *o)
{
	return o->type == OPT_VALUE || o->type == OPT_INT || o->type == OPT_SIZE ||
	       o->type == OPT_LIST;
}

static int is_end(const struct opt *o)
{
	return !o->short_name && !o->long_name;
}

/* Length of "git dvx add" in "git dvx add [<options>] <path>...". */
static int command_length(const char *usage)
{
	size_t len = 0, word = 0;

	while (usage[word] && !strchr("[<(-|\n", usage[word])) {
		len = word + strcspn(usage + word, " \n");
		word = len + (usage[len] == ' ');
	}
	return (int)len;
}

/* A complaint about the option as it was typed, with where to read on. */
static int complain(const struct parser *p, const char *dashes, const char *name, size_t len,
	const char *before, const char *after)
{
	return err_set(ERR_INVALID, "%s'%s%.*s'%s; see '%.*s -h'", before, dashes, (int)len, name,
		after, command_length(p->usage), p->usage);
}

/* Decimal, not negative, fits an int. */
static int parse_int(int *out, const char *text)
{
	char *end;
	long n;

	if (*text < '0' || *text > '9')
		return ERR_INVALID; /* the caller has the option's name for the message */
	errno = 0;
	n = strtol(text, &end, 10);
	if (*end || errno || n > INT_MAX)
		return ERR_INVALID;
	*out = (int)n;
	return 0;
}

int opt_parse_size(uint64_t *out, const char *text)
{
	static const char units[] = "kmgt";
	const char *unit;
	uint64_t n;
	unsigned shift = 0;
	char *end;

	errno = 0;
	if (*text < '0' || *text > '9')
		goto bad;
	n = strtoull(text, &end, 10);
	if (errno)
		goto bad;
	while (*end == ' ')
		end++;
	unit = *end ? strchr(units, *end | 0x20) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
		if ((*end | 0x20) == 'i' && (end[1] | 0x20) == 'b')
			end++;
	}
	if ((*end | 0x20) == 'b')
		end++;
	if (*end || n > (uint64_t)INT64_MAX >> shift)
		goto bad;
	*out = n << shift;
	return 0;
bad:
	return err_set(ERR_INVALID, "'%s' is not a size; write it like 500, 64K, 10M or 2G", text);
}

/* Give a value to its target.  0, or ERR_INVALID with a message about the option. */
static int store_value(const struct parser *p, const struct opt *o, const char *dashes,
	const char *name, size_t len, const char *value)
{
	switch (o->type) {
	case OPT_VALUE:
		*(const char **)o->target = value;
		return 0;
	case OPT_INT:
		if (parse_int(o->target, value) < 0)
			return complain(p, dashes, name, len, "option ", " wants a number");
		return 0;
	case OPT_SIZE:
		if (opt_parse_size(o->target, value) < 0)
			return err_prefix(ERR_INVALID, "option '%s%.*s'", dashes, (int)len, name);
		return 0;
	case OPT_LIST:
		return strvec_push(o->target, value);
	default:
		return complain(p, dashes, name, len, "option ", " takes no value");
	}
}

static void store_switch(const struct opt *o, int on)
{
	*(int *)o->target = o->type == OPT_SET ? o->value : on;
}

/* Take the following argument as a value; NULL when there is none. */
static const char *following(struct parser *p)
{
	return p->next < p->argc ? p->argv[p->next++] : NULL;
}

static const struct opt *find_long(const struct opt *table, const char *name, size_t len)
{
	for (; !is_end(table); table++)
		if (table->long_name && strlen(table->long_name) == len &&
			memcmp(table->long_name, name, len) == 0)
			return table;
	return NULL;
}

/* 1 when help was asked for, 0, or ERR_INVALID. */
static int parse_long(struct parser *p, const char *name)
{
	size_t len = strcspn(name, "=");
	const struct opt *o = find_long(p->table, name, len);
	const char *value = name[len] ? name + len + 1 : NULL;
	int on = 1;

	if (!o && strcmp(name, "help") == 0)
		return 1;
	if (!o && len > 3 && memcmp(name, "no-", 3) == 0) {
		o = find_long(p->table, name + 3, len - 3);
		if (o && o->type != OPT_FLAG)
			o = NULL;
		on = 0;
	}
	if (!o)
		return complain(p, "--", name, len, "unknown option ", "");
	if (!takes_value(o) && !value) {
		store_switch(o, on);
		return 0;
	}
	if (!value)
		value = following(p);
	if (!value)
		return complain(p, "--", name, len, "option ", " needs a value");
	return store_value(p, o, "--", name, len, value);
}

/* "-rf", "-j4", "-j 4".  1 when help was asked for, 0, or ERR_INVALID. */
static int parse_short(struct parser *p, const char *letters)
{
	for (; *letters; letters++) {
		const struct opt *o = p->table;
		const char *value;

		while (!is_end(o) && o->short_name != *letters)
			o++;
		if (is_end(o) && *letters == 'h')
			return 1;
		if (is_end(o))
			return complain(p, "-", letters, 1, "unknown option ", "");
		if (!takes_value(o)) {
			store_switch(o, 1);
			continue;
		}
		value = letters[1] ? letters + 1 : following(p);
		if (!value)
			return complain(p, "-", letters, 1, "option ", " needs a value");
		return store_value(p, o, "-", letters, 1, value);
	}
	return 0;
}

int opt_parse(int argc, char **argv, const struct opt *table, const char *usage, int flags,
	int *n_operands)
{
	struct parser p = {argv, argc, 1, 0, table, usage};
	int only_operands = 0;

	while (p.next < argc) {
		char *arg = argv[p.next++];
		int rc;

		if (only_operands || arg[0] != '-' || !arg[1]) {
			argv[1 + p.n_operands++] = arg;
			only_operands |= flags & OPT_STOP_AT_OPERAND;
			continue;
		}
		if (strcmp(arg, "--") == 0) {
			only_operands = 1;
			continue;
		}
		rc = arg[1] == '-' ? parse_long(&p, arg + 2) : parse_short(&p, arg + 1);
		if (rc < 0)
			return rc;
		if (rc > 0) {
			opt_help(stdout, table, usage);
			return 1;
		}
	}
	*n_operands = p.n_operands;
	return 0;
}

/* "-r, --remote <name>" as it stands in the help.  The width it takes. */
static int print_names(FILE *out, const struct opt *o)
{
	int n = 0;

	if (o->short_name)
		n += fprintf(out, "-%c", o->short_name);
	if (o->long_name)
		n += fprintf(out, "%s--%s", o->short_name ? ", " : "", o->long_name);
	if (o->arg)
		n += fprintf(out, " %s", o->arg);
	return n;
}

void opt_help(FILE *out, const struct opt *table, const char *usage)
{
	enum { INDENT = 4, COLUMN = 26 };
	const char *head = "usage: ";

	while (*usage) {
		size_t len = strcspn(usage, "\n");

		fprintf(out, "%s%.*s\n", head, (int)len, usage);
		usage += len + (usage[len] == '\n');
		head = "   or: ";
	}
	if (!is_end(table))
		fputc('\n', out);
	for (; !is_end(table); table++) {
		int width;

		if (!table->help)
			continue;
		fprintf(out, "%*s", INDENT, "");
		width = print_names(out, table);
		if (width > COLUMN - 2) {
			fputc('\n', out);
			width = -INDENT;
		}
		fprintf(out, "%*s%s\n", COLUMN - width, "", table->help);
	}
}
