/*
 * The resolved configuration (see config.h).  Without a trusted snapshot: ask Git for everything
 * with the file each setting came from, add what the tree's files may say, note all files that a
 * later answer depends on, write the snapshot.
 */
#include "lib/setup/config.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/run.h"
#include "lib/base/gitvalue.h"
#include "lib/setup/intree.h"
#include "lib/setup/snapshot.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Stands between the settings of the tree's files and those of Git's configuration; no file of the
 * tree can say it. */
static const char end_of_tree[] = "dvx.endoftree";

struct config {
	struct buf text; /* in the snapshot's format; the view points into it */
	struct snapshot_view view;
};

/* A load in progress. */
struct loader {
	const struct gitdir *g; /* NULL: no repository */
	struct snapshot_parts parts;
	char *base;    /* what relative paths in Git's answer are relative to */
	int explicit;  /* name the repository by GIT_DIR instead of letting Git find it */
	int cacheable; /* every source is known */
	int tolerant;  /* a broken file of the tree counts as absent */
	int has_system;
};

static int add_source(struct loader *l, const char *path)
{
	if (path[0] != '/') {
		l->cacheable = 0;
		return 0;
	}
	for (size_t i = 0; i < l->parts.sources.n; i++)
		if (strcmp(l->parts.sources.v[i], path) == 0)
			return 0;
	return strvec_push(&l->parts.sources, path);
}

static int add_source_below(struct loader *l, const char *dir, const char *name)
{
	struct buf path = BUF_INIT;
	int rc = fs_join(&path, dir, name);

	if (rc == 0)
		rc = add_source(l, path.p);
	buf_release(&path);
	return rc;
}

/* The target of an include, whether it exists or its condition holds: it may one day.  `from` is
 * the including file. */
static int add_include(struct loader *l, const char *from, const char *target)
{
	const char *home = getenv("HOME");
	struct buf dir = BUF_INIT;
	int rc = 0;

	if (target[0] == '~' && target[1] == '/' && home)
		return add_source_below(l, home, target + 2);
	if (target[0] == '~' || target[0] == '%') { /* ~user/, %(prefix)/ */
		l->cacheable = 0;
		return 0;
	}
	rc = fs_dirname(&dir, from);
	if (rc == 0)
		rc = add_source_below(l, dir.p, target);
	buf_release(&dir);
	return rc;
}

/* Settings that make the answer depend on yet another file. */
static int note_dependencies(
	struct loader *l, const char *origin, const char *key, const char *value)
{
	static const char condition[] = "includeif.", path[] = ".path";
	size_t len = strlen(key);

	if (strcmp(key, "core.sparsecheckout") == 0 && l->g && gitvalue_bool(value, 0))
		return add_source(l, l->g->index); /* .dvxconfig may be in the index alone */
	if (strcmp(key, "include.path") == 0)
		return add_include(l, origin, value);
	if (strncmp(key, condition, sizeof condition - 1) != 0 || len < sizeof path ||
		strcmp(key + len - (sizeof path - 1), path) != 0)
		return 0;
	if (l->g && strncmp(key + sizeof condition - 1, "onbranch:", 9) == 0) {
		int rc = add_source_below(l, l->g->git_dir, "HEAD");

		if (rc < 0)
			return rc;
	}
	return add_include(l, origin, value);
}

/* One setting: its scope, where it comes from ("file:<path>", "command line:"), "key\nvalue" or
 * "key". */
static int take_setting(
	struct loader *l, const char *scope, const char *origin, const char *setting)
{
	const char *nl = strchr(setting, '\n');
	const char *value = nl ? nl + 1 : "true";
	struct buf file = BUF_INIT;
	int rc = strvec_pushn(
		&l->parts.pairs, setting, nl ? (size_t)(nl - setting) : strlen(setting));

	if (rc < 0 || (rc = strvec_push(&l->parts.pairs, value)) < 0)
		return rc;
	if (strncmp(origin, "file:", 5) != 0) {
		l->cacheable = 0;
		return 0;
	}
	rc = fs_join(&file, l->base, origin + 5);
	if (rc == 0)
		rc = add_source(l, file.p);
	if (rc == 0)
		rc = note_dependencies(l, file.p, l->parts.pairs.v[l->parts.pairs.n - 2], value);
	if (strcmp(scope, "system") == 0)
		l->has_system = 1;
	buf_release(&file);
	return rc;
}

