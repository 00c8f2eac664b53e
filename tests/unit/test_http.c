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

#include "transfer/http/curl_api.c" /* programs have no archive to link against */
#include "transfer/http/http.c"
#include "transfer/http/http_error.c"
#include "transfer/http/http_job.c"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the server: each connection serves one request and closes, except below "/keep" ---- */

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

/* Returns 1 when the connection goes on. */
static int answer(int fd, const char *head, const struct buf *body)
{
	struct buf text = BUF_INIT;
	const char *path = strchr(head, ' ') + 1;
	int keep = 0;

	if (strncmp(path, "/echo", 5) == 0) {
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

static int set_up(void **state)
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
		TEST(head_and_delete),
		TEST(into_memory_and_never_more),
		TEST(other_statuses_are_answers),
		TEST(what_never_ends_does),
		TEST(broken_answers),
		TEST(silence_ends),
		TEST(a_time_for_all_of_it),
		TEST(nobody_there),
		TEST(stops_when_asked),
		TEST(threads_share_connections),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
