/*
 * HTTP requests, against a server of a few lines in a thread of this program: what arrives there,
 * what comes back, what is too much, and when it is given up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "tests/unit/http_peer.h"
#include "transfer/http/http.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* ---- helpers ---- */

static struct http *http;
static struct http_response got;
static char url[256];

static const char *at(const char *path)
{
	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
	return url;
}

static int open_http(void **state)
{
	const struct http_options o = {.stall_ms = 300, .connect_ms = 2000};

	(void)state;
	return http_new(&http, &o);
}

static int close_http(void **state)
{
	(void)state;
	http_response_release(&got);
	http_free(http);
	return 0;
}

static int get(const char *path, size_t max)
{
	const struct http_request q = {.method = "GET", .url = at(path), .max = max};

	return http_perform(http, &q, &got);
}

/* ---- tests ---- */

static void arrives_as_it_was_said(void **state)
{
	struct strvec headers = STRVEC_INIT;
	struct http_request q = {.method = "PUT",
		.url = at("/echo?a=b%20c"),
		.headers = &headers,
		.data = "the body",
		.len = 8,
		.max = 4096};

	(void)state;
	strvec_pushl(&headers, "X-One: 1", "x-two: two words", NULL);
	assert_int_equal(http_perform(http, &q, &got), 0);
	assert_int_equal(got.status, 200);
	assert_non_null(strstr(got.body.p, "PUT /echo?a=b%20c HTTP/1.1\r\n"));
	assert_non_null(strstr(got.body.p, "\r\nX-One: 1\r\n"));
	assert_non_null(strstr(got.body.p, "\r\nx-two: two words\r\n"));
	assert_non_null(strstr(got.body.p, "\r\n\r\nthe body"));
	assert_null(strcasestr(got.body.p, "expect:"));
	assert_null(strcasestr(got.body.p, "accept-encoding:"));
	assert_int_equal(got.received, got.body.len);
	assert_string_equal(http_response_header(&got, "x-odd"), "spaced");
	assert_null(http_response_header(&got, "x-od"));
	strvec_release(&headers);
}

static void body_from_a_part_of_a_file(void **state)
{
	FILE *f = tmpfile();
	struct http_request q = {
		.method = "PUT", .url = at("/echo"), .offset = 3, .len = 4, .max = 4096};

	(void)state;
	assert_non_null(f);
	fputs("abcdefghij", f);
	fflush(f);
	q.fd = fileno(f);
	assert_int_equal(http_perform(http, &q, &got), 0);
	assert_non_null(strstr(got.body.p, "\r\n\r\ndefg"));
	assert_string_equal(strstr(got.body.p, "\r\n\r\n") + 4, "defg");
	q.len = 100; /* more than there is */
	assert_int_equal(http_perform(http, &q, &got), ERR_INVALID);
	assert_non_null(strstr(err_msg(), "shorter"));
	fclose(f);
}

struct said {
	int times, back;
	uint64_t last;
};

static void note_sent(uint64_t bytes, void *data)
{
	struct said *s = data;

	s->times++;
	s->back += bytes < s->last;
	s->last = bytes;
}

/* The server reads byte by byte. */
static void how_much_is_sent(void **state)
{
	enum { LEN = 4 * 1024 * 1024 };
	const struct http_options o = {.stall_ms = 30000};
	struct http *patient = NULL;
	struct said said = {0};
	char *body = calloc(1, LEN);
	struct http_request q = {.method = "PUT",
		.url = at("/missing"),
		.data = body,
		.len = LEN,
		.sent = note_sent,
		.sent_data = &said};

	(void)state;
	assert_non_null(body);
	assert_int_equal(http_new(&patient, &o), 0);
	assert_int_equal(http_perform(patient, &q, &got), 0);
	assert_int_equal(got.status, 404);
	assert_in_range(said.times, 2, 1000);
	assert_int_equal(said.back, 0);
	assert_in_range(said.last, 1, LEN);
	http_free(patient);
	free(body);
}

static void head_and_delete(void **state)
{
	struct http_request q = {.method = "HEAD", .url = at("/echo")};

	(void)state;
	assert_int_equal(http_perform(http, &q, &got), 0);
	assert_int_equal(got.received, 0);
	assert_non_null(http_response_header(&got, "content-length"));
	q.method = "DELETE";
	q.max = 4096;
	assert_int_equal(http_perform(http, &q, &got), 0);
	assert_non_null(strstr(got.body.p, "DELETE /echo HTTP/1.1\r\n"));
}

static void into_memory_and_never_more(void **state)
{
	char into[5] = "????";
	struct http_request q = {.method = "GET", .url = at("/keep"), .into = into, .max = 4};

	(void)state;
	assert_int_equal(http_perform(http, &q, &got), 0);
	assert_int_equal(got.received, 4);
	assert_string_equal(into, "kept");
	q.max = 3;
	memcpy(into, "????", 5);
	assert_int_equal(http_perform(http, &q, &got), ERR_LIMIT);
	assert_int_equal(into[3], '?');
	assert_non_null(strstr(err_msg(), "more than the 3 bytes"));
	assert_int_equal(get("/keep", 3), ERR_LIMIT);
}