/* The answer of `git config --list --show-scope --show-origin -z`. */
static int take_answer(struct loader *l, const struct buf *answer)
{
	const char *p = buf_str(answer), *end = p + answer->len;
	const char *part[3];
	int rc = 0;

	while (p < end && rc == 0) {
		for (int i = 0; i < 3; i++) {
			part[i] = p < end ? p : NULL;
			p = p < end ? p + strlen(p) + 1 : p; /* a buf ends with NUL */
		}
		if (!part[2])
			return err_set(ERR_CORRUPT, "unexpected answer of 'git config'");
		rc = take_setting(l, part[0], part[1], part[2]);
	}
	return rc;
}

/* How Git is told which repository.  Normally it finds it as we did, and refuses one that belongs
 * to somebody else (safe.directory); what the environment or core.worktree placed elsewhere is
 * named. */
static int plan_git(struct loader *l, struct run *git)
{
	int rc = strvec_push(&git->env, "GIT_CONFIG"); /* would replace all files by one */

	if (rc < 0)
		return rc;
	git->dir = l->base;
	git->err = RUN_NULL;
	if (!l->g) /* no repository has this name: only system and global files are read */
		return strvec_pushl(&git->env, "GIT_DIR=/dev/null", "GIT_WORK_TREE", NULL);
	if (!l->explicit)
		return 0;
	rc = strvec_pushf(&git->env, "GIT_DIR=%s", l->g->git_dir);
	if (rc == 0 && getenv("GIT_COMMON_DIR"))
		rc = strvec_pushf(&git->env, "GIT_COMMON_DIR=%s", l->g->common_dir);
	if (rc < 0)
		return rc;
	return l->g->worktree ? strvec_pushf(&git->env, "GIT_WORK_TREE=%s", l->g->worktree)
			      : strvec_push(&git->env, "GIT_WORK_TREE");
}

/* Git has refused: ask again for its words.  Always ERR_INVALID. */
static int explain_refusal(struct loader *l)
{
	struct run git = RUN_INIT;
	struct buf words = BUF_INIT;
	const char *line;
	int rc = plan_git(l, &git);

	if (rc == 0)
		rc = strvec_pushl(&git.argv, "git", "config", "--list", NULL);
	git.err = RUN_TO_STDOUT;
	if (rc == 0)
		rc = run_capture(&git, NULL, 0, &words);
	buf_rtrim(&words);
	line = strstr(buf_str(&words), "fatal: ");
	if (line)
		rc = err_set(
			ERR_INVALID, "git config: %.*s", (int)strcspn(line + 7, "\n"), line + 7);
	else
		rc = err_set(ERR_INVALID,
			"git cannot read the configuration; run 'git config --list' to see why");
	run_release(&git);
	buf_release(&words);
	return rc;
}

static int ask_git(struct loader *l)
{
	struct run git = RUN_INIT;
	struct buf answer = BUF_INIT;
	int rc = plan_git(l, &git);

	if (rc == 0)
		rc = strvec_pushl(&git.argv, "git", "config", "--list", "--show-scope",
			"--show-origin", "-z", NULL);
	if (rc == 0)
		rc = run_capture(&git, NULL, 0, &answer);
	if (rc > 0)
		rc = explain_refusal(l);
	if (rc == 0)
		rc = take_answer(l, &answer);
	run_release(&git);
	buf_release(&answer);
	return rc;
}

/* The system file that Git would read if there were one: it names none then. */
static int add_system_places(struct loader *l)
{
	const char *given = getenv("GIT_CONFIG_SYSTEM");
	struct buf git = BUF_INIT, prefix = BUF_INIT;
	int rc;

	if (given)
		return add_source(l, given);
	rc = add_source(l, "/etc/gitconfig");
	if (rc < 0 || l->has_system || run_resolve(&git, "git") < 0)
		goto done;
	/* "<prefix>/bin/git" keeps it in "<prefix>/etc/gitconfig" */
	for (int i = 0; i < 2 && rc == 0; i++) {
		buf_reset(&prefix);
		rc = fs_dirname(&prefix, git.p);
		buf_reset(&git);
		if (rc == 0)
			rc = buf_addstr(&git, prefix.p);
	}
	if (rc == 0)
		rc = add_source_below(l, git.p, "etc/gitconfig");
done:
	buf_release(&git);
	buf_release(&prefix);
	return rc;
}

