/*
 * From an answer of an S3 store to a sentence (see s3_error.h): two tables, by the code of the
 * error document and, where there is none (HEAD, proxies), by the status of HTTP.  What the tables
 * cannot know - which region is the right one, whose clock is wrong - is looked at first.
 *
 * In the texts, {words} stand for what is known of the request; "{bucket}" is its bucket, and so on
 * (struct word, below).
 */
#include "transfer/s3/s3_error.h"
#include "lib/base/err.h"
#include "lib/base/isotime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKEW_MAX = 5 * 60 /* seconds; S3 allows 15 minutes, for temporary keys less */ };

struct rule {
	const char *code; /* of S3; a '*' at the end stands for anything */
	int status;	  /* of HTTP, for rules without a code */
	enum err err;
	enum s3_remedy remedy;
	const char *text;
};

#define MODIFY "'git dvx remote modify {remote} "
#define TEXT_EXPIRED                                                                               \
	"the session token has expired ({keys}); get new keys (for example 'aws sso login', or "   \
	"where these came from), then run the command again"
#define TEXT_SLOW                                                                                  \
	"the server asks for fewer requests at once ({said}); run the command again, with '-j 2'"
#define TEXT_FAILED "the server failed ({said}); that passes, run the command again"
#define TEXT_DAMAGED                                                                               \
	"what arrived is not what was sent, it was damaged on the way; run the command again, "    \
	"and "                                                                                     \
	"if that repeats look for a proxy that changes data"
#define TEXT_DENIED                                                                                \
	"access denied, the permission {permission} is missing; ask the owner of the bucket to "   \
	"grant it ({keys})"
#define TEXT_ACCOUNT                                                                               \
	"the store has closed this account ({keys}; {said}); ask who runs it, or set other keys "  \
	"by " MODIFY "access_key_id …'"
#define TEXT_FULL                                                                                  \
	"the store is full, or its quota is used up; make room ('git dvx gc --remote') or ask "    \
	"for more"
#define TEXT_TOO_LARGE                                                                             \
	"the server or a proxy before it refuses objects of this size; 64 MiB must be allowed "    \
	"(nginx: client_max_body_size)"
#define TEXT_NO_BUCKET                                                                             \
	"bucket '{bucket}' does not exist at {endpoint}; create it, or correct the URL by " MODIFY \
	"url s3://…'"
#define TEXT_NOT_KNOWN                                                                             \
	"the server does not support {feature}; choose a server that does, or settings that do "   \
	"without"
#define TEXT_BEYOND                                                                                \
	"it is shorter than it should be, so it is damaged; 'git dvx fsck --remote' tells"
#define TEXT_EXISTS  "it is there already"
#define TEXT_MISSING "it is not there"
#define TEXT_ELSEWHERE                                                                             \
	"the bucket is not where it was asked for (region '{region}', {endpoint}); set the right " \
	"one by " MODIFY "region …' or " MODIFY "endpointurl …'"

