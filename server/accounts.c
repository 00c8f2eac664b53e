/*
 * Accounts in memory.  Hashes of passwords are slow by design, and a client shows its password with
 * every request: a password that was right is remembered for a minute, as its HMAC under a key of
 * this process.  The files are looked at (stat) with every question.
 */
#include "server/accounts.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/workers.h"
#include "lib/store/oid.h"
#include "server/passhash.h"

enum { REMEMBERED = 1024, REMEMBER_SECONDS = 60, KEY_LEN = 32 };

struct memory {
	uint8_t mac[KEY_LEN];
	time_t until;
};

struct source {
	const char *path; /* NULL: there is none */
	enum accounts_kind kind;
	struct stat seen; /* as it was when last read, well or not */
	struct accounts_file table;
};

struct accounts {
	pthread_mutex_t lock; /* of all but the key */
	struct source passwords, tokens;
	struct memory remembered[REMEMBERED];
	uint8_t key[KEY_LEN];
	sem_t hashing; /* as many passwords are hashed at once as there are processors */
};

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* ---- the files ---- */

static int is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       fs_mtime_ns(a) == fs_mtime_ns(b) && fs_ctime_ns(a) == fs_ctime_ns(b);
}

static int read_source(struct source *s)
{
	struct accounts_file table = {0};
	struct buf text = {.max = ACCOUNTS_FILE_MAX};
	int rc;

	rc = buf_read_file(&text, s->path);
	if (rc == 0) {
		rc = accounts_file_parse(&table, s->kind, buf_str(&text), text.len);
		if (rc < 0)
			err_prefix(rc, "%s", s->path);
	}
	if (rc == 0) {
		accounts_file_release(&s->table);
		s->table = table;
	} else {
		accounts_file_release(&table);
	}
	buf_release(&text);
	return rc;
}

/* 1 if it was read anew, 0, or why it could not be. */
static int refresh(struct source *s)
{
	struct stat st;
	int rc;

	if (!s->path)
		return 0;
	if (stat(s->path, &st) < 0)
		memset(&st, 0, sizeof(st)); /* reading says why */
	if (is_same_file(&st, &s->seen))
		return 0;
	s->seen = st;
	rc = read_source(s);
	return rc < 0 ? rc : 1;
}

static void refresh_all(struct accounts *a, void (*warn)(const char *message))
{
	struct source *const sources[] = {&a->passwords, &a->tokens};

	for (int i = 0; i < 2; i++) {
		int rc = refresh(sources[i]);

		if (rc > 0)
			memset(a->remembered, 0, sizeof(a->remembered));
		if (rc < 0 && warn)
			warn(err_msg());
	}
}

int accounts_open(struct accounts **out, const char *htpasswd, const char *tokens)
{
	struct accounts *a = calloc(1, sizeof(*a));
	int rc = 0;

	*out = NULL;
	if (!a)
		return err_set(ERR_NOMEM, "out of memory");
	a->passwords = (struct source){.path = htpasswd, .kind = ACCOUNTS_HTPASSWD};
	a->tokens = (struct source){.path = tokens, .kind = ACCOUNTS_TOKENS};
	pthread_mutex_init(&a->lock, NULL);
	sem_init(&a->hashing, 0, (unsigned)workers_default());
	if (RAND_bytes(a->key, KEY_LEN) != 1)
		rc = err_set(ERR_IO, "no random bytes");
	if (rc == 0 && htpasswd)
		rc = read_source(&a->passwords);
	if (rc == 0 && tokens)
		rc = read_source(&a->tokens);
	if (rc < 0)
		accounts_close(a);
	else
		*out = a;
	return rc;
}

void accounts_close(struct accounts *a)
{
	if (!a)
		return;
	accounts_file_release(&a->passwords.table);
	accounts_file_release(&a->tokens.table);
	sem_destroy(&a->hashing);
	pthread_mutex_destroy(&a->lock);
	OPENSSL_cleanse(a, sizeof(*a));
	free(a);
}

/* ---- tokens ---- */

