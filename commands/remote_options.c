/*
 * What may be said about a blob remote (see remote_options.h).  A wrong value is refused here,
 * where it is typed, and not by the first push a week later.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "commands/remote_options.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

static const struct remote_option options[] = {
	{"url", "url", REMOTE_OPTION_SHARED, REMOTE_OPTION_URL, NULL},
	{"endpointurl", "endpointurl", REMOTE_OPTION_SHARED, REMOTE_OPTION_ENDPOINT, NULL},
	{"region", "region", REMOTE_OPTION_SHARED, REMOTE_OPTION_TEXT, NULL},
	{"profile", "profile", REMOTE_OPTION_SHARED, REMOTE_OPTION_ANY, NULL},
	{"storageclass", "storageclass", REMOTE_OPTION_SHARED, REMOTE_OPTION_TEXT, NULL},
	{"addressing_style", "addressingstyle", REMOTE_OPTION_SHARED, REMOTE_OPTION_WORDS,
		"auto|path|virtual"},
	{"sse", "sse", REMOTE_OPTION_SHARED, REMOTE_OPTION_WORDS, "AES256|aws:kms|aws:kms:dsse"},
	{"sse_kms_key_id", "ssekmskeyid", REMOTE_OPTION_SHARED, REMOTE_OPTION_TEXT, NULL},
	{"use_ssl", "usessl", REMOTE_OPTION_OWN, REMOTE_OPTION_BOOL, NULL},
	{"ssl_verify", "sslverify", REMOTE_OPTION_OWN, REMOTE_OPTION_BOOL_OR_PATH, NULL},
	{"credentialpath", "credentialpath", REMOTE_OPTION_OWN, REMOTE_OPTION_PATH, NULL},
	{"configpath", "configpath", REMOTE_OPTION_OWN, REMOTE_OPTION_PATH, NULL},
	{"servecommand", "servecommand", REMOTE_OPTION_OWN, REMOTE_OPTION_ANY, NULL},
	{"access_key_id", "accessKeyId", REMOTE_OPTION_SECRET, REMOTE_OPTION_TEXT, NULL},
	{"secret_access_key", "secretAccessKey", REMOTE_OPTION_SECRET, REMOTE_OPTION_TEXT, NULL},
	{"session_token", "sessionToken", REMOTE_OPTION_SECRET, REMOTE_OPTION_TEXT, NULL},
	{"sse_customer_key", "sseCustomerKey", REMOTE_OPTION_SECRET, REMOTE_OPTION_TEXT, NULL},
	{"password", "password", REMOTE_OPTION_SECRET, REMOTE_OPTION_ANY, NULL},
};

enum { N_OPTIONS = sizeof(options) / sizeof(options[0]) };

const struct remote_option *remote_option_table(size_t *n)
{
	*n = N_OPTIONS;
	return options;
}

const struct remote_option *remote_option_find(const char *name)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (strcasecmp(name, options[i].name) == 0 ||
			strcasecmp(name, options[i].variable) == 0)
			return &options[i];
	return NULL;
}

int remote_option_names(struct buf *out)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < N_OPTIONS; i++)
		rc = buf_addf(out, "%s%s", i > 0 ? ", " : "", options[i].name);
	return rc;
}

/* The value stands in no message: it may be a secret, put behind the wrong word. */
static int wrong(const struct remote_option *o, const char *right)
{
	return err_set(ERR_INVALID, "bad value for '%s': %s", o->name, right);
}

static int is_one_of(const char *words, const char *value)
{
	size_t len = strlen(value);

	for (const char *p = words; *p != '\0'; p += strcspn(p, "|"), p += *p == '|')
		if (strcspn(p, "|") == len && memcmp(p, value, len) == 0)
			return 1;
	return 0;
}

/* Git's booleans. */
static const char *as_bool(const char *value)
{
	static const char *const yes[] = {"true", "yes", "on", "1"};
	static const char *const no[] = {"false", "no", "off", "0"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcasecmp(value, yes[i]) == 0)
			return "true";
		if (strcasecmp(value, no[i]) == 0)
			return "false";
	}
	return NULL;
}

/* http(s)://host[:port][/path]; credentials have options of their own. */
static int check_endpoint(const struct remote_option *o, const char *value)
{
	const char *host = strstr(value, "://");
	size_t scheme = host != NULL ? (size_t)(host - value) : 0;

	if (!(scheme == 4 && strncasecmp(value, "http", 4) == 0) &&
		!(scheme == 5 && strncasecmp(value, "https", 5) == 0))
		return wrong(o, "it must begin with https:// (or http://)");
	host += 3;
	if (*host == '\0' || strchr("/:-", *host) != NULL)
		return wrong(o, "there is no host in it");
	if (strpbrk(host, "@?#%\\") != NULL)
		return wrong(o, "it is https://host[:port]; keys go to access_key_id and "
				"secret_access_key");
	return 0;
}

static int add_path(struct buf *out, const struct remote_option *o, const char *value)
{
	const char *home = getenv("HOME");
	char *cwd;
	int rc;

	if (value[0] == '/')
		return buf_addstr(out, value);
	if (value[0] == '~' && value[1] == '/' && home != NULL && home[0] == '/')
		return buf_addf(out, "%s%s", home, value + 1);
	if (value[0] == '~')
		return wrong(o, "write the path in full");
	cwd = getcwd(NULL, 0);
	if (cwd == NULL)
		return err_sys("cannot find the current directory");
	rc = fs_join(out, cwd, value);
	free(cwd);
	return rc;
}

/* A CA bundle is to be there. */
static int add_bundle(struct buf *out, const struct remote_option *o, const char *value)
{
	size_t start = out->len;
	int rc = add_path(out, o, value);

	if (rc == 0 && access(out->p + start, R_OK) < 0)
		rc = wrong(o, "it is true, false, or a file of certificates that can be read");
	return rc;
}

int remote_option_value(struct buf *out, const struct remote_option *o, const char *typed)
{
	const char *word = as_bool(typed);
	int rc;

	if (*typed == '\0')
		return wrong(o, "it is empty; --unset removes the setting");
	for (const char *p = typed; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f ||
			(*p == ' ' && o->type == REMOTE_OPTION_TEXT))
			return wrong(o, "there is a space or a control character in it");
	switch (o->type) {
	case REMOTE_OPTION_ENDPOINT:
		rc = check_endpoint(o, typed);
		return rc < 0 ? rc : buf_addstr(out, typed);
	case REMOTE_OPTION_BOOL:
		return word != NULL ? buf_addstr(out, word) : wrong(o, "it is true or false");
	case REMOTE_OPTION_BOOL_OR_PATH:
		return word != NULL ? buf_addstr(out, word) : add_bundle(out, o, typed);
	case REMOTE_OPTION_PATH:
		return add_path(out, o, typed);
	case REMOTE_OPTION_WORDS:
		if (!is_one_of(o->words, typed))
			return err_set(ERR_INVALID, "bad value '%s' for '%s': it is one of %s",
				typed, o->name, o->words);
		break;
	case REMOTE_OPTION_URL:
	case REMOTE_OPTION_TEXT:
	case REMOTE_OPTION_ANY:
		break;
	}
	return buf_addstr(out, typed);
}
