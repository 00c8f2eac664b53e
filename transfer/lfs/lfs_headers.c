/*
 * Headers of requests to Git LFS servers (see lfs_headers.h).
 */
#include "transfer/lfs/lfs_headers.h"
#include "lib/base/err.h"
#include "lib/setup/urlmatch.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int lfs_headers_have(const struct strvec *headers, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; headers && i < headers->n; i++)
		if (strncasecmp(headers->v[i], name, len) == 0 && headers->v[i][len] == ':')
			return 1;
	return 0;
}

int lfs_headers_add_all(struct strvec *to, const struct strvec *from)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && from && i < from->n; i++)
		rc = strvec_push(to, from->v[i]);
	return rc;
}

static int add_extra(const char *value, void *data)
{
	for (const char *p = value; *p; p++)
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return err_set(ERR_INVALID, "http.extraHeader has a control character");
	return strchr(value, ':') ? strvec_push(data, value) : 0;
}

int lfs_headers_add_extra(struct strvec *to, const struct config *c, const char *url, int is_server)
{
	const char *closest = urlmatch_get(c, "http", url, "extraheader", URLMATCH_OWN);

	if (!closest || (!is_server && closest == config_get_own(c, "http.extraheader")))
		return 0;
	return urlmatch_each(c, "http", url, "extraheader", URLMATCH_OWN, add_extra, to);
}

int lfs_headers_add_user_agent(struct strvec *to, const struct config *c, const char *url)
{
	const char *value = getenv("GIT_HTTP_USER_AGENT");

	if (!value || !*value)
		value = urlmatch_get(c, "http", url, "useragent", URLMATCH_OWN);
	if (!value || !*value || strpbrk(value, "\r\n"))
		return 0;
	return strvec_pushf(to, "User-Agent: %s", value);
}

int lfs_headers_add_basic(struct strvec *to, const struct lfs_credential *c)
{
	struct buf plain = BUF_INIT;
	unsigned char *code = NULL;
	int rc = buf_addf(&plain, "%s:%s", c->user, c->password);

	if (rc == 0 && !(code = malloc(4 * ((plain.len + 2) / 3) + 1)))
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc == 0 && code) {
		EVP_EncodeBlock(code, (const unsigned char *)plain.p, (int)plain.len);
		rc = strvec_pushf(to, "Authorization: Basic %s", code);
		explicit_bzero(code, strlen((const char *)code));
	}
	if (plain.p)
		explicit_bzero(plain.p, plain.cap);
	buf_release(&plain);
	free(code);
	return rc;
}
