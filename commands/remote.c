/*
 * `git dvx remote`: name, list and change the places where blobs are kept.
 */
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "commands/remote.h"
#include "commands/remote_config.h"
#include "commands/remote_options.h"
#include "commands/remote_secret.h"
#include "commands/remote_url.h"
#include "lib/base/err.h"
#include "lib/repo/git.h"
#include "lib/repo/scan.h"
#include "lib/setup/intree.h"
#include "lib/setup/remotes.h"

static enum remote_where where_of(const struct remote_args *a)
{
	return a->local ? REMOTE_LOCAL : REMOTE_SHARED;
}

/* Value of "dvx-remote.<name>.<variable>" in all files, or NULL.  Borrowed. */
static const char *remote_value(const struct remote_args *a, const char *name, const char *variable)
{
	struct buf key = BUF_INIT;
	const char *value = NULL;

	if (buf_addf(&key, "dvx-remote.%s.%s", name, variable) == 0)
		value = config_get(a->ctx->c, buf_str(&key));
	buf_release(&key);
	return value;
}

static int must_exist(const struct remote_args *a, const char *name)
{
	if (remote_value(a, name, "url") != NULL)
		return 0;
	return err_set(
		ERR_NOTFOUND, "no remote '%s'; 'git dvx remote add %s <url>' makes it", name, name);
}

static int set_option(const struct remote_args *a, enum remote_where where, const char *name,
	const char *variable, const char *value)
{
	struct buf key = BUF_INIT;
	int rc = buf_addf(&key, "dvx-remote.%s.%s", name, variable);

	if (rc == 0)
		rc = remote_config_set(&a->ctx->repo, where, buf_str(&key), value);
	buf_release(&key);
	return rc;
}

/* What the user should know of this URL; on stderr. */
static int tell_about_url(const struct remote_args *a, const char *url, const char *inside)
{
	const char *scheme = remote_url_unsupported(url);
	struct buf line = BUF_INIT;
	int rc = 0;

	if (scheme != NULL && !a->quiet)
		fprintf(stderr,
			"note: this version cannot transfer to %s:// yet; the remote is only "
			"recorded\n",
			scheme);
	if (*inside != '\0') {
		rc = remote_exclude(&a->ctx->repo, inside, &line);
		if (rc > 0 && !a->quiet)
			fprintf(stderr,
				"note: '%s' lies inside the work tree; '%s' was added to "
				".git/info/exclude, so that "
				"blobs are not committed (put the line into .gitignore to share "
				"it)\n",
				inside, buf_str(&line));
	}
	buf_release(&line);
	return rc < 0 ? rc : 0;
}

/* Check and write an URL; used by add and by modify. */
static int write_url(const struct remote_args *a, const char *name, const char *typed)
{
	struct buf url = BUF_INIT, inside = BUF_INIT;
	size_t at;
	int rc = remote_url_normalise(&url, &inside, &a->ctx->repo, typed);

	if (rc == 0 && !a->local && intree_url_secret(buf_str(&url), &at) > 0)
		rc = err_set(ERR_DENIED,
			"the URL holds a password, and " REMOTE_SHARED_FILE
			" is committed; use --local, or 'git dvx remote modify %s password "
			"<value>'",
			name);
	if (rc == 0)
		rc = set_option(a, where_of(a), name, "url", buf_str(&url));
	if (rc == 0)
		rc = tell_about_url(a, buf_str(&url), buf_str(&inside));
	buf_release(&url);
	buf_release(&inside);
	return rc;
}

/* 1 when commits were pushed to, or fetched from, a Git remote, and the present one has pointers.
 */
static int has_pushed_pointers(const struct remote_args *a)
{
	const struct repo *repo = &a->ctx->repo;
	struct scan_list l = SCAN_LIST_INIT;
	struct pointers *p = NULL;
	struct buf refs = BUF_INIT;
	int yes = git_run(repo, NULL, 0, &refs, "for-each-ref", "--count=1", "--format=%(refname)",
			  "refs/remotes", (char *)NULL) == 0 &&
		  refs.len > 0 && git_has_head(repo) && pointers_open(&p, repo) == 0 &&
		  (repo->dir->worktree != NULL ? scan_index(&l, repo, p, 0)
					       : scan_tree(&l, repo, p, "HEAD")) == 0 &&
		  l.n > 0;

	err_clear(); /* a hint is not worth a failure */
	pointers_close(p);
	scan_list_release(&l);
	buf_release(&refs);
	return yes;
}

