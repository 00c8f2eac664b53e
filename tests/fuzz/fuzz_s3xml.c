/*
 * Any bytes as each of the documents of S3: never a crash, and what comes out keeps the promises of
 * s3_xml.h - strings that end, sizes that fit, text that a terminal can bear.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/s3/s3_error.c"
#include "transfer/s3/s3_xml.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_page(const char *xml, size_t size)
{
	struct s3_xml_page p;
	size_t bytes = 0;

	if (s3_xml_page_parse(&p, xml, size) < 0) {
		require(!p.objects && !p.text.p);
		return;
	}
	require(!p.truncated || (p.next && *p.next));
	for (size_t i = 0; i < p.n; i++) {
		bytes += strlen(p.objects[i].key) + strlen(p.objects[i].etag);
		require(p.objects[i].size <= INT64_MAX);
	}
	require(bytes <= size);
	s3_xml_page_release(&p);
}

static void check_text(const char *text, size_t size)
{
	size_t n = strnlen(text, size);

	require(n < size);
	for (size_t i = 0; i < n; i++)
		require((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
}

static void check_error(const char *xml, size_t size)
{
	static const int statuses[] = {200, 301, 400, 403, 404, 500};
	struct s3_xml_error e;
	struct s3_verdict v;

	if (!s3_xml_error_parse(&e, xml, size))
		return;
	check_text(e.code, sizeof e.code);
	check_text(e.message, sizeof e.message);
	check_text(e.region, sizeof e.region);
	check_text(e.server_time, sizeof e.server_time);
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
		struct s3_failure f = {.status = statuses[i], .doc = &e, .region = "us-east-1"};

		s3_error_explain(&v, &f);
		require(v.code < 0);
		check_text(v.message, sizeof v.message);
		require((v.remedy == S3_REMEDY_REGION) == (v.region[0] != '\0'));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *xml = (const char *)data;

	check_page(xml, size);
	check_error(xml, size);
	return 0;
}