static const struct rule by_code[] = {
	{"ExpiredToken*", 0, ERR_DENIED, S3_REMEDY_KEYS, TEXT_EXPIRED},
	{"TokenRefreshRequired", 0, ERR_DENIED, S3_REMEDY_KEYS, TEXT_EXPIRED},
	{"InvalidToken", 0, ERR_DENIED, S3_REMEDY_KEYS,
		"the session token does not belong to the access key ({keys}); set access_key_id, "
		"secret_access_key and session_token from one source"},
	{"InvalidAccessKeyId", 0, ERR_DENIED, S3_REMEDY_KEYS,
		"{endpoint} does not know the access key ({keys}); correct it by " MODIFY
		"access_key_id …', or the address by " MODIFY "endpointurl …'"},
	{"SignatureDoesNotMatch", 0, ERR_DENIED, S3_REMEDY_NONE,
		"the secret access key is wrong ({keys}), or a proxy on the way changes requests; "
		"set it by " MODIFY "secret_access_key …'"},
	{"AccessDenied", 0, ERR_DENIED, S3_REMEDY_NONE, TEXT_DENIED},
	{"AllAccessDisabled", 0, ERR_DENIED, S3_REMEDY_NONE, TEXT_ACCOUNT},
	{"AccountProblem", 0, ERR_DENIED, S3_REMEDY_NONE, TEXT_ACCOUNT},
	{"NotSignedUp", 0, ERR_DENIED, S3_REMEDY_NONE, TEXT_ACCOUNT},
	{"UserSuspended", 0, ERR_DENIED, S3_REMEDY_NONE, TEXT_ACCOUNT},
	{"InvalidObjectState", 0, ERR_DENIED, S3_REMEDY_NONE,
		"it is archived; restore it first (storage class GLACIER and the like are not for "
		"data in use)"},
	{"NoSuchBucket", 0, ERR_NOTFOUND, S3_REMEDY_NONE, TEXT_NO_BUCKET},
	{"InvalidBucketName", 0, ERR_INVALID, S3_REMEDY_NONE,
		"'{bucket}' is no name for a bucket; correct the URL by " MODIFY "url s3://…'"},
	{"NoSuchKey", 0, ERR_NOTFOUND, S3_REMEDY_NONE, TEXT_MISSING},
	{"NoSuchVersion", 0, ERR_NOTFOUND, S3_REMEDY_NONE, TEXT_MISSING},
	{"PermanentRedirect", 0, ERR_INVALID, S3_REMEDY_NONE, TEXT_ELSEWHERE},
	{"Redirect", 0, ERR_INVALID, S3_REMEDY_NONE, TEXT_ELSEWHERE},
	{"TemporaryRedirect", 0, ERR_INVALID, S3_REMEDY_NONE, TEXT_ELSEWHERE},
	{"IllegalLocationConstraint*", 0, ERR_INVALID, S3_REMEDY_NONE, TEXT_ELSEWHERE},
	{"InvalidRegion", 0, ERR_INVALID, S3_REMEDY_NONE, TEXT_ELSEWHERE},
	{"AuthorizationHeaderMalformed", 0, ERR_INVALID, S3_REMEDY_NONE,
		"the server does not accept the signature's region '{region}' or key ({keys}): "
		"{said}; set the region by " MODIFY "region …'"},
	{"AuthorizationQueryParametersError", 0, ERR_INVALID, S3_REMEDY_NONE,
		"the server does not accept the signature: {said}"},
	{"SlowDown*", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_SLOW},
	{"Throttl*", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_SLOW},
	{"RequestThrottled*", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_SLOW},
	{"RequestLimitExceeded", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_SLOW},
	{"TooManyRequests*", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_SLOW},
	{"BandwidthLimitExceeded", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_SLOW},
	{"Busy", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_SLOW},
	{"ServerBusy", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_SLOW},
	{"ServiceUnavailable", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_FAILED},
	{"InternalError", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_FAILED},
	{"InternalFailure", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_FAILED},
	{"OperationAborted", 0, ERR_REMOTE, S3_REMEDY_RETRY,
		"another writer is at the same object; run the command again"},
	{"ConditionalRequestConflict", 0, ERR_REMOTE, S3_REMEDY_RETRY,
		"another writer is at the same object; run the command again"},
	{"RequestTimeout*", 0, ERR_REMOTE, S3_REMEDY_RETRY,
		"the server waited too long for data; is the line slow? fewer requests at once "
		"('-j "
		"2') help"},
	{"BadDigest", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_DAMAGED},
	{"IncompleteBody", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_DAMAGED},
	{"XAmzContentSHA256Mismatch", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_DAMAGED},
	{"XAmzContentChecksumMismatch", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_DAMAGED},
	{"PreconditionFailed", 0, ERR_EXISTS, S3_REMEDY_EXISTS, TEXT_EXISTS},
	{"InvalidRange", 0, ERR_CORRUPT, S3_REMEDY_NONE, TEXT_BEYOND},
	{"EntityTooLarge", 0, ERR_LIMIT, S3_REMEDY_NONE, TEXT_TOO_LARGE},
	{"MaxMessageLengthExceeded", 0, ERR_LIMIT, S3_REMEDY_NONE, TEXT_TOO_LARGE},
	{"QuotaExceeded*", 0, ERR_LIMIT, S3_REMEDY_NONE, TEXT_FULL},
	{"InsufficientCapacity", 0, ERR_LIMIT, S3_REMEDY_NONE, TEXT_FULL},
	{"XMinioStorageFull", 0, ERR_LIMIT, S3_REMEDY_NONE, TEXT_FULL},
	{"InvalidStorageClass", 0, ERR_INVALID, S3_REMEDY_NONE,
		"the server has no storage class '{class}'; set one that it has by " MODIFY
		"storageclass …'"},
	{"KMS.Throttling*", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_SLOW},
	{"KMS.Internal*", 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_FAILED},
	{"KMS.*", 0, ERR_DENIED, S3_REMEDY_NONE,
		"the key {kms} cannot be used ({said}); check the setting ssekmskeyid, and that "
		"kms:GenerateDataKey and kms:Decrypt are granted ({keys})"},
	{"NotImplemented", 0, ERR_UNSUPPORTED, S3_REMEDY_FALLBACK, TEXT_NOT_KNOWN},
	{"MethodNotAllowed", 0, ERR_UNSUPPORTED, S3_REMEDY_NONE,
		"{endpoint} does not allow that ({said}); is it an S3 address, and not a web "
		"site's?"},
};

