/*
 * `git-dvx-transfer du`: what a remote holds, as lines "<key> <number>" and "done"
 * (docs/agent-protocol.md).  Three listings, and the fragments from the cache.
 */
#include "transfer/subcommands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/store/store_gc.h"
#include "lib/wire/batchline.h"
#include "transfer/blob/blobstore.h"
#include "transfer/frontend.h"
#include "transfer/gitdir_remote.h"

struct du {
	uint64_t fragments, fragment_bytes, packs, pack_bytes, notices, runs, run_bytes;
	uint64_t objects, object_bytes; /* that fragments name, each once */
	struct store_size whole;	/* of a Git repository */
};

static int count_entry(const struct remote_entry *e, void *data)
{
	struct du *d = data;

	switch (e->class) {
	case REMOTE_PACK:
		d->packs++;
		d->pack_bytes += e->size;
		break;
	case REMOTE_FRAGMENT:
		d->fragments++;
		d->fragment_bytes += e->size;
		break;
	case REMOTE_NOTICE:
		d->notices++;
		break;
	case REMOTE_RUNS:
		d->runs++;
		d->run_bytes += e->size;
		break;
	}
	return 0;
}

static int count_objects(struct du *d, const struct blobstore *b)
{
	struct oidmap seen = OIDMAP_INIT;
	struct fragment_object at;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < b->n_fragments; i++) {
		const struct fragment *f = b->fragments[i].fragment;

		for (size_t k = 0; f && rc >= 0 && k < fragment_count(f); k++) {
			fragment_at(f, k, &at);
			rc = oidmap_add(&seen, &at.oid, 0);
			d->objects += rc > 0;
			d->object_bytes += rc > 0 ? at.size : 0;
		}
	}
	oidmap_release(&seen);
	return rc < 0 ? rc : 0;
}

static int measure(struct du *d, struct engine *e)
{
	const struct remote_context context = {e->git, e->config, e->stop};
	struct remote *remote = NULL;
	struct blobstore *b = NULL;
	int rc;

	if (e->spec->kind == REMOTE_GITDIR) {
		rc = gitdir_remote_measure(e, &d->whole);
		if (rc == 0)
			rc = gitdir_remote_blobs(e, &remote);
		if (rc != 0) /* 1: it has no blobs */
			return rc < 0 ? rc : 0;
	} else {
		rc = remote_open(&remote, e->spec, &context);
	}
	if (rc == 0)
		rc = blobstore_open(&b, e, remote);
	if (rc == 0)
		rc = blobstore_load(b);
	if (rc == 0)
		rc = count_objects(d, b);
	if (rc == 0)
		rc = remote->ops->list(remote, REMOTE_LIST_FRAGMENTS, count_entry, d, NULL);
	if (rc == 0)
		rc = remote->ops->list(remote, REMOTE_LIST_PACKS, count_entry, d, NULL);
	if (rc == 0)
		rc = remote->ops->list(remote, REMOTE_LIST_RUNS, count_entry, d, NULL);
	if (rc == ERR_NOTFOUND) /* nothing was pushed there yet */
		rc = 0;
	blobstore_close(b);
	remote_close(remote);
	return rc;
}

static void print(const struct du *d)
{
	const struct {
		const char *key;
		uint64_t value;
	} lines[] = {{"fragments", d->fragments}, {"fragment-bytes", d->fragment_bytes},
		{"packs", d->packs}, {"pack-bytes", d->pack_bytes}, {"notices", d->notices},
		{"runs", d->runs}, {"run-bytes", d->run_bytes}, {"objects", d->objects},
		{"object-bytes", d->object_bytes}, {"whole-objects", d->whole.whole},
		{"whole-bytes", d->whole.whole_bytes}, {"local-packs", d->whole.packs},
		{"local-pack-bytes", d->whole.pack_bytes}};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		printf("%s %" PRIu64 "\n", lines[i].key, lines[i].value);
	puts("done");
}

static void print_fatal(int rc)
{
	const struct batch_answer a = {.kind = BATCH_ANSWER_FATAL, .code = rc, .text = err_msg()};
	struct buf line = BUF_INIT;

	if (batch_answer_format(&line, &a) == 0)
		fputs(buf_str(&line), stdout);
	buf_release(&line);
}

int du_main(int argc, char **argv)
{
	static const char usage[] = "git-dvx-transfer du [<options>]";
	struct frontend_options o = {.jobs = 0};
	const struct opt table[] = {
		{'r', "remote", OPT_VALUE, &o.remote, "<name>",
			"remote to measure instead of the default", 0},
		{'j', "jobs", OPT_INT, &o.jobs, "<n>", "use up to this many threads", 0},
		OPT_END,
	};
	struct engine e;
	struct du d = {0};
	int n = 0;
	int rc = opt_parse(argc, argv, table, usage, 0, &n);

	if (rc == 0 && n)
		rc = err_set(ERR_INVALID, "unexpected argument '%s'", argv[1]);
	if (rc < 0)
		fprintf(stderr, "error: %s\n", err_msg());
	if (rc != 0)
		return rc < 0 ? 129 : 0;
	rc = frontend_open(&e, &o);
	if (rc == 0)
		rc = frontend_resolve(&e, &o, NULL);
	if (rc == 0)
		rc = measure(&d, &e);
	if (rc == 0)
		print(&d);
	else
		print_fatal(rc);
	frontend_close(&e);
	return rc == 0 ? 0 : rc == ERR_INTERRUPTED ? 130 : 128;
}
