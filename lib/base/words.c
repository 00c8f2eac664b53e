/*
 * Splitting arguments (see words.h).  What such lines say in practice is paths, options and
 * variables; the rest of the shell's language is refused rather than misread.
 */
#include "lib/base/words.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct splitter {
	const char *at;
	struct buf word;
	int open; /* there is a word, perhaps an empty one */
	struct strvec *out;
};

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static int end_word(struct splitter *s)
{
	int rc = s->open ? strvec_push(s->out, buf_str(&s->word)) : 0;

	buf_reset(&s->word);
	s->open = 0;
	return rc;
}

/* The value of a variable becomes words of its own, unless it stands in quotes. */
static int add_value(struct splitter *s, const char *value, int quoted)
{
	int rc = 0;

	for (; rc == 0 && value && *value; value++) {
		if (!quoted && is_blank(*value)) {
			rc = end_word(s);
		} else {
			rc = buf_addch(&s->word, *value);
			s->open = 1;
		}
	}
	return rc;
}

static size_t name_length(const char *p)
{
	size_t n = 0;

	while (isalnum((unsigned char)p[n]) || p[n] == '_')
		n++;
	return n > 0 && isdigit((unsigned char)*p) ? 0 : n;
}

/* At a '$'. */
static int variable(struct splitter *s, int quoted)
{
	int braces = s->at[1] == '{', rc;
	const char *name = s->at + 1 + braces;
	size_t len = name_length(name);
	char *copy;

	if (len == 0 && !braces && s->at[1] != '(') { /* a dollar */
		s->open = 1;
		return buf_addch(&s->word, *s->at++);
	}
	if (len == 0 || (braces && name[len] != '}'))
		return err_set(ERR_UNSUPPORTED, "'$%c' needs a shell", s->at[1]);
	copy = strndup(name, len);
	if (!copy)
		return err_set(ERR_NOMEM, "out of memory");
	rc = add_value(s, getenv(copy), quoted);
	free(copy);
	s->at = name + len + (size_t)braces;
	return rc;
}

static int in_single(struct splitter *s)
{
	size_t len = strcspn(++s->at, "'");
	int rc = buf_add(&s->word, s->at, len);

	s->at += len;
	if (!*s->at)
		return err_set(ERR_INVALID, "a quote (') without end");
	s->at++;
	return rc;
}

static int in_double(struct splitter *s)
{
	int rc = 0;

	for (s->at++; rc == 0 && *s->at && *s->at != '"';) {
		if (*s->at == '`')
			return err_set(ERR_UNSUPPORTED, "'`' needs a shell");
		if (*s->at == '$') {
			rc = variable(s, 1);
			continue;
		}
		if (*s->at == '\\' && s->at[1] && strchr("\\\"$`\n", s->at[1]))
			s->at++;
		rc = buf_addch(&s->word, *s->at++);
	}
	if (rc == 0 && !*s->at)
		return err_set(ERR_INVALID, "a quote (\") without end");
	s->at++;
	return rc;
}

static int one_character(struct splitter *s)
{
	char c = *s->at;

	if (strchr("|&;<>()`", c))
		return err_set(ERR_UNSUPPORTED, "'%c' needs a shell", c);
	if (c == '$')
		return variable(s, 0);
	if (c == '~' && !s->open && (!s->at[1] || s->at[1] == '/' || is_blank(s->at[1]))) {
		s->at++;
		s->open = 1;
		return add_value(s, getenv("HOME"), 1);
	}
	s->open = 1;
	if (c == '\'')
		return in_single(s);
	if (c == '"')
		return in_double(s);
	if (c == '\\' && s->at[1])
		s->at++;
	return buf_addch(&s->word, *s->at++);
}

int words_split(struct strvec *out, const char *line)
{
	struct splitter s = {.at = line, .out = out};
	int rc = 0;

	while (rc == 0 && *s.at) {
		if (is_blank(*s.at)) {
			rc = end_word(&s);
			s.at++;
		} else {
			rc = one_character(&s);
		}
	}
	if (rc == 0)
		rc = end_word(&s);
	buf_release(&s.word);
	return rc;
}

int words_quote(struct buf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-_./,:=@%+";
	int rc;

	if (*word != '\0' && word[strspn(word, plain)] == '\0')
		return buf_addstr(out, word);
	rc = buf_addch(out, '\'');
	for (; rc == 0 && *word != '\0'; word++)
		rc = *word == '\'' ? buf_addstr(out, "'\\''") : buf_addch(out, *word);
	return rc == 0 ? buf_addch(out, '\'') : rc;
}