static const struct rule by_status[] = {
	{NULL, 301, ERR_INVALID, S3_REMEDY_NONE, TEXT_ELSEWHERE},
	{NULL, 302, ERR_INVALID, S3_REMEDY_NONE, TEXT_ELSEWHERE},
	{NULL, 307, ERR_INVALID, S3_REMEDY_NONE, TEXT_ELSEWHERE},
	{NULL, 308, ERR_INVALID, S3_REMEDY_NONE, TEXT_ELSEWHERE},
	{NULL, 400, ERR_INVALID, S3_REMEDY_NONE,
		"the server refuses the request ({said}); check region ('{region}') and endpoint "
		"({endpoint})"},
	{NULL, 401, ERR_DENIED, S3_REMEDY_NONE,
		"{endpoint} wants another kind of login; is it an S3 address?"},
	{NULL, 403, ERR_DENIED, S3_REMEDY_NONE, TEXT_DENIED},
	{NULL, 404, ERR_NOTFOUND, S3_REMEDY_NONE, TEXT_MISSING},
	{NULL, 405, ERR_UNSUPPORTED, S3_REMEDY_NONE,
		"{endpoint} does not allow that ({said}); is it an S3 address, and not a web "
		"site's?"},
	{NULL, 407, ERR_DENIED, S3_REMEDY_NONE,
		"the proxy wants a login; put it into https_proxy or http_proxy, or name the host "
		"in "
		"no_proxy"},
	{NULL, 408, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_FAILED},
	{NULL, 409, ERR_REMOTE, S3_REMEDY_RETRY,
		"another writer is at the same object; run the command again"},
	{NULL, 412, ERR_EXISTS, S3_REMEDY_EXISTS, TEXT_EXISTS},
	{NULL, 413, ERR_LIMIT, S3_REMEDY_NONE, TEXT_TOO_LARGE},
	{NULL, 416, ERR_CORRUPT, S3_REMEDY_NONE, TEXT_BEYOND},
	{NULL, 425, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_FAILED},
	{NULL, 429, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_SLOW},
	{NULL, 501, ERR_UNSUPPORTED, S3_REMEDY_FALLBACK, TEXT_NOT_KNOWN},
	{NULL, 503, ERR_REMOTE, S3_REMEDY_RETRY,
		"the server is overloaded or being maintained ({said}); run the command again "
		"later"},
	{NULL, 507, ERR_LIMIT, S3_REMEDY_NONE, TEXT_FULL},
};

static const struct rule fails = {NULL, 0, ERR_REMOTE, S3_REMEDY_RETRY, TEXT_FAILED};
static const struct rule refuses = {
	NULL, 0, ERR_INVALID, S3_REMEDY_NONE, "the server refuses the request: {said}"};
static const struct rule missing_bucket = {NULL, 0, ERR_NOTFOUND, S3_REMEDY_NONE,
	"{endpoint} knows no bucket '{bucket}' ({said}); is it an S3 address? correct it by " MODIFY
	"endpointurl …' or " MODIFY "url s3://…'"};
static const struct rule wrong_region = {NULL, 0, ERR_INVALID, S3_REMEDY_REGION,
	"bucket '{bucket}' is in region '{right}', not in '{region}'; type " MODIFY
	"region {right}'"};
static const struct rule wrong_clock = {NULL, 0, ERR_DENIED, S3_REMEDY_NONE,
	"the clock of this machine says {now}, the server's {server}, so that signatures are not "
	"valid; set the clock (for example 'timedatectl set-ntp true')"};
