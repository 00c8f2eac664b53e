/*
 * `git dvx du`: how much data there is: in the local store, by top-level path (the version at hand,
 * and all versions), and with --remote on the blob remote.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/json.h"
#include "commands/select.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/base/run.h"
#include "lib/base/strmap.h"
#include "lib/repo/git.h"
#include "lib/repo/needed.h"
#include "lib/store/store_gc.h"
#include "lib/wire/batchline.h"

struct place {
	uint64_t current, all;
	size_t current_files, all_objects;
};

struct du {
	struct command_ctx *ctx;
	int as_json, on_remote;
	const char *remote;
	struct select select;
	struct needed needed;
	struct strmap places; /* top-level path → struct place */
	struct store_size size;
	struct oidmap seen;
	size_t objects, useless;
	uint64_t bytes, useless_bytes;
	struct json json;
};

/* ---- by path ---- */

/* "data/" of "data/a/b", "model.bin" of itself. */
static struct place *place_of(struct du *d, const char *path)
{
	const char *slash = strchr(path, '/');
	struct buf name = BUF_INIT;
	struct place *p = NULL;

	if (buf_add(&name, path, slash ? (size_t)(slash + 1 - path) : strlen(path)) == 0)
		p = strmap_get(&d->places, buf_str(&name));
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (p && strmap_put(&d->places, buf_str(&name), p) < 0) {
			free(p);
			p = NULL;
		}
	}
	buf_release(&name);
	return p;
}

static int add_current(struct du *d, const struct scan_list *l)
{
	struct place *p;

	for (size_t i = 0; i < l->n; i++) {
		p = place_of(d, l->v[i].path);
		if (!p)
			return err_set(ERR_NOMEM, "out of memory");
		p->current += l->v[i].size;
		p->current_files++;
	}
	return 0;
}

static int add_all(struct du *d)
{
	struct place *p;

	for (size_t i = 0; i < d->needed.kept.n; i++) {
		const struct scan_item *item = &d->needed.kept.v[i];

		if (!select_wants(&d->select, item->path))
			continue;
		p = place_of(d, item->path);
		if (!p)
			return err_set(ERR_NOMEM, "out of memory");
		p->all += item->size;
		p->all_objects++;
	}
	return 0;
}

static int collect_paths(struct du *d)
{
	struct scan_list l = SCAN_LIST_INIT;
	struct pointers *p = NULL;
	int rc = pointers_open(&p, &d->ctx->repo);

	if (rc == 0)
		rc = needed_collect(&d->needed, &d->ctx->repo, p, NEEDED_ALL, NULL);
	if (rc == 0 && d->ctx->g->worktree)
		rc = scan_index(&l, &d->ctx->repo, p, 1);
	else if (rc == 0 && git_has_head(&d->ctx->repo))
		rc = scan_tree(&l, &d->ctx->repo, p, "HEAD");
	pointers_close(p);
	if (rc == 0)
		rc = select_filter(&d->select, &l);
	if (rc == 0)
		rc = select_all_found(&d->select, &l);
	if (rc == 0)
		rc = add_current(d, &l);
	if (rc == 0)
		rc = add_all(d);
	scan_list_release(&l);
	return rc;
}

/* ---- the local store ---- */

static int count_item(const struct store_item *i, void *data)
{
	struct du *d = data;
	int fresh = oidmap_add(&d->seen, &i->oid, 0);

	if (fresh < 0)
		return fresh;
	d->objects += fresh > 0;
	d->bytes += fresh > 0 ? i->size : 0;
	if (fresh > 0 && !oidmap_get(&d->needed.is_kept, &i->oid, NULL)) {
		d->useless++;
		d->useless_bytes += i->size;
	}
	return 0;
}

static int collect_store(struct du *d)
{
	int rc = store_measure(d->ctx->s, &d->size);

	return rc == 0 ? store_each(d->ctx->s, count_item, d) : rc;
}

/* ---- the remote ---- */

