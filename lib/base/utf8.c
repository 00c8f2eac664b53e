/*
 * The table of RFC 3629, section 4: overlong forms, surrogates and what lies above U+10FFFF are no
 * UTF-8.
 */
#include "lib/base/utf8.h"

size_t utf8_len(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n = p[0] < 0x80	 ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;

	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0; /* also at the end of the string */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

int utf8_valid(const char *text)
{
	while (*text) {
		size_t n = utf8_len(text);

		if (!n)
			return 0;
		text += n;
	}
	return 1;
}

int utf8_add(struct buf *out, const char *text)
{
	int rc = 0;

	while (rc == 0 && *text) {
		size_t n = utf8_len(text);

		rc = n ? buf_add(out, text, n) : buf_addstr(out, "\xef\xbf\xbd");
		text += n ? n : 1;
	}
	return rc;
}
