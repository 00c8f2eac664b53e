/*
 * Reading rclone (see rclone_text.h).  The URL comes from a file that anybody may have committed,
 * so it may name a remote that the user has configured and nothing else: rclone's other spellings
 * of a remote hold settings, and settings can run programs.
 */
#include "transfer/rclone/rclone_text.h"
#include "lib/base/err.h"
#include "lib/base/isotime.h"

#include <cjson/cJSON.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- places ---- */

static int check_remote_name(const char *name, size_t len, const char *url)
{
	if (len == 0)
		return err_set(ERR_INVALID,
			"no remote's name in '%s' (a ':backend:' of rclone is refused, because its "
			"settings can run programs); make one by 'rclone config' and write "
			"rclone://REMOTE:PATH",
			url);
	if (name[0] == '-' || name[0] == ' ' || name[len - 1] == ' ')
		return err_set(ERR_INVALID, "'%.*s' in '%s' is no name of an rclone remote",
			(int)len, name, url);
	for (size_t i = 0; i < len; i++) {
		if (name[i] == ',' || name[i] == '=')
			return err_set(ERR_INVALID,
				"'%s' sets options of an rclone remote, which is refused, because "
				"they can run programs; put them into rclone's own configuration "
				"('rclone config')",
				url);
		if (!isalnum((unsigned char)name[i]) && !strchr("_.+@ -", name[i]))
			return err_set(ERR_INVALID, "'%.*s' in '%s' is no name of an rclone remote",
				(int)len, name, url);
	}
	return 0;
}

int rclone_place_parse(struct rclone_place *out, const char *url)
{
	static const char scheme[] = "rclone://";
	const char *name = url + sizeof(scheme) - 1, *path;
	size_t len;
	int rc;

	memset(out, 0, sizeof(*out));
	if (strncasecmp(url, scheme, sizeof(scheme) - 1) != 0)
		return err_set(ERR_INVALID, "'%s' does not begin with rclone://", url);
	len = strcspn(name, ":/");
	if (name[len] != ':')
		return err_set(ERR_INVALID,
			"no ':' behind the remote's name in '%s'; write rclone://REMOTE:PATH", url);
	rc = check_remote_name(name, len, url);
	if (rc < 0)
		return rc;
	path = name + len + 1;
	for (const char *p = path; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(ERR_INVALID, "'%s' holds a control character", url);
	out->remote = strndup(name, len);
	len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	out->path = strndup(path, len);
	if (!out->remote || !out->path) {
		rclone_place_release(out);
		return err_set(ERR_NOMEM, "out of memory");
	}
	return 0;
}

void rclone_place_release(struct rclone_place *p)
{
	free(p->remote);
	free(p->path);
	memset(p, 0, sizeof(*p));
}

int rclone_place_file(struct buf *out, const struct rclone_place *p, const char *file)
{
	size_t len = strlen(p->path);
	int slash = len > 0 && p->path[len - 1] != '/' && *file;

	return buf_addf(out, "%s:%s%s%s", p->remote, p->path, slash ? "/" : "", file);
}

/* ---- listings ---- */

static int not_ours(void)
{
	return err_set(ERR_CORRUPT, "rclone's listing is not what 'rclone lsjson' prints");
}

static int take_item(struct rclone_item *out, const cJSON *json)
{
	const cJSON *path = cJSON_GetObjectItemCaseSensitive(json, "Path");
	const cJSON *size = cJSON_GetObjectItemCaseSensitive(json, "Size");
	const cJSON *time = cJSON_GetObjectItemCaseSensitive(json, "ModTime");
	const cJSON *is_dir = cJSON_GetObjectItemCaseSensitive(json, "IsDir");

	if (!cJSON_IsString(path) || !cJSON_IsNumber(size))
		return not_ours();
	if (cJSON_IsTrue(is_dir) || size->valuedouble < 0)
		return 0;
	/* above 2^53 a number of cJSON is not exact; no blob comes near */
	if (!(size->valuedouble <= 9007199254740992.0))
		return not_ours();
	out->size = (uint64_t)size->valuedouble;
	out->mtime = 0;
	if (cJSON_IsString(time) && time->valuestring[0] &&
		isotime_parse(&out->mtime, time->valuestring) < 0)
		return not_ours();
	out->path = strdup(path->valuestring);
	return out->path ? 1 : err_set(ERR_NOMEM, "out of memory");
}

int rclone_item_parse(struct rclone_item *out, const char *text, size_t len)
{
	const char *end = text + len;
	cJSON *json;
	int rc;

	memset(out, 0, sizeof(*out));
	while (text < end && isspace((unsigned char)*text))
		text++;
	while (end > text && (isspace((unsigned char)end[-1]) || end[-1] == ','))
		end--;
	len = (size_t)(end - text);
	if (len == 0 || (len == 1 && (*text == '[' || *text == ']')) ||
		(len == 4 && memcmp(text, "null", 4) == 0))
		return 0;
	if (len > RCLONE_LINE_MAX || *text != '{')
		return not_ours();
	json = cJSON_ParseWithLength(text, len);
	rc = json ? take_item(out, json) : not_ours();
	cJSON_Delete(json);
	return rc;
}

/* ---- features ---- */

int rclone_class_parse(const char *text, size_t len)
{
	cJSON *json = cJSON_ParseWithLength(text, len);
	const cJSON *features = cJSON_GetObjectItemCaseSensitive(json, "Features");
	int class = RCLONE_IN_PLACE;

	if (!cJSON_IsObject(features))
		class = err_set(ERR_CORRUPT, "'rclone backend features' printed something unknown; "
					     "is this rclone 1.60 or later?");
	else if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(features, "BucketBased")))
		class = RCLONE_WHOLE;
	else if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(features, "Move")))
		class = RCLONE_RENAME;
	cJSON_Delete(json);
	return class;
}

