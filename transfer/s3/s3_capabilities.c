/*
 * The record of what a server can do: a few lines "name value" below ".git/dvx/remotes/<key>/".
 */
#include "transfer/s3/s3_capabilities.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/blob/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "git-dvx s3 capabilities 1\n"

enum { RECORD_MAX = 4096 };

static const char *const conditional_words[] = {
	[S3_CONDITIONAL_UNKNOWN] = "unknown",
	[S3_CONDITIONAL_YES] = "yes",
	[S3_CONDITIONAL_IGNORED] = "ignored",
	[S3_CONDITIONAL_REFUSED] = "refused",
};

static int record_path(struct buf *out, const char *dvx_dir, const char *url)
{
	struct cache *cache = NULL;
	int rc = cache_open(&cache, dvx_dir, url);

	if (rc == 0)
		rc = buf_addf(out, "%s/capabilities", cache_dir(cache));
	cache_close(cache);
	return rc;
}

/* The value of a line "name value"; "" when there is none. */
static void value_of(const char *text, const char *name, char *out, size_t size)
{
	size_t len = strlen(name);

	out[0] = '\0';
	for (const char *line = text; *line; line = strchrnul(line, '\n') + 1) {
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			snprintf(out, size, "%.*s", (int)strcspn(line + len + 1, "\n"),
				line + len + 1);
		if (!strchr(line, '\n'))
			break;
	}
}

static void parse(struct s3_capabilities *out, const char *text, const char *endpoint)
{
	char word[512];

	if (strncmp(text, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		return;
	value_of(text, "endpoint", word, sizeof(word));
	if (strcmp(word, endpoint) != 0)
		return;
	value_of(text, "region", word, sizeof(word));
	if (strlen(word) < sizeof(out->region) && !strpbrk(word, "/.@:?# "))
		memcpy(out->region, word, strlen(word) + 1);
	value_of(text, "conditional", word, sizeof(word));
	for (int i = 0; i <= S3_CONDITIONAL_REFUSED; i++)
		if (strcmp(word, conditional_words[i]) == 0)
			out->conditional = (enum s3_conditional)i;
	value_of(text, "checksum", word, sizeof(word));
	out->checksum = strcmp(word, "yes") == 0;
}

void s3_capabilities_load(
	struct s3_capabilities *out, const char *dvx_dir, const char *url, const char *endpoint)
{
	struct buf path = BUF_INIT, text = {.max = RECORD_MAX};

	memset(out, 0, sizeof(*out));
	if (record_path(&path, dvx_dir, url) == 0 && buf_read_file(&text, path.p) == 0)
		parse(out, buf_str(&text), endpoint);
	else
		err_clear();
	buf_release(&path);
	buf_release(&text);
}

void s3_capabilities_save(
	const struct s3_capabilities *c, const char *dvx_dir, const char *url, const char *endpoint)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	int rc = record_path(&path, dvx_dir, url);

	if (rc == 0)
		rc = buf_addf(&text, FIRST_LINE "endpoint %s\n", endpoint);
	if (rc == 0 && c->region[0])
		rc = buf_addf(&text, "region %s\n", c->region);
	if (rc == 0)
		rc = buf_addf(&text, "conditional %s\nchecksum %s\n",
			conditional_words[c->conditional], c->checksum ? "yes" : "no");
	if (rc == 0)
		rc = fs_mkdirs_parent(path.p);
	if (rc == 0)
		rc = fs_replace_file(path.p, text.p, text.len, 0);
	if (rc < 0)
		err_clear();
	buf_release(&path);
	buf_release(&text);
}
