/*
 * The table of endpoints, and who may use them: an account, a ticket of a batch answer, or what is
 * open to everybody.
 */
#include "server/api.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/err.h"
#include "server/httptext.h"

static const struct api apis[] = {
	{.endpoint = ENDPOINT_BATCH,
		.method = "POST",
		.need = ACCESS_READ,
		.json = 1,
		.finish = api_batch},
	{.endpoint = ENDPOINT_OBJECT,
		.method = "GET",
		.need = ACCESS_READ,
		.ticket = "download",
		.finish = api_get},
	{.endpoint = ENDPOINT_OBJECT,
		.method = "HEAD",
		.need = ACCESS_READ,
		.ticket = "download",
		.finish = api_head},
	{.endpoint = ENDPOINT_OBJECT,
		.method = "PUT",
		.need = ACCESS_WRITE,
		.ticket = "upload",
		.begin = api_put_begin,
		.data = api_put_data,
		.finish = api_put_finish},
	{.endpoint = ENDPOINT_VERIFY,
		.method = "POST",
		.need = ACCESS_WRITE,
		.ticket = "verify",
		.json = 1,
		.finish = api_verify},
	{.endpoint = ENDPOINT_LOCKS,
		.method = "GET",
		.need = ACCESS_READ,
		.json = 1,
		.finish = api_locks_list},
	{.endpoint = ENDPOINT_LOCKS,
		.method = "POST",
		.need = ACCESS_WRITE,
		.json = 1,
		.finish = api_locks_create},
	{.endpoint = ENDPOINT_LOCK_VERIFY,
		.method = "POST",
		.need = ACCESS_WRITE,
		.json = 1,
		.finish = api_locks_verify},
	{.endpoint = ENDPOINT_UNLOCK,
		.method = "POST",
		.need = ACCESS_WRITE,
		.json = 1,
		.finish = api_locks_remove},
};

const struct api *api_find(const struct exchange *e, const char **methods)
{
	for (size_t i = 0; i < sizeof(apis) / sizeof(*apis); i++)
		if (apis[i].endpoint == e->target.endpoint &&
			strcmp(apis[i].method, e->method) == 0)
			return &apis[i];
	*methods = e->target.endpoint == ENDPOINT_OBJECT  ? "GET, HEAD, PUT"
		   : e->target.endpoint == ENDPOINT_LOCKS ? "GET, POST"
							  : "POST";
	return NULL;
}

static int take_ticket(struct exchange *e, const char *text)
{
	e->ticket = (struct ticket){.operation = e->api->ticket ? e->api->ticket : "",
		.repository = e->target.repository,
		.oid = e->target.oid};
	if (!e->api->ticket)
		return err_set(ERR_DENIED, "a ticket for something else");
	e->has_ticket = 1;
	return ticket_check(&e->ticket, e->server->key, text, time(NULL));
}

static int identify(struct exchange *e, const struct httptext_credentials *c)
{
	if (c->scheme == HTTPTEXT_BEARER &&
		strncmp(c->secret, TICKET_PREFIX, strlen(TICKET_PREFIX)) == 0)
		return take_ticket(e, c->secret);
	if (!e->server->accounts)
		return 0; /* nobody has an account */
	return accounts_check(e->server->accounts, c, &e->who, server_warn);
}

int api_authorize(struct exchange *e)
{
	struct httptext_credentials c;
	int rc = httptext_credentials(&c, e->headers.authorization);

	if (rc == 0 && c.scheme != HTTPTEXT_NONE)
		rc = identify(e, &c);
	httptext_credentials_release(&c);
	if (rc == ERR_NOMEM)
		exchange_fail(e, rc, MHD_HTTP_SERVICE_UNAVAILABLE);
	else if (rc < 0)
		exchange_refuse(e, MHD_HTTP_UNAUTHORIZED, "%s", err_msg());
	if (rc < 0 || e->has_ticket)
		return rc;
	if (e->who.access < e->server->anonymous)
		e->who.access = e->server->anonymous;
	return api_require(e, e->api->need);
}

int api_require(struct exchange *e, enum access need)
{
	if (e->who.access >= need)
		return 0;
	if (!*e->who.user) {
		exchange_refuse(e, MHD_HTTP_UNAUTHORIZED, "credentials are needed");
		return err_set(ERR_DENIED, "no credentials");
	}
	exchange_refuse(e, MHD_HTTP_FORBIDDEN, "'%s' may not %s here", e->who.user,
		need == ACCESS_WRITE ? "write" : "read");
	return err_set(ERR_DENIED, "no such right");
}