/* `git push` brings what is new to the Git remote, and a blob remote that came later has nothing of
 * the rest. */
static void hint_earlier_objects(
	const struct remote_args *a, const char *name, const char *url, int is_default)
{
	if (a->quiet || remote_url_unsupported(url) != NULL || !has_pushed_pointers(a))
		return;
	fflush(stdout);
	fprintf(stderr, "run 'git dvx push -A%s%s' to bring it what was pushed elsewhere\n",
		is_default ? "" : " -r ", is_default ? "" : name);
}

static int set_default(const struct remote_args *a, const char *name, const char *url)
{
	int rc = remote_config_set(&a->ctx->repo, where_of(a), "dvx.remote", name);

	if (rc < 0)
		return rc;
	if (!a->quiet)
		printf("Setting '%s' as a default remote.\n", name);
	hint_earlier_objects(a, name, url, 1);
	return 0;
}

static int already_there(const char *name, const char *present)
{
	struct buf url = BUF_INIT;
	int rc = remote_url_masked(&url, present);

	if (rc == 0)
		rc = err_set(ERR_EXISTS,
			"remote '%s' already exists (%s); use --force to replace it", name,
			buf_str(&url));
	buf_release(&url);
	return rc;
}

static int do_add(const struct remote_args *a)
{
	const char *name, *present;
	int rc;

	if (a->n != 2)
		return command_usage("usage: git dvx remote add [-d] [-f] [-q] [--local] "
				     "[--no-probe] <name> <url>");
	name = a->v[0];
	rc = remote_name_check(name);
	if (rc < 0)
		return rc;
	present = remote_value(a, name, "url");
	if (present != NULL && !a->force)
		return already_there(name, present);
	rc = write_url(a, name, a->v[1]);
	if (rc == 0 && a->make_default)
		rc = set_default(a, name, a->v[1]);
	else if (rc == 0 && !a->quiet && config_get(a->ctx->c, "dvx.remote") == NULL)
		fprintf(stderr,
			"note: no remote is the default; 'git dvx remote default %s' makes it this "
			"one\n",
			name);
	return rc < 0 ? rc : remote_probe(a, name, a->v[1], 1);
}

static int unknown_option(const char *typed)
{
	struct buf names = BUF_INIT;
	int rc = remote_option_names(&names);

	if (rc == 0)
		rc = command_usage(
			"unknown option '%s' of a remote; known are %s", typed, buf_str(&names));
	buf_release(&names);
	return rc;
}

/* Where an option goes; says so when that is not what was asked for. */
static enum remote_where place_of(const struct remote_args *a, const struct remote_option *o)
{
	if (o->place == REMOTE_OPTION_SHARED || a->local)
		return where_of(a);
	if (!a->unset && !a->quiet)
		fprintf(stderr,
			o->place == REMOTE_OPTION_SECRET
				? "note: '%s' is a secret and went to .git/config, which is not "
				  "committed\n"
				: "note: '%s' went to .git/config: a file that is committed may "
				  "not set it\n",
			o->name);
	return REMOTE_LOCAL;
}

static int modify_url(const struct remote_args *a, const char *name)
{
	const char *present = config_get(a->ctx->c, "dvx.remote");
	int rc = write_url(a, name, a->v[2]);

	if (rc < 0)
		return rc;
	hint_earlier_objects(a, name, a->v[2], present != NULL && strcmp(present, name) == 0);
	return remote_probe(a, name, a->v[2], 1);
}

static int write_option(const struct remote_args *a, enum remote_where where,
	const struct remote_option *o, const char *name, const char *value)
{
	struct buf key = BUF_INIT;
	int rc;

	if (o->place != REMOTE_OPTION_SECRET || value == NULL)
		return set_option(a, where, name, o->variable, value);
	rc = buf_addf(&key, "dvx-remote.%s.%s", name, o->variable);
	if (rc == 0)
		rc = remote_secret_set(&a->ctx->repo, a->ctx->c, buf_str(&key), value);
	buf_release(&key);
	return rc;
}

