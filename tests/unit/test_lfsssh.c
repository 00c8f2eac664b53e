/*
 * Git LFS's SSH protocol: messages as a real client and server send them, and all that is no such
 * message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/wire/lfsssh.h"

#define HEX "ce08b837fe0c499d48935175ddba784e8c372d3cfb1c574fe1caff605d4f0628"

/* Both ends of a pipe. */
struct pair {
	int ends[2];
	struct pkt_reader r;
	struct pkt_writer w;
};

static void open_pair(struct pair *p)
{
	assert_int_equal(pipe2(p->ends, O_CLOEXEC), 0);
	assert_int_equal(pkt_reader_init(&p->r, p->ends[0]), 0);
	assert_int_equal(pkt_writer_init(&p->w, p->ends[1]), 0);
}

/* Nothing more is written. */
static void end_input(struct pair *p)
{
	assert_int_equal(pkt_out_flush(&p->w), 0);
	close(p->ends[1]);
}

static void close_pair(struct pair *p)
{
	pkt_reader_release(&p->r);
	pkt_writer_release(&p->w);
	close(p->ends[0]);
}

/* What reading a head makes of these bytes. */
static int read_bytes(struct lfsssh_head *h, const char *bytes, size_t len)
{
	struct pair p;
	int rc;

	open_pair(&p);
	assert_int_equal(fs_write_full(p.ends[1], bytes, len), 0);
	end_input(&p);
	rc = lfsssh_head_read(h, &p.r);
	close_pair(&p);
	return rc;
}

static void test_head(void **state)
{
	struct lfsssh_head h;
	struct buf line = BUF_INIT;
	struct pair p;
	uint64_t n = 0;

	(void)state;
	open_pair(&p);
	assert_int_equal(
		lfsssh_head_write(&p.w, "put-object " HEX, "size=123", "id=a=b", "empty=", NULL),
		0);
	assert_int_equal(pkt_write_delim(&p.w), 0);
	assert_int_equal(pkt_write(&p.w, "data\n", 5), 0);
	assert_int_equal(pkt_write(&p.w, "last", 4), 0);
	assert_int_equal(pkt_write_flush(&p.w), 0);
	assert_int_equal(lfsssh_head_write(&p.w, "quit", NULL), 0);
	assert_int_equal(pkt_write_flush(&p.w), 0);
	end_input(&p);

	assert_int_equal(lfsssh_head_read(&h, &p.r), 1);
	assert_string_equal(h.line, "put-object " HEX);
	assert_int_equal(h.args.n, 3);
	assert_int_equal(h.has_body, 1);
	assert_string_equal(lfsssh_arg(&h, "id"), "a=b");
	assert_string_equal(lfsssh_arg(&h, "empty"), "");
	assert_null(lfsssh_arg(&h, "i"));
	assert_int_equal(lfsssh_arg_number(&n, &h, "size"), 1);
	assert_int_equal(n, 123);
	assert_int_equal(lfsssh_arg_number(&n, &h, "limit"), 0);
	assert_int_equal(lfsssh_arg_number(&n, &h, "id"), ERR_INVALID);
	assert_int_equal(lfsssh_arg_number(&n, &h, "empty"), ERR_INVALID);
	lfsssh_head_release(&h);
	assert_int_equal(lfsssh_body_line(&p.r, &line), 1);
	assert_string_equal(line.p, "data");
	assert_int_equal(lfsssh_body_skip(&p.r), 0);

	assert_int_equal(lfsssh_head_read(&h, &p.r), 1);
	assert_string_equal(h.line, "quit");
	assert_int_equal(h.has_body, 0);
	lfsssh_head_release(&h);
	assert_int_equal(lfsssh_head_read(&h, &p.r), 0);
	buf_release(&line);
	close_pair(&p);
}

static void test_bad_heads(void **state)
{
	struct lfsssh_head h;
	struct buf many = BUF_INIT;

	(void)state;
	assert_int_equal(read_bytes(&h, "", 0), 0);
	assert_int_equal(read_bytes(&h, "0000", 4), ERR_CORRUPT);
	assert_int_equal(read_bytes(&h, "0001", 4), ERR_CORRUPT);
	assert_int_equal(read_bytes(&h, "0008quit", 8), ERR_CORRUPT); /* and then the end */
	assert_int_equal(read_bytes(&h, "0008qu\0t0000", 12), ERR_CORRUPT);
	assert_int_equal(read_bytes(&h, "SSH-2.0-x", 9), ERR_CORRUPT);
	for (int i = 0; i < LFSSSH_ARGS_MAX + 2; i++)
		assert_int_equal(buf_addstr(&many, "0008a=bc"), 0);
	assert_int_equal(buf_addstr(&many, "0000"), 0);
	assert_int_equal(read_bytes(&h, many.p, many.len), ERR_LIMIT);
	buf_release(&many);
}