/* ---- errors ---- */

/* "2026/11/21 02:05:18 " */
static int is_stamped(const char *line)
{
	static const char shape[] = "0000/00/00 00:00:00 ";

	for (size_t i = 0; i < sizeof(shape) - 1; i++)
		if (shape[i] == '0' ? !isdigit((unsigned char)line[i]) : line[i] != shape[i])
			return 0;
	return 1;
}

/* What the last entry of the log says, without its time and "Failed to …: ". */
static const char *last_entry(const char *log)
{
	static const char was[] = "last error was: ", failed[] = "Failed to ";
	const char *last = log, *colon;

	for (const char *p = log; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (is_stamped(p))
			last = p;
	if (is_stamped(last))
		last += 20;
	if (strstr(last, was))
		return strstr(last, was) + sizeof(was) - 1;
	colon = strstr(last, ": ");
	if (strncmp(last, failed, sizeof(failed) - 1) == 0 && colon)
		return colon + 2;
	return last;
}

/* Append it on one line; queries of URLs are left out, they may hold signatures. */
static int add_entry(struct buf *out, const char *entry)
{
	enum { MAX = 400 };
	size_t start = out->len;
	int rc = 0, in_query = 0;

	for (; *entry && rc == 0 && out->len - start < MAX; entry++) {
		unsigned char c = (unsigned char)*entry;

		if (isspace(c) || c == '"' || c == '\'')
			in_query = 0;
		if (in_query)
			continue;
		in_query = c == '?';
		if (c == '\n')
			rc = entry[1] ? buf_addstr(out, "; ") : 0;
		else
			rc = in_query ? buf_addstr(out, "?…") : buf_addch(out, (char)c);
	}
	if (rc == 0 && *entry)
		rc = buf_addstr(out, "…");
	return rc;
}

/* Words of a log, what kind of error they are of, and what to do about it; %s is the remote.  The
 * first that is found counts. */
static const struct {
	const char *words;
	enum err code;
	const char *mend; /* behind a semicolon, and the name of the remote with "':" behind it */
} causes[] = {
	{"unable to load custom CA bundle", ERR_INVALID,
		"rclone's S3 cannot use AWS_CA_BUNDLE; unset it, and use rclone's --ca-cert "
		"(RCLONE_CA_CERT) for '"},
	{"decrypt configuration", ERR_DENIED,
		"rclone's configuration is encrypted: set RCLONE_CONFIG_PASS or "
		"RCLONE_PASSWORD_COMMAND, and try 'rclone lsd "},
	{"RequestTimeTooSkewed", ERR_DENIED, "set this machine's clock, and try 'rclone lsd "},
	{"InvalidAccessKeyId", ERR_DENIED,
		"correct the keys by 'rclone config' and try 'rclone lsd "},
	{"SignatureDoesNotMatch", ERR_DENIED,
		"correct the keys by 'rclone config' and try 'rclone lsd "},
	{"AccessDenied", ERR_DENIED, "the keys lack a permission; see 'rclone lsd "},
	{"invalid_grant", ERR_DENIED, "log in again by 'rclone config reconnect "},
	{"token expired", ERR_DENIED, "log in again by 'rclone config reconnect "},
	{"unauthorized", ERR_DENIED, "log in again by 'rclone config reconnect "},
	{"unable to authenticate", ERR_DENIED, "correct it by 'rclone config', try 'rclone lsd "},
	{"permission denied", ERR_DENIED, "see who owns what there by 'rclone lsl "},
	{"read-only file system", ERR_DENIED, "see 'rclone about "},
	{"no space left", ERR_IO, "see 'rclone about "},
	{"quota", ERR_IO, "see 'rclone about "},
};

static int failure_by_words(
	const struct rclone_place *p, const char *doing, const char *log, const char *entry)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (strcasestr(log, causes[i].words))
			return err_set(causes[i].code, "%s: rclone says '%s'; %s%s:'", doing, entry,
				causes[i].mend, p->remote);
	return err_set(ERR_REMOTE,
		"%s: rclone says '%s'; 'rclone lsd %s:' shows whether it can be reached", doing,
		entry, p->remote);
}