static const struct rule perhaps_expired = {NULL, 0, ERR_DENIED, S3_REMEDY_KEYS,
	"the server refuses the request without a reason ({said}); has the session token expired "
	"({keys})? get new keys, then run the command again"};

/* What is said of each operation. */
static const struct {
	const char *doing, *permission;
} operations[] = {
	[S3_LIST] = {"cannot list", "s3:ListBucket on the bucket"},
	[S3_HEAD] = {"cannot look at", "s3:GetObject, and s3:ListBucket on the bucket"},
	[S3_GET] = {"cannot read", "s3:GetObject, and s3:ListBucket on the bucket"},
	[S3_PUT] = {"cannot write", "s3:PutObject"},
	[S3_DELETE] = {"cannot remove", "s3:DeleteObject"},
	[S3_LOCATION] = {"cannot find the region of", "s3:GetBucketLocation on the bucket"},
	[S3_PROBE] = {"cannot try out", "s3:PutObject and s3:DeleteObject"},
};

/* ---- what the tables cannot know ---- */

static int is_region(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n > 0 && n < 64 && !s[n];
}

/* The region that the server names, if it is another one than ours; NULL if not. */
static const char *other_region(const struct s3_failure *f)
{
	const char *named = f->bucket_region;

	if (f->status != 200 && f->status != 301 && f->status != 307 && f->status != 400 &&
		f->status != 403)
		return NULL;
	if (!named && f->doc && f->doc->region[0])
		named = f->doc->region;
	if (!named || !is_region(named) || (f->region && strcmp(named, f->region) == 0))
		return NULL;
	return named;
}

/* The server's clock when it refused: 1 and *server set if that is why. */
static int clock_is_wrong(const struct s3_failure *f, int64_t *server)
{
	const char *code = f->doc ? f->doc->code : "";
	int said = strcmp(code, "RequestTimeTooSkewed") == 0 || strcmp(code, "RequestExpired") == 0;

	*server = f->server_date;
	if (f->doc && f->doc->server_time[0])
		isotime_parse(server, f->doc->server_time);
	if (said)
		return 1;
	return f->status == 403 && (!*code || strcmp(code, "AccessDenied") == 0) && *server &&
	       f->now && llabs(*server - f->now) > SKEW_MAX;
}

static int code_matches(const char *pattern, const char *code)
{
	size_t n = strcspn(pattern, "*");

	return strncmp(pattern, code, n) == 0 && (pattern[n] == '*' || !code[n]);
}

static const struct rule *table_rule(const struct s3_failure *f)
{
	const char *code = f->doc ? f->doc->code : "";

	for (size_t i = 0; *code && i < sizeof by_code / sizeof *by_code; i++)
		if (code_matches(by_code[i].code, code))
			return &by_code[i];
	for (size_t i = 0; i < sizeof by_status / sizeof *by_status; i++)
		if (by_status[i].status == f->status && (!*code || f->status >= 500))
			return &by_status[i];
	if (f->status >= 500 || f->status < 300) /* S3 may send an error behind a 200 */
		return &fails;
	return &refuses;
}

static const struct rule *find_rule(const struct s3_failure *f, int64_t *server)
{
	int silent = !f->doc || !f->doc->code[0];

	if (clock_is_wrong(f, server))
		return &wrong_clock;
	if (other_region(f))
		return &wrong_region;
	if (silent && f->has_token && f->op == S3_HEAD && f->status == 400)
		return &perhaps_expired; /* the reason is in a body, and HEAD has none */
	if (silent && f->status == 404 && f->op != S3_HEAD && f->op != S3_GET)
		return &missing_bucket;
	return table_rule(f);
}

/* ---- the text ---- */

enum { WORD_MAX = 512 };

struct word {
	const char *name;
	char value[WORD_MAX];
};

/* All that a rule may mention. */
enum word_index {
	W_REMOTE,
	W_BUCKET,
	W_REGION,
	W_RIGHT,
	W_ENDPOINT,
	W_KEYS,
	W_PERMISSION,
	W_CLASS,
	W_KMS,
	W_FEATURE,
	W_NOW,
	W_SERVER,
	W_SAID,
	N_WORDS
};

static void set_word(struct word *w, const char *value, const char *otherwise)
{
	snprintf(w->value, sizeof w->value, "%s", value && *value ? value : otherwise);
}

