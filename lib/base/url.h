/*
 * URLs (RFC 3986) as programs need them that must not be misled: what names a host is checked
 * strictly, user name and password are taken out and decoded, the rest stays as it was written.
 */
#ifndef LIB_BASE_URL_H
#define LIB_BASE_URL_H

#include "lib/base/buf.h"

struct url {
	char *scheme;	/* lower case */
	char *user;	/* decoded; NULL: none */
	char *password; /* decoded; NULL: none */
	char *host;	/* lower case, never empty, never begins with '-'; IPv6 in brackets */
	char *port;	/* decimal; that of the scheme (http, https, ssh, git, ftp) if none was
			 * written, else "" */
	char *path; /* as written, with query and without fragment; "" or begins with '/' or '?' */
};

/* Take "scheme://[user[:password]@]host[:port][/path]" apart.  0; ERR_NOMEM; ERR_INVALID with a
 * message that does not quote the URL (it may hold a password): no such form, no host, a character
 * that no host has, a bad port, a control byte anywhere, a space before the path, a control byte
 * that is percent-encoded in user name or password. */
int url_parse(struct url *out, const char *text);
/* The same for a pattern: "*" may stand in the host. */
int url_parse_pattern(struct url *out, const char *text);
/* Fine on a zeroed struct. */
void url_release(struct url *u);

/* 1 if scheme, host and port are the same. */
int url_same_origin(const struct url *a, const struct url *b);
/* Append "scheme://host[:port]", the port only where it is not the scheme's. */
int url_origin(struct buf *out, const struct url *u);
/* Append the whole URL without user name and password. */
int url_format(struct buf *out, const struct url *u);

/* Append with %XX decoded; "%" that begins no such thing stays.  0; ERR_INVALID (no message) if NUL
 * comes out; ERR_NOMEM. */
int url_decode(struct buf *out, const char *text, size_t len);
/* Append with all but A-Z a-z 0-9 - . _ ~ (and '/', if it is kept) as %XX in capitals.  0,
 * ERR_NOMEM, ERR_LIMIT. */
int url_encode(struct buf *out, const char *text, int keep_slash);
/* 0-15, or -1 for what is no hexadecimal digit. */
int url_hex_value(char c);

#endif
