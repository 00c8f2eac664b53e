/*
 * The shared files of AWS, with every oddity that they have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transfer/s3/aws_profile.c" /* programs have no archive to link against */

static const char credentials[] = "\xef\xbb\xbf# of the user\n"
				  "[default]\n"
				  "aws_access_key_id = AKIADEFAULT\r\n"
				  "aws_secret_access_key=a#b;c/d+e= ; a comment\n"
				  "\n"
				  "  ; indented comment\n"
				  "[ ml ]  # behind a section\n"
				  "AWS_Access_Key_Id = AKIAML\n"
				  "aws_secret_access_key = first\n"
				  "aws_secret_access_key = second\n"
				  "region = from-credentials\n"
				  "[profile odd]\n"
				  "region = x\n";

static const char config[] = "region = nowhere\n"
			     "  indented = nowhere\n"
			     "[default]\n"
			     "region = eu-west-1\n"
			     "[profile ml]\n"
			     "region = eu-central-1\n"
			     "output = json\n"
			     "s3 =\n"
			     "    addressing_style = path # how\n"
			     "\tmax_concurrent_requests = 20\n"
			     "endpoint_url = https://s3.example.com/x#y\n"
			     "empty =\n"
			     "[ml]\n"
			     "region = not-a-profile\n"
			     "[profile \"two words\"]\n"
			     "region = quoted\n"
			     "credential_process = \"/opt/a b\" --x\n"
			     "    --more 'y z'\n"
			     "[profile dev-1@x]\n"
			     "region = at\n"
			     "[services local]\n"
			     "s3 =\n"
			     "  endpoint_url = http://localhost:9000\n"
			     "[sso-session corp]\n"
			     "region = sso\n"
			     "[profile ml]\n"
			     "region = again\n";

static struct aws_profile *both(void)
{
	struct aws_profile *p;

	assert_int_equal(aws_profile_new(&p), 0);
	assert_int_equal(aws_profile_parse(p, credentials, strlen(credentials),
				 AWS_PROFILE_CREDENTIALS, "credentials"),
		0);
	assert_int_equal(
		aws_profile_parse(p, config, strlen(config), AWS_PROFILE_CONFIG, "config"), 0);
	return p;
}

static void values(void **state)
{
	static const struct {
		const char *profile, *key, *value;
	} expected[] = {
		{"default", "aws_access_key_id", "AKIADEFAULT"},
		{"default", "aws_secret_access_key", "a#b;c/d+e="},
		{"default", "region", "eu-west-1"},
		{"default", "indented", NULL},
		{"ml", "aws_access_key_id", "AKIAML"},
		{"ml", "aws_secret_access_key", "second"},
		{"ml", "region", "from-credentials"},
		{"ml", "output", "json"},
		{"ml", "s3", NULL},
		{"ml", "s3.addressing_style", "path"},
		{"ml", "s3.max_concurrent_requests", "20"},
		{"ml", "endpoint_url", "https://s3.example.com/x#y"},
		{"ml", "empty", NULL},
		{"two words", "region", "quoted"},
		{"two words", "credential_process", "\"/opt/a b\" --x\n--more 'y z'"},
		{"dev-1@x", "region", "at"},
		{"profile odd", "region", "x"},
		{"odd", "region", NULL},
		{"corp", "region", NULL},
		{"local", "s3.endpoint_url", NULL},
		{"", "region", NULL},
	};
	struct aws_profile *p = both();

	(void)state;
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		const char *got = aws_profile_get(p, expected[i].profile, expected[i].key);

		if (expected[i].value)
			assert_string_equal(got, expected[i].value);
		else
			assert_null(got);
	}
	assert_string_equal(aws_profile_get_from(p, AWS_PROFILE_CONFIG, "ml", "region"), "again");
	assert_string_equal(
		aws_profile_service(p, "local", "s3.endpoint_url"), "http://localhost:9000");
	assert_null(aws_profile_service(p, "other", "s3.endpoint_url"));
	aws_profile_free(p);
	aws_profile_free(NULL);
}

static void which_profiles_there_are(void **state)
{
	static const char *const there[] = {"default", "ml", "two words", "dev-1@x", "profile odd"};
	static const char *const not_there[] = {"", "odd", "corp", "local", "ML", "services"};
	struct aws_profile *p = both();

	(void)state;
	for (size_t i = 0; i < sizeof there / sizeof *there; i++)
		assert_int_equal(aws_profile_has(p, there[i]), 1);
	for (size_t i = 0; i < sizeof not_there / sizeof *not_there; i++)
		assert_int_equal(aws_profile_has(p, not_there[i]), 0);
	aws_profile_free(p);
}

static void what_cannot_be_read_is_named(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"[default]\nregion\n", "config:2: neither a section nor 'key = value'"},
		{"\n\n[default\n", "config:3: a section without its ']'"},
		{"[default]\n= x\n", "config:2: a value without a key"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct aws_profile *p;

		assert_int_equal(aws_profile_new(&p), 0);
		assert_int_equal(aws_profile_parse(p, bad[i].text, strlen(bad[i].text),
					 AWS_PROFILE_CONFIG, "config"),
			ERR_INVALID);
		assert_string_equal(err_msg(), bad[i].why);
		assert_int_equal(aws_profile_parse(p, "[a]\n\0\n", 6, AWS_PROFILE_CONFIG, "config"),
			ERR_INVALID);
		aws_profile_free(p);
	}
}

/* A secret on a line that is wrong must not reach the terminal. */
static void messages_do_not_quote(void **state)
{
	static const char text[] = "[default]\naws_secret_access_key geheim\n";
	struct aws_profile *p;

	(void)state;
	assert_int_equal(aws_profile_new(&p), 0);
	assert_int_equal(aws_profile_parse(p, text, strlen(text), AWS_PROFILE_CREDENTIALS, "f"),
		ERR_INVALID);
	assert_null(strstr(err_msg(), "geheim"));
	aws_profile_free(p);
}

static void a_missing_file_is_empty(void **state)
{
	struct aws_profile *p;

	(void)state;
	assert_int_equal(aws_profile_new(&p), 0);
	assert_int_equal(aws_profile_read(p, AWS_PROFILE_CONFIG, "/nowhere/at/all"), 0);
	assert_int_equal(aws_profile_has(p, "default"), 0);
	assert_true(aws_profile_read(p, AWS_PROFILE_CONFIG, "/") < 0);
	aws_profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(which_profiles_there_are),
		cmocka_unit_test(what_cannot_be_read_is_named),
		cmocka_unit_test(messages_do_not_quote),
		cmocka_unit_test(a_missing_file_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
