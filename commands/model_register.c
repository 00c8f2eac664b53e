/*
 * `git dvx model register`: which file of which commit it is, and that its data exists - a version
 * that cannot be had again is worth nothing.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/model.h"
#include "lib/base/err.h"
#include "lib/registry/registry_tag.h"
#include "lib/repo/datafile.h"
#include "lib/repo/git.h"
#include "lib/repo/source.h"
#include "lib/repo/sync.h"
#include "lib/yaml/yaml.h"

enum { PIPELINE_MAX = 16 * 1024 * 1024 };

struct registering {
	struct model_args *a;
	uint8_t id[REPO_ID_MAX];
	char commit[REPO_HEX_MAX + 1]; /* the same in hex */
	struct buf path;	       /* from the top; empty: none is known */
	char sha256[OID_HEX_LEN + 1];
	uint64_t size;
};

/* ---- the path ---- */

/* `artifacts:` of "dvx.yaml" or "dvc.yaml" in this directory (NULL: the top), by the name. */
static int path_in_file(struct registering *g, struct source *src, const char *dir,
	const char *file, const char *name)
{
	struct buf at = BUF_INIT, text = BUF_INIT;
	struct node *root = NULL;
	const struct node *path;
	int rc = buf_addf(&at, "%s%s%s", dir ? dir : "", dir ? "/" : "", file);

	if (rc == 0)
		rc = source_has(src, at.p);
	if (rc <= 0)
		goto done;
	rc = source_read(src, at.p, PIPELINE_MAX, &text);
	if (rc == 0)
		rc = yaml_parse(&root, at.p, buf_str(&text), text.len);
	path = rc == 0 ? node_get(node_get(node_get(root, "artifacts"), name), "path") : NULL;
	if (path && path->type == NODE_STRING && path->len > 0)
		rc = buf_addf(&g->path, "%s%s%s", dir ? dir : "", dir ? "/" : "", path->text);
done:
	node_free(root);
	buf_release(&at);
	buf_release(&text);
	return rc;
}

static int path_of_artifact(struct registering *g)
{
	const char *colon = strchr(g->a->v[0], ':'), *name = colon ? colon + 1 : g->a->v[0];
	struct source_cache *cache = NULL;
	struct source *src = NULL;
	struct buf dir = BUF_INIT;
	int rc = source_cache_new(&cache, &g->a->ctx->repo, g->a->ctx->s);

	if (rc == 0 && colon)
		rc = buf_add(&dir, g->a->v[0], (size_t)(colon - g->a->v[0]));
	if (rc == 0)
		rc = source_commit(&src, cache, g->commit);
	if (rc == 0)
		rc = path_in_file(g, src, dir.p, "dvx.yaml", name);
	if (rc == 0 && g->path.len == 0)
		rc = path_in_file(g, src, dir.p, "dvc.yaml", name);
	source_free(src);
	source_cache_free(cache);
	buf_release(&dir);
	return rc;
}

/* ---- the data ---- */

/* 1 if the commit has a directory at the path. */
static int is_directory(const struct registering *g)
{
	struct git_object o = {.type = GIT_MISSING};
	struct buf spec = BUF_INIT;
	int is = buf_addf(&spec, "%s:%s", g->commit, g->path.p) == 0 &&
		 git_resolve(&g->a->ctx->repo, spec.p, o.id) == 0 &&
		 git_objects_info(&g->a->ctx->repo, &o, 1) == 0 && o.type == GIT_TREE;

	buf_release(&spec);
	return is;
}

/* Append the objects that are not in the local store. */
static int list_missing(struct scan_list *missing, const struct registering *g)
{
	const char *path = g->path.p;
	struct scan_list all = SCAN_LIST_INIT;
	struct pointers *p = NULL;
	int rc = pointers_open(&p, &g->a->ctx->repo);

	if (rc == 0)
		rc = scan_tree(&all, &g->a->ctx->repo, p, g->commit);
	if (rc == 0)
		rc = scan_list_filter_paths(&all, &path, 1);
	for (size_t i = 0; rc == 0 && i < all.n; i++)
		if (!store_has(g->a->ctx->s, &all.v[i].oid, all.v[i].size))
			rc = scan_list_add(missing, &all.v[i]);
	pointers_close(p);
	scan_list_release(&all);
	return rc;
}

/* Whether the blob remote has what is not here is asked by a push that is only planned. */
static int check_remote(const struct scan_list *missing)
{
	const struct batch_options o = {.dry_run = 1, .progress = PROGRESS_OFF};
	struct sync sync = SYNC_INIT;
	char hex[OID_HEX_LEN + 1];
	int rc = sync_upload(&sync, missing, &o);

	if (rc < 0)
		rc = err_prefix(rc, "the model's data is not here, and whether it is elsewhere "
				    "cannot be asked (--force registers it all the same)");
	for (size_t i = 0; rc == 0 && i < sync.n; i++) {
		if (sync.objects[i].state == 2)
			continue;
		oid_to_hex(hex, &sync.objects[i].oid);
		rc = err_set(ERR_NOTFOUND,
			"the data of '%s' (sha256:%.12s) is neither here nor at the blob remote; "
			"'git dvx push' where it was committed, or --force",
			sync.objects[i].path, hex);
	}
	sync_release(&sync);
	return rc;
}

