/*
 * The documents of S3: what several servers send, and what none should.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transfer/s3/s3_xml.c"

#define HEAD	     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define NS	     " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
#define LIST(x)	     HEAD "<ListBucketResult" NS ">" x "</ListBucketResult>"
#define OBJECT(k, s) "<Contents><Key>" k "</Key><Size>" s "</Size></Contents>"

static int page(struct s3_xml_page *p, const char *xml)
{
	return s3_xml_page_parse(p, xml, strlen(xml));
}

static void a_page_of_a_listing(void **state)
{
	struct s3_xml_page p;

	(void)state;
	assert_int_equal(page(&p, LIST("<Name>b</Name><Prefix>x/</Prefix><KeyCount>2</KeyCount>"
				       "<IsTruncated>true</IsTruncated>"
				       "<NextContinuationToken>1ueGc+/=</NextContinuationToken>"
				       "<Contents><Key>x/packs/aa.pack</Key>"
				       "<LastModified>2013-05-24T00:00:00.000Z</LastModified>"
				       "<ETag>&quot;9b2cf5&quot;</ETag><Size>67108864</Size>"
				       "<StorageClass>STANDARD</StorageClass>"
				       "<Owner><ID>1</ID><Key>no</Key></Owner></Contents>\n"
				       "<Contents><Key>x/a &amp; b</Key><Size>0</Size></Contents>"
				       "<CommonPrefixes><Prefix>y/</Prefix></CommonPrefixes>")),
		0);
	assert_int_equal(p.n, 2);
	assert_string_equal(p.objects[0].key, "x/packs/aa.pack");
	assert_string_equal(p.objects[0].etag, "9b2cf5");
	assert_int_equal(p.objects[0].size, 67108864);
	assert_int_equal(p.objects[0].mtime, 1369353600);
	assert_string_equal(p.objects[1].key, "x/a & b");
	assert_string_equal(p.objects[1].etag, "");
	assert_int_equal(p.objects[1].mtime, 0);
	assert_int_equal(p.truncated, 1);
	assert_string_equal(p.next, "1ueGc+/=");
	s3_xml_page_release(&p);
	s3_xml_page_release(&p);
}

static void an_empty_page(void **state)
{
	struct s3_xml_page p;

	(void)state;
	assert_int_equal(page(&p, HEAD "<s3:ListBucketResult xmlns:s3=\"urn:x\"/>"), 0);
	assert_int_equal(p.n, 0);
	assert_int_equal(p.truncated, 0);
	assert_null(p.next);
	s3_xml_page_release(&p);
}

/* EncodingType may stand behind the keys it is about. */
static void encoded_keys(void **state)
{
	struct s3_xml_page p;

	(void)state;
	assert_int_equal(
		page(&p, LIST(OBJECT("a%20b%2Bc%C3%A4", "1") OBJECT("a+b", "2") OBJECT("bad%2", "3")
					 OBJECT("nul%00", "4") OBJECT("%zz", "5") OBJECT(
						 "z", "6") "<EncodingType>url</EncodingType>")),
		0);
	assert_int_equal(p.n, 3);
	assert_string_equal(p.objects[0].key, "a b+c\xc3\xa4");
	assert_string_equal(p.objects[1].key, "a b");
	assert_string_equal(p.objects[2].key, "z");
	assert_int_equal(p.objects[2].size, 6);
	s3_xml_page_release(&p);
	assert_int_equal(page(&p, LIST(OBJECT("a%20+b", "1"))), 0);
	assert_string_equal(p.objects[0].key, "a%20+b");
	s3_xml_page_release(&p);
}

static void many_objects(void **state)
{
	struct s3_xml_page p;
	struct buf xml = BUF_INIT, key = BUF_INIT;

	(void)state;
	assert_int_equal(buf_addstr(&xml, "<ListBucketResult>"), 0);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(
			buf_addf(&xml, "<Contents><Size>%d</Size><Key>k/%d</Key></Contents>", i, i),
			0);
	assert_int_equal(buf_addstr(&xml, "</ListBucketResult>"), 0);
	assert_int_equal(s3_xml_page_parse(&p, xml.p, xml.len), 0);
	assert_int_equal(p.n, 3000);
	for (size_t i = 0; i < p.n; i++) {
		buf_reset(&key);
		assert_int_equal(buf_addf(&key, "k/%zu", i), 0);
		assert_string_equal(p.objects[i].key, key.p);
		assert_int_equal(p.objects[i].size, i);
	}
	s3_xml_page_release(&p);
	buf_release(&xml);
	buf_release(&key);
}

static void nonsense_is_named(void **state)
{
	static const struct {
		const char *xml, *why;
	} bad[] = {
		{"", "no well-formed XML"},
		{"<html><body>Login</body></html>", "instead of <ListBucketResult>"},
		{"<ListBucketResult>", "no well-formed XML: no element found, line 1"},
		{LIST("<Contents><Key>a</Key></Contents>"), "without a size"},
		{LIST("<Contents><Size>1</Size></Contents>"), "without a key"},
		{LIST(OBJECT("a", "")), "without a size"},
		{LIST(OBJECT("a", "-1")), "bad size"},
		{LIST(OBJECT("a", "1 ")), "bad size"},
		{LIST(OBJECT("a", "9223372036854775808")), "bad size"},
		{LIST("<IsTruncated>true</IsTruncated>"), "how to ask for it"},
		{"<!DOCTYPE x><ListBucketResult/>", "document type"},
		{"<!DOCTYPE x [<!ENTITY a \"b\">]><ListBucketResult>&a;</ListBucketResult>",
			"document type"},
		{LIST("<Name>&nbsp;</Name>"), "no well-formed XML"},
	};
	struct s3_xml_page p;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(page(&p, bad[i].xml), ERR_CORRUPT);
		assert_int_equal(strncmp(err_msg(), "bad listing: ", 13), 0);
		assert_non_null(strstr(err_msg(), bad[i].why));
		assert_null(p.objects);
		assert_null(p.text.p);
	}
	assert_int_equal(page(&p, LIST(OBJECT("a", "9223372036854775807"))), 0);
	assert_int_equal(p.objects[0].size, INT64_MAX);
	s3_xml_page_release(&p);
}

