/*
 * Any bytes as a file of accounts and as a ticket: never a crash; what is read as an account has a
 * name, and a hash of a known kind; nothing is a ticket that was not made with the key.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/accounts_file.c" /* programs have no archive to link against */
#include "server/passhash.c"
#include "server/ticket.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_file(enum accounts_kind kind, const char *text, size_t size)
{
	struct accounts_file f = {0};
	int rc = accounts_file_parse(&f, kind, text, size);

	for (size_t i = 0; rc == 0 && i < f.n; i++) {
		require(*f.v[i].user && strlen(f.v[i].user) <= ACCOUNT_NAME_MAX);
		if (kind == ACCOUNTS_HTPASSWD)
			require(passhash_is_known(f.v[i].hash));
		else
			require(strlen(f.v[i].hash) == OID_HEX_LEN);
	}
	accounts_file_release(&f);
}

/* Slow by design where it is libcrypt's: ours alone. */
static void check_hash(const char *text)
{
	if (starts_with(text, APR1))
		require(passhash_check(text, "secret") >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[TICKET_KEY_LEN] = {1};
	struct ticket t = {.operation = "upload", .repository = "a"};
	char *text = malloc(size + 1);

	require(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	check_file(ACCOUNTS_HTPASSWD, text, size);
	check_file(ACCOUNTS_TOKENS, text, size);
	check_hash(text);
	require(ticket_check(&t, key, text, 0) == ERR_DENIED);
	free(text);
	return 0;
}
