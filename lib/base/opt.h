/*
 * Option tables: one table parses a command line, prints its help, and is compared with the man
 * page's SYNOPSIS by `make check`.  Git's conventions: bundled short options, --long=value and
 * --long value, --no-long for switches, "--" ends options, options may follow operands, unique
 * prefixes are not accepted.
 */
#ifndef LIB_BASE_OPT_H
#define LIB_BASE_OPT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/strvec.h"

enum opt_type {
	OPT_FLAG,  /* int *:           set to 1 (--no-x: 0) */
	OPT_VALUE, /* const char **:   borrowed from argv */
	OPT_INT,   /* int *:           decimal, >= 0 */
	OPT_SIZE, /* uint64_t *:      bytes with optional K, M, G, T (powers of 1024), also KB, KiB…
		   */
	OPT_LIST, /* struct strvec *: appended, may be given again */
	OPT_SET	  /* int *:           set to `value` */
};

struct opt {
	char short_name;       /* 0: none */
	const char *long_name; /* NULL: none */
	enum opt_type type;
	void *target;
	const char *arg;  /* name of the value in the help: "<name>", NULL for flags */
	const char *help; /* one line, lower case, no full stop; NULL: hidden (old spellings) */
	int value;	  /* OPT_SET */
};

#define OPT_END                                                                                    \
	{                                                                                          \
		0, NULL, OPT_FLAG, NULL, NULL, NULL, 0                                             \
	}

/* Stop at the first operand (for commands whose operands are a command line). */
#define OPT_STOP_AT_OPERAND 1

/* Parse argv[1..]; operands (borrowed) are moved to the front of argv+1 and *n_operands is set.
 * `usage` is one or more lines "git dvx add [<options>] <path>...".  0; 1 after -h/--help was
 * printed on stdout; ERR_INVALID with a message
 * ("unknown option '--frob'; see 'git dvx add -h'"). */
int opt_parse(int argc, char **argv, const struct opt *table, const char *usage, int flags,
	int *n_operands);

/* Print "usage: …" and the table. */
void opt_help(FILE *out, const struct opt *table, const char *usage);

/* Parse "10", "64K", "1MiB", "2 GB".  0 or ERR_INVALID. */
int opt_parse_size(uint64_t *out, const char *text);

#endif
