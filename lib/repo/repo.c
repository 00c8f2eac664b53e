/*
 * Names and paths inside one repository: object names by the repository's hash, and the way from
 * what a user typed in some directory to the path that Git knows.
 */
#include "lib/repo/repo.h"

#include <string.h>

#include "lib/base/err.h"

int repo_init(struct repo *out, const struct gitdir *g, const struct config *c)
{
	int len = config_hash_len(c);

	out->dir = g;
	out->config = c;
	out->hash_len = len;
	return len < 0 ? err_prefix(len, "'%s'", g->git_dir) : 0;
}

void repo_id_hex(char out[static REPO_HEX_MAX + 1], const struct repo *r, const uint8_t *id)
{
	static const char digits[] = "0123456789abcdef";
	int i;

	for (i = 0; i < r->hash_len; i++) {
		out[2 * i] = digits[id[i] >> 4];
		out[2 * i + 1] = digits[id[i] & 15];
	}
	out[2 * i] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int repo_id_parse(uint8_t out[static REPO_ID_MAX], const struct repo *r, const char *hex)
{
	int i, high, low;

	memset(out, 0, REPO_ID_MAX);
	for (i = 0; i < r->hash_len; i++) {
		high = hex_value(hex[2 * i]);
		low = high < 0 ? -1 : hex_value(hex[2 * i + 1]);
		if (low < 0)
			return err_set(ERR_INVALID, "not an object name: '%.64s'", hex);
		out[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

/* Drop the last component of out[base..]; 0 when there is none. */
static int path_up(struct buf *out, size_t base)
{
	size_t len = out->len;

	if (len == base)
		return 0;
	while (len > base && out->p[len - 1] != '/')
		len--;
	if (len > base)
		len--;
	buf_truncate(out, len);
	return 1;
}

/* Append the components of `text`, resolving "." and ".."; ERR_INVALID when they climb over `base`.
 */
static int path_append(struct buf *out, size_t base, const char *text)
{
	size_t len;
	int rc;

	for (; *text; text += len) {
		text += strspn(text, "/");
		len = strcspn(text, "/");
		if (!len || (len == 1 && text[0] == '.'))
			continue;
		if (len == 2 && !memcmp(text, "..", 2)) {
			if (!path_up(out, base))
				return ERR_INVALID;
			continue;
		}
		if (out->len > base && (rc = buf_addch(out, '/')) < 0)
			return rc;
		if ((rc = buf_add(out, text, len)) < 0)
			return rc;
	}
	return 0;
}

int repo_path(struct buf *out, const struct repo *r, const char *typed)
{
	size_t base = out->len, top = strlen(r->dir->worktree);
	int rc = 0;

	if (typed[0] == '/') {
		if (strncmp(typed, r->dir->worktree, top) != 0 ||
			(typed[top] != '/' && typed[top] != '\0'))
			rc = ERR_INVALID;
		else
			typed += top;
	} else if (r->dir->prefix) {
		rc = path_append(out, base, r->dir->prefix);
	}
	if (!rc)
		rc = path_append(out, base, typed);
	if (rc == ERR_INVALID) {
		buf_truncate(out, base);
		err_set(rc, "'%s' is outside of the repository at '%s'", typed, r->dir->worktree);
	}
	if (!rc && !out->p)
		rc = buf_add(out, "", 0);
	return rc;
}
