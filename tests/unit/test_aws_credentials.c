/*
 * Which keys are used: the order of the places, half a pair, programs, keys that expire, and that
 * no message has a secret.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/scratch.h"
#include "transfer/s3/sigv4.c"
#include "transfer/s3/aws_temporary.c"
#include "transfer/s3/aws_metadata.c"
#include "transfer/s3/aws_profile.c"
#include "transfer/s3/aws_credentials.c"

static int64_t present;
static int requests;	       /* that the endpoints got */
static int64_t endpoint_until; /* expiry of the keys they give; 0: they do not answer */

static int64_t test_now(void)
{
	return present;
}

/* A container's endpoint: the n-th answer has the access key id ASIAENDPOINT000n. */
static int perform(
	void *data, const struct aws_http_request *request, int *status, struct buf *body)
{
	char until[ISOTIME_LEN + 1];

	(void)data;
	(void)request;
	requests++;
	if (!endpoint_until)
		return err_set(ERR_REMOTE, "no answer");
	*status = 200;
	isotime_format(until, endpoint_until);
	return buf_addf(body,
		"{\"AccessKeyId\":\"ASIAENDPOINT%04d\",\"SecretAccessKey\":\"geheim-e\","
		"\"Token\":\"geheim-t\",\"Expiration\":\"%s\"}",
		requests, until);
}

static struct aws_credentials_options options(void)
{
	return (struct aws_credentials_options){
		.remote = "storage", .http = {.perform = perform}, .now = test_now};
}