static void add_times(struct buf *b, const char *text, int times)
{
	while (times--)
		assert_int_equal(buf_addstr(b, text), 0);
}

static void limits(void **state)
{
	struct s3_xml_page p;
	struct buf xml = BUF_INIT;

	(void)state;
	add_times(&xml, "<ListBucketResult>", 1);
	add_times(&xml, "<a>", S3_XML_DEPTH_MAX - 1);
	add_times(&xml, "</a>", S3_XML_DEPTH_MAX - 1);
	add_times(&xml, "</ListBucketResult>", 1);
	assert_int_equal(page(&p, xml.p), 0);
	s3_xml_page_release(&p);
	buf_reset(&xml);
	add_times(&xml, "<ListBucketResult>", 1);
	add_times(&xml, "<a>", 100000);
	assert_int_equal(page(&p, xml.p), ERR_LIMIT);
	buf_reset(&xml);
	add_times(&xml, "<ListBucketResult><Name>", 1);
	add_times(&xml, "x", S3_XML_TEXT_MAX);
	assert_int_equal(page(&p, xml.p), ERR_CORRUPT); /* only not closed */
	add_times(&xml, "x", 1);
	assert_int_equal(page(&p, xml.p), ERR_LIMIT);
	assert_non_null(strstr(err_msg(), "more than 4096 bytes"));
	assert_int_equal(s3_xml_page_parse(&p, xml.p, (size_t)S3_XML_MAX + 1), ERR_LIMIT);
	buf_release(&xml);
}

static int error_doc(struct s3_xml_error *e, const char *xml)
{
	memset(e, 0x55, sizeof *e);
	return s3_xml_error_parse(e, xml, strlen(xml));
}

static void error_documents(void **state)
{
	struct s3_xml_error e;

	(void)state;
	assert_int_equal(
		error_doc(&e,
			HEAD "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference"
			     "\n is \x7f too large.</Message><RequestTime>20260101T000000Z"
			     "</RequestTime><ServerTime>2026-01-01T01:00:00Z</ServerTime>"
			     "<BucketName>b</BucketName><Region>eu-west-1</Region><Endpoint>"
			     "b.s3.eu-west-1.amazonaws.com</Endpoint><Header>If-None-Match</Header>"
			     "<HostId><Code>x</Code></HostId><RequestId>tx1</RequestId></Error>"),
		1);
	assert_string_equal(e.code, "RequestTimeTooSkewed");
	assert_string_equal(e.message, "The difference  is ? too large.");
	assert_string_equal(e.request_time, "20260101T000000Z");
	assert_string_equal(e.server_time, "2026-01-01T01:00:00Z");
	assert_string_equal(e.bucket, "b");
	assert_string_equal(e.region, "eu-west-1");
	assert_string_equal(e.endpoint, "b.s3.eu-west-1.amazonaws.com");
	assert_string_equal(e.header, "If-None-Match");
	assert_string_equal(e.request_id, "tx1");
	assert_int_equal(
		error_doc(&e, "<ErrorResponse" NS "><Error><Type>Sender</Type><Code>A</Code>"
			      "</Error><RequestId>1</RequestId></ErrorResponse>"),
		1);
	assert_string_equal(e.code, "A");
	assert_string_equal(e.request_id, "");
}

static void no_error_documents(void **state)
{
	static const char *const other[] = {"", "<html><Code>A</Code></html>", "<Error/>",
		"<Error><Code>A</Code>", "<Error><Code></Code></Error>",
		"<x><Error><Code>A</Code></Error></x>", "{\"Code\":\"A\"}",
		"<!DOCTYPE Error><Error><Code>A</Code></Error>"};
	static const struct s3_xml_error nothing;
	struct s3_xml_error e;

	(void)state;
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		assert_int_equal(error_doc(&e, other[i]), 0);
		assert_memory_equal(&e, &nothing, sizeof e);
	}
}

static void long_texts_are_cut_between_characters(void **state)
{
	struct buf xml = BUF_INIT;
	struct s3_xml_error e;

	(void)state;
	add_times(&xml, "<Error><Code>A</Code><Message>x", 1);
	add_times(&xml, "\xe2\x82\xac", 300);
	add_times(&xml, "</Message></Error>", 1);
	assert_int_equal(error_doc(&e, xml.p), 1);
	assert_int_equal(strlen(e.message), 1 + 170 * 3);
	buf_release(&xml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_of_a_listing),
		cmocka_unit_test(an_empty_page),
		cmocka_unit_test(encoded_keys),
		cmocka_unit_test(many_objects),
		cmocka_unit_test(nonsense_is_named),
		cmocka_unit_test(limits),
		cmocka_unit_test(error_documents),
		cmocka_unit_test(no_error_documents),
		cmocka_unit_test(long_texts_are_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
