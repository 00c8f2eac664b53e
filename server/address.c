/*
 * "ADDR:PORT", and the socket that listens there.
 */
#include "server/address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"

enum { BACKLOG = 512 };

/* "[::1]:80" into "::1" and "80". */
static int split(char **host, char **port, const char *address)
{
	const char *colon = strrchr(address, ':');
	const char *begin = address, *end = colon;

	*host = *port = NULL;
	if (colon && *begin == '[' && end > begin + 1 && end[-1] == ']') {
		begin++;
		end--;
	}
	if (!colon || (*address != '[' && memchr(begin, ':', (size_t)(end - begin))) ||
		colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
		strlen(colon + 1) > 5 || strtoul(colon + 1, NULL, 10) > 65535)
		return err_set(ERR_INVALID,
			"'%s' is no address to listen on; write 127.0.0.1:8080, [::1]:8080 or "
			":8080",
			address);
	*host = strndup(begin, (size_t)(end - begin));
	*port = strdup(colon + 1);
	if (*host && *port)
		return 0;
	free(*host);
	free(*port);
	*host = *port = NULL;
	return err_set(ERR_NOMEM, "out of memory");
}

static int resolve(struct addrinfo **out, const char *address)
{
	const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	char *host, *port;
	int rc = split(&host, &port, address);

	*out = NULL;
	if (rc < 0)
		return rc;
	rc = getaddrinfo(*host ? host : NULL, port, &hints, out);
	if (rc != 0)
		rc = err_set(ERR_INVALID, "cannot listen on '%s': %s", address, gai_strerror(rc));
	free(host);
	free(port);
	return rc;
}

static int is_loopback(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, a, sizeof(in));
		return ntohl(in.sin_addr.s_addr) >> 24 == 127;
	}
	if (a->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, a, sizeof(in6));
		return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
	}
	return 0;
}

int address_is_local(const char *address)
{
	struct addrinfo *list;
	int rc = resolve(&list, address);

	if (rc < 0)
		return rc;
	rc = is_loopback(list->ai_addr);
	freeaddrinfo(list);
	return rc;
}

static int bind_to(const struct addrinfo *a, const char *address)
{
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
	int one = 1, rc = 0;

	if (fd < 0)
		return err_sys("cannot make a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		rc = err_sys("cannot listen on '%s'", address);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

int address_listen(const char *address)
{
	struct addrinfo *list;
	int rc = resolve(&list, address);

	if (rc < 0)
		return rc;
	rc = bind_to(list, address);
	freeaddrinfo(list);
	return rc;
}

int address_format(struct buf *out, const struct sockaddr *a)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];
	size_t len =
		a->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

	if (getnameinfo(a, (socklen_t)len, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return err_set(ERR_IO, "cannot tell the address");
	return buf_addf(out, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

int address_of_socket(struct buf *out, int fd)
{
	struct sockaddr_storage a = {0};
	socklen_t len = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		return err_sys("cannot tell the address");
	return address_format(out, (const struct sockaddr *)&a);
}