/* A secret that somebody had written into the shared file by hand leaves it. */
static int clean_shared(
	const struct remote_args *a, const struct remote_option *o, const char *name)
{
	struct buf key = BUF_INIT;
	int rc;

	if (o->place != REMOTE_OPTION_SECRET)
		return 0;
	rc = buf_addf(&key, "dvx-remote.%s.%s", name, o->variable);
	if (rc == 0)
		rc = remote_config_has_key(&a->ctx->repo, REMOTE_SHARED, buf_str(&key));
	if (rc > 0) {
		rc = set_option(a, REMOTE_SHARED, name, o->variable, NULL);
		fprintf(stderr,
			"warning: '%s' was in " REMOTE_SHARED_FILE " and was removed there; if it "
			"was ever committed, consider it leaked and replace it\n",
			o->name);
	}
	buf_release(&key);
	return rc;
}

/* 1 if a server that could not be asked before might be asked with this setting.  One half of a key
 * opens nothing. */
static int may_answer_now(
	const struct remote_args *a, const struct remote_option *o, const char *name)
{
	if (a->unset)
		return 0;
	if (strcmp(o->name, "access_key_id") == 0)
		return remote_value(a, name, "secretaccesskey") != NULL;
	if (strcmp(o->name, "secret_access_key") == 0)
		return remote_value(a, name, "accesskeyid") != NULL;
	return o->type == REMOTE_OPTION_ENDPOINT || strcmp(o->name, "region") == 0 ||
	       strcmp(o->name, "profile") == 0;
}

static int modify_option(
	const struct remote_args *a, const struct remote_option *o, const char *name)
{
	struct buf value = BUF_INIT;
	int rc = a->unset ? 0 : remote_option_value(&value, o, a->v[2]);

	if (rc == 0)
		rc = write_option(a, place_of(a, o), o, name, a->unset ? NULL : buf_str(&value));
	if (rc == 0)
		rc = clean_shared(a, o, name);
	if (rc == 0 && may_answer_now(a, o, name))
		rc = remote_probe(
			a, name, remote_value(a, name, "url"), o->type == REMOTE_OPTION_ENDPOINT);
	buf_release(&value);
	return rc;
}

static int do_modify(const struct remote_args *a)
{
	const struct remote_option *o;
	int rc;

	if (a->n != (a->unset ? 2 : 3))
		return command_usage("usage: git dvx remote modify [--local] [--unset] "
				     "[--no-probe] <name> <option> [<value>]");
	o = remote_option_find(a->v[1]);
	if (o == NULL)
		return unknown_option(a->v[1]);
	rc = must_exist(a, a->v[0]);
	if (rc < 0)
		return rc;
	if (!a->unset && o->type == REMOTE_OPTION_URL)
		return modify_url(a, a->v[0]);
	return modify_option(a, o, a->v[0]);
}

static int do_default(const struct remote_args *a)
{
	const char *present = config_get(a->ctx->c, "dvx.remote");
	int rc;

	if (a->unset) {
		if (a->n != 0)
			return command_usage("--unset takes no name");
		return remote_config_set(&a->ctx->repo, where_of(a), "dvx.remote", NULL);
	}
	if (a->n == 0) {
		if (present == NULL)
			return COMMAND_NO;
		puts(present);
		return COMMAND_OK;
	}
	if (a->n > 1)
		return command_usage("one name at a time; see 'git dvx remote -h'");
	rc = must_exist(a, a->v[0]);
	return rc < 0 ? rc : set_default(a, a->v[0], remote_value(a, a->v[0], "url"));
}

