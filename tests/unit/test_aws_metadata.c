/*
 * Keys from the container's endpoint and from EC2: what is asked, of whom, and what is made of the
 * answers.  Nothing is asked over a network: the requests are recorded here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "transfer/s3/sigv4.c"
#include "transfer/s3/aws_temporary.c"
#include "transfer/s3/aws_metadata.c"

#define KEYS                                                                                       \
	"{\"Code\":\"Success\",\"AccessKeyId\":\"ASIA1\",\"SecretAccessKey\":\"geheim\","          \
	"\"Token\":\"t1\",\"Expiration\":\"2013-05-24T00:00:00Z\"}"

/* The answers to come, and what was asked ("GET url [header; header] ms"). */
static struct {
	int rc, status;
	const char *body;
} answers[4];
static struct buf asked;
static int n_asked;

static int perform(
	void *data, const struct aws_http_request *request, int *status, struct buf *body)
{
	int i = n_asked++;

	(void)data;
	assert_true(i < 4);
	assert_true(body->max > 0);
	assert_int_equal(
		buf_addf(&asked, "%s %s %u", request->method, request->url, request->timeout_ms),
		0);
	for (size_t h = 0; h < request->headers->n; h++)
		assert_int_equal(buf_addf(&asked, " [%s]", request->headers->v[h]), 0);
	assert_int_equal(buf_addch(&asked, '\n'), 0);
	*status = answers[i].status;
	if (answers[i].rc < 0)
		return err_set(answers[i].rc, "connection refused");
	return answers[i].body ? buf_addstr(body, answers[i].body) : 0;
}

static const struct aws_http http = {.perform = perform};

static int fresh(void **state)
{
	static const char *const names[] = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_EC2_METADATA_DISABLED",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	memset(answers, 0, sizeof answers);
	buf_release(&asked);
	n_asked = 0;
	err_clear();
	return 0;
}

/* ---- answers ---- */

static void both_spellings(void **state)
{
	static const char process[] =
		"{\"Version\": 1, \"AccessKeyId\": \"AKIA\", \"SecretAccessKey\": \"s\"}";
	struct aws_temporary t;

	(void)state;
	assert_int_equal(aws_temporary_parse(&t, KEYS, strlen(KEYS), AWS_ANSWER_METADATA), 0);
	assert_string_equal(t.keys.id, "ASIA1");
	assert_string_equal(t.keys.secret, "geheim");
	assert_string_equal(t.keys.token, "t1");
	assert_int_equal(t.expires, 1369353600);
	aws_temporary_release(&t);
	assert_int_equal(aws_temporary_parse(&t, process, strlen(process), AWS_ANSWER_PROCESS), 0);
	assert_null(t.keys.token);
	assert_int_equal(t.expires, 0);
	aws_temporary_release(&t);
}

static void answers_that_are_none(void **state)
{
	static const struct {
		enum aws_answer kind;
		int rc;
		const char *json, *why;
	} bad[] = {
		{AWS_ANSWER_PROCESS, ERR_INVALID, "", "not a JSON object"},
		{AWS_ANSWER_PROCESS, ERR_INVALID, "geheim", "not a JSON object"},
		{AWS_ANSWER_PROCESS, ERR_INVALID, "[]", "not a JSON object"},
		{AWS_ANSWER_PROCESS, ERR_INVALID, KEYS, "\"Version\": 1"},
		{AWS_ANSWER_PROCESS, ERR_INVALID, "{\"Version\":2}", "\"Version\": 1"},
		{AWS_ANSWER_PROCESS, ERR_INVALID, "{\"Version\":1,\"SecretAccessKey\":\"geheim\"}",
			"no AccessKeyId"},
		{AWS_ANSWER_PROCESS, ERR_INVALID,
			"{\"Version\":1,\"AccessKeyId\":1,\"SecretAccessKey\":\"geheim\"}",
			"no AccessKeyId"},
		{AWS_ANSWER_PROCESS, ERR_INVALID,
			"{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"geheim\\n\"}",
			"control characters"},
		{AWS_ANSWER_METADATA, ERR_INVALID,
			"{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"geheim\","
			"\"Expiration\":\"soon\"}",
			"Expiration"},
		{AWS_ANSWER_METADATA, ERR_DENIED, "{\"Code\":\"AssumeRoleUnauthorizedAccess\"}",
			"AssumeRoleUnauthorizedAccess"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct aws_temporary t;

		assert_int_equal(
			aws_temporary_parse(&t, bad[i].json, strlen(bad[i].json), bad[i].kind),
			bad[i].rc);
		assert_non_null(strstr(err_msg(), bad[i].why));
		assert_null(strstr(err_msg(), "geheim"));
		assert_null(t.keys.id);
		assert_null(t.keys.secret);
	}
}

static void command_lines(void **state)
{
	static const struct {
		const char *command, *words[4];
	} good[] = {
		{"/opt/x", {"/opt/x"}},
		{" a  b\t\nc ", {"a", "b", "c"}},
		{"\"/opt/a b\" --x='y z' \"\"", {"/opt/a b", "--x=y z", ""}},
		{"a\\ b 'c\\' \"d\\\"\\e\"", {"a b", "c\\", "d\"\\e"}},
		{"a $HOME `b` ;rm", {"a", "$HOME", "`b`", ";rm"}},
		{"C:\\\\x", {"C:\\x"}},
	};
	static const char *const bad[] = {"", "  ", "'a", "a \"b", "'' b"};
	struct strvec words = STRVEC_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(aws_temporary_split(&words, good[i].command), 0);
		for (size_t w = 0; w < words.n; w++)
			assert_string_equal(words.v[w], good[i].words[w]);
		assert_true(words.n == 4 || !good[i].words[words.n]);
		strvec_release(&words);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(aws_temporary_split(&words, bad[i]), ERR_INVALID);
		strvec_release(&words);
	}
}

