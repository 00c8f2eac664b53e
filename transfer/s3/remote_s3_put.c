/*
 * Writing a blob to S3: one PUT of the whole, which S3 makes visible at once or not at all.  The
 * blob's name is the SHA-256 that the request is signed with, so the server itself refuses bytes
 * that do not belong to the name.
 *
 *   If-None-Match: *  works:   created, or "there already" (412) - then it is compared
 *                     ignored: it is looked for first; two writers at the same moment write the
 *                              same bytes over each other, which harms nobody
 */
#include "transfer/remote/remote.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/s3/remote_s3_internal.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PIECE = 4 * 1024 * 1024, MD5_LEN = 16, BASE64_OID_LEN = 44 };

struct put {
	struct remote_s3 *s;
	const struct remote_put *file;
	const struct oid *name;
	uint64_t size;
	const char *key;
	char hex[OID_HEX_LEN + 1];
	char base64[BASE64_OID_LEN + 1]; /* of the name: x-amz-checksum-sha256 */
};

/* A success without the ETag that S3 always gives comes from somebody else, who kept nothing. */
static int not_stored(const struct put *p, int status)
{
	struct buf place = BUF_INIT, endpoint = BUF_INIT;
	int rc = s3_client_place(p->s->client, p->key, &place);

	if (rc == 0)
		rc = s3_client_endpoint(p->s->client, &endpoint);
	if (rc == 0)
		rc = err_set(ERR_REMOTE,
			"cannot write '%s': %s answers as no S3 server does (HTTP %d without an "
			"ETag); check endpointurl, and whether a proxy is in between",
			place.p, endpoint.p, status);
	buf_release(&place);
	buf_release(&endpoint);
	return rc;
}

/* Send it.  0, or an error; 1: If-None-Match says that it is there; 2: the server does not know
 * If-None-Match. */
static int send_blob(const struct put *p, int conditional, int checksum)
{
	struct s3_call call = {.op = S3_PUT,
		.method = "PUT",
		.key = p->key,
		.sha256 = p->hex,
		.fd = p->file->fd,
		.len = p->size,
		.max = HTTP_ERROR_BODY_MAX};
	int rc = 0;

	if (conditional)
		rc = strvec_push(&call.headers, "If-None-Match: *");
	if (rc == 0 && checksum)
		rc = strvec_pushf(&call.headers, "x-amz-checksum-sha256: %s", p->base64);
	if (rc == 0)
		rc = s3_client_call(p->s->client, &call);
	if (rc == 0 && !http_response_header(&call.response, "etag"))
		rc = not_stored(p, call.response.status);
	else if (rc < 0 && conditional && call.verdict.remedy == S3_REMEDY_EXISTS)
		rc = 1;
	else if (rc < 0 && conditional && call.verdict.remedy == S3_REMEDY_FALLBACK)
		rc = 2;
	s3_call_release(&call);
	return rc;
}

/* ---- is what is there the same? ---- */

