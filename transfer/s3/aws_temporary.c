/*
 * Temporary keys and the JSON they come in (see aws_temporary.h).  The answers hold secrets: their
 * buffers are wiped, and no message quotes them.
 */
#include "transfer/s3/aws_temporary.h"
#include "lib/base/err.h"
#include "lib/base/run.h"
#include "lib/base/isotime.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { ANSWER_MAX = 64 * 1024, WORDS_MAX = 1024 };

void aws_temporary_release(struct aws_temporary *t)
{
	sigv4_keys_release(&t->keys);
	t->expires = 0;
}

/* ---- JSON ---- */

/* A member that is a string, NULL if there is none. */
static const char *text_of(const cJSON *json, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

	return cJSON_IsString(item) ? item->valuestring : NULL;
}

static int check_kind(const cJSON *json, enum aws_answer kind)
{
	const cJSON *version = cJSON_GetObjectItemCaseSensitive(json, "Version");
	const char *code = text_of(json, "Code");

	if (kind == AWS_ANSWER_PROCESS && (!cJSON_IsNumber(version) || version->valueint != 1))
		return err_set(ERR_INVALID, "the answer does not say '\"Version\": 1'");
	if (kind == AWS_ANSWER_METADATA && code && strcmp(code, "Success") != 0)
		return err_set(ERR_DENIED, "the answer is '%.100s', not keys", code);
	return 0;
}

static int read_answer(struct aws_temporary *out, const cJSON *json, enum aws_answer kind)
{
	const char *token = kind == AWS_ANSWER_PROCESS ? "SessionToken" : "Token";
	const char *expires = text_of(json, "Expiration");
	int rc;

	if (!cJSON_IsObject(json))
		return err_set(ERR_INVALID, "the answer is not a JSON object");
	rc = check_kind(json, kind);
	if (rc < 0)
		return rc;
	if (!text_of(json, "AccessKeyId") || !text_of(json, "SecretAccessKey"))
		return err_set(ERR_INVALID, "the answer has no AccessKeyId and SecretAccessKey");
	if (expires && isotime_parse(&out->expires, expires) < 0)
		return err_set(ERR_INVALID, "the answer's Expiration is no time in ISO 8601");
	return sigv4_keys_set(&out->keys, text_of(json, "AccessKeyId"),
		text_of(json, "SecretAccessKey"), text_of(json, token));
}

/* cJSON frees without wiping. */
static void wipe_strings(cJSON *json)
{
	for (cJSON *item = json ? json->child : NULL; item; item = item->next)
		if (cJSON_IsString(item))
			explicit_bzero(item->valuestring, strlen(item->valuestring));
}

int aws_temporary_parse(
	struct aws_temporary *out, const char *json, size_t len, enum aws_answer kind)
{
	cJSON *parsed;
	int rc;

	*out = (struct aws_temporary){0};
	if (len > ANSWER_MAX)
		return err_set(ERR_INVALID, "the answer has more than %d bytes", ANSWER_MAX);
	parsed = cJSON_ParseWithLength(json, len);
	rc = read_answer(out, parsed, kind);
	if (rc < 0)
		*out = (struct aws_temporary){0};
	wipe_strings(parsed);
	cJSON_Delete(parsed);
	return rc;
}

/* ---- credential_process ---- */

/* Append one word, quotes and backslashes resolved; *text moves behind it. */
static int take_word(struct buf *out, const char **text)
{
	const char *p = *text;
	char quote = 0;
	int rc = 0;

	for (; *p && rc == 0 && (quote || !strchr(" \t\n", *p)); p++) {
		if (quote ? *p == quote : *p == '"' || *p == '\'') {
			quote = quote ? 0 : *p;
			continue;
		}
		/* in single quotes a backslash is one; in double quotes before anything but " and
		 * \ */
		if (*p == '\\' && quote != '\'' && p[1] && (!quote || p[1] == '"' || p[1] == '\\'))
			p++;
		rc = buf_addch(out, *p);
	}
	if (rc == 0 && quote)
		return err_set(ERR_INVALID, "a quote that is not closed");
	*text = p;
	return rc;
}

int aws_temporary_split(struct strvec *words, const char *command)
{
	struct buf word = BUF_INIT;
	int rc = 0;

	for (command += strspn(command, " \t\n"); *command && rc == 0;
		command += strspn(command, " \t\n")) {
		buf_reset(&word);
		rc = take_word(&word, &command);
		if (rc == 0 && words->n == WORDS_MAX)
			rc = err_set(ERR_INVALID, "more than %d words", WORDS_MAX);
		if (rc == 0)
			rc = strvec_push(words, buf_str(&word));
	}
	buf_release(&word);
	if (rc == 0 && (!words->n || !*words->v[0]))
		rc = err_set(ERR_INVALID, "no program in it");
	return rc;
}

int aws_temporary_run(struct aws_temporary *out, const char *command)
{
	struct run run = RUN_INIT;
	struct buf answer = {.max = ANSWER_MAX};
	int rc;

	*out = (struct aws_temporary){0};
	rc = aws_temporary_split(&run.argv, command);
	if (rc == 0 && run.argv.v[0][0] != '/' && strchr(run.argv.v[0], '/'))
		rc = err_set(ERR_INVALID,
			"'%s' is relative to nothing; write the whole path, or a name in PATH",
			run.argv.v[0]);
	if (rc < 0)
		goto done;
	rc = run_capture(&run, NULL, 0, &answer);
	if (rc > 0)
		rc = err_set(ERR_DENIED, "'%s' ended with status %d", run.argv.v[0], rc);
	if (rc == 0)
		rc = aws_temporary_parse(out, buf_str(&answer), answer.len, AWS_ANSWER_PROCESS);
done:
	if (answer.p)
		explicit_bzero(answer.p, answer.cap);
	buf_release(&answer);
	run_release(&run);
	return rc;
}