enum {
	FRAGMENTS,
	FRAGMENT_BYTES,
	PACKS,
	PACK_BYTES,
	NOTICES,
	OBJECTS,
	OBJECT_BYTES,
	WHOLE_OBJECTS,
	WHOLE_BYTES,
	LOCAL_PACKS,
	LOCAL_PACK_BYTES,
	KEYS
};
static const char *const keys[KEYS] = {"fragments", "fragment-bytes", "packs", "pack-bytes",
	"notices", "objects", "object-bytes", "whole-objects", "whole-bytes", "local-packs",
	"local-pack-bytes"};

static int read_lines(uint64_t *v, struct buf *out)
{
	struct batch_answer a;
	char *save, *line;
	int done = 0;

	for (line = out->len ? strtok_r(out->p, "\n", &save) : NULL; line;
		line = strtok_r(NULL, "\n", &save)) {
		char *space = strchr(line, ' ');

		done |= !strcmp(line, "done");
		if (!strncmp(line, "fatal ", 6) && batch_answer_parse(&a, line, strlen(line)) == 0)
			return err_set(a.code, "%s", a.text);
		for (int k = 0; space && k < KEYS; k++)
			if (strlen(keys[k]) == (size_t)(space - line) &&
				!strncmp(line, keys[k], strlen(keys[k])))
				v[k] = strtoull(space + 1, NULL, 10);
	}
	return done ? 0 : err_set(ERR_REMOTE, "git-dvx-transfer du ended before it was done");
}

