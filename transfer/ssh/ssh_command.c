/*
 * Which ssh, and with which words (see ssh_command.h).  GIT_SSH_COMMAND and core.sshCommand are the
 * user's own shell words, and are run by a shell with the rest as its arguments; nothing from a URL
 * is ever part of what that shell reads.
 */
#include "transfer/ssh/ssh_command.h"
#include "lib/base/err.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- where ---- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* A copy of `len` bytes, percent-decoded if asked for.  NULL when out of memory. */
static char *copy_part(const char *p, size_t len, int decode)
{
	char *copy = malloc(len + 1), *to = copy;

	if (!copy)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		int high = decode && p[i] == '%' && i + 2 < len ? hex_value(p[i + 1]) : -1;
		int low = high >= 0 ? hex_value(p[i + 2]) : -1;

		*to = low >= 0 ? (char)(high << 4 | low) : p[i];
		if (!*to) /* %00 would hide the rest: leave what the check refuses */
			*to = '\n';
		to++;
		i += low >= 0 ? 2 : 0;
	}
	*to = '\0';
	return copy;
}

/* The length of "[user@]host" at the front of `p`: up to `stop` or the end, colons in brackets
 * excepted. */
static size_t host_length(const char *p, const char *stops)
{
	const char *at = p + strcspn(p, "/@");
	const char *host = *at == '@' ? at + 1 : p;
	const char *bracket = *host == '[' ? strchr(host, ']') : NULL;
	const char *from = bracket ? bracket : host;

	return (size_t)(from - p) + strcspn(from, stops);
}

/* Brackets around a host of many colons are not for ssh; "[host:22]" is a host and a port. */
static int take_brackets(struct ssh_target *t)
{
	char *host = strchr(t->host, '@'), *end, *colon;

	host = host ? host + 1 : t->host;
	if (*host != '[')
		return 0;
	end = strchr(host, ']');
	if (!end || end[1])
		return ERR_INVALID;
	*end = '\0';
	memmove(host, host + 1, strlen(host));
	if (host > t->host && host[0] == '-')
		return ERR_INVALID;
	colon = strchr(host, ':');
	if (!colon || strchr(colon + 1, ':') || t->port)
		return 0;
	*colon = '\0';
	t->port = strdup(colon + 1);
	return t->port ? 0 : ERR_NOMEM;
}

static int is_port(const char *text)
{
	size_t len = strlen(text);
	long n;

	if (len == 0 || len > 5 || strspn(text, "0123456789") != len)
		return 0;
	n = strtol(text, NULL, 10);
	return n > 0 && n <= 65535;
}

static int has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return 1;
	return 0;
}

/* What is wrong with a target, NULL if nothing. */
static const char *complaint(const struct ssh_target *t)
{
	const char *at = strrchr(t->host, '@');
	const char *host = at ? at + 1 : t->host;

	if (has_control(t->host) || has_control(t->path))
		return "has a control character";
	if (t->host[0] == '-' || host[0] == '-')
		return "has a user or host that begins with '-'";
	if (!*host || at == t->host || strpbrk(t->host, " \t"))
		return "has no usable host";
	if (!*t->path)
		return "has no path";
	if (t->path[0] == '-')
		return "has a path that begins with '-'; write './-…'";
	if (t->port && !is_port(t->port))
		return "has a bad port";
	return NULL;
}

/* "ssh://[user@]host[:port]/path", behind the scheme. */
static int split_url(struct ssh_target *t, const char *p)
{
	size_t len = host_length(p, "/:");
	const char *rest = p + len;

	t->host = copy_part(p, len, 1);
	if (*rest == ':') {
		size_t n = strcspn(rest + 1, "/");

		if (n) {
			t->port = strndup(rest + 1, n);
			if (!t->port)
				return ERR_NOMEM;
		}
		rest += 1 + n;
	}
	if (rest[0] == '/' && rest[1] == '~')
		rest++;
	t->path = copy_part(rest, strlen(rest), 1);
	return t->host && t->path ? 0 : ERR_NOMEM;
}

/* "[user@]host:path" */
static int split_scp(struct ssh_target *t, const char *p)
{
	size_t len = host_length(p, ":");

	if (p[len] != ':')
		return ERR_INVALID;
	t->host = copy_part(p, len, 0);
	t->path = strdup(p + len + 1);
	return t->host && t->path ? 0 : ERR_NOMEM;
}

int ssh_target_parse(struct ssh_target *out, const char *url)
{
	static const char scheme[] = "ssh://";
	const char *why = "is not of the form ssh://[user@]host[:port]/path or [user@]host:path";
	int rc;

	memset(out, 0, sizeof *out);
	if (strncasecmp(url, scheme, sizeof scheme - 1) == 0)
		rc = split_url(out, url + sizeof scheme - 1);
	else
		rc = split_scp(out, url);
	if (rc == 0)
		rc = take_brackets(out);
	if (rc == 0 && (why = complaint(out)))
		rc = ERR_INVALID;
	if (rc < 0)
		ssh_target_release(out);
	if (rc == ERR_NOMEM)
		return err_set(ERR_NOMEM, "out of memory");
	return rc < 0 ? err_set(ERR_INVALID, "remote URL '%s' %s", url, why) : 0;
}

void ssh_target_release(struct ssh_target *t)
{
	free(t->host);
	free(t->port);
	free(t->path);
	memset(t, 0, sizeof *t);
}