/* Rename or remove (new_name NULL) wherever it is known, and in dvx.remote. */
static int move_everywhere(const struct remote_args *a, const char *name, const char *new_name)
{
	static const enum remote_where places[] = {REMOTE_SHARED, REMOTE_LOCAL};
	const char *present = config_get(a->ctx->c, "dvx.remote");
	int was_default = present != NULL && strcmp(present, name) == 0, found = 0, rc;

	for (size_t i = 0; i < 2; i++) {
		rc = remote_config_has(&a->ctx->repo, places[i], name);
		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		rc = remote_config_move(&a->ctx->repo, places[i], name, new_name);
		if (rc < 0)
			return rc;
		found = 1;
	}
	if (!found)
		return err_set(ERR_NOTFOUND,
			"remote '%s' is neither in " REMOTE_SHARED_FILE " nor in .git/config",
			name);
	for (size_t i = 0; was_default && i < 2; i++) {
		rc = remote_config_has_default(&a->ctx->repo, places[i], name);
		if (rc > 0)
			rc = remote_config_set(&a->ctx->repo, places[i], "dvx.remote", new_name);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int do_remove(const struct remote_args *a)
{
	if (a->n != 1)
		return command_usage("usage: git dvx remote remove <name>");
	return move_everywhere(a, a->v[0], NULL);
}

static int do_rename(const struct remote_args *a)
{
	int rc;

	if (a->n != 2)
		return command_usage("usage: git dvx remote rename <old> <new>");
	rc = remote_name_check(a->v[1]);
	if (rc == 0)
		rc = must_exist(a, a->v[0]);
	if (rc == 0 && remote_value(a, a->v[1], "url") != NULL)
		rc = err_set(ERR_EXISTS, "remote '%s' already exists", a->v[1]);
	return rc < 0 ? rc : move_everywhere(a, a->v[0], a->v[1]);
}

static const struct {
	const char *name;
	int (*fn)(const struct remote_args *a);
	int changes; /* .dvxconfig, perhaps */
} subcommands[] = {
	{"add", do_add, 1},
	{"default", do_default, 1},
	{"list", remote_list, 0},
	{"modify", do_modify, 1},
	{"remove", do_remove, 1},
	{"rename", do_rename, 1},
	{"rm", do_remove, 1},
};

static int dispatch(const struct remote_args *a, const char *name)
{
	int rc, done, restage = 0;

	for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++) {
		if (strcmp(subcommands[i].name, name) != 0)
			continue;
		rc = subcommands[i].changes && !a->local
			     ? remote_shared_begin(&a->ctx->repo, &restage)
			     : 0;
		if (rc < 0)
			return rc;
		rc = subcommands[i].fn(a);
		if (rc < 0)
			return rc;
		done = remote_shared_end(&a->ctx->repo, restage);
		return done < 0 ? done : rc;
	}
	return command_usage("unknown subcommand 'remote %s'; see 'git dvx remote -h'", name);
}

int cmd_remote(struct command_ctx *ctx, int argc, char **argv)
{
	struct remote_args a = {.ctx = ctx};
	char list[] = "list";
	const struct opt options[] = {{'d', "default", OPT_FLAG, &a.make_default, NULL,
					      "add: make it the default remote", 0},
		{'f', "force", OPT_FLAG, &a.force, NULL, "add: replace a remote of that name", 0},
		{0, "local", OPT_FLAG, &a.local, NULL, "write .git/config, not " REMOTE_SHARED_FILE,
			0},
		{0, "unset", OPT_FLAG, &a.unset, NULL, "modify, default: remove the setting", 0},
		{0, "no-probe", OPT_FLAG, &a.no_probe, NULL,
			"add, modify: do not ask the server what it can do", 0},
		{'q', "quiet", OPT_FLAG, &a.quiet, NULL, "print warnings and errors only", 0},
		{0, "json", OPT_FLAG, &a.json, NULL, "list: print JSON", 0}, OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git dvx remote [list] [--json]\n"
		    "git dvx remote add [-d] [-f] [-q] [--local] [--no-probe] <name> <url>\n"
		    "git dvx remote modify [--local] [--unset] [--no-probe] <name> <option> "
		    "[<value>]\n"
		    "git dvx remote default [--local] [--unset] [<name>]\n"
		    "git dvx remote rename <old> <new>\n"
		    "git dvx remote remove <name>",
		    0, &n))
		return rc;
	rc = command_repo(ctx);
	if (rc < 0)
		return rc;
	if (a.json && n > 0 && strcmp(argv[1], list) != 0)
		return command_usage("--json is for 'git dvx remote list'");
	a.n = n > 0 ? n - 1 : 0;
	a.v = argv + 2;
	return dispatch(&a, n > 0 ? argv[1] : list);
}