/* ---- addresses ---- */

static void which_addresses_may_be_asked(void **state)
{
	static const char *const may[] = {"http://127.0.0.1/x", "http://127.1.2.3:80/x",
		"http://localhost:1/x", "http://[::1]:80/", "http://169.254.170.2/v2/x",
		"http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1/credentials",
		"https://example.com/x", "HTTPS://192.0.2.1/x"};
	static const char *const may_not[] = {"http://example.com/x", "http://192.0.2.1/",
		"http://127.0.0.1.example.com/", "http://127.0.0.1@example.com/", "http://[::2]/",
		"http://[::1", "http:///x", "http://", "https://", "https:///x", "ftp://127.0.0.1/",
		"file:///etc/passwd", "127.0.0.1", "", "http://169.254.169.254/x",
		"http://127.0.0.1/\r\nX: y", "http://2130706433/", "http://localhost.example.com/",
		"https://a b/"};

	(void)state;
	for (size_t i = 0; i < sizeof may / sizeof *may; i++)
		assert_int_equal(aws_metadata_check_url(may[i]), 0);
	for (size_t i = 0; i < sizeof may_not / sizeof *may_not; i++)
		assert_int_equal(aws_metadata_check_url(may_not[i]), ERR_DENIED);
}

/* ---- containers ---- */

static void a_task_of_ecs(void **state)
{
	struct aws_temporary t;

	(void)state;
	assert_int_equal(aws_metadata_container(&t, &http), 0);
	assert_int_equal(n_asked, 0);
	setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1", 1);
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://not.this.one/", 1);
	answers[0].status = 200;
	answers[0].body = KEYS;
	assert_int_equal(aws_metadata_container(&t, &http), 1);
	assert_string_equal(asked.p, "GET http://169.254.170.2/v2/credentials/1 2000\n");
	assert_string_equal(t.keys.id, "ASIA1");
	aws_temporary_release(&t);
}

static void a_pod_with_a_token(void **state)
{
	char path[] = "/tmp/test_aws_metadata.XXXXXX";
	int fd = mkstemp(path);
	struct aws_temporary t;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "from file\n", 10), 10);
	close(fd);
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials", 1);
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic abc", 1);
	answers[0].status = answers[1].status = 200;
	answers[0].body = answers[1].body = KEYS;
	assert_int_equal(aws_metadata_container(&t, &http), 1);
	aws_temporary_release(&t);
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path, 1);
	assert_int_equal(aws_metadata_container(&t, &http), 1);
	aws_temporary_release(&t);
	assert_string_equal(asked.p,
		"GET http://169.254.170.23/v1/credentials 2000 [Authorization: Basic abc]\n"
		"GET http://169.254.170.23/v1/credentials 2000 [Authorization: from file]\n");
	unlink(path);
	assert_int_equal(aws_metadata_container(&t, &http), ERR_NOTFOUND);
	assert_non_null(strstr(err_msg(), "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"));
	assert_int_equal(n_asked, 2);
}

static void containers_that_do_not_give(void **state)
{
	struct aws_temporary t;

	(void)state;
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.example.com/", 1);
	assert_int_equal(aws_metadata_container(&t, &http), ERR_DENIED);
	assert_non_null(strstr(err_msg(), "AWS_CONTAINER_CREDENTIALS_FULL_URI"));
	setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil.example.com/", 1);
	assert_int_equal(aws_metadata_container(&t, &http), ERR_INVALID);
	setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x", 1);
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nX: geheim", 1);
	assert_int_equal(aws_metadata_container(&t, &http), ERR_INVALID);
	assert_null(strstr(err_msg(), "geheim"));
	unsetenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	assert_int_equal(n_asked, 0);
	answers[0].status = 404;
	answers[1].status = 500;
	answers[2].rc = ERR_REMOTE;
	answers[3].status = 200;
	answers[3].body = "<html>";
	assert_int_equal(aws_metadata_container(&t, &http), ERR_DENIED);
	assert_non_null(strstr(err_msg(), "HTTP 404"));
	assert_int_equal(aws_metadata_container(&t, &http), ERR_REMOTE);
	assert_int_equal(aws_metadata_container(&t, &http), ERR_REMOTE);
	assert_non_null(strstr(err_msg(), "http://169.254.170.2/x: connection refused"));
	assert_int_equal(aws_metadata_container(&t, &http), ERR_INVALID);
}