static void other_statuses_are_answers(void **state)
{
	(void)state;
	assert_int_equal(get("/missing", 0), 0);
	assert_int_equal(got.status, 404);
	assert_string_equal(got.body.p, "where");
	assert_int_equal(get("/redirect", 4096), 0);
	assert_int_equal(got.status, 302);
	assert_string_equal(http_response_header(&got, "location"), "/echo");
	assert_int_equal(get("/gzip", 4096), 0);
	assert_string_equal(got.body.p, "nope");
}

static void what_never_ends_does(void **state)
{
	(void)state;
	assert_int_equal(get("/headers", 4096), ERR_LIMIT);
	assert_non_null(strstr(err_msg(), "headers"));
	assert_int_equal(get("/endless-error", 10), ERR_LIMIT);
	assert_int_equal(got.status, 500);
	assert_int_equal(got.body.len, HTTP_ERROR_BODY_MAX);
}

/* ---- into a sink ---- */

struct taken {
	size_t bytes;
	int begun, wrong;
	int slow;	/* at the first piece */
	size_t refuse;	/* when so many bytes are there; 0: never */
	size_t sent_up; /* what the server had got rid of after the slow piece */
};

static int take_headers(const struct http_response *r, void *data)
{
	struct taken *t = data;

	t->begun++;
	t->wrong += t->bytes != 0 || r->status != 200;
	return 0;
}

static int take_bytes(const void *p, size_t len, void *data)
{
	struct taken *t = data;
	const unsigned char *bytes = p;

	if (t->slow && t->bytes == 0) {
		usleep(700000); /* more than the time for silence */
		t->sent_up = __atomic_load_n(&sent, __ATOMIC_SEQ_CST);
	}
	for (size_t i = 0; i < len; i++)
		t->wrong += bytes[i] != large_byte(t->bytes + i);
	t->bytes += len;
	if (t->refuse && t->bytes >= t->refuse)
		return err_set(ERR_CHANGED, "enough");
	return 0;
}

static struct http_request into_sink(const char *path, struct taken *t)
{
	return (struct http_request){.method = "GET",
		.url = at(path),
		.begin = take_headers,
		.sink = take_bytes,
		.sink_data = t};
}

static void a_sink_has_all_of_it(void **state)
{
	struct taken t = {0};
	struct http_request q = into_sink("/large", &t);

	(void)state;
	assert_int_equal(http_perform(http, &q, &got), 0);
	assert_int_equal(t.bytes, LARGE);
	assert_int_equal(t.begun, 1);
	assert_int_equal(t.wrong, 0);
	assert_int_equal(got.received, LARGE);
	assert_int_equal(got.body.len, 0);
}

static void the_server_waits_for_a_slow_sink(void **state)
{
	struct taken t = {.slow = 1}, other = {0};
	struct http_request q = into_sink("/large", &t);

	(void)state;
	assert_int_equal(http_perform(http, &q, &got), 0);
	assert_int_equal(t.bytes, LARGE);
	assert_int_equal(t.wrong, 0);
	assert_in_range(t.sent_up, 0, LARGE - 1); /* what is in between has an end */
	q = into_sink("/large", &other);
	assert_int_equal(http_perform(http, &q, &got), 0);
	assert_int_equal(other.bytes, LARGE);
}

static void a_sink_may_refuse(void **state)
{
	struct taken t = {.refuse = HALF_WAY};
	struct http_request q = into_sink("/large", &t);

	(void)state;
	assert_int_equal(http_perform(http, &q, &got), ERR_CHANGED);
	assert_string_equal(err_msg(), "enough");
	assert_in_range(t.bytes, HALF_WAY, LARGE - 1);
	assert_int_equal(t.wrong, 0);
}

static void a_sink_has_a_limit(void **state)
{
	struct taken t = {0};
	struct http_request q = into_sink("/large", &t);

	(void)state;
	q.max = HALF_WAY;
	assert_int_equal(http_perform(http, &q, &got), ERR_LIMIT);
	assert_in_range(t.bytes, 0, HALF_WAY);
}

static void a_sink_has_what_came_before_the_end(void **state)
{
	struct taken t = {0};
	struct http_request q = into_sink("/short", &t);

	(void)state;
	assert_int_equal(http_perform(http, &q, &got), ERR_REMOTE);
	assert_int_equal(t.bytes, strlen("only this"));
	assert_int_equal(t.begun, 1);
}

static void other_statuses_are_not_for_a_sink(void **state)
{
	struct taken t = {0};
	struct http_request q = into_sink("/missing", &t);

	(void)state;
	assert_int_equal(http_perform(http, &q, &got), 0);
	assert_string_equal(got.body.p, "where");
	assert_int_equal(t.begun, 0);
	assert_int_equal(t.bytes, 0);
}

