/*
 * The chain of places where keys for S3 may be (see aws_credentials.h).  Each place is a function
 * that says yes, no or why not; the first yes is remembered until its keys come near their end.
 * Files and environment are read when the chain is made, since endpoint and region come from there,
 * too; programs run and endpoints are asked only when keys are wanted.
 */
#include "transfer/s3/aws_credentials.h"
#include "lib/base/err.h"
#include "transfer/s3/aws_profile.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
	EARLY = 5 * 60, /* seconds before their end that keys are asked for again */
	PAUSE = 60	/* seconds between attempts, as long as the old ones are good */
};

enum source { SOURCE_NONE, SOURCE_SETTINGS, SOURCE_ENVIRONMENT, SOURCE_PROFILE, SOURCE_ENDPOINT };

struct aws_credentials {
	pthread_mutex_t lock; /* of all that follows `http` */
	char *remote;
	char *id, *secret, *token; /* settings */
	char *profile;		   /* its name, never NULL */
	int profile_set;	   /* by a setting */
	int profile_named;	   /* by a setting or the environment */
	char *credential_path, *config_path;
	char *region, *endpoint, *addressing, *ca_bundle;
	int64_t (*now)(void);
	struct aws_http http;

	struct aws_profile *files;
	enum source source;
	struct aws_temporary keys;
	struct buf where; /* they came from */
	int64_t again_at; /* not asked before, after it failed */
};

/* ---- small things ---- */

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int64_t clock_now(void)
{
	return (int64_t)time(NULL);
}