static int fresh(void **state)
{
	static const char *const names[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION",
		"AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE",
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_SHARED_CREDENTIALS_FILE",
		"AWS_CONFIG_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_ROLE_ARN", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	present = 1369353600;
	requests = 0;
	endpoint_until = 0;
	scratch_write("home/.aws/credentials", "[default]\naws_access_key_id = AKIADEFAULT00001\n"
					       "aws_secret_access_key = geheim-d\n"
					       "[half]\naws_access_key_id = AKIAHALF\n"
					       "[role]\naws_access_key_id = AKIABASE\n"
					       "aws_secret_access_key = geheim-b\n");
	scratch_write("home/.aws/config",
		"[default]\nregion = eu-west-1\nendpoint_url = https://general.example.com\n"
		"s3 =\n  addressing_style = virtual\n"
		"[profile config]\naws_access_key_id = AKIACONFIG000001\n"
		"aws_secret_access_key = geheim-c\naws_session_token = geheim-t\n"
		"region = eu-central-1\nservices = local\n"
		"[services local]\ns3 =\n  endpoint_url = http://localhost:9000\n"
		"[profile role]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = default\n"
		"[profile sso]\nsso_session = corp\n"
		"[profile old-sso]\nsso_start_url = https://x\n"
		"[profile empty]\nregion = sa-east-1\n");
	return 0;
}

/* Ask once: the result, the id in `id`, and where from in `where` (both cleared on error). */
static int ask_once(const struct aws_credentials_options *o, struct buf *id, struct buf *where)
{
	struct aws_credentials *c;
	struct sigv4_keys keys = {0};
	int rc;

	buf_reset(id);
	buf_reset(where);
	rc = aws_credentials_new(&c, o);
	if (rc < 0)
		return rc;
	rc = aws_credentials_get(c, &keys);
	if (rc == 0) {
		assert_int_equal(buf_addstr(id, keys.id), 0);
		assert_int_equal(aws_credentials_describe(c, where), 0);
		assert_null(strstr(where->p, "geheim"));
	} else {
		assert_null(strstr(err_msg(), "geheim"));
	}
	sigv4_keys_release(&keys);
	aws_credentials_free(c);
	return rc;
}

static void expect_keys(const struct aws_credentials_options *o, const char *id, const char *where)
{
	struct buf got = BUF_INIT, from = BUF_INIT;

	assert_int_equal(ask_once(o, &got, &from), 0);
	assert_string_equal(got.p, id);
	assert_non_null(strstr(from.p, where));
	buf_release(&got);
	buf_release(&from);
}

static void expect_error(const struct aws_credentials_options *o, int code, const char *why)
{
	struct buf got = BUF_INIT, from = BUF_INIT;

	assert_int_equal(ask_once(o, &got, &from), code);
	assert_non_null(strstr(err_msg(), why));
	buf_release(&got);
	buf_release(&from);
}

static void the_order_of_places(void **state)
{
	struct aws_credentials_options o = options();

	(void)state;
	expect_keys(&o, "AKIADEFAULT00001", "profile 'default' in");
	setenv("AWS_PROFILE", "config", 1);
	expect_keys(&o, "AKIACONFIG000001", "/home/.aws/config, access key AKIA…0001");
	setenv("AWS_ACCESS_KEY_ID", "AKIAENV", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "geheim-v", 1);
	expect_keys(&o, "AKIAENV", "the environment (AWS_ACCESS_KEY_ID)");
	o.profile = "default"; /* what is said for the remote beats the environment */
	expect_keys(&o, "AKIADEFAULT00001", "profile 'default' in");
	o.access_key_id = "AKIASET";
	o.secret_access_key = "geheim-s";
	expect_keys(&o, "AKIASET", "the settings of the remote");
	assert_int_equal(requests, 0);
}

static void other_paths_and_names(void **state)
{
	struct aws_credentials_options o = options();

	(void)state;
	scratch_write("elsewhere", "[default]\naws_access_key_id=A2\naws_secret_access_key=s\n"
				   "[x]\naws_access_key_id=A3\naws_secret_access_key=s\n");
	setenv("AWS_SHARED_CREDENTIALS_FILE", scratch_path("elsewhere"), 1);
	expect_keys(&o, "A2", "/elsewhere");
	setenv("AWS_DEFAULT_PROFILE", "x", 1);
	expect_keys(&o, "A3", "profile 'x' in");
	setenv("AWS_PROFILE", "default", 1);
	expect_keys(&o, "A2", "profile 'default' in");
	o.credential_path = "~/.aws/credentials";
	expect_keys(&o, "AKIADEFAULT00001", "/home/.aws/credentials");
}

static void halves(void **state)
{
	struct aws_credentials_options o = options();

	(void)state;
	o.access_key_id = "A";
	expect_error(&o, ERR_INVALID, "type 'git dvx remote modify storage secret_access_key …'");
	o.access_key_id = NULL;
	o.secret_access_key = "geheim";
	expect_error(&o, ERR_INVALID, "type 'git dvx remote modify storage access_key_id …'");
	o.secret_access_key = NULL;
	setenv("AWS_ACCESS_KEY_ID", "A", 1);
	expect_error(&o, ERR_INVALID, "set AWS_SECRET_ACCESS_KEY, too");
	o.profile = "half";
	expect_error(&o, ERR_INVALID, "/.aws/credentials has no aws_secret_access_key");
	o.access_key_id = "A";
	o.secret_access_key = "geheim\nx";
	expect_error(&o, ERR_INVALID, "the settings of the remote: the secret access key");
}

static void what_is_not_spoken_says_the_way_around(void **state)
{
	static const char *const names[] = {"role", "sso", "old-sso"};
	struct aws_credentials_options o = options();

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct buf line = BUF_INIT;

		o.profile = names[i];
		assert_int_equal(buf_addf(&line,
					 "credential_process = aws configure export-credentials "
					 "--profile %s",
					 names[i]),
			0);
		expect_error(&o, ERR_UNSUPPORTED, line.p);
		buf_release(&line);
	}
	o.profile = "no such";
	expect_error(&o, ERR_DENIED, "there is no profile 'no such' in ");
	o.profile = NULL;
	setenv("AWS_PROFILE", "empty", 1);
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/x", 1);
	setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/x", 1);
	expect_error(&o, ERR_UNSUPPORTED, "AWS_WEB_IDENTITY_TOKEN_FILE");
}

static void nothing_at_all(void **state)
{
	struct aws_credentials_options o = options();

	(void)state;
	setenv("AWS_PROFILE", "empty", 1);
	expect_error(&o, ERR_DENIED, "no access key for remote 'storage'");
	expect_error(&o, ERR_DENIED, "AWS_ACCESS_KEY_ID");
	expect_error(&o, ERR_DENIED, "profile 'empty' of");
	expect_error(&o, ERR_DENIED, "/.aws/credentials and ");
	expect_error(&o, ERR_DENIED, "switched off by AWS_EC2_METADATA_DISABLED");
	expect_error(&o, ERR_DENIED, "type 'git dvx remote modify storage access_key_id …'");
	unsetenv("AWS_EC2_METADATA_DISABLED");
	expect_error(&o, ERR_DENIED, "EC2 instance metadata: no answer;");
	o.http.perform = NULL;
	expect_error(&o, ERR_DENIED, "EC2 instance metadata: not asked;");
}

/* ---- programs ---- */

static void write_program(const char *text)
{
	scratch_write("a program", text);
	assert_int_equal(chmod(scratch_path("a program"), 0755), 0);
}

static void set_process(const char *rest)
{
	struct buf text = BUF_INIT;

	assert_int_equal(
		buf_addf(&text, "[profile p]\nrole_arn = x\ncredential_process = \"%s\" %s\n",
			scratch_path("a program"), rest),
		0);
	scratch_write("home/.aws/config", text.p);
	buf_release(&text);
}

