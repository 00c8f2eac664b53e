/*
 * The floor of every filter-process: speaks Git's protocol as fast as possible, reads the content
 * and throws it away, and answers with a made-up pointer.  For tests/perf/bench.sh only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char in[1 << 20];
static size_t have, at;

static void need(size_t n)
{
	while (have - at < n) {
		ssize_t got;

		if (at) {
			memmove(in, in + at, have - at);
			have -= at;
			at = 0;
		}
		got = read(0, in + have, sizeof in - have);
		if (got <= 0)
			exit(0);
		have += (size_t)got;
	}
}

/* Length of the packet's payload, -1 for a flush. */
static long packet(char **data)
{
	char hex[5] = {0};
	long len;

	need(4);
	memcpy(hex, in + at, 4);
	at += 4;
	len = strtol(hex, NULL, 16);
	if (len == 0)
		return -1;
	need((size_t)len - 4);
	*data = in + at;
	at += (size_t)len - 4;
	return len - 4;
}

static void skip(void)
{
	char *data;

	while (packet(&data) >= 0)
		;
}

static void say(const char *s)
{
	if (write(1, s, strlen(s)) < 0)
		exit(1);
}

int main(void)
{
	skip();
	say("0016git-filter-server\n000eversion=2\n0000");
	skip();
	say("0015capability=clean\n0000");
	for (unsigned n = 0;; n++) {
		char answer[256];

		skip();
		skip();
		/* Another pointer each time: Git shall write as many objects as with a real filter.
		 */
		snprintf(answer, sizeof answer,
			"0013status=success\n00000082version https://git-lfs.github.com/spec/v1\n"
			"oid sha256:%064x\nsize 1\n00000000",
			n);
		say(answer);
	}
}