/* ---- EC2 ---- */

static void an_instance_with_a_role(void **state)
{
	struct aws_temporary t;

	(void)state;
	answers[0].status = answers[1].status = answers[2].status = 200;
	answers[0].body = "tok==\n";
	answers[1].body = "my-role\nsecond";
	answers[2].body = KEYS;
	assert_int_equal(aws_metadata_instance(&t, &http), 1);
	assert_string_equal(t.keys.token, "t1");
	assert_string_equal(asked.p,
		"PUT http://169.254.169.254/latest/api/token 1000 "
		"[X-aws-ec2-metadata-token-ttl-seconds: 21600]\n"
		"GET http://169.254.169.254/latest/meta-data/iam/security-credentials/ 1000 "
		"[X-aws-ec2-metadata-token: tok==]\n"
		"GET http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role 1000 "
		"[X-aws-ec2-metadata-token: tok==]\n");
	aws_temporary_release(&t);
}

static void no_instance(void **state)
{
	struct aws_temporary t;

	(void)state;
	setenv("AWS_EC2_METADATA_DISABLED", "True", 1);
	assert_int_equal(aws_metadata_instance(&t, &http), 0);
	assert_int_equal(n_asked, 0);
	assert_non_null(strstr(err_msg(), "AWS_EC2_METADATA_DISABLED"));
	setenv("AWS_EC2_METADATA_DISABLED", "false", 1);
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6", 1);
	answers[0].rc = ERR_REMOTE;
	assert_int_equal(aws_metadata_instance(&t, &http), 0);
	assert_string_equal(err_msg(), "no answer");
	assert_int_equal(strncmp(asked.p, "PUT http://[fd00:ec2::254]/latest/", 34), 0);
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1//", 1);
	answers[1].status = 403;
	assert_int_equal(aws_metadata_instance(&t, &http), 0);
	assert_string_equal(err_msg(), "no token, HTTP 403");
	assert_non_null(strstr(asked.p, "PUT http://127.0.0.1:1/latest/api/token "));
	answers[2].rc = ERR_INTERRUPTED;
	assert_int_equal(aws_metadata_instance(&t, &http), ERR_INTERRUPTED);
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "file:///x", 1);
	assert_int_equal(aws_metadata_instance(&t, &http), ERR_INVALID);
	assert_int_equal(n_asked, 3);
}

static void instances_that_answer_oddly(void **state)
{
	static const struct {
		int status, rc;
		const char *body, *why;
	} roles[] = {
		{404, 0, NULL, "the instance has no role"},
		{200, 0, "", "the instance has no role"},
		{500, ERR_REMOTE, NULL, "HTTP 500"},
		{401, ERR_DENIED, NULL, "HTTP 401"},
		{200, ERR_INVALID, "../../user-data", "name of the instance's role"},
		{200, ERR_INVALID, "<html>", "name of the instance's role"},
	};
	struct aws_temporary t;

	(void)state;
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
		n_asked = 0;
		answers[0].status = 200;
		answers[0].body = "tok";
		answers[1].status = roles[i].status;
		answers[1].body = roles[i].body;
		assert_int_equal(aws_metadata_instance(&t, &http), roles[i].rc);
		assert_non_null(strstr(err_msg(), roles[i].why));
		assert_int_equal(n_asked, 2);
	}
	n_asked = 0;
	answers[0].body = "tok\r\nX: y";
	assert_int_equal(aws_metadata_instance(&t, &http), ERR_INVALID);
	assert_int_equal(n_asked, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_spellings),
		cmocka_unit_test(answers_that_are_none),
		cmocka_unit_test(command_lines),
		cmocka_unit_test(which_addresses_may_be_asked),
		cmocka_unit_test_setup_teardown(a_task_of_ecs, fresh, fresh),
		cmocka_unit_test_setup_teardown(a_pod_with_a_token, fresh, fresh),
		cmocka_unit_test_setup_teardown(containers_that_do_not_give, fresh, fresh),
		cmocka_unit_test_setup_teardown(an_instance_with_a_role, fresh, fresh),
		cmocka_unit_test_setup_teardown(no_instance, fresh, fresh),
		cmocka_unit_test_setup_teardown(instances_that_answer_oddly, fresh, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
