/*
 * "$apr1$" is the MD5-crypt of FreeBSD with another magic word (Apache's
 * docs/manual/misc/password_encryptions): written here, since crypt(3) has it not.
 */
#include "server/passhash.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

#define APR1 "$apr1$"
#define SHA  "{SHA}"

enum { MD5_LEN = 16, SHA1_LEN = 20, APR1_SALT_MAX = 8, APR1_ROUNDS = 1000, PASSWORD_MAX = 512 };

static int starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Takes the same time wherever they differ. */
static int same(const char *a, const char *b)
{
	size_t len = strlen(a);

	return strlen(b) == len && CRYPTO_memcmp(a, b, len) == 0;
}

/* ---- $apr1$ ---- */

/* Six bits a character, lowest first. */
static char *put64(char *out, unsigned v, int n)
{
	static const char digits[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	for (; n > 0; n--, v >>= 6)
		*out++ = digits[v & 63];
	return out;
}

static void apr1_text(char *out, const uint8_t d[static MD5_LEN])
{
	for (int i = 0; i < 5; i++)
		out = put64(out,
			(unsigned)d[i] << 16 | (unsigned)d[i + 6] << 8 | d[i == 4 ? 5 : i + 12], 4);
	*put64(out, d[11], 2) = '\0';
}

/* What the digests have in common. */
struct apr1 {
	EVP_MD_CTX *ctx;
	const char *password, *salt;
	size_t password_len, salt_len;
};

static void add_password(struct apr1 *a)
{
	EVP_DigestUpdate(a->ctx, a->password, a->password_len);
}

static void add_salt(struct apr1 *a)
{
	EVP_DigestUpdate(a->ctx, a->salt, a->salt_len);
}

static int begin(struct apr1 *a)
{
	return EVP_DigestInit_ex(a->ctx, EVP_md5(), NULL) == 1;
}

static void finish(struct apr1 *a, uint8_t d[static MD5_LEN])
{
	EVP_DigestFinal_ex(a->ctx, d, NULL);
}

static int apr1_first(struct apr1 *a, uint8_t d[static MD5_LEN])
{
	if (!begin(a))
		return 0;
	add_password(a);
	add_salt(a);
	add_password(a);
	finish(a, d);
	if (!begin(a))
		return 0;
	add_password(a);
	EVP_DigestUpdate(a->ctx, APR1, strlen(APR1));
	add_salt(a);
	for (size_t left = a->password_len; left; left -= left < MD5_LEN ? left : MD5_LEN)
		EVP_DigestUpdate(a->ctx, d, left < MD5_LEN ? left : MD5_LEN);
	for (size_t bits = a->password_len; bits; bits >>= 1)
		EVP_DigestUpdate(a->ctx, bits & 1 ? "" : a->password, 1);
	finish(a, d);
	return 1;
}

static int apr1_rounds(struct apr1 *a, uint8_t d[static MD5_LEN])
{
	for (int i = 0; i < APR1_ROUNDS; i++) {
		if (!begin(a))
			return 0;
		if (i & 1)
			add_password(a);
		else
			EVP_DigestUpdate(a->ctx, d, MD5_LEN);
		if (i % 3)
			add_salt(a);
		if (i % 7)
			add_password(a);
		if (i & 1)
			EVP_DigestUpdate(a->ctx, d, MD5_LEN);
		else
			add_password(a);
		finish(a, d);
	}
	return 1;
}

static int check_apr1(const char *hash, const char *password)
{
	struct apr1 a = {.password = password,
		.password_len = strlen(password),
		.salt = hash + strlen(APR1)};
	uint8_t d[MD5_LEN];
	char text[32] = "";
	int rc;

	a.salt_len = strcspn(a.salt, "$");
	if (a.salt_len > APR1_SALT_MAX || a.salt[a.salt_len] != '$')
		return 0;
	a.ctx = EVP_MD_CTX_new();
	rc = a.ctx && apr1_first(&a, d) && apr1_rounds(&a, d);
	EVP_MD_CTX_free(a.ctx);
	if (!rc)
		return err_set(ERR_NOMEM, "cannot compute MD5");
	apr1_text(text, d);
	return same(a.salt + a.salt_len + 1, text);
}

/* ---- the others ---- */

static int check_sha(const char *hash, const char *password)
{
	uint8_t d[SHA1_LEN];
	char text[2 * SHA1_LEN];

	if (EVP_Digest(password, strlen(password), d, NULL, EVP_sha1(), NULL) != 1)
		return err_set(ERR_NOMEM, "cannot compute SHA-1");
	EVP_EncodeBlock((unsigned char *)text, d, SHA1_LEN);
	return same(hash + strlen(SHA), text);
}

static int check_crypt(const char *hash, const char *password)
{
	struct crypt_data *memory = calloc(1, sizeof(*memory));
	const char *got;
	int rc;

	if (!memory)
		return err_set(ERR_NOMEM, "out of memory");
	/* not crypt_r: libraries of sanitizers have one that leads nowhere */
	got = crypt_rn(password, hash, memory, sizeof(*memory));
	rc = got && same(hash, got);
	OPENSSL_cleanse(memory, sizeof(*memory));
	free(memory);
	return rc;
}

/* The schemes of crypt(3) that are taken. */
static int is_crypt(const char *hash)
{
	static const char *const schemes[] = {
		"$2y$", "$2b$", "$2a$", "$5$", "$6$", "$y$", "$gy$", "$7$", NULL};

	for (const char *const *s = schemes; *s; s++)
		if (starts_with(hash, *s))
			return 1;
	return 0;
}

int passhash_is_known(const char *hash)
{
	return starts_with(hash, APR1) || starts_with(hash, SHA) || is_crypt(hash);
}

int passhash_check(const char *hash, const char *password)
{
	if (strlen(password) > PASSWORD_MAX)
		return 0;
	if (starts_with(hash, APR1))
		return check_apr1(hash, password);
	if (starts_with(hash, SHA))
		return check_sha(hash, password);
	if (is_crypt(hash))
		return check_crypt(hash, password);
	return err_set(ERR_UNSUPPORTED, "a password kept in an unknown way");
}