static void a_program_gives_keys(void **state)
{
	struct aws_credentials_options o = options();

	(void)state;
	o.profile = "p";
	write_program(
		"#!/bin/sh\n[ \"$1\" = 'a  b' ] && [ \"$2\" = '$HOME' ] && [ $# = 2 ] || exit 3\n"
		"echo '{\"Version\":1,\"AccessKeyId\":\"ASIAPROGRAM00001\",'\n"
		"echo '\"SecretAccessKey\":\"geheim-p\"}'\n");
	set_process("'a  b' $HOME");
	expect_keys(&o, "ASIAPROGRAM00001", "the credential_process of profile 'p', access key");
	set_process("other");
	expect_error(&o, ERR_DENIED, "the credential_process of profile 'p': ");
	expect_error(&o, ERR_DENIED, "/a program' ended with status 3");
	write_program("#!/bin/sh\necho geheim-p\n");
	expect_error(&o, ERR_INVALID, "not a JSON object");
	set_process("'x");
	expect_error(&o, ERR_INVALID, "a quote that is not closed");
	scratch_write("home/.aws/config", "[profile p]\ncredential_process = ./here\n");
	expect_error(&o, ERR_INVALID, "write the whole path");
	scratch_write("home/.aws/config", "[profile p]\ncredential_process = no-such-program-x\n");
	expect_error(&o, ERR_NOTFOUND, "'no-such-program-x' not found");
}

/* ---- time ---- */

static void expect_id(struct aws_credentials *c, const char *id)
{
	struct sigv4_keys keys;

	assert_int_equal(aws_credentials_get(c, &keys), 0);
	assert_string_equal(keys.id, id);
	sigv4_keys_release(&keys);
}

static struct aws_credentials *at_endpoint(void)
{
	struct aws_credentials_options o = options();
	struct aws_credentials *c;

	setenv("AWS_PROFILE", "empty", 1);
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/", 1);
	assert_int_equal(aws_credentials_new(&c, &o), 0);
	assert_int_equal(requests, 0);
	return c;
}

static void keys_are_asked_for_again_before_they_expire(void **state)
{
	struct aws_credentials *c = at_endpoint();
	struct buf where = BUF_INIT;
	struct sigv4_keys keys;

	(void)state;
	endpoint_until = present + 3600;
	expect_id(c, "ASIAENDPOINT0001");
	present += 3600 - 301;
	expect_id(c, "ASIAENDPOINT0001");
	present += 1;
	endpoint_until = present + 3600;
	expect_id(c, "ASIAENDPOINT0002");
	present += 3600 - 200;
	endpoint_until = 0; /* it does not answer; the old ones are still good */
	expect_id(c, "ASIAENDPOINT0002");
	expect_id(c, "ASIAENDPOINT0002");
	assert_int_equal(requests, 3); /* and it is not asked with each request */
	assert_int_equal(aws_credentials_describe(c, &where), 0);
	assert_string_equal(where.p, "the container's role, access key ASIA…0002");
	present += 60;
	expect_id(c, "ASIAENDPOINT0002");
	assert_int_equal(requests, 4);
	present += 140;
	assert_int_equal(aws_credentials_get(c, &keys), ERR_REMOTE);
	assert_null(keys.id);
	endpoint_until = present; /* a broken endpoint, or clock */
	assert_int_equal(aws_credentials_get(c, &keys), ERR_DENIED);
	assert_non_null(strstr(err_msg(), "have expired already"));
	endpoint_until = present + 100; /* short, but good */
	expect_id(c, "ASIAENDPOINT0007");
	buf_release(&where);
	aws_credentials_free(c);
}

static void refused_keys_are_looked_for_again(void **state)
{
	struct aws_credentials *c = at_endpoint();
	struct aws_credentials_options o = options();
	struct sigv4_keys first_keys, keys;

	(void)state;
	endpoint_until = present + 3600;
	assert_int_equal(aws_credentials_get(c, &first_keys), 0);
	assert_int_equal(aws_credentials_renew(c, &first_keys), 1);
	expect_id(c, "ASIAENDPOINT0002");
	assert_int_equal(aws_credentials_renew(c, &first_keys), 1); /* another thread, late */
	expect_id(c, "ASIAENDPOINT0002");
	assert_int_equal(requests, 2);
	sigv4_keys_release(&first_keys);
	aws_credentials_free(c);

	o.profile = "default"; /* `aws sso login` or the like wrote new ones meanwhile */
	assert_int_equal(aws_credentials_new(&c, &o), 0);
	assert_int_equal(aws_credentials_get(c, &keys), 0);
	scratch_write("home/.aws/credentials",
		"[default]\naws_access_key_id = NEW\naws_secret_access_key = s\n");
	expect_id(c, "AKIADEFAULT00001");
	assert_int_equal(aws_credentials_renew(c, &keys), 1);
	expect_id(c, "NEW");
	sigv4_keys_release(&keys);
	aws_credentials_free(c);

	o.access_key_id = "A";
	o.secret_access_key = "s";
	assert_int_equal(aws_credentials_new(&c, &o), 0);
	assert_int_equal(aws_credentials_get(c, &keys), 0);
	assert_int_equal(aws_credentials_renew(c, &keys), 0);
	expect_id(c, "A");
	sigv4_keys_release(&keys);
	aws_credentials_free(c);
}

