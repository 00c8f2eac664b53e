/*
 * Accounts: hashes that htpasswd and mkpasswd made, lines of the files, tickets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "server/accounts_file.c" /* programs have no archive to link against */
#include "server/passhash.c"
#include "server/ticket.c"

/* By `htpasswd -nb…` and `openssl passwd`. */
static const struct {
	const char *password, *hash;
} known[] = {{"secret", "$apr1$Bqbk3HPU$Xy0g5Wsu8xvIhhetdW7qJ/"},
	{"secret", "$apr1$cbJf/1cM$LY3SdNKGj5hjJiULtxDZx."},
	{"", "$apr1$dTERoXIP$MVof8cQeOrTstFLH18Fh9/"},
	{"a rather long password, of more than sixteen bytes, with ü",
		"$apr1$weCVENqZ$xATjrdgzFBxNLbHZbrIoZ/"},
	{"a rather long password, of more than sixteen bytes, with ü",
		"$apr1$lBmJFIKe$cZojexGLapYi/kt7gg4o/1"},
	{"p", "$apr1$5bqTPIAo$7PRhJ5mG4HSBNb4JrweHT/"},
	{"p", "$apr1$SLnt6irI$sBB5fSOr3eKW.dMlgbO/A1"},
	{"secret", "$2y$05$KDdrP5E7stN3S2TM7u7No.XDMQxPtFEagKjdruEmguwshG3ZJ.kba"},
	{"secret", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="},
	{"secret", "$5$Fvx9ggHuR0raeQXI$.xjrKdz7nyEy8dlU0RKgUYniaMfirNGUjNBVdH5Z1b6"},
	{"secret",
		"$6$XnRN6LV7HPnj/"
		"H9H$gVn0ZSk56tqP7Jd3jQLh1su1RtXxxEFVkQOkQyJR4tzMlKAKbzpglvTR07vLOQ1RNh3S3o0ZEws/"
		"GNlLTCKRN0"}};

static void hashes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		assert_true(passhash_is_known(known[i].hash));
		assert_int_equal(passhash_check(known[i].hash, known[i].password), 1);
		assert_int_equal(passhash_check(known[i].hash, "wrong"), 0);
	}
	assert_false(passhash_is_known("secret"));
	assert_false(passhash_is_known("rl0uNtBqKc2XA")); /* DES */
	assert_int_equal(passhash_check("secret", "secret"), ERR_UNSUPPORTED);
	assert_int_equal(passhash_check("$apr1$", ""), 0);
	assert_int_equal(passhash_check("$apr1$123456789$x", ""), 0);
	assert_int_equal(passhash_check("$2y$", ""), 0);
	assert_int_equal(passhash_check("{SHA}", ""), 0);
}

static int parse(struct accounts_file *f, enum accounts_kind kind, const char *text)
{
	memset(f, 0, sizeof(*f));
	return accounts_file_parse(f, kind, text, strlen(text));
}

static void lines(void **state)
{
	static const char *const bad_passwords[] = {
		"a", "a:", ":{SHA}x", "a:plain", "a:{SHA}x:admin", "a\001:{SHA}x"};
	static const char *const bad_tokens[] = {"x a", "", NULL};
	const char *hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	struct accounts_file f;
	char text[256];

	(void)state;
	assert_int_equal(parse(&f, ACCOUNTS_HTPASSWD,
				 "# people\n\na:{SHA}x\r\nb:{SHA}y:read \nc:{SHA}z:write"),
		0);
	assert_int_equal(f.n, 3);
	assert_string_equal(f.v[0].user, "a");
	assert_string_equal(f.v[0].hash, "{SHA}x");
	assert_int_equal(f.v[0].access, ACCESS_WRITE);
	assert_int_equal(f.v[1].access, ACCESS_READ);
	accounts_file_release(&f);
	for (size_t i = 0; i < sizeof(bad_passwords) / sizeof(*bad_passwords); i++) {
		assert_int_equal(parse(&f, ACCOUNTS_HTPASSWD, bad_passwords[i]), ERR_INVALID);
		assert_memory_equal(err_msg(), "line 1: ", 8);
		assert_null(strstr(err_msg(), "plain:"));
		accounts_file_release(&f);
	}
	snprintf(text, sizeof(text), "%s\tci  read\n%s bot", hash, hash);
	assert_int_equal(parse(&f, ACCOUNTS_TOKENS, text), 0);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.v[0].access, ACCESS_READ);
	assert_string_equal(f.v[1].user, "bot");
	accounts_file_release(&f);
	assert_int_equal(parse(&f, ACCOUNTS_TOKENS, bad_tokens[0]), ERR_INVALID);
	accounts_file_release(&f);
	snprintf(text, sizeof(text), "%s bot write more", hash);
	assert_int_equal(parse(&f, ACCOUNTS_TOKENS, text), ERR_INVALID);
	accounts_file_release(&f);
}

static void tickets(void **state)
{
	const uint8_t key[TICKET_KEY_LEN] = {1}, other[TICKET_KEY_LEN] = {2};
	const struct ticket made = {.operation = "upload",
		.repository = "a/b",
		.oid = {{7}},
		.size = 1234,
		.expires = 1000};
	struct ticket t = made;
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(ticket_format(&b, key, &made), 0);
	t.size = 0;
	t.expires = 0;
	assert_int_equal(ticket_check(&t, key, b.p, 999), 0);
	assert_int_equal(t.size, 1234);
	assert_int_equal(t.expires, 1000);
	assert_int_equal(ticket_check(&t, key, b.p, 1000), ERR_DENIED);
	assert_int_equal(ticket_check(&t, other, b.p, 999), ERR_DENIED);
	t.operation = "download";
	assert_int_equal(ticket_check(&t, key, b.p, 999), ERR_DENIED);
	t = made;
	t.repository = "a";
	assert_int_equal(ticket_check(&t, key, b.p, 999), ERR_DENIED);
	t = made;
	t.oid.id[0]++;
	assert_int_equal(ticket_check(&t, key, b.p, 999), ERR_DENIED);
	for (size_t i = 0; i < b.len; i++) {
		t = made;
		b.p[i] ^= 1;
		assert_int_equal(ticket_check(&t, key, b.p, 999), ERR_DENIED);
		b.p[i] ^= 1;
	}
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes),
		cmocka_unit_test(lines),
		cmocka_unit_test(tickets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
