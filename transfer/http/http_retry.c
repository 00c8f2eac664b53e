/*
 * When a server wants to be asked again (RFC 9110, 10.2.3).
 */
#include "lib/base/err.h"
#include "lib/base/isotime.h"
#include "transfer/http/http.h"

#include <stdlib.h>

enum { LONGEST_S = 3600 };

unsigned http_retry_after_ms(const struct http_response *r, int64_t now)
{
	const char *value = http_response_header(r, "retry-after");
	int64_t until = 0;
	char *end;
	long seconds;

	if (!value)
		return 0;
	seconds = strtol(value, &end, 10);
	if (*end && isotime_parse_http(&until, value) == 0)
		seconds = (long)(until - now);
	else if (*end)
		err_clear();
	if (seconds <= 0)
		return 0;
	return seconds > LONGEST_S ? LONGEST_S * 1000 : (unsigned)seconds * 1000;
}