static int md5_of_file(int fd, uint64_t size, char out[static 2 * MD5_LEN + 1])
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	char *piece = malloc(PIECE);
	unsigned char sum[EVP_MAX_MD_SIZE];
	uint64_t at = 0;
	ssize_t n = 1;
	int rc = 0;

	if (!hash || !piece || EVP_DigestInit_ex(hash, EVP_md5(), NULL) != 1) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	while (at < size && (n = fs_pread_full(fd, piece, PIECE, at)) > 0) {
		EVP_DigestUpdate(hash, piece, (size_t)n);
		at += (uint64_t)n;
	}
	if (n < 0) {
		rc = (int)n;
		goto done;
	}
	EVP_DigestFinal_ex(hash, sum, NULL);
	for (int i = 0; i < MD5_LEN; i++) {
		out[2 * i] = "0123456789abcdef"[sum[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[sum[i] & 15];
	}
	out[2 * MD5_LEN] = '\0';
done:
	EVP_MD_CTX_free(hash);
	free(piece);
	return rc;
}

/* Does the server's own checksum say that it has our bytes?  1 yes, 0 it does not say so, or an
 * error. */
static int checksum_says(const struct put *p, const struct http_response *r)
{
	const char *sum = http_response_header(r, "x-amz-checksum-sha256");
	const char *etag = http_response_header(r, "etag");
	char md5[2 * MD5_LEN + 1];
	int rc;

	if (sum)
		return strcmp(sum, p->base64) == 0;
	if (!etag || !s3_client_settings(p->s->client)->etag_is_md5)
		return 0;
	if (*etag == '"')
		etag++;
	if (strspn(etag, "0123456789abcdefABCDEF") != 2 * MD5_LEN)
		return 0; /* of several parts */
	rc = md5_of_file(p->file->fd, p->size, md5);
	return rc < 0 ? rc : strncasecmp(etag, md5, 2 * MD5_LEN) == 0;
}

/* Read what is there and hash it.  1 if its name is right, 0 if not, or an error. */
static int read_and_hash(const struct put *p)
{
	struct oid_ctx hash;
	struct oid found;
	char *piece = malloc(PIECE);
	uint64_t at = 0;
	ssize_t n = 0;

	if (!piece)
		return err_set(ERR_NOMEM, "out of memory");
	oid_init(&hash);
	while (at < p->size) {
		uint64_t left = p->size - at;

		n = remote_s3_get_key(p->s, p->key, at, piece, left < PIECE ? (size_t)left : PIECE);
		if (n <= 0)
			break;
		oid_update(&hash, piece, (size_t)n);
		at += (uint64_t)n;
	}
	free(piece);
	if (n < 0)
		return (int)n;
	oid_final(&hash, &found);
	return at == p->size && oid_eq(&found, p->name);
}

/* 1: the blob is there, with our bytes; 0: it is not, or damaged; or an error. */
static int is_there(const struct put *p)
{
	struct s3_call call = {.op = S3_HEAD, .method = "HEAD", .key = p->key};
	const char *length;
	int rc = strvec_push(&call.headers, "x-amz-checksum-mode: ENABLED");

	if (rc == 0)
		rc = s3_client_call(p->s->client, &call);
	if (rc == ERR_NOTFOUND) {
		rc = 0;
		goto done;
	}
	if (rc < 0)
		goto done;
	length = http_response_header(&call.response, "content-length");
	if (!length || strtoull(length, NULL, 10) != p->size)
		goto done; /* damaged */
	rc = checksum_says(p, &call.response);
	if (rc == 0)
		rc = read_and_hash(p);
done:
	s3_call_release(&call);
	return rc;
}

/* ---- put_commit ---- */

static int put_conditional(const struct put *p, int checksum)
{
	int rc = send_blob(p, 1, checksum);

	if (rc == 2) {
		remote_s3_cannot(p->s);
		return send_blob(p, 0, checksum);
	}
	if (rc != 1)
		return rc;
	rc = is_there(p);
	/* What is there is damaged.  Or it is gone by now, which comes to the same. */
	return rc == 0 ? send_blob(p, 0, checksum) : rc;
}

static int put_plain(const struct put *p, int checksum)
{
	int rc = is_there(p);

	return rc == 0 ? send_blob(p, 0, checksum) : rc;
}

int remote_s3_put_commit(
	struct remote *r, struct remote_put *file, const struct oid *name, uint64_t size)
{
	struct put p = {.s = (struct remote_s3 *)r, .file = file, .name = name, .size = size};
	struct s3_capabilities can;
	struct buf key = BUF_INIT;
	int rc = remote_s3_ready_to_write(p.s);

	if (rc == 0)
		rc = remote_s3_key(&key, file->class, name);
	if (rc < 0)
		goto done;
	p.key = key.p;
	oid_to_hex(p.hex, name);
	EVP_EncodeBlock((unsigned char *)p.base64, name->id, OID_LEN);
	can = remote_s3_can(p.s);
	rc = can.conditional == S3_CONDITIONAL_YES ? put_conditional(&p, can.checksum)
						   : put_plain(&p, can.checksum);
done:
	buf_release(&key);
	return rc;
}