static void *get_in_thread(void *data)
{
	struct sigv4_keys keys;

	for (int i = 0; i < 200; i++) {
		if (aws_credentials_get(data, &keys) < 0)
			return data;
		if (i % 50 == 49)
			aws_credentials_renew(data, &keys);
		sigv4_keys_release(&keys);
	}
	return NULL;
}

static void many_threads(void **state)
{
	struct aws_credentials *c = at_endpoint();
	pthread_t threads[8];
	void *failed;

	(void)state;
	endpoint_until = present + 3600;
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, get_in_thread, c), 0);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_in_range(requests, 4, 33);
	aws_credentials_free(c);
}

/* ---- surroundings ---- */

static void region_and_endpoint(void **state)
{
	struct aws_credentials_options o = options();
	struct aws_credentials *c;

	(void)state;
	assert_int_equal(aws_credentials_new(&c, &o), 0);
	assert_string_equal(aws_credentials_region(c), "eu-west-1");
	assert_string_equal(aws_credentials_endpoint(c), "https://general.example.com");
	assert_string_equal(aws_credentials_addressing(c), "virtual");
	assert_null(aws_credentials_ca_bundle(c));
	aws_credentials_free(c);
	o.profile = "config";
	setenv("AWS_CA_BUNDLE", "/ca.pem", 1);
	assert_int_equal(aws_credentials_new(&c, &o), 0);
	assert_string_equal(aws_credentials_region(c), "eu-central-1");
	assert_string_equal(aws_credentials_endpoint(c), "http://localhost:9000");
	assert_null(aws_credentials_addressing(c));
	assert_string_equal(aws_credentials_ca_bundle(c), "/ca.pem");
	aws_credentials_free(c);
	setenv("AWS_DEFAULT_REGION", "r1", 1);
	setenv("AWS_ENDPOINT_URL", "http://e1", 1);
	assert_int_equal(aws_credentials_new(&c, &o), 0);
	assert_string_equal(aws_credentials_region(c), "r1");
	assert_string_equal(aws_credentials_endpoint(c), "http://e1");
	aws_credentials_free(c);
	setenv("AWS_REGION", "r2", 1);
	setenv("AWS_ENDPOINT_URL_S3", "http://e2", 1);
	assert_int_equal(aws_credentials_new(&c, &o), 0);
	assert_string_equal(aws_credentials_region(c), "r2");
	assert_string_equal(aws_credentials_endpoint(c), "http://e2");
	aws_credentials_free(c);
	setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
	assert_int_equal(aws_credentials_new(&c, &o), 0);
	assert_null(aws_credentials_endpoint(c));
	aws_credentials_free(c);
}

static void broken_files_are_named(void **state)
{
	struct aws_credentials_options o = options();
	struct aws_credentials *c;

	(void)state;
	scratch_write("home/.aws/config", "[default]\nregion\n");
	assert_int_equal(aws_credentials_new(&c, &o), ERR_INVALID);
	assert_non_null(strstr(err_msg(), "/home/.aws/config:2: "));
	assert_null(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_order_of_places, fresh),
		cmocka_unit_test_setup(other_paths_and_names, fresh),
		cmocka_unit_test_setup(halves, fresh),
		cmocka_unit_test_setup(what_is_not_spoken_says_the_way_around, fresh),
		cmocka_unit_test_setup(nothing_at_all, fresh),
		cmocka_unit_test_setup(a_program_gives_keys, fresh),
		cmocka_unit_test_setup(keys_are_asked_for_again_before_they_expire, fresh),
		cmocka_unit_test_setup(refused_keys_are_looked_for_again, fresh),
		cmocka_unit_test_setup(many_threads, fresh),
		cmocka_unit_test_setup(region_and_endpoint, fresh),
		cmocka_unit_test_setup(broken_files_are_named, fresh),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
