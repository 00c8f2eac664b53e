/*
 * Names are made from content, so a name is made new by adding content that nobody asks for.
 */
#include "transfer/blob/fresh.h"
#include "lib/base/err.h"

#include <sys/random.h>

enum { RANDOM_LEN = 16 };

static int random_bytes(void *out, size_t len)
{
	if (getrandom(out, len, 0) != (ssize_t)len)
		return err_sys("cannot get random bytes");
	return 0;
}

int fresh_pack(const struct listing *l, struct pack_writer *w)
{
	uint8_t random[RANDOM_LEN];
	struct oid id;
	int rc;

	if (l->condemned[REMOTE_PACK].n == 0)
		return 0;
	rc = random_bytes(random, sizeof(random));
	if (rc < 0)
		return rc;
	oid_of(&id, random, sizeof(random));
	return pack_writer_add(w, &id, random, sizeof(random), NULL);
}

int fresh_fragment(
	const struct listing *l, struct fragment_writer *w, struct buf *bytes, struct oid *name)
{
	size_t begin = bytes->len;
	struct oid random;
	int rc = fragment_writer_finish(w, bytes, name);

	if (rc < 0 || !listing_condemned(l, REMOTE_FRAGMENT, name))
		return rc;
	rc = random_bytes(&random, sizeof(random));
	if (rc == 0)
		rc = fragment_writer_object(w, &random, 0, NULL, 0);
	buf_truncate(bytes, begin);
	return rc < 0 ? rc : fragment_writer_finish(w, bytes, name);
}
