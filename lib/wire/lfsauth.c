/*
 * Reading the answer of git-lfs-authenticate (see lfsauth.h): the same words as an action's.
 */
#include "lib/wire/lfsauth.h"
#include "lib/wire/lfsjson_internal.h"

#include <stdlib.h>
#include <string.h>

int lfsauth_parse(struct lfs_action *out, const char *text, size_t len, int64_t now)
{
	cJSON *root = NULL;
	int rc = lfsjson_parse(&root, text, len, "answer of git-lfs-authenticate");

	memset(out, 0, sizeof(*out));
	if (rc == 0)
		rc = lfsjson_get_string(&out->href, root, "href", LFSJSON_HREF_MAX);
	if (rc == 0)
		rc = lfsjson_get_headers(&out->headers, root);
	if (rc == 0)
		rc = lfsjson_get_expiry(&out->expires_at, root, now);
	cJSON_Delete(root);
	if (rc < 0)
		lfsauth_release(out);
	return rc;
}

void lfsauth_release(struct lfs_action *a)
{
	free(a->href);
	for (size_t i = 0; i < a->headers.n; i++)
		explicit_bzero(a->headers.v[i], strlen(a->headers.v[i]));
	strvec_release(&a->headers);
	memset(a, 0, sizeof(*a));
}