/* "HTTP 403", "AccessDenied, HTTP 403: Not for you" */
static void set_said(struct word *w, const struct s3_failure *f)
{
	const char *code = f->doc ? f->doc->code : "", *message = f->doc ? f->doc->message : "";
	size_t n = strcspn(message, "\n");

	while (n && (message[n - 1] == '.' || message[n - 1] == ' '))
		n--;
	snprintf(w->value, sizeof w->value, "%s%sHTTP %d%s%.*s", code, *code ? ", " : "", f->status,
		n ? ": " : "", (int)n, message);
}

static void set_time(struct word *w, int64_t t)
{
	char text[ISOTIME_LEN + 1];

	isotime_format(text, t);
	set_word(w, t ? text : NULL, "another time");
}

static void set_words(struct word words[static N_WORDS], const struct s3_failure *f, int64_t server)
{
	static const char *const names[N_WORDS] = {[W_REMOTE] = "remote",
		[W_BUCKET] = "bucket",
		[W_REGION] = "region",
		[W_RIGHT] = "right",
		[W_ENDPOINT] = "endpoint",
		[W_KEYS] = "keys",
		[W_PERMISSION] = "permission",
		[W_CLASS] = "class",
		[W_KMS] = "kms",
		[W_FEATURE] = "feature",
		[W_NOW] = "now",
		[W_SERVER] = "server",
		[W_SAID] = "said"};

	for (int i = 0; i < N_WORDS; i++)
		words[i].name = names[i];
	set_word(&words[W_REMOTE], f->remote, "NAME");
	set_word(&words[W_BUCKET], f->bucket, "?");
	set_word(&words[W_REGION], f->region, "");
	set_word(&words[W_RIGHT], other_region(f), "?");
	set_word(&words[W_ENDPOINT], f->endpoint, "the server");
	set_word(&words[W_KEYS], f->credentials, "the access key in use");
	set_word(&words[W_PERMISSION], operations[f->op].permission, "");
	set_word(&words[W_CLASS], f->storage_class, "STANDARD");
	set_word(&words[W_KMS], f->kms_key, "of the bucket's encryption");
	set_word(&words[W_FEATURE], f->doc ? f->doc->header : NULL, "this kind of request");
	set_time(&words[W_NOW], f->now);
	set_time(&words[W_SERVER], server);
	set_said(&words[W_SAID], f);
}

/* Append `len` bytes; what does not fit is cut. */
static void append(char *out, size_t size, const char *text, size_t len)
{
	size_t have = strlen(out);

	if (len > size - 1 - have)
		len = size - 1 - have;
	memcpy(out + have, text, len);
	out[have + len] = '\0';
}

static void expand(
	char *out, size_t size, const char *text, const struct word words[static N_WORDS])
{
	while (*text) {
		size_t plain = strcspn(text, "{"), name;

		append(out, size, text, plain);
		text += plain;
		if (!*text)
			break;
		name = strcspn(text, "}");
		for (int i = 0; i < N_WORDS; i++)
			if (strlen(words[i].name) == name - 1 &&
				memcmp(words[i].name, text + 1, name - 1) == 0)
				append(out, size, words[i].value, strlen(words[i].value));
		text += name + 1;
	}
}

/* "cannot write 's3://…': " */
static void start_message(struct s3_verdict *out, const struct s3_failure *f)
{
	const char *place = f->place;

	if (!place || !*place)
		place = f->bucket && *f->bucket ? f->bucket : f->endpoint;
	snprintf(out->message, sizeof out->message, "%s '%.400s': ", operations[f->op].doing,
		place ? place : "?");
}

void s3_error_explain(struct s3_verdict *out, const struct s3_failure *f)
{
	struct word words[N_WORDS];
	int64_t server = 0;
	const struct rule *rule = find_rule(f, &server);

	*out = (struct s3_verdict){.code = rule->err, .remedy = rule->remedy};
	if (rule->remedy == S3_REMEDY_RETRY)
		out->retry_ms = f->retry_after_ms;
	if (rule->remedy == S3_REMEDY_REGION)
		snprintf(out->region, sizeof out->region, "%s", other_region(f));
	set_words(words, f, server);
	start_message(out, f);
	expand(out->message, sizeof out->message, rule->text, words);
	err_printable(out->message);
}