static int copy(char **to, const char *from)
{
	if (!from || !*from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static void forget(char **s)
{
	if (*s)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

/* ---- making ---- */

/* The path of a shared file: setting, variable, or the usual place; "~/" is the home directory. */
static int file_path(char **out, const char *setting, const char *name, const char *usual)
{
	const char *path = setting && *setting ? setting : variable(name);
	const char *home = variable("HOME");
	struct buf b = BUF_INIT;
	int rc;

	if (!path)
		path = usual;
	if (strncmp(path, "~/", 2) == 0)
		rc = buf_addf(&b, "%s%s", home ? home : "", path + 1);
	else
		rc = buf_addstr(&b, path);
	*out = rc == 0 ? buf_detach(&b) : NULL;
	buf_release(&b);
	return *out ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static int read_files(struct aws_profile **out, const struct aws_credentials *c)
{
	int rc = aws_profile_new(out);

	if (rc == 0)
		rc = aws_profile_read(*out, AWS_PROFILE_CREDENTIALS, c->credential_path);
	if (rc == 0)
		rc = aws_profile_read(*out, AWS_PROFILE_CONFIG, c->config_path);
	if (rc < 0) {
		aws_profile_free(*out);
		*out = NULL;
	}
	return rc;
}

static const char *first(const char *a, const char *b)
{
	return a ? a : b;
}

static const char *profile_value(const struct aws_credentials *c, const char *key)
{
	return aws_profile_get(c->files, c->profile, key);
}

/* Service before general, environment before files. */
static const char *configured_endpoint(const struct aws_credentials *c)
{
	const char *ignore = first(variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
		profile_value(c, "ignore_configured_endpoint_urls"));
	const char *services = profile_value(c, "services"), *url;

	if (ignore && strcasecmp(ignore, "true") == 0)
		return NULL;
	url = first(variable("AWS_ENDPOINT_URL_S3"), variable("AWS_ENDPOINT_URL"));
	if (!url && services)
		url = aws_profile_service(c->files, services, "s3.endpoint_url");
	url = first(url, profile_value(c, "s3.endpoint_url"));
	return first(url, profile_value(c, "endpoint_url"));
}

static int copy_surroundings(struct aws_credentials *c)
{
	const char *region = first(variable("AWS_REGION"), variable("AWS_DEFAULT_REGION"));
	int rc;

	if ((rc = copy(&c->region, first(region, profile_value(c, "region")))) < 0 ||
		(rc = copy(&c->endpoint, configured_endpoint(c))) < 0 ||
		(rc = copy(&c->addressing, profile_value(c, "s3.addressing_style"))) < 0)
		return rc;
	return copy(&c->ca_bundle, first(variable("AWS_CA_BUNDLE"), profile_value(c, "ca_bundle")));
}

static int copy_settings(struct aws_credentials *c, const struct aws_credentials_options *o)
{
	const char *env = first(variable("AWS_PROFILE"), variable("AWS_DEFAULT_PROFILE"));
	int rc;

	c->profile_set = o->profile && *o->profile;
	c->profile_named = c->profile_set || env;
	if ((rc = copy(&c->remote, o->remote && *o->remote ? o->remote : "NAME")) < 0 ||
		(rc = copy(&c->id, o->access_key_id)) < 0 ||
		(rc = copy(&c->secret, o->secret_access_key)) < 0 ||
		(rc = copy(&c->token, o->session_token)) < 0 ||
		(rc = copy(&c->profile, c->profile_set ? o->profile : first(env, "default"))) < 0 ||
		(rc = file_path(&c->credential_path, o->credential_path,
			 "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")) < 0)
		return rc;
	return file_path(&c->config_path, o->config_path, "AWS_CONFIG_FILE", "~/.aws/config");
}

int aws_credentials_new(struct aws_credentials **out, const struct aws_credentials_options *o)
{
	struct aws_credentials *c = calloc(1, sizeof *c);
	int rc;

	*out = NULL;
	if (!c)
		return err_set(ERR_NOMEM, "out of memory");
	pthread_mutex_init(&c->lock, NULL); /* glibc's cannot fail */
	c->now = o->now ? o->now : clock_now;
	c->http = o->http;
	if ((rc = copy_settings(c, o)) < 0 || (rc = read_files(&c->files, c)) < 0 ||
		(rc = copy_surroundings(c)) < 0) {
		aws_credentials_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void aws_credentials_free(struct aws_credentials *c)
{
	if (!c)
		return;
	forget(&c->id);
	forget(&c->secret);
	forget(&c->token);
	aws_temporary_release(&c->keys);
	aws_profile_free(c->files);
	free(c->remote);
	free(c->profile);
	free(c->credential_path);
	free(c->config_path);
	free(c->region);
	free(c->endpoint);
	free(c->addressing);
	free(c->ca_bundle);
	buf_release(&c->where);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* ---- the places: 1 = *found and c->where are set, 0 = nothing here, or an error ---- */

static int accept_keys(struct aws_credentials *c, struct aws_temporary *found,
	const char *const keys[3], const char *where)
{
	int rc = sigv4_keys_set(&found->keys, keys[0], keys[1], keys[2]);

	if (rc == 0)
		rc = buf_addstr(&c->where, where);
	return rc < 0 ? err_prefix(rc, "%s", where) : 1;
}

static int from_settings(struct aws_credentials *c, struct aws_temporary *found)
{
	const char *const keys[] = {c->id, c->secret, c->token};

	if (!c->id && !c->secret)
		return 0;
	if (!c->id || !c->secret)
		return err_set(ERR_INVALID,
			"remote '%s' has only one half of its keys; type 'git dvx remote modify %s "
			"%s …'",
			c->remote, c->remote, c->id ? "secret_access_key" : "access_key_id");
	return accept_keys(c, found, keys, "the settings of the remote");
}

static int from_environment(struct aws_credentials *c, struct aws_temporary *found)
{
	const char *const keys[] = {variable("AWS_ACCESS_KEY_ID"),
		variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_SESSION_TOKEN")};

	if (c->profile_set || (!keys[0] && !keys[1]))
		return 0;
	if (!keys[0] || !keys[1])
		return err_set(ERR_INVALID,
			"only one half of the keys is in the environment; set %s, too",
			keys[0] ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
	return accept_keys(c, found, keys, "the environment (AWS_ACCESS_KEY_ID)");
}

/* Keys that stand in one of the files. */
static int from_file(
	struct aws_credentials *c, struct aws_temporary *found, enum aws_profile_file kind)
{
	const char *path = kind == AWS_PROFILE_CREDENTIALS ? c->credential_path : c->config_path;
	const char *const keys[] = {
		aws_profile_get_from(c->files, kind, c->profile, "aws_access_key_id"),
		aws_profile_get_from(c->files, kind, c->profile, "aws_secret_access_key"),
		aws_profile_get_from(c->files, kind, c->profile, "aws_session_token")};
	struct buf where = BUF_INIT;
	int rc;

	if (!keys[0] && !keys[1])
		return 0;
	if (!keys[0] || !keys[1])
		return err_set(ERR_INVALID, "profile '%s' in %s has no %s", c->profile, path,
			keys[0] ? "aws_secret_access_key" : "aws_access_key_id");
	rc = buf_addf(&where, "profile '%s' in %s", c->profile, path);
	if (rc == 0)
		rc = accept_keys(c, found, keys, where.p);
	buf_release(&where);
	return rc;
}

static int from_process(struct aws_credentials *c, struct aws_temporary *found, const char *command)
{
	int rc = aws_temporary_run(found, command);

	if (rc == 0)
		rc = buf_addf(&c->where, "the credential_process of profile '%s'", c->profile);
	return rc < 0 ? err_prefix(rc, "the credential_process of profile '%s'", c->profile) : 1;
}

static int not_spoken(const struct aws_credentials *c, const char *what)
{
	return err_set(ERR_UNSUPPORTED,
		"profile '%s' uses %s, which is left to AWS's own program; add this line to the "
		"profile in %s: credential_process = aws configure export-credentials --profile %s",
		c->profile, what, c->config_path, c->profile);
}

static int from_profile(struct aws_credentials *c, struct aws_temporary *found)
{
	const char *process = profile_value(c, "credential_process");
	int rc;

	if (!aws_profile_has(c->files, c->profile))
		return !c->profile_named
			       ? 0
			       : err_set(ERR_DENIED,
					 "there is no profile '%s' in %s or %s; 'aws configure "
					 "--profile %s' makes one",
					 c->profile, c->credential_path, c->config_path,
					 c->profile);
	/* Keys beside a role only serve to get it: they are not the ones that are meant. */
	if (profile_value(c, "role_arn"))
		return process ? from_process(c, found, process)
			       : not_spoken(c, "a role (role_arn)");
	rc = from_file(c, found, AWS_PROFILE_CREDENTIALS);
	if (rc == 0 && process)
		return from_process(c, found, process);
	if (rc == 0)
		rc = from_file(c, found, AWS_PROFILE_CONFIG);
	if (rc == 0 && (profile_value(c, "sso_session") || profile_value(c, "sso_start_url")))
		return not_spoken(c, "single sign-on (sso)");
	return rc;
}

static int from_web_identity(struct aws_credentials *c, struct aws_temporary *found)
{
	(void)found;
	if (c->profile_set || !variable("AWS_WEB_IDENTITY_TOKEN_FILE") || !variable("AWS_ROLE_ARN"))
		return 0;
	return err_set(ERR_UNSUPPORTED,
		"the environment names a role by web identity (AWS_WEB_IDENTITY_TOKEN_FILE), "
		"which is left to AWS's own program; type 'eval \"$(aws configure "
		"export-credentials --format env)\"' first");
}

static int from_container(struct aws_credentials *c, struct aws_temporary *found)
{
	int rc = c->http.perform ? aws_metadata_container(found, &c->http) : 0;

	return rc == 1 && buf_addstr(&c->where, "the container's role") < 0 ? ERR_NOMEM : rc;
}

static int from_instance(struct aws_credentials *c, struct aws_temporary *found)
{
	int rc;

	err_set(ERR_NOTFOUND, "not asked");
	rc = c->http.perform ? aws_metadata_instance(found, &c->http) : 0;
	return rc == 1 && buf_addstr(&c->where, "the role of this EC2 instance") < 0 ? ERR_NOMEM
										     : rc;
}

static const struct {
	enum source source;
	int (*look)(struct aws_credentials *c, struct aws_temporary *found);
} places[] = {
	{SOURCE_SETTINGS, from_settings}, {SOURCE_ENVIRONMENT, from_environment},
	{SOURCE_PROFILE, from_profile}, {SOURCE_ENDPOINT, from_web_identity},
	{SOURCE_ENDPOINT, from_container},
	{SOURCE_ENDPOINT, from_instance}, /* the last: its reason is in err_msg() */
};

static int nothing_found(const struct aws_credentials *c)
{
	char instance[256], mend[512];

	snprintf(instance, sizeof instance, "%s", err_msg());
	snprintf(mend, sizeof mend,
		"type 'git dvx remote modify %s access_key_id …', the same for secret_access_key",
		c->remote);
	if (strstr(c->remote, "://")) /* it has no name, and no settings */
		snprintf(mend, sizeof mend, "set AWS_ACCESS_KEY_ID…, or use 'git dvx remote add'");
	return err_set(ERR_DENIED,
		AWS_CREDENTIALS_NONE
		" '%s': none in its settings, %s, none in profile '%s' of %s "
		"and %s, no container credentials (AWS_CONTAINER_CREDENTIALS_FULL_URI), EC2 "
		"instance metadata: %s; %s, or 'aws configure'",
		c->remote,
		c->profile_set ? "the environment not asked since it has a profile"
			       : "no AWS_ACCESS_KEY_ID in the environment",
		c->profile, c->credential_path, c->config_path, instance, mend);
}

/* ---- asking ---- */

/* Look at the places in their order, and replace the keys by what was found. */
static int look(struct aws_credentials *c)
{
	struct aws_temporary found = {0};
	struct buf before = c->where;
	size_t i;
	int rc = 0;

	c->where = (struct buf)BUF_INIT;
	for (i = 0; i < sizeof places / sizeof *places && rc == 0; i++)
		rc = places[i].look(c, &found);
	if (rc == 0)
		rc = nothing_found(c);
	if (rc == 1 && found.expires && found.expires <= c->now())
		rc = err_set(ERR_DENIED, "%s gave keys that have expired already; renew them",
			buf_str(&c->where));
	if (rc < 0) {
		aws_temporary_release(&found);
		buf_release(&c->where);
		c->where = before;
		return rc;
	}
	aws_temporary_release(&c->keys);
	buf_release(&before);
	c->keys = found;
	c->source = places[i - 1].source;
	return 0;
}

static int are_good(const struct aws_credentials *c, int64_t now, int64_t early)
{
	return c->source != SOURCE_NONE && (!c->keys.expires || now < c->keys.expires - early);
}

int aws_credentials_get(struct aws_credentials *c, struct sigv4_keys *keys)
{
	int rc = 0;
	int64_t now;

	*keys = (struct sigv4_keys){0};
	pthread_mutex_lock(&c->lock);
	now = c->now();
	if (!are_good(c, now, EARLY) && !(are_good(c, now, 0) && now < c->again_at)) {
		rc = look(c);
		if (rc < 0 && are_good(c, now, 0)) {
			c->again_at = now + PAUSE;
			rc = 0;
		}
	}
	if (rc == 0)
		rc = sigv4_keys_set(keys, c->keys.keys.id, c->keys.keys.secret, c->keys.keys.token);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

/* The user may have put new keys into the files. */
static void read_files_again(struct aws_credentials *c)
{
	struct aws_profile *files;

	if (read_files(&files, c) < 0)
		return; /* half-written: the old ones serve */
	aws_profile_free(c->files);
	c->files = files;
}

int aws_credentials_renew(struct aws_credentials *c, const struct sigv4_keys *refused)
{
	int may_help = 1;

	pthread_mutex_lock(&c->lock);
	if (c->source == SOURCE_SETTINGS || c->source == SOURCE_ENVIRONMENT) {
		may_help = 0;
	} else if (c->source != SOURCE_NONE && strcmp(c->keys.keys.id, refused->id) == 0 &&
		   strcmp(c->keys.keys.secret, refused->secret) == 0) {
		read_files_again(c);
		c->source = SOURCE_NONE;
		c->again_at = 0;
	}
	pthread_mutex_unlock(&c->lock);
	return may_help;
}

/* ---- telling ---- */

int aws_credentials_describe(struct aws_credentials *c, struct buf *out)
{
	const char *id;
	size_t n;
	int rc;

	pthread_mutex_lock(&c->lock);
	id = c->keys.keys.id;
	n = id ? strlen(id) : 0;
	if (!id)
		rc = buf_addstr(out, "no access key");
	else if (n < 12) /* of a key that short, half would be told */
		rc = buf_addf(out, "%s", buf_str(&c->where));
	else
		rc = buf_addf(out, "%s, access key %.4s…%s", buf_str(&c->where), id, id + n - 4);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

const char *aws_credentials_region(const struct aws_credentials *c)
{
	return c->region;
}

const char *aws_credentials_endpoint(const struct aws_credentials *c)
{
	return c->endpoint;
}

const char *aws_credentials_addressing(const struct aws_credentials *c)
{
	return c->addressing;
}

const char *aws_credentials_ca_bundle(const struct aws_credentials *c)
{
	return c->ca_bundle;
}