static int ask_remote(struct du *d, uint64_t *v)
{
	struct buf program = BUF_INIT, out = BUF_INIT;
	struct run r = RUN_INIT;
	int rc = run_resolve_sibling(&program, "git-dvx-transfer");

	if (rc == 0)
		rc = strvec_pushl(&r.argv, buf_str(&program), "du", (char *)NULL);
	if (rc == 0 && d->remote)
		rc = strvec_pushf(&r.argv, "--remote=%s", d->remote);
	if (rc == 0)
		rc = run_capture(&r, NULL, 0, &out);
	if (rc >= 0)
		rc = read_lines(v, &out);
	run_release(&r);
	buf_release(&program);
	buf_release(&out);
	return rc;
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void print_remote(const uint64_t *v)
{
	uint64_t stored = v[PACK_BYTES] + v[FRAGMENT_BYTES];
	char logical[16], size[16];

	printf("Remote: %llu object%s, %s, stored in %s (%llu pack%s, %llu fragment%s)",
		(unsigned long long)v[OBJECTS], plural(v[OBJECTS]),
		progress_bytes(logical, v[OBJECT_BYTES]), progress_bytes(size, stored),
		(unsigned long long)v[PACKS], plural(v[PACKS]), (unsigned long long)v[FRAGMENTS],
		plural(v[FRAGMENTS]));
	if (stored > 0 && v[OBJECT_BYTES] > 0)
		printf(", %.2f to 1", (double)v[OBJECT_BYTES] / (double)stored);
	puts("");
	if (v[WHOLE_OBJECTS] + v[LOCAL_PACKS] > 0)
		printf("  besides, %llu whole objects and %llu packs of its own, %s\n",
			(unsigned long long)v[WHOLE_OBJECTS], (unsigned long long)v[LOCAL_PACKS],
			progress_bytes(size, v[WHOLE_BYTES] + v[LOCAL_PACK_BYTES]));
	if (v[NOTICES] > 0)
		printf("  %llu notice%s of what is going to be removed ('git dvx gc --remote')\n",
			(unsigned long long)v[NOTICES], plural(v[NOTICES]));
}

static int show_remote(struct du *d)
{
	uint64_t v[KEYS] = {0};
	int rc = ask_remote(d, v);
	cJSON *o;

	if (rc < 0 || !d->as_json) {
		if (rc == 0)
			print_remote(v);
		return rc;
	}
	o = json_object(&d->json, d->json.root, "remote");
	for (int k = 0; k < KEYS; k++) {
		char name[32];

		snprintf(name, sizeof(name), "%s", keys[k]);
		for (char *p = name; *p; p++)
			*p = *p == '-' ? '_' : *p;
		json_uint(&d->json, o, name, v[k]);
	}
	return 0;
}

/* ---- telling ---- */

static int print_place(const char *name, void *value, void *data)
{
	const struct place *p = value;
	char current[16], all[16];

	(void)data;
	printf("%10s %13s  %s\n", progress_bytes(current, p->current), progress_bytes(all, p->all),
		*name ? name : "(no path)");
	return 0;
}

static int json_place(const char *name, void *value, void *data)
{
	const struct place *p = value;
	struct du *d = data;
	cJSON *o = json_object(
		&d->json, cJSON_GetObjectItemCaseSensitive(d->json.root, "paths"), name);

	json_uint(&d->json, o, "files", p->current_files);
	json_uint(&d->json, o, "bytes", p->current);
	json_uint(&d->json, o, "objects", p->all_objects);
	json_uint(&d->json, o, "all_bytes", p->all);
	return 0;
}

static void print_text(struct du *d)
{
	char size[16], whole[16], packs[16];

	printf("Local store: %zu object%s, %s (%llu whole, %s; %llu pack%s, %s)\n", d->objects,
		d->objects == 1 ? "" : "s", progress_bytes(size, d->bytes),
		(unsigned long long)d->size.whole, progress_bytes(whole, d->size.whole_bytes),
		(unsigned long long)d->size.packs, d->size.packs == 1 ? "" : "s",
		progress_bytes(packs, d->size.pack_bytes));
	if (d->useless > 0)
		printf("  %zu of them, %s, nothing refers to ('git dvx gc')\n", d->useless,
			progress_bytes(size, d->useless_bytes));
	if (strmap_count(&d->places) > 0)
		printf("\n%10s %13s  %s\n", "CURRENT", "ALL VERSIONS", "PATH");
	strmap_each(&d->places, print_place, NULL);
}

static void fill_json(struct du *d)
{
	cJSON *o = json_object(&d->json, d->json.root, "local");

	json_uint(&d->json, o, "objects", d->objects);
	json_uint(&d->json, o, "bytes", d->bytes);
	json_uint(&d->json, o, "whole", d->size.whole);
	json_uint(&d->json, o, "whole_bytes", d->size.whole_bytes);
	json_uint(&d->json, o, "packs", d->size.packs);
	json_uint(&d->json, o, "pack_bytes", d->size.pack_bytes);
	json_uint(&d->json, o, "unreferenced", d->useless);
	json_uint(&d->json, o, "unreferenced_bytes", d->useless_bytes);
	(void)json_object(&d->json, d->json.root, "paths");
	strmap_each(&d->places, json_place, d);
}

static int run_du(struct du *d)
{
	int rc = collect_paths(d);

	if (rc == 0)
		rc = collect_store(d);
	if (rc < 0)
		return rc;
	if (d->as_json)
		fill_json(d);
	else
		print_text(d);
	if (d->on_remote) {
		if (!d->as_json)
			puts("");
		rc = show_remote(d);
	}
	return rc;
}

int cmd_du(struct command_ctx *ctx, int argc, char **argv)
{
	struct du d = {.ctx = ctx, .select = SELECT_INIT, .needed = NEEDED_INIT};
	const struct opt options[] = {
		{0, "remote", OPT_FLAG, &d.on_remote, NULL, "also what the blob remote holds", 0},
		{'c', "cloud", OPT_FLAG, &d.on_remote, NULL, NULL, 0},
		{'r', NULL, OPT_VALUE, &d.remote, "<name>",
			"blob remote, instead of the default; means --remote", 0},
		{0, "json", OPT_FLAG, &d.as_json, NULL, "print JSON", 0}, OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options, "git dvx du [<options>] [<path>...]", 0, &n))
		goto done;
	d.on_remote |= d.remote != NULL;
	json_init(&d.json);
	rc = command_store(ctx);
	if (rc == 0)
		rc = select_operands(&d.select, &ctx->repo, argv + 1, n, 0);
	if (rc == 0)
		rc = run_du(&d);
	if (rc == 0 && d.as_json)
		rc = json_print(&d.json);
done:
	json_release(&d.json);
	strmap_release(&d.places, free);
	oidmap_release(&d.seen);
	needed_release(&d.needed);
	select_release(&d.select);
	return rc;
}
