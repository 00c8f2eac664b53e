/*
 * git-dvx-transfer: the program that moves objects between the local store and a remote.  Two front
 * ends, chosen by the first argument; see docs/agent-protocol.md and git-dvx-transfer(1).
 */
#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "transfer/frontend.h"
#include "transfer/subcommands.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

/* Larger pieces of memory go back to the system as soon as they are freed. */
enum { GIVE_BACK = 1024 * 1024 };

static int usage_error(void)
{
	fprintf(stderr, "error: %s\n", err_msg());
	return 129;
}

static int cmd_batch(int argc, char **argv)
{
	static const char usage[] = "git-dvx-transfer batch [<options>] (download | upload)";
	struct frontend_options o = {.jobs = 0};
	const struct opt table[] = {
		{'r', "remote", OPT_VALUE, &o.remote, "<name>",
			"remote to use instead of the default", 0},
		{0, "git-remote", OPT_VALUE, &o.git_remote, "<name>",
			"Git remote of the push or fetch at hand", 0},
		{0, "ref", OPT_VALUE, &o.ref, "<name>",
			"full name of the Git ref at hand, for a Git LFS server", 0},
		{'j', "jobs", OPT_INT, &o.jobs, "<n>", "use up to this many threads", 0},
		{'n', "dry-run", OPT_FLAG, &o.dry_run, NULL,
			"move nothing, say what would be moved", 0},
		{0, "verify", OPT_FLAG, &o.verify, NULL,
			"upload: ask the remote for every pack before saying 'present'", 0},
		OPT_END,
	};
	int n = 0;
	int rc = opt_parse(argc, argv, table, usage, 0, &n);

	if (rc != 0)
		return rc < 0 ? usage_error() : 0;
	if (n == 1 && strcmp(argv[1], "download") == 0)
		return batch_front(ENGINE_DOWNLOAD, &o);
	if (n == 1 && strcmp(argv[1], "upload") == 0)
		return batch_front(ENGINE_UPLOAD, &o);
	err_set(ERR_INVALID, "say 'download' or 'upload'; see 'git-dvx-transfer batch -h'");
	return usage_error();
}

static int cmd_agent(int argc, char **argv)
{
	static const char usage[] = "git-dvx-transfer [agent] [<options>]";
	struct frontend_options o = {.jobs = 0};
	const struct opt table[] = {
		{0, "store", OPT_VALUE, &o.store, "<store>",
			"blob store: directory, URL or name of a remote", 0},
		{'r', "remote", OPT_VALUE, &o.remote, "<name>",
			"remote to use instead of the client's", 0},
		{'j', "jobs", OPT_INT, &o.jobs, "<n>", "use up to this many threads", 0},
		OPT_END,
	};
	int n = 0;
	int rc = opt_parse(argc, argv, table, usage, 0, &n);

	if (rc != 0)
		return rc < 0 ? usage_error() : 0;
	if (n) {
		err_set(ERR_INVALID, "unknown command '%s'; see 'git-dvx-transfer -h'", argv[1]);
		return usage_error();
	}
	return agent_front(&o);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {{"agent", cmd_agent}, {"batch", cmd_batch}, {"du", du_main},
		{"fsck", fsck_main}, {"gc", gc_main}, {"lfs-ssh", serve_lfs_main},
		{"locks", locks_main}, {"probe", probe_main}, {"runs", runs_main},
		{"serve", serve_main}};

	frontend_catch_signals();
	mallopt(M_MMAP_THRESHOLD, GIVE_BACK);
	if (strcmp(program_invocation_short_name, "git-lfs-transfer") == 0)
		return serve_lfs_main(argc, argv);
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		printf("git-dvx-transfer " DVX_VERSION "\n");
		return 0;
	}
	return cmd_agent(argc, argv);
}