static int check_data(const struct registering *g)
{
	struct scan_list missing = SCAN_LIST_INIT;
	int rc = g->a->force ? 0 : list_missing(&missing, g);

	if (rc == 0 && missing.n > 0)
		rc = check_remote(&missing);
	scan_list_release(&missing);
	return rc;
}

/* Of a file that Git itself has. */
static int hash_blob(struct registering *g, const struct datafile *f, struct oid *oid)
{
	uint64_t size;
	int fd = -1, rc = datafile_open(&fd, &size, f, &g->a->ctx->repo, g->a->ctx->s);

	if (rc == 0) {
		g->size = size;
		rc = oid_of_file(oid, fd);
		close(fd);
	}
	return rc;
}

/* What is at the path in that commit, and that its data is somewhere. */
static int look_at_path(struct registering *g)
{
	struct datafile f = {.kind = DATAFILE_NONE};
	int rc = datafile_find(&f, &g->a->ctx->repo, g->commit, g->path.p);

	if (rc == ERR_INVALID && is_directory(g))
		return check_data(g);
	if (rc < 0)
		return rc;
	if (f.kind == DATAFILE_NONE)
		return err_set(ERR_NOTFOUND,
			"commit %.10s has no '%s'; commit it, then register it", g->commit,
			g->path.p);
	g->size = f.size;
	rc = f.kind == DATAFILE_GIT ? hash_blob(g, &f, &f.oid) : check_data(g);
	if (rc == 0)
		oid_to_hex(g->sha256, &f.oid);
	return rc;
}

/* A model that was trained and not committed is not what is registered. */
static void warn_of_changes(const struct registering *g)
{
	struct buf out = BUF_INIT;

	if (!g->a->rev && g->a->ctx->g->worktree &&
		git_status_of(&g->a->ctx->repo, NULL, 0, &out, "--literal-pathspecs", "diff",
			"--no-ext-diff", "--quiet", "HEAD", "--", g->path.p, (char *)NULL) == 1)
		fprintf(stderr,
			"warning: '%s' in the work tree is another one than in the commit that is "
			"registered\n",
			g->path.p);
	err_clear();
	buf_release(&out);
}

/* ---- the command ---- */

static int choose_version(struct registry_tag *t, const struct model_args *a)
{
	static const char *const parts[] = {[REGISTRY_NEXT_MAJOR] = "major",
		[REGISTRY_NEXT_MINOR] = "minor",
		[REGISTRY_NEXT_PATCH] = "patch"};

	if (a->version && a->bump)
		return command_usage("--version and --bump exclude each other");
	if (a->version)
		return semver_parse(&t->what.version, a->version);
	t->bump = REGISTRY_NEXT_PATCH;
	if (!a->bump)
		return 0;
	for (enum registry_bump i = REGISTRY_NEXT_MAJOR; i <= REGISTRY_NEXT_PATCH; i++)
		if (strcmp(a->bump, parts[i]) == 0) {
			t->bump = i;
			return 0;
		}
	return command_usage("--bump takes major, minor or patch, not '%s'", a->bump);
}

static int resolve_commit(struct registering *g)
{
	const char *rev = g->a->rev ? g->a->rev : "HEAD";
	struct buf spec = BUF_INIT;
	int rc = buf_addf(&spec, "%s^{commit}", rev);

	if (rc == 0)
		rc = git_resolve(&g->a->ctx->repo, spec.p, g->id);
	if (rc == ERR_NOTFOUND)
		err_set(rc, g->a->rev ? "'%s' is no commit" : "'%s': there is no commit yet", rev);
	if (rc == 0)
		repo_id_hex(g->commit, &g->a->ctx->repo, g->id);
	buf_release(&spec);
	return rc;
}

static int find_file(struct registering *g)
{
	int rc = g->a->n == 2 ? repo_path(&g->path, &g->a->ctx->repo, g->a->v[1])
			      : path_of_artifact(g);

	while (g->path.len > 0 && g->path.p[g->path.len - 1] == '/')
		buf_truncate(&g->path, g->path.len - 1);
	if (rc == 0 && g->a->n == 2 && g->path.len == 0)
		rc = err_set(ERR_INVALID, "the model is a file or a directory in the project, not "
					  "all of it; leave the path out to register the commit");
	return rc == 0 && g->path.len > 0 ? look_at_path(g) : rc;
}

int model_register(struct model_args *a)
{
	struct registering g = {.a = a};
	struct registry_tag t = {.what.kind = GTOTAG_REGISTER};
	int rc = choose_version(&t, a);

	if (rc == 0)
		rc = gtotag_check_model(a->v[0]);
	if (rc == 0)
		rc = command_store(a->ctx);
	if (rc == 0)
		rc = resolve_commit(&g);
	if (rc == 0)
		rc = find_file(&g);
	if (rc == 0 && g.path.len > 0)
		warn_of_changes(&g);
	if (rc == 0) {
		memcpy(t.what.model, a->v[0], strlen(a->v[0]) + 1);
		memcpy(t.commit, g.id, sizeof(t.commit));
		t.path = g.path.len > 0 ? g.path.p : NULL;
		t.sha256 = g.sha256[0] ? g.sha256 : NULL;
		t.size = t.sha256 ? g.size : 0;
		rc = model_make_tag(a, &t, "registers version");
	}
	buf_release(&g.path);
	return rc;
}