/* Looks at all of them, whichever it is. */
static const struct account *find_token(const struct accounts_file *f, const char *secret)
{
	const struct account *found = NULL;
	char hex[OID_HEX_LEN + 1];
	struct oid sum;

	oid_of(&sum, secret, strlen(secret));
	oid_to_hex(hex, &sum);
	for (size_t i = 0; i < f->n; i++)
		if (CRYPTO_memcmp(f->v[i].hash, hex, OID_HEX_LEN) == 0)
			found = &f->v[i];
	return found;
}

/* ---- passwords ---- */

static void mac_of(
	const struct accounts *a, const struct httptext_credentials *c, uint8_t mac[static KEY_LEN])
{
	struct oid user, secret;
	uint8_t both[2 * OID_LEN];

	oid_of(&user, c->user, strlen(c->user));
	oid_of(&secret, c->secret, strlen(c->secret));
	memcpy(both, user.id, OID_LEN);
	memcpy(both + OID_LEN, secret.id, OID_LEN);
	HMAC(EVP_sha256(), a->key, KEY_LEN, both, sizeof(both), mac, NULL);
	OPENSSL_cleanse(both, sizeof(both));
}

static struct memory *memory_of(struct accounts *a, const uint8_t mac[static KEY_LEN])
{
	return &a->remembered[(mac[0] << 8 | mac[1]) % REMEMBERED];
}

static int is_remembered(struct accounts *a, const uint8_t mac[static KEY_LEN])
{
	const struct memory *m = memory_of(a, mac);

	return m->until > now() && CRYPTO_memcmp(m->mac, mac, KEY_LEN) == 0;
}

static const struct account *find_user(const struct accounts_file *f, const char *user)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].user, user) == 0)
			return &f->v[i];
	return NULL;
}

static int hash_password(struct accounts *a, const char *hash, const char *password)
{
	int rc;

	while (sem_wait(&a->hashing) < 0)
		;
	rc = passhash_check(hash, password);
	sem_post(&a->hashing);
	return rc;
}

/* With the lock held, which is given back while the password is hashed.  An unknown user takes as
 * long as a known one. */
static int check_password(
	struct accounts *a, const struct httptext_credentials *c, const uint8_t mac[static KEY_LEN])
{
	const struct accounts_file *f = &a->passwords.table;
	const struct account *known = find_user(f, c->user);
	const struct account *example = known ? known : f->n ? &f->v[0] : NULL;
	char *hash;
	int rc;

	if (!example)
		return 0;
	if (known && is_remembered(a, mac))
		return 1;
	hash = strdup(example->hash);
	if (!hash)
		return err_set(ERR_NOMEM, "out of memory");
	pthread_mutex_unlock(&a->lock);
	rc = hash_password(a, hash, c->secret);
	pthread_mutex_lock(&a->lock);
	known = known ? find_user(f, c->user) : NULL;
	if (rc > 0 && (!known || strcmp(known->hash, hash) != 0))
		rc = 0; /* changed meanwhile */
	if (rc > 0) {
		struct memory *m = memory_of(a, mac);

		memcpy(m->mac, mac, KEY_LEN);
		m->until = now() + REMEMBER_SECONDS;
	}
	free(hash);
	return rc;
}

int accounts_check(struct accounts *a, const struct httptext_credentials *c,
	struct accounts_answer *out, void (*warn)(const char *message))
{
	const struct account *found;
	uint8_t mac[KEY_LEN];
	int rc = 1;

	if (!c->secret)
		return err_set(ERR_DENIED, "wrong credentials");
	if (c->user)
		mac_of(a, c, mac);
	pthread_mutex_lock(&a->lock);
	refresh_all(a, warn);
	found = find_token(&a->tokens.table, c->secret);
	if (!found && c->user) {
		rc = check_password(a, c, mac);
		found = rc > 0 ? find_user(&a->passwords.table, c->user) : NULL;
	}
	if (found) {
		*out = (struct accounts_answer){.access = found->access};
		memcpy(out->user, found->user, strlen(found->user) + 1);
	}
	pthread_mutex_unlock(&a->lock);
	if (found)
		return 0;
	return rc < 0 ? rc : err_set(ERR_DENIED, "wrong credentials");
}
