/*
 * Talking to `git credential` (see lfs_credential.h).  Its protocol is lines, so a value with a
 * line break in it would be two of them, and credentials of one host would go to another: nothing
 * with a control byte gets in or out.
 */
#include "transfer/lfs/lfs_credential.h"
#include "lib/base/err.h"
#include "lib/base/run.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 64 * 1024 };

static void forget(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

static void forget_buf(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_release(b);
}

void lfs_credential_release(struct lfs_credential *c)
{
	free(c->user);
	c->user = NULL;
	forget(&c->password);
	forget(&c->answer);
}

int lfs_credential_line(struct buf *out, const char *key, const char *value)
{
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(ERR_INVALID,
				"a %s with a control character is not given to 'git credential'",
				key);
	return buf_addf(out, "%s=%s\n", key, value);
}

static int take_value(char **out, const char *value, size_t len)
{
	forget(out);
	*out = strndup(value, len);
	return *out ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static int take_line(struct lfs_credential *out, const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			return err_set(ERR_INVALID,
				"'git credential' answered with a control character in a value; "
				"see that your credential helper works");
	if (len >= 9 && memcmp(line, "username=", 9) == 0)
		return take_value(&out->user, line + 9, len - 9);
	if (len >= 9 && memcmp(line, "password=", 9) == 0)
		return take_value(&out->password, line + 9, len - 9);
	return 0;
}

int lfs_credential_parse(struct lfs_credential *out, const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	int rc = 0;

	while (rc == 0 && at < end && *at != '\n') {
		const char *nl = memchr(at, '\n', (size_t)(end - at));

		if (!nl)
			nl = end;
		rc = take_line(out, at, (size_t)(nl - at));
		at = nl + (nl < end);
	}
	if (rc == 0 && (!out->user || !out->password))
		rc = err_set(ERR_INVALID, "'git credential' answered without user name or "
					  "password; see that your credential helper works");
	if (rc == 0 && strchr(out->user, ':'))
		rc = err_set(ERR_INVALID,
			"'git credential' answered with a user name that has a ':' in it");
	if (rc == 0)
		rc = take_value(&out->answer, text, (size_t)(at - text));
	if (rc < 0)
		lfs_credential_release(out);
	return rc;
}

/* `git credential <verb>`: its status. */
static int run_git(const char *verb, const char *input, size_t len, struct buf *answer)
{
	struct run git = RUN_INIT;
	int rc = strvec_pushl(&git.argv, "git", "credential", verb, NULL);

	if (!answer)
		git.out = RUN_NULL;
	if (rc == 0)
		rc = run_capture(&git, input, len, answer);
	run_release(&git);
	return rc;
}

static int fill(struct lfs_credential *out, struct buf *question, const char *what)
{
	struct buf answer = {.max = ANSWER_MAX};
	int rc = buf_addch(question, '\n');

	memset(out, 0, sizeof(*out));
	if (rc == 0)
		rc = run_git("fill", question->p, question->len, &answer);
	if (rc > 0)
		rc = err_set(ERR_NOTFOUND, "no credentials for %s", what);
	else if (rc == 0)
		rc = lfs_credential_parse(out, buf_str(&answer), answer.len);
	forget_buf(&answer);
	return rc;
}

/* "host[:port]" */
static int add_host(struct buf *out, const struct url *url)
{
	struct buf origin = BUF_INIT;
	int rc = url_origin(&origin, url);

	if (rc == 0)
		rc = lfs_credential_line(out, "host", strstr(origin.p, "://") + 3);
	buf_release(&origin);
	return rc;
}

int lfs_credential_fill(struct lfs_credential *out, const struct url *url, const char *user)
{
	struct buf question = BUF_INIT, path = BUF_INIT;
	int rc = lfs_credential_line(&question, "protocol", url->scheme);

	memset(out, 0, sizeof(*out));
	if (rc == 0)
		rc = add_host(&question, url);
	if (rc == 0 && user && *user)
		rc = lfs_credential_line(&question, "username", user);
	/* Git forgets it again unless credential.useHttpPath is set */
	if (rc == 0 && url->path[0] == '/' && url->path[1])
		rc = url_decode(&path, url->path + 1, strcspn(url->path + 1, "?"));
	if (rc == ERR_INVALID)
		err_set(rc, "a path with a control character");
	if (rc == 0 && path.len)
		rc = lfs_credential_line(&question, "path", path.p);
	if (rc == 0)
		rc = fill(out, &question, url->host);
	buf_release(&question);
	buf_release(&path);
	return rc;
}

int lfs_credential_fill_certificate(struct lfs_credential *out, const char *file)
{
	struct buf question = BUF_INIT;
	int rc = buf_addstr(&question, "protocol=cert\nhost=\nusername=\n");

	memset(out, 0, sizeof(*out));
	if (rc == 0)
		rc = lfs_credential_line(&question, "path", file);
	if (rc == 0)
		rc = fill(out, &question, file);
	buf_release(&question);
	return rc;
}

static void tell(const char *verb, const struct lfs_credential *c)
{
	struct buf text = BUF_INIT;

	if (c->answer && buf_addf(&text, "%s\n", c->answer) == 0)
		run_git(verb, text.p, text.len, NULL);
	err_clear();
	forget_buf(&text);
}

void lfs_credential_approve(const struct lfs_credential *c)
{
	tell("approve", c);
}

void lfs_credential_reject(const struct lfs_credential *c)
{
	tell("reject", c);
}