static int add_global_places(struct loader *l)
{
	const char *given = getenv("GIT_CONFIG_GLOBAL");
	const char *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");
	int rc = 0;

	if (given)
		return add_source(l, given);
	if (xdg && *xdg)
		rc = add_source_below(l, xdg, "git/config");
	else if (home)
		rc = add_source_below(l, home, ".config/git/config");
	return rc == 0 && home ? add_source_below(l, home, ".gitconfig") : rc;
}

/* Files that may be absent now, or that exist without a setting. */
static int add_standard_places(struct loader *l)
{
	const struct gitdir *g = l->g;
	int rc;

	if ((rc = add_system_places(l)) < 0 || (rc = add_global_places(l)) < 0 ||
		(rc = add_source_below(l, g->common_dir, "config")) < 0 ||
		(rc = add_source_below(l, g->git_dir, "config.worktree")) < 0 || !g->worktree)
		return rc;
	rc = add_source_below(l, g->worktree, ".dvxconfig");
	return rc < 0 ? rc : add_source_below(l, g->worktree, ".lfsconfig");
}

/* Where Git is started: the top of the worktree or a bare repository, where it finds the same
 * repository again. */
static int choose_start(struct loader *l)
{
	struct buf dot_git = BUF_INIT;
	int rc = 0;

	l->base = strdup(!l->g ? "/" : l->g->worktree ? l->g->worktree : l->g->git_dir);
	if (!l->base)
		return err_set(ERR_NOMEM, "out of memory");
	if (l->g && l->g->worktree) {
		rc = fs_join(&dot_git, l->g->worktree, ".git");
		l->explicit = rc == 0 && !fs_exists(dot_git.p);
		buf_release(&dot_git);
	}
	if (getenv("GIT_DIR") || getenv("GIT_WORK_TREE") || getenv("GIT_COMMON_DIR"))
		l->explicit = 1;
	return rc;
}

/* The tree's settings come first: what Git's configuration says wins. */
static int gather(struct loader *l)
{
	struct strvec gits = STRVEC_INIT;
	int rc;

	if ((rc = choose_start(l)) < 0 || (rc = ask_git(l)) < 0 || !l->g)
		return rc;
	gits = l->parts.pairs;
	l->parts.pairs = (struct strvec)STRVEC_INIT;
	rc = intree_load(&l->parts.pairs, &l->parts.refused, l->g);
	if (rc == ERR_INVALID && l->tolerant) {
		l->cacheable = 0;
		rc = buf_addf(
			&l->parts.refused, "%s%s", l->parts.refused.len ? ", " : "", err_msg());
	}
	/* from index or HEAD, which no stat data of a file stands for; the next push into a bare
	 * repository may bring one */
	if (rc > 0 || !l->g->worktree)
		l->cacheable = 0;
	if (rc >= 0 && strvec_pushl(&l->parts.pairs, end_of_tree, "", NULL) < 0)
		rc = ERR_NOMEM; /* message set */
	for (size_t i = 0; i < gits.n && rc >= 0; i++)
		rc = strvec_push(&l->parts.pairs, gits.v[i]);
	strvec_release(&gits);
	return rc < 0 ? rc : add_standard_places(l);
}

static void loader_release(struct loader *l)
{
	strvec_release(&l->parts.sources);
	strvec_release(&l->parts.pairs);
	buf_release(&l->parts.refused);
	free(l->base);
}

static int load_afresh(struct config *c, const struct gitdir *g, int tolerant)
{
	char empty[] = "";
	const struct gitdir nowhere = {.git_dir = empty};
	struct loader l = {.g = g, .cacheable = 1, .tolerant = tolerant};
	int rc;

	l.parts.created_ns = fs_now_ns();
	rc = gather(&l);
	if (rc == 0)
		rc = snapshot_compose(&c->text, g ? g : &nowhere, &l.parts);
	if (rc == 0 && g && l.cacheable && snapshot_possible() && snapshot_save(g, &c->text) < 0)
		err_clear(); /* a repository we cannot write: the next start pays again */
	loader_release(&l);
	return rc;
}

