/*
 * Any bytes as either of the shared files of AWS, as an answer with temporary keys, and as a
 * credential_process (split, not run): never a crash, and never keys that no header could hold.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/s3/aws_profile.c" /* programs have no archive to link against */
#include "transfer/s3/aws_temporary.c"
#include "transfer/s3/sigv4.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_file(const char *text, size_t size, enum aws_profile_file kind)
{
	struct aws_profile *p;

	require(aws_profile_new(&p) == 0);
	if (aws_profile_parse(p, text, size, kind, "file") == 0) {
		const char *region = aws_profile_get(p, "default", "region");

		require(!region || (aws_profile_has(p, "default") && *region));
		aws_profile_service(p, "default", "s3.endpoint_url");
	} else {
		require(strncmp(err_msg(), "file:", 5) == 0);
	}
	aws_profile_free(p);
}

static void check_answer(const char *text, size_t size, enum aws_answer kind)
{
	struct aws_temporary t;

	if (aws_temporary_parse(&t, text, size, kind) < 0) {
		require(!t.keys.id && !t.keys.secret && !t.keys.token);
		return;
	}
	require(is_header_safe(t.keys.id) && is_header_safe(t.keys.secret));
	require(!t.keys.token || is_header_safe(t.keys.token));
	aws_temporary_release(&t);
}

static void check_command(const char *text)
{
	struct strvec words = STRVEC_INIT;

	if (aws_temporary_split(&words, text) == 0)
		require(words.n >= 1 && *words.v[0]);
	strvec_release(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT;

	require(buf_add(&text, data, size) == 0);
	check_file(text.p, size, AWS_PROFILE_CREDENTIALS);
	check_file(text.p, size, AWS_PROFILE_CONFIG);
	check_answer(text.p, size, AWS_ANSWER_METADATA);
	check_answer(text.p, size, AWS_ANSWER_PROCESS);
	check_command(text.p);
	buf_release(&text);
	return 0;
}