static void test_bad_bodies(void **state)
{
	static const char *const bodies[] = {"0008data", "00010000", ""};
	const uint8_t *data;
	struct pair p;
	size_t len;
	int rc;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		open_pair(&p);
		assert_int_equal(fs_write_full(p.ends[1], bodies[i], strlen(bodies[i])), 0);
		end_input(&p);
		while ((rc = lfsssh_body_data(&p.r, &data, &len)) == 1)
			;
		assert_int_equal(rc, ERR_CORRUPT);
		close_pair(&p);
	}
}

static void test_commands(void **state)
{
	const char *operand;

	(void)state;
	assert_int_equal(lfsssh_command_parse(&operand, "get-object " HEX), LFSSSH_GET);
	assert_string_equal(operand, HEX);
	assert_int_equal(lfsssh_command_parse(&operand, "list-lock"), LFSSSH_LIST_LOCK);
	assert_string_equal(operand, "");
	assert_int_equal(lfsssh_command_parse(&operand, "list-locks"), LFSSSH_LIST_LOCK);
	assert_int_equal(lfsssh_command_parse(&operand, "unlock 1 2"), LFSSSH_UNLOCK);
	assert_string_equal(operand, "1 2");
	assert_int_equal(lfsssh_command_parse(&operand, "get-objects x"), LFSSSH_UNKNOWN);
	assert_int_equal(lfsssh_command_parse(&operand, ""), LFSSSH_UNKNOWN);
}

static void test_statuses(void **state)
{
	static const char *const bad[] = {"status", "status ", "status 20", "status 2000",
		"status 200 ", "status 099", "status 600", "status -12", "Status 200", "200", ""};

	(void)state;
	assert_int_equal(lfsssh_status_parse("status 200"), 200);
	assert_int_equal(lfsssh_status_parse("status 599"), 599);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(lfsssh_status_parse(bad[i]), ERR_CORRUPT);
}

static void test_objects(void **state)
{
	static const char *const bad[] = {"", HEX, HEX " ", HEX " x", HEX " -1", HEX " 1x",
		HEX " 9223372036854775808", HEX " 99999999999999999999999", "x" HEX " 1", "1 1",
		"CE08B837FE0C499D48935175DDBA784E8C372D3CFB1C574FE1CAFF605D4F0628 1", HEX "0 1"};
	char line[400];
	struct lfsssh_object o;

	(void)state;
	strcpy(line, HEX " 9223372036854775807");
	assert_int_equal(lfsssh_object_parse(&o, line, 0), 0);
	assert_true(o.size == INT64_MAX);
	assert_null(o.action);
	strcpy(line, HEX " 5 download id=7 token=a=b new=x expires-in=30");
	assert_int_equal(lfsssh_object_parse(&o, line, 1), 0);
	assert_string_equal(o.action, "download");
	assert_string_equal(o.id, "7");
	assert_string_equal(o.token, "a=b");
	assert_string_equal(o.expires_in, "30");
	assert_null(o.expires_at);
	strcpy(line, HEX " 5");
	assert_int_equal(lfsssh_object_parse(&o, line, 1), ERR_INVALID);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		strcpy(line, bad[i]);
		assert_int_equal(lfsssh_object_parse(&o, line, 0), ERR_INVALID);
	}
}

static void test_object_round_trip(void **state)
{
	struct lfsssh_object o = {.size = 7, .action = "upload", .id = "x", .token = "y"}, again;
	struct buf line = BUF_INIT;
	struct pair p;

	(void)state;
	assert_int_equal(oid_from_hex(&o.oid, HEX), 0);
	open_pair(&p);
	assert_int_equal(lfsssh_object_write(&p.w, &o), 0);
	end_input(&p);
	assert_int_equal(lfsssh_body_line(&p.r, &line), 1);
	assert_string_equal(line.p, HEX " 7 upload id=x token=y");
	assert_int_equal(lfsssh_object_parse(&again, line.p, 1), 0);
	assert_true(oid_eq(&again.oid, &o.oid) && again.size == 7);
	buf_release(&line);
	close_pair(&p);
}

