/*
 * Any bytes as the target of a request, and as each header that the HTTP server reads: never a
 * crash, no path that leads elsewhere, no range outside of the object.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/httptext.c" /* programs have no archive to link against */
#include "server/target.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void require_plain(const char *s)
{
	for (; *s; s++)
		require((unsigned char)*s >= ' ' && *s != 0x7f);
}

/* What was understood can be written, and means the same again. */
static void check_round_trip(const struct target *t)
{
	struct buf b = BUF_INIT;
	struct target again;

	require(target_format(&b, t->repository, ENDPOINT_OBJECT, &t->oid) == 0);
	require(target_parse(&again, b.p) == 0);
	require(strcmp(again.repository, t->repository) == 0 || strstr(t->repository, ".git"));
	target_release(&again);
	buf_release(&b);
}

static void check_target(const char *text)
{
	struct target t;
	char *value;

	if (target_parse(&t, text) < 0)
		return;
	require(strlen(t.repository) <= TARGET_REPOSITORY_MAX);
	require_plain(t.repository);
	require(*t.repository != '/' && !strstr(t.repository, "//"));
	require(strcmp(t.repository, "..") != 0 && strncmp(t.repository, "../", 3) != 0);
	require(!strstr(t.repository, "/../"));
	if (t.lock_id)
		require_plain(t.lock_id);
	if (target_query(&value, &t, "path") > 0)
		require_plain(value);
	free(value);
	check_round_trip(&t);
	target_release(&t);
}

static void check_range(const char *text)
{
	static const uint64_t sizes[] = {0, 1, 10, INT64_MAX};
	struct httptext_range r;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		int rc = httptext_range(&r, text, sizes[i]);

		require(rc < 0 || (r.offset <= sizes[i] && r.len <= sizes[i] - r.offset));
		require(rc <= 0 || r.len > 0);
	}
}

static void check_credentials(const char *text)
{
	struct httptext_credentials c;

	if (httptext_credentials(&c, text) < 0) {
		require(!c.user && !c.secret);
		return;
	}
	if (c.user)
		require_plain(c.user);
	require(c.scheme == HTTPTEXT_NONE || c.scheme == HTTPTEXT_OTHER || c.secret);
	httptext_credentials_release(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	uint64_t n;

	require(text != NULL);
	check_target(text);
	check_range(text);
	check_credentials(text);
	httptext_accepts_json(text);
	httptext_is_json(text);
	httptext_is_host(text);
	require(httptext_number(&n, text) < 0 || n <= INT64_MAX);
	free(text);
	return 0;
}
