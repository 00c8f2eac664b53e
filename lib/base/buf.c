/*
 * The one byte buffer of the project (see buf.h).
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void buf_release(struct buf *b)
{
	free(b->p);
	b->p = NULL;
	b->len = b->cap = 0;
}

void buf_reset(struct buf *b)
{
	buf_truncate(b, 0);
}

int buf_grow(struct buf *b, size_t extra)
{
	size_t max = b->max ? b->max : BUF_MAX_DEFAULT;
	size_t need, cap;
	char *p;

	if (b->len > max || extra > max - b->len)
		return err_set(ERR_LIMIT, "more than %zu bytes", max);
	need = b->len + extra + 1;
	if (need <= b->cap)
		return 0;
	cap = b->cap < 64 ? 64 : b->cap;
	while (cap < need)
		cap += cap / 2;
	p = realloc(b->p, cap);
	if (!p)
		return err_set(ERR_NOMEM, "out of memory (%zu bytes)", cap);
	b->p = p;
	b->cap = cap;
	b->p[b->len] = '\0';
	return 0;
}

int buf_add(struct buf *b, const void *data, size_t len)
{
	int rc = buf_grow(b, len);

	if (rc < 0)
		return rc;
	if (len)
		memcpy(b->p + b->len, data, len);
	b->len += len;
	b->p[b->len] = '\0';
	return 0;
}

int buf_addstr(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int buf_addch(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n, rc;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return err_set(ERR_INVALID, "cannot format '%s'", fmt);
	rc = buf_grow(b, (size_t)n);
	if (rc < 0)
		return rc;
	va_start(ap, fmt);
	vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

int buf_addcount(struct buf *b, uint64_t n)
{
	char digits[24], text[32];
	size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n), used = 0;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			text[used++] = ',';
		text[used++] = digits[i];
	}
	return buf_add(b, text, used);
}

int buf_add_be16(struct buf *b, uint16_t v)
{
	uint8_t x[2];

	be16_put(x, v);
	return buf_add(b, x, sizeof x);
}

int buf_add_be32(struct buf *b, uint32_t v)
{
	uint8_t x[4];

	be32_put(x, v);
	return buf_add(b, x, sizeof x);
}

int buf_add_be64(struct buf *b, uint64_t v)
{
	uint8_t x[8];

	be64_put(x, v);
	return buf_add(b, x, sizeof x);
}

int buf_read_fd(struct buf *b, int fd)
{
	size_t max = b->max ? b->max : BUF_MAX_DEFAULT;

	for (;;) {
		size_t room = max > b->len ? max - b->len : 0;
		char probe;
		ssize_t n;
		int rc;

		if (!room) { /* full: an error only if there is more to come */
			n = read(fd, &probe, 1);
			if (n > 0)
				return err_set(ERR_LIMIT, "more than %zu bytes", max);
		} else {
			if (b->cap - b->len < 4096 || !b->p) {
				rc = buf_grow(b, room < 16384 ? room : 16384);
				if (rc < 0)
					return rc;
			}
			if (room > b->cap - b->len - 1)
				room = b->cap - b->len - 1;
			n = read(fd, b->p + b->len, room);
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys("read failed");
		if (n == 0)
			return 0;
		b->len += (size_t)n;
		b->p[b->len] = '\0';
	}
}

int buf_read_file(struct buf *b, const char *path)
{
	/* not to wait for the writer of a FIFO that somebody put in a file's place */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int rc;

	if (fd < 0)
		return err_sys("cannot open '%s'", path);
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		rc = err_set(ERR_INVALID, "it is a FIFO");
	else
		rc = buf_read_fd(b, fd);
	if (rc < 0)
		err_prefix(rc, "cannot read '%s'", path);
	close(fd);
	return rc;
}

void buf_truncate(struct buf *b, size_t len)
{
	if (len < b->len || (len == 0 && b->p)) {
		b->len = len;
		b->p[len] = '\0';
	}
}

void buf_consume(struct buf *b, size_t n)
{
	if (n > b->len)
		n = b->len;
	if (!n)
		return;
	memmove(b->p, b->p + n, b->len - n + 1);
	b->len -= n;
}

void buf_rtrim(struct buf *b)
{
	/* not strchr(): it finds the NUL of its string, and a buffer may hold NULs */
	while (b->len && memchr(" \t\r\n", b->p[b->len - 1], 4))
		b->p[--b->len] = '\0';
}

const char *buf_str(const struct buf *b)
{
	return b->p ? b->p : "";
}

char *buf_detach(struct buf *b)
{
	char *p;

	if (buf_grow(b, 0) < 0)
		return NULL;
	p = b->p;
	b->p = NULL;
	b->len = b->cap = 0;
	return p;
}