/* rclone's documented exit codes. */
enum { EXIT_NO_DIRECTORY = 3, EXIT_NO_FILE = 4, EXIT_FATAL = 7, EXIT_LIMIT = 8 };

int rclone_failure(const struct rclone_place *p, const char *doing, int status, const char *log)
{
	struct buf entry = BUF_INIT;
	const char *said;
	int rc;

	if (add_entry(&entry, last_entry(log)) < 0)
		err_clear();
	said = entry.len ? entry.p : "(nothing)";
	if (status > 128)
		rc = err_set(ERR_REMOTE, "%s: rclone was killed by signal %d", doing, status - 128);
	else if (strcasestr(log, "didn't find section"))
		rc = err_set(ERR_INVALID,
			"%s: no section '%s' in rclone's configuration; 'rclone listremotes' shows "
			"what there is, 'rclone config' makes it",
			doing, p->remote);
	else if (status == EXIT_NO_DIRECTORY || status == EXIT_NO_FILE ||
		 strstr(log, "is a directory or doesn't exist") || strstr(log, "NoSuchBucket"))
		rc = err_set(ERR_NOTFOUND, "%s: there is no such file", doing);
	else if (strstr(log, "unknown flag") || strstr(log, "unknown command"))
		rc = err_set(ERR_UNSUPPORTED,
			"%s: rclone says '%s'; this needs rclone 1.60 or later", doing, said);
	else if (status == EXIT_LIMIT)
		rc = err_set(ERR_LIMIT, "%s: rclone's own limit of a transfer is reached", doing);
	else if (status == EXIT_FATAL)
		rc = err_set(ERR_DENIED, "%s: rclone says '%s' and that trying again is no use",
			doing, said);
	else
		rc = failure_by_words(p, doing, log, said);
	buf_release(&entry);
	return rc;
}
