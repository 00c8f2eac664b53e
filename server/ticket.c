/*
 * Tickets are not kept anywhere: whoever has the key can tell.  The key lies in the server's state,
 * so that a transfer goes on after a restart.
 */
#include "server/ticket.h"

#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"

enum { MAC_LEN = 32, MAC_HEX = 2 * MAC_LEN };

/* ---- the key ---- */

static int read_key(uint8_t key[static TICKET_KEY_LEN], const char *path)
{
	struct buf b = {.max = 2 * TICKET_KEY_LEN};
	int rc = buf_read_file(&b, path);

	if (rc == 0 && b.len != TICKET_KEY_LEN)
		rc = err_set(ERR_INVALID,
			"'%s' is no key of %d bytes; remove it, and a new one is made", path,
			TICKET_KEY_LEN);
	if (rc == 0)
		memcpy(key, b.p, TICKET_KEY_LEN);
	if (b.p)
		OPENSSL_cleanse(b.p, b.len);
	buf_release(&b);
	return rc;
}

/* Appears whole, or not at all, and stays as it is when somebody else was first. */
static int make_key(const char *path)
{
	uint8_t key[TICKET_KEY_LEN];
	struct buf temp = BUF_INIT;
	int fd, rc;

	if (RAND_bytes(key, TICKET_KEY_LEN) != 1)
		return err_set(ERR_IO, "no random bytes");
	rc = fd = fs_tempfile(&temp, path);
	if (fd < 0)
		goto done;
	rc = fchmod(fd, 0600) < 0 ? err_sys("cannot protect '%s'", temp.p) : 0;
	if (rc == 0)
		rc = fs_write_full(fd, key, TICKET_KEY_LEN);
	if (rc == 0)
		rc = fs_fsync(fd, temp.p);
	if (fs_close(&fd, temp.p) < 0 && rc == 0)
		rc = ERR_IO;
	if (rc == 0 && link(temp.p, path) < 0)
		rc = err_sys("cannot create '%s'", path);
	if (rc == ERR_EXISTS)
		rc = 0;
	if (rc == 0)
		rc = fs_fsync_parent(path);
	unlink(temp.p);
done:
	OPENSSL_cleanse(key, sizeof(key));
	buf_release(&temp);
	return rc;
}

int ticket_key(uint8_t key[static TICKET_KEY_LEN], const char *path)
{
	int rc = read_key(key, path);

	if (rc != ERR_NOTFOUND)
		return rc;
	rc = make_key(path);
	return rc < 0 ? rc : read_key(key, path);
}

/* ---- tickets ---- */

static int mac_hex(char hex[static MAC_HEX + 1], const uint8_t key[static TICKET_KEY_LEN],
	const struct ticket *t)
{
	char oid[OID_HEX_LEN + 1];
	struct buf b = BUF_INIT;
	struct oid mac;
	int rc;

	oid_to_hex(oid, &t->oid);
	/* No two tickets have the same text: a repository's path holds no line feed. */
	rc = buf_addf(&b, "git-dvx ticket 1\n%s\n%s\n%" PRIx64 "\n%" PRIx64 "\n%s", t->operation,
		oid, t->size, (uint64_t)t->expires, t->repository);
	if (rc == 0 &&
		!HMAC(EVP_sha256(), key, TICKET_KEY_LEN, (const uint8_t *)b.p, b.len, mac.id, NULL))
		rc = err_set(ERR_NOMEM, "cannot compute an HMAC");
	if (rc == 0)
		oid_to_hex(hex, &mac);
	buf_release(&b);
	return rc;
}

int ticket_format(struct buf *out, const uint8_t key[static TICKET_KEY_LEN], const struct ticket *t)
{
	char hex[MAC_HEX + 1];
	int rc = mac_hex(hex, key, t);

	return rc < 0 ? rc
		      : buf_addf(out, TICKET_PREFIX "%" PRIx64 ".%" PRIx64 ".%s", t->size,
				(uint64_t)t->expires, hex);
}

/* Digits as they are written above, and the dot behind them. */
static int take_hex(uint64_t *out, const char **p)
{
	size_t n = strspn(*p, "0123456789abcdef");

	if (n == 0 || n > 15 || (*p)[n] != '.')
		return 0;
	*out = strtoull(*p, NULL, 16);
	*p += n + 1;
	return 1;
}

int ticket_check(
	struct ticket *t, const uint8_t key[static TICKET_KEY_LEN], const char *text, int64_t now)
{
	char hex[MAC_HEX + 1];
	uint64_t size, expires;
	int rc;

	if (strncmp(text, TICKET_PREFIX, strlen(TICKET_PREFIX)) != 0)
		return err_set(ERR_DENIED, "not a ticket");
	text += strlen(TICKET_PREFIX);
	if (!take_hex(&size, &text) || !take_hex(&expires, &text) || strlen(text) != MAC_HEX)
		return err_set(ERR_DENIED, "not a ticket");
	t->size = size;
	t->expires = (int64_t)expires;
	rc = mac_hex(hex, key, t);
	if (rc < 0)
		return rc;
	if (CRYPTO_memcmp(hex, text, MAC_HEX) != 0)
		return err_set(ERR_DENIED, "a ticket for something else");
	if (t->expires <= now)
		return err_set(ERR_DENIED, "the ticket has expired");
	return 0;
}
