/*
 * `git dvx status`: Git's status, seen from the data: which versions of data files are staged,
 * which changed, what is only a pointer, what the blob remote does not have yet.
 *
 * The work tree is compared by one lstat for each pointer of the index; nothing is hashed unless a
 * file has the right size and another time.  The network is asked with --remote only
 * (status_remote.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/json.h"
#include "commands/select.h"
#include "commands/status_remote.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/progress.h"
#include "lib/repo/git.h"
#include "lib/repo/staged.h"
#include "lib/repo/sync.h"
#include "lib/worktree/pending.h"

enum { SHORT_HEX = 10 };

struct unstaged {
	const struct scan_item *item;
	char status;   /* 'M', 'D', or 'P': only the pointer is there */
	uint64_t size; /* of the file, 'M' */
	int here;      /* 'P': the local store has the object */
};

struct status {
	struct command_ctx *ctx;
	int json, porcelain;
	struct select select;
	struct buf branch; /* empty: detached */
	struct staged staged;
	struct scan_list index;
	struct unstaged *v;
	size_t n;
	size_t unpushed;
	uint64_t unpushed_bytes;
};

/* ---- collecting ---- */

/* Out of "<git_dir>/HEAD"; a detached one or a form that we do not know has no name. */
static int read_branch(struct status *s)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	static const char prefix[] = "ref: refs/heads/";
	int rc = fs_join(&path, s->ctx->g->git_dir, "HEAD");

	if (rc == 0)
		rc = buf_read_file(&text, buf_str(&path));
	buf_rtrim(&text);
	if (rc == 0 && strncmp(buf_str(&text), prefix, sizeof(prefix) - 1) == 0 &&
		strcmp(text.p + sizeof(prefix) - 1, ".invalid") != 0)
		rc = buf_addstr(&s->branch, text.p + sizeof(prefix) - 1);
	buf_release(&path);
	buf_release(&text);
	return rc;
}

static void note_file(
	struct status *s, const struct scan_item *item, const struct scan_found *found)
{
	struct unstaged *u = &s->v[s->n];

	*u = (struct unstaged){.item = item};
	switch (found->state) {
	case SCAN_FILE_DATA:
		return;
	case SCAN_FILE_ABSENT:
		u->status = 'D';
		break;
	case SCAN_FILE_POINTER:
		u->status = 'P';
		u->here = store_has(s->ctx->s, &item->oid, item->size);
		break;
	case SCAN_FILE_CHANGED:
		/* the right size, but not the time that the index knows */
		if (found->size == item->size &&
			scan_file_holds(&s->ctx->repo, item->path, &item->oid))
			return;
		u->status = 'M';
		u->size = found->size;
		break;
	}
	s->n++;
}

static int compare_work_tree(struct status *s, struct pointers *p)
{
	struct scan_found *found = NULL;
	int rc = scan_index(&s->index, &s->ctx->repo, p, 1);

	if (rc == 0)
		rc = select_filter(&s->select, &s->index);
	if (rc == 0)
		rc = scan_files(&found, &s->index, &s->ctx->repo);
	if (rc < 0)
		return rc;
	s->v = calloc(s->index.n + 1, sizeof(*s->v));
	for (size_t i = 0; s->v != NULL && i < s->index.n; i++)
		if (!s->index.v[i].skip_worktree && s->index.v[i].size > 0)
			note_file(s, &s->index.v[i], &found[i]);
	free(found);
	return s->v != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* Objects of commits that no remote-tracking branch has. */
static int count_unpushed(struct status *s, struct pointers *p)
{
	const struct strvec none = STRVEC_INIT;
	struct strvec head = STRVEC_INIT;
	struct scan_list l = SCAN_LIST_INIT;
	int rc = 0;

	if (s->staged.unborn)
		return 0;
	rc = strvec_push(&head, "HEAD");
	if (rc == 0)
		rc = scan_range(&l, &s->ctx->repo, p, &head, &none, "*");
	if (rc == 0)
		rc = select_filter(&s->select, &l);
	if (rc == 0)
		rc = scan_list_unique_oid(&l);
	for (size_t i = 0; rc == 0 && i < l.n; i++)
		s->unpushed_bytes += l.v[i].size;
	s->unpushed = l.n;
	scan_list_release(&l);
	strvec_release(&head);
	return rc;
}

static int is_pointer(const struct pointers_query *q)
{
	return q->state == POINTERS_YES || q->state == POINTERS_ODD;
}

/* Keep the staged changes that concern data and were asked for. */
static void keep_data_changes(struct status *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->staged.n; i++) {
		struct staged_change *c = &s->staged.v[i];

		if ((is_pointer(&c->old) || is_pointer(&c->new)) &&
			select_wants(&s->select, c->path))
			s->staged.v[kept++] = *c;
		else
			free(c->path);
	}
	s->staged.n = kept;
}

