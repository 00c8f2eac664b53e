/*
 * A server of a few lines in a thread of this program, for the tests of HTTP requests.  Each
 * connection serves one request and closes, except below "/keep".
 */
#ifndef TESTS_UNIT_HTTP_PEER_H
#define TESTS_UNIT_HTTP_PEER_H

#include "lib/base/buf.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listener, port;
static int connections;

static void say(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* Read a request with its body; 0 at the end of the connection. */
static int read_request(int fd, struct buf *head, struct buf *body)
{
	unsigned long wanted = 0;
	const char *length;
	char c;

	buf_reset(head);
	buf_reset(body);
	while (head->len < 4 || strcmp(head->p + head->len - 4, "\r\n\r\n") != 0)
		if (read(fd, &c, 1) != 1 || buf_addch(head, c) < 0)
			return 0;
	length = strcasestr(head->p, "\r\ncontent-length: ");
	if (length)
		wanted = strtoul(length + 18, NULL, 10);
	while (body->len < wanted)
		if (read(fd, &c, 1) != 1 || buf_addch(body, c) < 0)
			return 0;
	return 1;
}

enum { LARGE = 32 * 1024 * 1024, HALF_WAY = LARGE / 2 };
static size_t sent; /* of /large */

/* Byte n of it is n modulo 251. */
static unsigned char large_byte(size_t n)
{
	return (unsigned char)(n % 251);
}

static void say_large(int fd)
{
	unsigned char piece[4096];
	size_t n = 0;

	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\nX-Odd: here\r\n\r\n");
	while (n < LARGE) {
		for (size_t i = 0; i < sizeof(piece); i++)
			piece[i] = large_byte(n + i);
		if (write(fd, piece, sizeof(piece)) != sizeof(piece))
			return;
		n += sizeof(piece);
		__atomic_store_n(&sent, n, __ATOMIC_SEQ_CST);
	}
}

/* Returns 1 when the connection goes on. */
static int answer(int fd, const char *head, const struct buf *body)
{
	struct buf text = BUF_INIT;
	const char *path = strchr(head, ' ') + 1;
	int keep = 0;

	if (strncmp(head, "CONNECT ", 8) == 0) {
		say(fd, "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"peer\"\r\n"
			"Content-Length: 0\r\n\r\n");
	} else if (strncmp(path, "/echo", 5) == 0) {
		buf_addf(&text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nX-Odd:  spaced \r\n\r\n",
			strlen(head) + body->len);
		if (strncmp(head, "HEAD", 4) != 0)
			buf_addf(&text, "%s%s", head, buf_str(body));
		say(fd, text.p);
	} else if (strncmp(path, "/keep", 5) == 0) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nkept");
		keep = 1;
	} else if (strncmp(path, "/missing", 8) == 0) {
		say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nwhere");
	} else if (strncmp(path, "/redirect", 9) == 0) {
		say(fd, "HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n");
	} else if (strncmp(path, "/gzip", 5) == 0) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: "
			"4\r\n\r\nnope");
	} else if (strncmp(path, "/short", 6) == 0) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this");
	} else if (strncmp(path, "/endless-error", 14) == 0) {
		say(fd, "HTTP/1.1 500 Oh\r\n\r\n");
		for (int i = 0; i < 100000; i++)
			if (write(fd, "0123456789012345678901234567890123456789", 40) != 40)
				break;
	} else if (strncmp(path, "/headers", 8) == 0) {
		say(fd, "HTTP/1.1 200 OK\r\n");
		for (int i = 0; i < 5000; i++)
			say(fd, "X-Filler: 0123456789012345678901234567890123456789\r\n");
	} else if (strncmp(path, "/large", 6) == 0) {
		say_large(fd);
	} else if (strncmp(path, "/silent", 7) == 0) {
		char c;

		if (read(fd, &c, 1) < 0) /* until the other end gives up */
			keep = 0;
	} else if (strncmp(path, "/garbage", 8) == 0) {
		say(fd, "what do you want?\n");
	}
	buf_release(&text);
	return keep;
}

static void *serve_one(void *data)
{
	int fd = (int)(intptr_t)data;
	struct buf head = BUF_INIT, body = BUF_INIT;

	while (read_request(fd, &head, &body) && answer(fd, head.p, &body))
		;
	close(fd);
	buf_release(&head);
	buf_release(&body);
	return NULL;
}

static void *serve(void *data)
{
	pthread_t t;
	int fd;

	(void)data;
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		__atomic_add_fetch(&connections, 1, __ATOMIC_SEQ_CST);
		if (pthread_create(&t, NULL, serve_one, (void *)(intptr_t)fd) == 0)
			pthread_detach(t);
	}
	return NULL;
}

static inline int set_up(void **state)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	pthread_t t;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&a, len) < 0 || listen(listener, 64) < 0 ||
		getsockname(listener, (struct sockaddr *)&a, &len) < 0)
		return -1;
	port = ntohs(a.sin_port);
	if (pthread_create(&t, NULL, serve, NULL) != 0)
		return -1;
	pthread_detach(t);
	return 0;
}

#endif