static void test_lock(void **state)
{
	char id[] = "1a", path[] = "some dir/a=b.bin", owner[] = "Ann O'Ther";
	struct lfs_lock lock = {.id = id, .path = path, .owner = owner}, again;
	struct lfsssh_head h = {.line = NULL};

	(void)state;
	assert_int_equal(lfsssh_lock_format(&h.args, &lock), 0);
	assert_int_equal(lfsssh_lock_parse(&again, &h), 0);
	assert_string_equal(again.id, id);
	assert_string_equal(again.path, path);
	assert_string_equal(again.owner, owner);
	assert_null(again.locked_at);
	lfs_lock_release(&again);
	lfsssh_head_release(&h);
	assert_int_equal(strvec_push(&h.args, "id=1"), 0);
	assert_int_equal(lfsssh_lock_parse(&again, &h), ERR_CORRUPT);
	lfsssh_head_release(&h);
}

/* Lines as a listing; what comes of it. */
static int list(struct lfs_lock_page *page, int all, const char *const *lines, size_t n)
{
	struct lfsssh_listing l = {.page = page, .all = all};
	char line[200];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		strcpy(line, lines[i]);
		rc = lfsssh_listing_line(&l, line);
	}
	if (rc == 0)
		rc = lfsssh_listing_end(&l);
	lfsssh_listing_release(&l);
	return rc;
}

static void test_listing(void **state)
{
	static const char *const lines[] = {"lock 1", "path 1 a b.bin",
		"locked-at 1 2024-05-06T07:08:09Z", "ownername 1 Ann", "owner 1 ours", "new 1 x",
		"lock 2", "path 2 c", "owner 2 theirs", "lock 3", "path 3 d"};
	struct lfs_lock_page page = {.next_cursor = NULL};

	(void)state;
	assert_int_equal(list(&page, 0, lines, 11), 0);
	assert_int_equal(page.ours.n, 1);
	assert_int_equal(page.theirs.n, 1);
	assert_string_equal(page.ours.v[0].path, "a b.bin");
	assert_string_equal(page.ours.v[0].owner, "Ann");
	assert_string_equal(page.ours.v[0].locked_at, "2024-05-06T07:08:09Z");
	assert_string_equal(page.theirs.v[0].id, "2");
	lfs_lock_page_release(&page);
	assert_int_equal(list(&page, 1, lines, 11), 0);
	assert_int_equal(page.ours.n, 3);
	lfs_lock_page_release(&page);
	assert_int_equal(list(&page, 1, lines, 0), 0);
	assert_int_equal(page.ours.n, 0);
}

static void test_bad_listings(void **state)
{
	static const char *const bad[][2] = {{"path 1 a", ""}, {"lock 1", "path 2 a"},
		{"lock", "path a"}, {"lock 1 2", "path 1 a"}, {"lock 1", "owner 1 ours"}, {"", ""}};
	struct lfs_lock_page page = {.next_cursor = NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(list(&page, 1, bad[i], 2), ERR_CORRUPT);
	lfs_lock_page_release(&page);
}

static void test_listed_round_trip(void **state)
{
	char id[] = "77", path[] = "x y", owner[] = "Bob", at[] = "2024-05-06T07:08:09Z";
	struct lfs_lock lock = {.id = id, .path = path, .owner = owner, .locked_at = at};
	struct lfs_lock_page page = {.next_cursor = NULL};
	struct lfsssh_listing l = {.page = &page};
	struct buf line = BUF_INIT;
	struct pair p;

	(void)state;
	open_pair(&p);
	assert_int_equal(lfsssh_listed_write(&p.w, &lock, 0), 0);
	assert_int_equal(lfsssh_listed_write(&p.w, &lock, 1), 0);
	assert_int_equal(pkt_write_flush(&p.w), 0);
	end_input(&p);
	while (lfsssh_body_line(&p.r, &line) == 1)
		assert_int_equal(lfsssh_listing_line(&l, line.p), 0);
	assert_int_equal(lfsssh_listing_end(&l), 0);
	assert_int_equal(page.ours.n, 1);
	assert_int_equal(page.theirs.n, 1);
	assert_string_equal(page.theirs.v[0].locked_at, at);
	lfs_lock_page_release(&page);
	buf_release(&line);
	close_pair(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_bad_heads),
		cmocka_unit_test(test_bad_bodies),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_object_round_trip),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_bad_listings),
		cmocka_unit_test(test_listed_round_trip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