static int collect(struct status *s)
{
	struct pointers *p = NULL;
	int rc = read_branch(s);

	if (rc == 0)
		rc = pointers_open(&p, &s->ctx->repo);
	if (rc == 0)
		rc = staged_list(&s->staged, &s->ctx->repo);
	if (rc == 0)
		rc = staged_resolve(&s->staged, p);
	if (rc == 0) {
		keep_data_changes(s);
		rc = compare_work_tree(s, p);
	}
	if (rc == 0)
		rc = count_unpushed(s, p);
	pointers_close(p);
	return rc;
}

/* ---- for people ---- */

static const char *status_word(char status)
{
	switch (status) {
	case 'A':
		return "new:";
	case 'D':
		return "deleted:";
	case 'U':
		return "unmerged:";
	default:
		return "modified:";
	}
}

/* "3f2a91c04b, 1.2 GiB", "Git blob" or nothing. */
static void print_side(const struct pointers_query *q, uint32_t mode)
{
	char hex[OID_HEX_LEN + 1], size[16];

	if (is_pointer(q)) {
		oid_to_hex(hex, &q->oid);
		printf("%.*s, %s", SHORT_HEX, hex, progress_bytes(size, q->size));
	} else {
		fputs(mode != 0 ? "not a pointer" : "", stdout);
	}
}

static void print_staged(const struct status *s)
{
	if (s->staged.n > 0)
		puts("\nData to be committed:");
	for (size_t i = 0; i < s->staged.n; i++) {
		const struct staged_change *c = &s->staged.v[i];

		printf("\t%-10s %s (", status_word(c->status), c->path);
		print_side(&c->old, c->old_mode);
		if (c->old_mode != 0 && c->new_mode != 0)
			fputs(" -> ", stdout);
		print_side(&c->new, c->new_mode);
		puts(")");
	}
}

static void print_unstaged(const struct status *s)
{
	char hex[OID_HEX_LEN + 1], old[16], new[16];
	int any = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct unstaged *u = &s->v[i];

		if (u->status == 'P')
			continue;
		if (!any++)
			puts("\nData changed, not staged ('git add' or 'git dvx add'; 'git dvx "
			     "checkout' brings deleted files back):");
		oid_to_hex(hex, &u->item->oid);
		printf("\t%-10s %s (%.*s, %s", status_word(u->status), u->item->path, SHORT_HEX,
			hex, progress_bytes(old, u->item->size));
		if (u->status == 'M')
			printf(" -> %s", progress_bytes(new, u->size));
		puts(")");
	}
}

static void print_pointers(const struct status *s)
{
	size_t n = 0, here = 0;
	char size[16];

	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].status != 'P')
			continue;
		if (!n++)
			puts("\nOnly the pointer is in the work tree:");
		here += (size_t)s->v[i].here;
		printf("\t%s (%s%s)\n", s->v[i].item->path,
			progress_bytes(size, s->v[i].item->size),
			s->v[i].here ? ", data in the local store" : "");
	}
	if (n > 0)
		printf("  (%s places the data)\n",
			here == n ? "'git dvx checkout'" : "'git dvx pull'");
}

static void print_text(const struct status *s)
{
	char size[16];

	if (s->branch.len > 0)
		printf("On branch %s\n", buf_str(&s->branch));
	else
		puts("Not on a branch");
	print_staged(s);
	print_unstaged(s);
	print_pointers(s);
	if (s->unpushed > 0)
		printf("\n%zu object%s (%s) belong%s to commits that are not pushed to a Git "
		       "remote "
		       "yet; 'git push' brings both\n",
			s->unpushed, s->unpushed == 1 ? "" : "s",
			progress_bytes(size, s->unpushed_bytes), s->unpushed == 1 ? "s" : "");
	if (pending_any(s->ctx->g->git_dir) > 0)
		puts("\nA checkout was interrupted before all data was in place; 'git dvx "
		     "checkout' completes it");
	if (s->staged.n + s->n + s->unpushed == 0)
		puts("Data and commits agree, nothing to do");
}

static void print_porcelain(const struct status *s)
{
	for (size_t i = 0; i < s->staged.n; i++)
		printf("%c  %s\n", s->staged.v[i].status, s->staged.v[i].path);
	for (size_t i = 0; i < s->n; i++)
		printf(" %c %s\n", s->v[i].status, s->v[i].item->path);
}

/* ---- for programs ---- */

