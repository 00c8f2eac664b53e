/*
 * The way to object servers (see lfs_remote.h): which of the three it is to be, and what each needs
 * to begin.
 */
#include "transfer/lfs/lfs_remote.h"
#include "lib/base/err.h"
#include "transfer/lfs/lfs_custom.h"
#include "transfer/lfs/lfs_flow.h"
#include "transfer/lfs/lfs_ssh.h"

#include <string.h>

/* What the agents' names may be besides "basic", unless the user wants none of them. */
static int offer_transfers(struct strvec *out, const struct engine *e, enum lfs_operation op)
{
	int rc = strvec_push(out, "basic");

	if (rc == 0 && !config_bool(e->config, "lfs.basictransfersonly", 0))
		rc = lfs_custom_names(out, e->config, op);
	return rc;
}

static int run_http(struct engine *e, const struct lfs_endpoint *endpoint,
	struct transfer_object *objects, size_t n)
{
	const struct lfs_client_options o = {
		.git = e->git, .config = e->config, .endpoint = endpoint, .stop = e->stop};
	struct lfs_asker a = {.engine = e, .endpoint = endpoint};
	int rc = lfs_client_new(&a.client, &o);

	if (rc == 0)
		rc = offer_transfers(&a.transfers, e, endpoint->operation);
	if (rc == 0)
		rc = lfs_flow_run(&a, objects, n);
	lfs_client_free(a.client);
	strvec_release(&a.transfers);
	return rc;
}

/* ERR_UNSUPPORTED: not this way, but HTTPS may be tried. */
static int run_ssh(struct engine *e, enum engine_direction d, const struct lfs_endpoint *endpoint,
	struct transfer_object *objects, size_t n)
{
	const struct lfs_ssh_options o = {
		.config = e->config, .endpoint = endpoint, .stop = e->stop};
	struct lfs_ssh *s = NULL;
	int rc = lfs_ssh_open(&s, &o);

	if (rc == 0) {
		rc = lfs_ssh_run(s, e, d, objects, n);
		if (rc == ERR_UNSUPPORTED) /* too late for another way */
			rc = ERR_REMOTE;
	}
	lfs_ssh_close(s);
	return rc;
}

int lfs_remote_run(
	struct engine *e, enum engine_direction d, struct transfer_object *objects, size_t n)
{
	struct lfs_endpoint *endpoint = NULL;
	int rc = lfs_endpoint_find(&endpoint, e->git, e->config, e->spec,
		d == ENGINE_UPLOAD ? LFS_UPLOAD : LFS_DOWNLOAD);

	if (rc < 0)
		return err_prefix(rc, "remote '%s'", e->spec->name);
	if (endpoint->standalone) {
		const struct lfs_custom_options o = {
			.name = endpoint->standalone, .endpoint = endpoint};

		rc = lfs_custom_run(e, d, objects, NULL, n, &o);
	} else {
		rc = endpoint->ssh ? run_ssh(e, d, endpoint, objects, n) : ERR_UNSUPPORTED;
		if (rc == ERR_UNSUPPORTED)
			rc = run_http(e, endpoint, objects, n);
	}
	lfs_endpoint_free(endpoint);
	return rc;
}