/* ---- with what ---- */

int ssh_quote(struct buf *out, const char *word)
{
	int rc = buf_addch(out, '\'');

	for (; *word && rc == 0; word++) {
		if (*word == '\'' || *word == '!') /* '!' is special to csh even in quotes */
			rc = buf_addf(out, "'\\%c'", *word);
		else
			rc = buf_addch(out, *word);
	}
	return rc < 0 ? rc : buf_addch(out, '\'');
}

static const char *not_empty(const char *text)
{
	return text && *text ? text : NULL;
}

void ssh_choice_init(struct ssh_choice *out, const struct config *c)
{
	out->command_env = not_empty(getenv("GIT_SSH_COMMAND"));
	out->command = not_empty(config_get(c, "core.sshcommand"));
	out->program_env = not_empty(getenv("GIT_SSH"));
	out->variant_env = not_empty(getenv("GIT_SSH_VARIANT"));
	out->variant = not_empty(config_get(c, "ssh.variant"));
}

static const char *shell_words(const struct ssh_choice *c)
{
	return c->command_env ? c->command_env : c->command;
}

/* By word: what the user says. */
static enum ssh_variant variant_of_word(const char *word)
{
	if (strcasecmp(word, "auto") == 0)
		return SSH_UNKNOWN;
	if (strcasecmp(word, "plink") == 0 || strcasecmp(word, "putty") == 0)
		return SSH_PLINK;
	if (strcasecmp(word, "tortoiseplink") == 0)
		return SSH_TORTOISEPLINK;
	return strcasecmp(word, "simple") == 0 ? SSH_SIMPLE : SSH_OPENSSH;
}

/* By the name of a program, `len` bytes of a path. */
static enum ssh_variant variant_of_name(const char *path, size_t len)
{
	static const struct {
		const char *name;
		enum ssh_variant variant;
	} known[] = {{"ssh", SSH_OPENSSH}, {"ssh.exe", SSH_OPENSSH}, {"plink", SSH_PLINK},
		{"plink.exe", SSH_PLINK}, {"tortoiseplink", SSH_TORTOISEPLINK},
		{"tortoiseplink.exe", SSH_TORTOISEPLINK}};
	const char *slash = memrchr(path, '/', len);
	const char *name = slash ? slash + 1 : path;
	size_t n = len - (size_t)(name - path);

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strlen(known[i].name) == n && strncasecmp(name, known[i].name, n) == 0)
			return known[i].variant;
	return SSH_UNKNOWN;
}

/* The first of the user's shell words; quotes around all of it are taken off. */
static enum ssh_variant variant_of_words(const char *words)
{
	words += strspn(words, " \t");
	if (*words == '\'' || *words == '"')
		return variant_of_name(words + 1, strcspn(words + 1, *words == '"' ? "\"" : "'"));
	return variant_of_name(words, strcspn(words, " \t\n"));
}

enum ssh_variant ssh_variant_of(const struct ssh_choice *c)
{
	const char *said = c->variant_env ? c->variant_env : c->variant;
	enum ssh_variant v = said ? variant_of_word(said) : SSH_UNKNOWN;

	if (v != SSH_UNKNOWN)
		return v;
	if (shell_words(c))
		return variant_of_words(shell_words(c));
	return c->program_env ? variant_of_name(c->program_env, strlen(c->program_env))
			      : SSH_OPENSSH;
}

/* May the shell become the program that the words begin with?  Then that is the one that gets our
 * signals.  One simple command, surely a program. */
static int can_exec(const char *words)
{
	return variant_of_words(words) != SSH_UNKNOWN && !strpbrk(words, "|&;<>(){}`#\n");
}

/* The program, or a shell that runs the user's words with the arguments that follow. */
static int push_program(struct strvec *out, const struct ssh_choice *c)
{
	const char *words = shell_words(c);
	int rc;

	if (!words)
		return strvec_push(out, c->program_env ? c->program_env : "ssh");
	rc = strvec_pushl(out, "/bin/sh", "-c", NULL);
	if (rc == 0)
		rc = strvec_pushf(out, "%s%s \"$@\"", can_exec(words) ? "exec " : "", words);
	return rc < 0 ? rc : strvec_push(out, words); /* its $0 */
}

static int push_port(struct strvec *out, enum ssh_variant v, const char *port)
{
	if (v == SSH_SIMPLE)
		return err_set(ERR_INVALID,
			"this ssh (variant 'simple') cannot be told a port; set ssh.variant, or "
			"put the port into its own configuration");
	return strvec_pushl(out, v == SSH_OPENSSH ? "-p" : "-P", port, NULL);
}

int ssh_argv(struct strvec *out, const struct ssh_choice *c, enum ssh_variant v,
	const struct ssh_target *t, const char *remote_command)
{
	int rc = push_program(out, c);

	if (rc == 0 && v == SSH_TORTOISEPLINK)
		rc = strvec_push(out, "-batch");
	if (rc == 0 && t->port)
		rc = push_port(out, v, t->port);
	return rc < 0 ? rc : strvec_pushl(out, t->host, remote_command, NULL);
}

int ssh_probe_argv(struct strvec *out, const struct ssh_choice *c, const struct ssh_target *t)
{
	int rc = push_program(out, c);

	return rc < 0 ? rc : strvec_pushl(out, "-G", t->host, NULL);
}