static void json_side(struct json *j, cJSON *o, const char *key, const struct pointers_query *q)
{
	char hex[OID_HEX_LEN + 1];
	cJSON *side;

	if (!is_pointer(q))
		return;
	side = json_object(j, o, key);
	oid_to_hex(hex, &q->oid);
	json_string(j, side, "oid", hex);
	json_uint(j, side, "size", q->size);
}

static void json_unstaged(struct json *j, cJSON *list, const struct unstaged *u)
{
	const struct pointers_query old = {
		.state = POINTERS_YES, .oid = u->item->oid, .size = u->item->size};
	const char status[2] = {u->status, '\0'};
	cJSON *o = json_item(j, list);

	json_string(j, o, "path", u->item->path);
	if (u->status == 'P') {
		json_bool(j, o, "downloaded", u->here);
	} else {
		json_string(j, o, "status", status);
		if (u->status == 'M')
			json_uint(j, o, "size", u->size);
	}
	json_side(j, o, u->status == 'P' ? "pointer" : "old", &old);
}

static int print_json(const struct status *s)
{
	struct json j;
	cJSON *files, *staged, *unstaged, *pointers;

	json_init(&j);
	json_string(&j, j.root, "branch", s->branch.len > 0 ? buf_str(&s->branch) : NULL);
	files = json_object(&j, j.root, "files"); /* what Git LFS prints */
	staged = json_array(&j, j.root, "staged");
	for (size_t i = 0; i < s->staged.n; i++) {
		const struct staged_change *c = &s->staged.v[i];
		const char status[2] = {c->status, '\0'};
		cJSON *o = json_item(&j, staged);

		json_string(&j, json_object(&j, files, c->path), "status", status);
		json_string(&j, o, "path", c->path);
		json_string(&j, o, "status", status);
		json_side(&j, o, "old", &c->old);
		json_side(&j, o, "new", &c->new);
	}
	unstaged = json_array(&j, j.root, "unstaged");
	pointers = json_array(&j, j.root, "pointers");
	for (size_t i = 0; i < s->n; i++) {
		const char status[2] = {s->v[i].status, '\0'};

		json_unstaged(&j, s->v[i].status == 'P' ? pointers : unstaged, &s->v[i]);
		if (s->v[i].status != 'P' &&
			cJSON_GetObjectItemCaseSensitive(files, s->v[i].item->path) == NULL)
			json_string(
				&j, json_object(&j, files, s->v[i].item->path), "status", status);
	}
	json_uint(&j, j.root, "unpushed", s->unpushed);
	json_uint(&j, j.root, "unpushed_bytes", s->unpushed_bytes);
	return json_print(&j);
}

int cmd_status(struct command_ctx *ctx, int argc, char **argv)
{
	struct status s = {.ctx = ctx};
	struct status_remote r = {.wanted = 0};
	const struct opt options[] = {{0, "json", OPT_FLAG, &s.json, NULL, "print JSON", 0},
		{'p', "porcelain", OPT_FLAG, &s.porcelain, NULL,
			"print two status letters and the path, for scripts", 0},
		{'c', "remote", OPT_FLAG, &r.wanted, NULL,
			"compare with what the blob remote has instead", 0},
		{0, "cloud", OPT_FLAG, &r.wanted, NULL, NULL, 0},
		{'r', NULL, OPT_VALUE, &r.remote, "<name>",
			"blob remote, instead of the default; means --remote", 0},
		{'a', "all-branches", OPT_FLAG, &r.branches, NULL,
			"with --remote: also the data of all branches", 0},
		{'T', "all-tags", OPT_FLAG, &r.tags, NULL,
			"with --remote: also the data of all tags", 0},
		{'A', "all-commits", OPT_FLAG, &r.commits, NULL,
			"with --remote: the data of all commits", 0},
		SELECT_OPTIONS(&s.select), OPT_END};
	int n, rc;

	if (command_options(
		    &rc, argc, argv, options, "git dvx status [<options>] [<path>...]", 0, &n))
		goto done;
	rc = command_store(ctx);
	if (rc == 0)
		rc = select_operands(&s.select, &ctx->repo, argv + 1, n, 0);
	if (rc == 0)
		rc = select_patterns(&s.select, &ctx->repo, 0);
	if (rc == 0 && (r.wanted || r.remote)) {
		r.as_json = s.json;
		rc = status_remote(ctx, &r, &s.select);
		goto done;
	}
	if (rc == 0)
		rc = collect(&s);
	if (rc == 0 && s.json)
		rc = print_json(&s);
	else if (rc == 0 && s.porcelain)
		print_porcelain(&s);
	else if (rc == 0)
		print_text(&s);
done:
	free(s.v);
	buf_release(&s.branch);
	staged_release(&s.staged);
	scan_list_release(&s.index);
	select_release(&s.select);
	return rc;
}
