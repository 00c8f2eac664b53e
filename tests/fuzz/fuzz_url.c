/*
 * Any bytes as a URL, as a line of arguments, and to be decoded: never a crash; a URL that is taken
 * apart has a host that no program mistakes for an option, nothing in it breaks a line, and it is
 * the same when it is put together and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/url.h"
#include "lib/base/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void no_control(const char *text)
{
	for (; text && *text; text++)
		require((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void check_url(const char *text)
{
	struct url u, again;
	struct buf whole = BUF_INIT;

	if (url_parse(&u, text) < 0)
		return;
	require(*u.host && *u.host != '-' && *u.scheme);
	no_control(u.scheme);
	no_control(u.user);
	no_control(u.password);
	no_control(u.host);
	no_control(u.port);
	no_control(u.path);
	require(!strpbrk(u.host, "/@ ?#\\"));
	require(!*u.path || *u.path == '/' || *u.path == '?');
	require(url_format(&whole, &u) == 0 && url_parse(&again, whole.p) == 0);
	require(url_same_origin(&u, &again) && strcmp(u.path, again.path) == 0);
	require(!again.user && !again.password);
	url_release(&u);
	url_release(&again);
	buf_release(&whole);
}

static void check_words(const char *text)
{
	struct strvec words = STRVEC_INIT;

	if (words_split(&words, text) == 0)
		for (size_t i = 0; i < words.n; i++)
			require(words.v[i] != NULL);
	strvec_release(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct buf decoded = BUF_INIT;
	struct url pattern;

	require(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	check_url(text);
	if (url_parse_pattern(&pattern, text) == 0)
		url_release(&pattern);
	check_words(text);
	if (url_decode(&decoded, text, size) == 0)
		require(decoded.len <= size);
	buf_release(&decoded);
	free(text);
	return 0;
}