static void broken_answers(void **state)
{
	(void)state;
	assert_int_equal(get("/short", 4096), ERR_REMOTE);
	assert_int_equal(got.status, 200);
	assert_int_equal(get("/nothing", 4096), ERR_REMOTE);
	assert_true(got.connected);
	assert_int_equal(get("/garbage", 4096), ERR_REMOTE);
	assert_non_null(strstr(err_msg(), "127.0.0.1"));
}

static void silence_ends(void **state)
{
	(void)state;
	assert_int_equal(get("/silent", 4096), ERR_REMOTE);
	assert_non_null(strstr(err_msg(), "no answer"));
}

static void a_time_for_all_of_it(void **state)
{
	struct http_request q = {.method = "GET", .url = at("/silent"), .timeout_ms = 100};

	(void)state;
	assert_int_equal(http_perform(http, &q, &got), ERR_REMOTE);
	assert_non_null(strstr(err_msg(), "within 0.1 s"));
}

static void nobody_there(void **state)
{
	struct http_request q = {.method = "GET", .url = "http://127.0.0.1:1/"};

	(void)state;
	assert_int_equal(http_perform(http, &q, &got), ERR_REMOTE);
	assert_non_null(strstr(err_msg(), "127.0.0.1:1: cannot connect"));
	assert_false(got.connected);
	q.url = "file:///etc/passwd";
	assert_int_equal(http_perform(http, &q, &got), ERR_INVALID);
	q.url = "http://";
	assert_int_equal(http_perform(http, &q, &got), ERR_INVALID);
	q.url = "http://no-such-host.invalid/";
	assert_int_equal(http_perform(http, &q, &got), ERR_REMOTE);
	assert_non_null(strstr(err_msg(), "no-such-host.invalid"));
}

/* Nobody's fault that would pass: it is not to be tried again. */
static void a_proxy_wants_a_login(void **state)
{
	char proxy[64];
	const struct http_options o = {.stall_ms = 300, .connect_ms = 2000, .proxy = proxy};
	const struct http_request q = {.method = "GET", .url = "https://example.com/", .max = 10};

	(void)state;
	http_free(http);
	snprintf(proxy, sizeof(proxy), "http://me:wrong@127.0.0.1:%d", port);
	assert_int_equal(http_new(&http, &o), 0);
	assert_int_equal(http_perform(http, &q, &got), ERR_DENIED);
	assert_non_null(strstr(err_msg(), "http.proxy"));
	assert_null(strstr(err_msg(), "wrong"));
}

static volatile int stop;

static void *stop_soon(void *data)
{
	(void)data;
	usleep(30000);
	stop = 1;
	return NULL;
}

static void stops_when_asked(void **state)
{
	struct http_request q = {.method = "GET", .url = at("/silent"), .stop = &stop};
	pthread_t t;

	(void)state;
	stop = 0;
	assert_int_equal(pthread_create(&t, NULL, stop_soon, NULL), 0);
	assert_int_equal(http_perform(http, &q, &got), ERR_INTERRUPTED);
	pthread_join(t, NULL);
	assert_int_equal(http_perform(http, &q, &got), ERR_INTERRUPTED); /* at once */
}

static void *many_requests(void *data)
{
	struct http_response r = {0};
	char where[256];
	struct http_request q = {.method = "GET", .url = where, .max = 10};
	intptr_t failed = 0;

	(void)data;
	snprintf(where, sizeof(where), "http://127.0.0.1:%d/keep", port);
	for (int i = 0; i < 200; i++)
		if (http_perform(http, &q, &r) != 0 || strcmp(buf_str(&r.body), "kept") != 0)
			failed++;
	http_response_release(&r);
	return (void *)failed;
}

static void threads_share_connections(void **state)
{
	enum { THREADS = 16 };
	pthread_t t[THREADS];
	void *failed;
	int before = connections;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, many_requests, NULL), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], &failed);
		assert_null(failed);
	}
	assert_in_range(connections - before, 0, 4 * THREADS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_http, close_http)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(arrives_as_it_was_said),
		TEST(body_from_a_part_of_a_file),
		TEST(how_much_is_sent),
		TEST(head_and_delete),
		TEST(into_memory_and_never_more),
		TEST(other_statuses_are_answers),
		TEST(what_never_ends_does),
		TEST(a_sink_has_all_of_it),
		TEST(the_server_waits_for_a_slow_sink),
		TEST(a_sink_may_refuse),
		TEST(a_sink_has_a_limit),
		TEST(a_sink_has_what_came_before_the_end),
		TEST(other_statuses_are_not_for_a_sink),
		TEST(broken_answers),
		TEST(silence_ends),
		TEST(a_time_for_all_of_it),
		TEST(nobody_there),
		TEST(stops_when_asked),
		TEST(a_proxy_wants_a_login),
		TEST(threads_share_connections),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