static int load(struct config **out, const struct gitdir *g, int tolerant)
{
	struct config *c = calloc(1, sizeof *c);
	int rc;

	if (!c)
		return err_set(ERR_NOMEM, "out of memory");
	rc = g && snapshot_possible() ? snapshot_load(&c->text, g) : ERR_NOTFOUND;
	if (rc < 0) {
		buf_reset(&c->text);
		c->text.max = 0;
		rc = load_afresh(c, g, tolerant);
	}
	if (rc == 0)
		rc = snapshot_parse(&c->view, &c->text);
	if (rc < 0)
		config_free(c);
	else
		*out = c;
	return rc;
}

int config_load(struct config **out, const struct gitdir *g)
{
	return load(out, g, 0);
}

int config_load_tolerant(struct config **out, const struct gitdir *g)
{
	return load(out, g, 1);
}

int config_load_global(struct config **out)
{
	return load(out, NULL, 0);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	buf_release(&c->text);
	free(c->view.pairs);
	free(c);
}

/* `have` is as Git writes it: section and key in lower case.  `dot` and `last` are the first and
 * last dot of `want`. */
static int same_key(const char *have, const char *want, size_t len, size_t dot, size_t last)
{
	return strlen(have) == len && strncasecmp(have, want, dot) == 0 &&
	       memcmp(have + dot, want + dot, last - dot) == 0 &&
	       strcasecmp(have + last, want + last) == 0;
}

static const char *get(const struct config *c, const char *key, int own)
{
	const char *first = strchr(key, '.'), *last = strrchr(key, '.');
	size_t len = strlen(key);

	if (!first)
		return NULL;
	for (size_t i = c->view.n_pairs; i-- > 0;) {
		if (own && strcmp(c->view.pairs[i].key, end_of_tree) == 0)
			return NULL;
		if (same_key(c->view.pairs[i].key, key, len, (size_t)(first - key),
			    (size_t)(last - key)))
			return c->view.pairs[i].value;
	}
	return NULL;
}

const char *config_get(const struct config *c, const char *key)
{
	return get(c, key, 0);
}

const char *config_get_own(const struct config *c, const char *key)
{
	return get(c, key, 1);
}

int config_bool(const struct config *c, const char *key, int fallback)
{
	const char *value = config_get(c, key);

	return value ? gitvalue_bool(value, fallback) : fallback;
}

int config_hash_len(const struct config *c)
{
	const char *format = config_get(c, "extensions.objectformat");

	if (!format || !strcasecmp(format, "sha1"))
		return 20;
	if (!strcasecmp(format, "sha256"))
		return 32;
	return err_set(ERR_UNSUPPORTED, "unknown object format '%s' of the repository", format);
}

int64_t config_int(const struct config *c, const char *key, int64_t fallback)
{
	const char *value = config_get(c, key);
	long long n;

	return value && gitvalue_int(&n, value) == 0 ? n : fallback;
}

int config_each(const struct config *c, int (*fn)(const char *key, const char *value, void *data),
	void *data)
{
	int rc = 0;

	for (size_t i = 0; i < c->view.n_pairs && rc == 0; i++)
		if (strcmp(c->view.pairs[i].key, end_of_tree) != 0)
			rc = fn(c->view.pairs[i].key, c->view.pairs[i].value, data);
	return rc;
}

int config_each_own(const struct config *c,
	int (*fn)(const char *key, const char *value, void *data), void *data)
{
	size_t i = c->view.n_pairs;
	int rc = 0;

	while (i > 0 && strcmp(c->view.pairs[i - 1].key, end_of_tree) != 0)
		i--;
	for (; i < c->view.n_pairs && rc == 0; i++)
		rc = fn(c->view.pairs[i].key, c->view.pairs[i].value, data);
	return rc;
}

const char *config_refused(const struct config *c)
{
	return *c->view.refused ? c->view.refused : NULL;
}
