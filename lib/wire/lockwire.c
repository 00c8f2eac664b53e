/*
 * Asking git-dvx-transfer about locks.  It is the only program that talks to a server; what it
 * found comes back as one JSON document, which is parsed with the same care as a server's.
 */
#include "lib/wire/lockwire.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/run.h"
#include "lib/wire/batchline.h"
#include "lib/wire/json.h"
#include "lib/wire/lfsjson_internal.h"

void lockwire_answer_release(struct lockwire_answer *a)
{
	free(a->remote);
	free(a->message);
	lfs_lock_release(&a->lock);
	lfs_lock_page_release(&a->page);
	*a = (struct lockwire_answer){.remote = NULL};
}

const char *lockwire_command_name(enum lockwire_command c)
{
	static const char *const names[] = {[LOCKWIRE_CREATE] = "create",
		[LOCKWIRE_LIST] = "list",
		[LOCKWIRE_VERIFY] = "verify",
		[LOCKWIRE_REMOVE] = "remove"};

	return names[c];
}

static int is_page(enum lockwire_command c)
{
	return c == LOCKWIRE_LIST || c == LOCKWIRE_VERIFY;
}

/* ---- the document ---- */

int lockwire_format(struct buf *out, enum lockwire_command c, const struct lockwire_answer *a)
{
	struct json j;
	cJSON *error;

	json_init(&j);
	if (a->remote)
		json_string(&j, j.root, "remote", a->remote);
	if (a->error) {
		error = json_object(&j, j.root, "error");
		json_string(&j, error, "code", batch_code_name(a->error));
		json_string(&j, error, "message", a->message ? a->message : "");
	}
	if (a->lock.id)
		lfsjson_put_lock(&j, json_object(&j, j.root, "lock"), &a->lock);
	if (!a->error && is_page(c))
		lfsjson_put_page(&j, &a->page, c == LOCKWIRE_VERIFY);
	return json_format(&j, out, 0);
}

static int parse_error(struct lockwire_answer *a, const cJSON *error)
{
	char *code = NULL;
	int rc = lfsjson_need_string(&code, error, "code", LFSJSON_STRING_MAX);

	if (rc == 0)
		rc = lfsjson_get_string(&a->message, error, "message", LFS_JSON_MAX);
	if (rc == 0)
		a->error = batch_code_of_name(code, strlen(code));
	free(code);
	return rc;
}

static int parse_members(struct lockwire_answer *a, enum lockwire_command c, const cJSON *root)
{
	const cJSON *error = NULL, *lock = NULL;
	int rc = lfsjson_get_string(&a->remote, root, "remote", LFSJSON_STRING_MAX);

	if (rc == 0)
		rc = lfsjson_get_object(&error, root, "error");
	if (rc == 0)
		rc = lfsjson_get_object(&lock, root, "lock");
	if (rc == 0 && error)
		rc = parse_error(a, error);
	if (rc == 0 && lock)
		rc = lfsjson_get_lock(&a->lock, lock);
	if (rc == 0 && !error && !lock && !is_page(c))
		rc = err_set(ERR_INVALID, "no 'lock'");
	if (rc == 0 && !error && is_page(c))
		rc = lfsjson_get_page(&a->page, root, c == LOCKWIRE_VERIFY);
	return rc;
}

int lockwire_parse(
	struct lockwire_answer *out, enum lockwire_command c, const char *text, size_t len)
{
	cJSON *root = NULL;
	int rc;

	*out = (struct lockwire_answer){.remote = NULL};
	rc = lfsjson_parse(&root, text, len, "document");
	if (rc == 0)
		rc = parse_members(out, c, root);
	if (rc < 0)
		lockwire_answer_release(out);
	cJSON_Delete(root);
	return rc < 0 ? err_prefix(rc, "answer of 'git-dvx-transfer locks'") : 0;
}

/* ---- the process ---- */

static int push_option(struct strvec *argv, const char *name, const char *value)
{
	int rc = value ? strvec_push(argv, name) : 0;

	return value && rc == 0 ? strvec_push(argv, value) : rc;
}

static int prepare(struct run *r, enum lockwire_command c, const struct lfs_lock_query *q,
	const struct lockwire_options *o)
{
	struct buf program = BUF_INIT;
	int rc = run_resolve_sibling(&program, "git-dvx-transfer");

	if (rc == 0)
		rc = strvec_pushl(&r->argv, program.p, "locks", lockwire_command_name(c), NULL);
	if (rc == 0)
		rc = push_option(&r->argv, "--remote", o->remote);
	if (rc == 0)
		rc = push_option(&r->argv, "--git-remote", o->git_remote);
	if (rc == 0)
		rc = push_option(&r->argv, "--ref", q->ref);
	for (size_t i = 0; rc == 0 && o->refs && i < o->refs->n; i++)
		rc = push_option(&r->argv, "--ref", o->refs->v[i]);
	if (rc == 0)
		rc = push_option(&r->argv, "--path", q->path);
	if (rc == 0)
		rc = push_option(&r->argv, "--id", q->id);
	if (rc == 0 && q->limit)
		rc = strvec_pushf(&r->argv, "--limit=%u", q->limit);
	if (rc == 0 && q->force)
		rc = strvec_push(&r->argv, "--force");
	buf_release(&program);
	return rc;
}

int lockwire_run(struct lockwire_answer *answer, enum lockwire_command c,
	const struct lfs_lock_query *q, const struct lockwire_options *o)
{
	struct run r = RUN_INIT;
	struct buf text = {.max = LFS_JSON_MAX};
	int rc = prepare(&r, c, q, o);

	*answer = (struct lockwire_answer){.remote = NULL};
	if (rc == 0)
		rc = run_capture(&r, NULL, 0, &text);
	if (rc == 130)
		rc = err_set(ERR_INTERRUPTED, "interrupted");
	else if (rc > 0 && text.len == 0)
		rc = err_set(ERR_REMOTE, "git-dvx-transfer ended early (exit status %d)", rc);
	if (rc >= 0)
		rc = lockwire_parse(answer, c, buf_str(&text), text.len);
	if (rc == 0 && answer->error)
		rc = err_set(answer->error, "%s", answer->message ? answer->message : "failed");
	run_release(&r);
	buf_release(&text);
	return rc;
}
