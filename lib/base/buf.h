/*
 * A growable byte buffer, always NUL-terminated behind its last byte, with a maximum that stops
 * input from outside from filling the memory (the idea of curl's dynbuf).
 */
#ifndef LIB_BASE_BUF_H
#define LIB_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
	char *p;    /* never NULL after a successful append; p[len] == '\0' */
	size_t len; /* bytes in use */
	size_t cap; /* bytes allocated, terminator included */
	size_t max; /* appends past this many bytes fail with ERR_LIMIT; 0 = BUF_MAX_DEFAULT */
};

#define BUF_MAX_DEFAULT ((size_t)1 << 31)
#define BUF_INIT                                                                                   \
	{                                                                                          \
		.p = NULL                                                                          \
	}

/* Release the memory and return to BUF_INIT (max kept).  Fine on a zeroed struct. */
void buf_release(struct buf *b);
/* len = 0; the memory stays. */
void buf_reset(struct buf *b);
/* Make room for `extra` more bytes.  0, ERR_LIMIT, ERR_NOMEM. */
int buf_grow(struct buf *b, size_t extra);
/* Append.  0, ERR_LIMIT, ERR_NOMEM; on failure the buffer is as before. */
int buf_add(struct buf *b, const void *data, size_t len);
int buf_addstr(struct buf *b, const char *s);
int buf_addch(struct buf *b, char c);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A number with commas: "1,000,000". */
int buf_addcount(struct buf *b, uint64_t n);
/* Integers in network byte order, as every format of ours has them. */
int buf_add_be16(struct buf *b, uint16_t v);
int buf_add_be32(struct buf *b, uint32_t v);
int buf_add_be64(struct buf *b, uint64_t v);
/* Append all that is left in `fd`.  0, ERR_LIMIT, ERR_NOMEM, ERR_IO. */
int buf_read_fd(struct buf *b, int fd);
/* Append the file's content.  0, ERR_NOTFOUND, ERR_LIMIT, ERR_IO… */
int buf_read_file(struct buf *b, const char *path);
/* Cut to `len` bytes (no-op if shorter). */
void buf_truncate(struct buf *b, size_t len);
/* Drop the first n bytes. */
void buf_consume(struct buf *b, size_t n);
/* Remove trailing '\n', '\r', ' ' and '\t'. */
void buf_rtrim(struct buf *b);
/* The string (never NULL: "" for an untouched buffer).  Borrowed. */
const char *buf_str(const struct buf *b);
/* The string on the heap for the caller to free(); the buffer is empty afterwards.  NULL: out of
 * memory. */
char *buf_detach(struct buf *b);

static inline uint16_t be16_get(const void *p)
{
	const uint8_t *b = p;
	return (uint16_t)(b[0] << 8 | b[1]);
}
static inline uint32_t be32_get(const void *p)
{
	const uint8_t *b = p;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}
static inline uint64_t be64_get(const void *p)
{
	return (uint64_t)be32_get(p) << 32 | be32_get((const uint8_t *)p + 4);
}
static inline void be16_put(void *p, uint16_t v)
{
	uint8_t *b = p;
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}
static inline void be32_put(void *p, uint32_t v)
{
	uint8_t *b = p;
	b[0] = (uint8_t)(v >> 24);
	b[1] = (uint8_t)(v >> 16);
	b[2] = (uint8_t)(v >> 8);
	b[3] = (uint8_t)v;
}
static inline void be64_put(void *p, uint64_t v)
{
	be32_put(p, (uint32_t)(v >> 32));
	be32_put((uint8_t *)p + 4, (uint32_t)v);
}

#endif
