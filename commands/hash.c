/*
 * `git dvx hash`: the SHA-256 of files and directories as dvx.lock and pointers have it.  In a
 * repository nothing is read that Git's index or the table of stat data knows; elsewhere everything
 * is.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/hash_tree.h"
#include "commands/values.h"
#include "commands/visible.h"
#include "lib/base/err.h"
#include "lib/base/utf8.h"
#include "lib/pipeline/fingerprint.h"

struct hash {
	struct command_ctx *ctx;
	int json;
	struct fingerprints *known; /* NULL: there is no worktree */
	struct node *list;	    /* --json */
};

/* ---- without a worktree ---- */

static int hash_file(const char *path, const struct stat *st, struct fingerprint *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_sys("cannot open '%s'", path);
	out->type = FP_FILE;
	out->size = (uint64_t)st->st_size;
	rc = oid_of_file(&out->oid, fd);
	close(fd);
	return rc < 0 ? err_prefix(rc, "%s", path) : 0;
}

static int hash_plain(const char *path, struct fingerprint *out)
{
	struct stat st;

	memset(out, 0, sizeof(*out));
	if (stat(path, &st) < 0)
		return err_sys("cannot look at '%s'", path);
	if (S_ISREG(st.st_mode))
		return hash_file(path, &st, out);
	if (S_ISDIR(st.st_mode))
		return hash_tree(path, out);
	return err_set(ERR_UNSUPPORTED, "'%s' is neither a file nor a directory", path);
}

/* ---- in one ---- */

/* What lies outside of the worktree is known by no index. */
static int hash_known(struct hash *h, const char *path, struct fingerprint *out)
{
	struct buf full = BUF_INIT;
	int rc = repo_path(&full, &h->ctx->repo, path);

	if (rc == ERR_INVALID) {
		err_clear();
		rc = hash_plain(path, out);
		goto done;
	}
	if (rc == 0)
		rc = fingerprints_of(h->known, buf_str(&full), out);
	if (rc == 0 && out->type == FP_ABSENT)
		rc = err_set(ERR_NOTFOUND, "there is no file '%s'", path);
done:
	buf_release(&full);
	return rc;
}

/* ---- telling ---- */

/* As sha256sum has it: the hash, two blanks, the path. */
static int print_line(const char *path, const char *hex)
{
	struct buf line = BUF_INIT;
	int rc = buf_addf(&line, "%s  ", hex);

	if (rc == 0)
		rc = visible_path(&line, path, 0);
	if (rc == 0)
		puts(buf_str(&line));
	buf_release(&line);
	return rc;
}

static int put_entry(
	struct node *list, const char *path, const char *hex, const struct fingerprint *fp)
{
	struct buf name = BUF_INIT;
	struct node *entry = node_map();
	int rc = node_push(list, entry);

	if (rc == 0)
		rc = utf8_add(&name, path);
	if (rc == 0)
		rc = values_put(entry, "path", node_string(buf_str(&name)));
	if (rc == 0)
		rc = values_put(entry, "sha256", node_string(hex));
	if (rc == 0)
		rc = values_put(entry, "size", node_int((int64_t)fp->size));
	if (rc == 0 && fp->type == FP_DIR)
		rc = values_put(entry, "nfiles", node_int((int64_t)fp->nfiles));
	buf_release(&name);
	return rc;
}

static int hash_one(struct hash *h, const char *path)
{
	char hex[OID_HEX_LEN + 1];
	struct fingerprint fp;
	int rc = h->known != NULL ? hash_known(h, path, &fp) : hash_plain(path, &fp);

	if (rc < 0)
		return rc;
	oid_to_hex(hex, &fp.oid);
	return h->json ? put_entry(h->list, path, hex, &fp) : print_line(path, hex);
}

int cmd_hash(struct command_ctx *ctx, int argc, char **argv)
{
	struct hash h = {.ctx = ctx};
	const struct opt options[] = {
		{0, "json", OPT_FLAG, &h.json, NULL, "print JSON", 0}, OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options, "git dvx hash [--json] <path>...", 0, &n))
		return rc;
	if (n == 0)
		return command_usage("name a file or directory; see 'git dvx hash -h'");
	if (ctx->g != NULL && ctx->g->worktree != NULL) {
		rc = command_store(ctx);
		if (rc == 0)
			rc = fingerprints_open(&h.known, &ctx->repo, ctx->s);
		if (rc < 0)
			return rc;
	}
	h.list = node_list();
	rc = h.list != NULL ? 0 : err_no_memory();
	for (int i = 0; rc == 0 && i < n; i++)
		rc = hash_one(&h, argv[1 + i]);
	if (rc == 0 && h.json)
		rc = values_print_json(h.list);
	node_free(h.list);
	fingerprints_close(h.known);
	return rc;
}
