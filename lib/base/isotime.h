/*
 * Points in time as servers write them: ISO 8601 (RFC 3339) in XML and JSON, RFC 9110 (IMF-fixdate)
 * in the Date header.  Seconds since 1970, UTC.
 */
#ifndef LIB_BASE_ISOTIME_H
#define LIB_BASE_ISOTIME_H

#include <stdint.h>

enum { ISOTIME_LEN = 20 };

/* "2013-09-17T18:07:53.000Z", "2013-09-17T18:07:53+02:00".  0 or ERR_INVALID (no message). */
int isotime_parse(int64_t *out, const char *text);
/* "Sun, 06 Nov 1994 08:49:37 GMT".  0 or ERR_INVALID (no message). */
int isotime_parse_http(int64_t *out, const char *text);
/* "2013-09-17 18:07:53Z" with NUL, for people. */
void isotime_format(char out[static ISOTIME_LEN + 1], int64_t t);

#endif
