/*
 * The door to toml++, which is C++ (Debian has no TOML library in C): a document as a row of
 * events, in the order of the file.  C and C++ both read this header, so it includes nothing of
 * ours.
 */
#ifndef LIB_YAML_TOMLWALK_H
#define LIB_YAML_TOMLWALK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum tomlwalk_kind {
	TOMLWALK_MAP,	/* its items follow */
	TOMLWALK_LIST,	/* its items follow */
	TOMLWALK_LEAVE, /* the end of the innermost of them */
	TOMLWALK_STRING,
	TOMLWALK_INT,
	TOMLWALK_FLOAT,
	TOMLWALK_BOOL,
	TOMLWALK_TIME /* a date, a time or both */
};

struct tomlwalk_place {
	unsigned line, column; /* from 1, in characters; 0: it stands nowhere */
};
struct tomlwalk_event {
	enum tomlwalk_kind kind;
	const char *key; /* NUL-terminated; NULL: an item of a list, or the whole document */
	size_t key_len;
	struct tomlwalk_place key_at, begin, end; /* `end` is behind the last character */
	const char *text;			  /* TOMLWALK_STRING: not NUL-terminated */
	size_t text_len;
	int64_t i; /* TOMLWALK_INT; TOMLWALK_BOOL: 0 or 1 */
	double f;  /* TOMLWALK_FLOAT */
};
struct tomlwalk_error {
	struct tomlwalk_place at;
	char what[400];
};

/* All strings are borrowed and valid during the call; non-zero of `fn` stops and is returned.  -1:
 * it is not TOML, *error says why. */
int tomlwalk(const char *bytes, size_t len,
	int (*fn)(const struct tomlwalk_event *event, void *data), void *data,
	struct tomlwalk_error *error);

#ifdef __cplusplus
}
#endif

#endif
