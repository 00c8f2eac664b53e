/*
 * What libcurl's results mean to a person: which host, what happened, what to do about it.
 */
#include "transfer/http/http_internal.h"
#include "lib/base/err.h"

#include <string.h>

/* Values of CURLINFO_SSL_VERIFYRESULT: X509_V_ERR_… of <openssl/x509_vfy.h>, that is not ours to
 * link with. */
enum {
	NOT_ASKED = 1,
	X509_NOT_YET = 9,
	X509_EXPIRED = 10,
	X509_SELF = 18,
	X509_SELF_CA = 19,
	X509_UNKNOWN_CA = 20
};

/* "host[:port]" of a URL; the longest name is of 255 bytes. */
static void host_of(char out[static 300], const char *url)
{
	const char *host = strstr(url, "://");
	const char *at;
	size_t len;

	host = host ? host + 3 : url;
	len = strcspn(host, "/?#");
	at = memchr(host, '@', len);
	if (at) {
		len -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	if (len > 299)
		len = 299;
	memcpy(out, host, len);
	out[len] = '\0';
}

static int certificate(const struct http_job *job, const struct http_settings *s, const char *host)
{
	const char *mend = s->ca_hint ? s->ca_hint : "git config http.sslCAInfo <file>";
	long why = 0;

	job->curl->easy_getinfo(job->easy, CURLINFO_SSL_VERIFYRESULT, &why);
	switch (why) {
	case X509_EXPIRED:
		return err_set(ERR_DENIED,
			"%s: its certificate has expired; ask whoever runs it to renew it (or is "
			"the clock of this machine wrong?)",
			host);
	case X509_NOT_YET:
		return err_set(ERR_DENIED,
			"%s: its certificate is not valid yet; is the clock of this machine wrong?",
			host);
	case X509_SELF:
	case X509_SELF_CA:
		return err_set(ERR_DENIED,
			"%s: its certificate is self-signed, so that nobody vouches for it; if it "
			"is the right one, name the file that holds it: '%s'",
			host, mend);
	case 0:
	case NOT_ASKED: /* the name is looked at before the chain */
		return err_set(ERR_DENIED,
			"%s: its certificate is for another host (%s); correct the URL, or ask "
			"whoever runs it for a certificate with this name",
			host, job->error);
	default:
		return err_set(ERR_DENIED,
			"%s: its certificate is signed by an authority that this machine does not "
			"know (%s); name the file with that authority's certificate: '%s'",
			host, why == X509_UNKNOWN_CA ? "unknown issuer" : job->error, mend);
	}
}

/* The proxy of an https:// URL has refused to lead there. */
static int is_proxy_login(const struct http_job *job)
{
	long status = 0;

	job->curl->easy_getinfo(job->easy, CURLINFO_HTTP_CONNECTCODE, &status);
	return status == 407;
}

static int too_long(const struct http_job *job, const char *host)
{
	if (job->header_bytes > HTTP_HEADERS_MAX)
		return err_set(ERR_LIMIT, "%s: it answers with more than %d bytes of headers", host,
			HTTP_HEADERS_MAX);
	return err_set(ERR_LIMIT, "%s: it sends more than the %zu bytes that were expected", host,
		job->request->max);
}

static int unreadable_body(const struct http_job *job)
{
	if (job->file_error < 0)
		return err_set(ERR_INVALID, "a file got shorter while it was sent");
	return err_set(ERR_IO, "cannot read what is to be sent: %s", strerror(job->file_error));
}

static int from_curl(const struct http_job *job, const struct http_settings *s, const char *host)
{
	const char *detail = job->error[0] ? job->error : job->curl->easy_strerror(job->result);

	if (is_proxy_login(job))
		return err_set(ERR_DENIED,
			"%s: HTTP 407, the proxy wants other credentials; see 'git config "
			"http.proxy'",
			host);
	switch (job->result) {
	case CURLE_OUT_OF_MEMORY:
		return err_set(ERR_NOMEM, "out of memory");
	case CURLE_URL_MALFORMAT:
		return err_set(ERR_INVALID, "'%s' is no host of a URL", host);
	case CURLE_UNSUPPORTED_PROTOCOL: /* of the answer: ours was looked at before */
	case CURLE_WEIRD_SERVER_REPLY:
		return err_set(ERR_REMOTE,
			"%s: what it answers is not HTTP; does the URL name the right port?", host);
	case CURLE_COULDNT_RESOLVE_HOST:
		return err_set(ERR_REMOTE,
			"%s: no host of this name is found; check the spelling and the network",
			host);
	case CURLE_COULDNT_RESOLVE_PROXY:
		return err_set(ERR_REMOTE,
			"%s: the proxy's name is not found; check 'git config http.proxy' and "
			"https_proxy in the environment",
			host);
	case CURLE_COULDNT_CONNECT:
		return err_set(ERR_REMOTE, "%s: cannot connect (%s); is the server running?", host,
			detail);
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(ERR_REMOTE, "%s: no connection within %u s; check the network", host,
			s->connect_ms / 1000);
	case CURLE_PEER_FAILED_VERIFICATION:
		return certificate(job, s, host);
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(ERR_DENIED,
			"%s: no certificates can be read from '%s'; name another file: '%s'", host,
			s->ca ? s->ca : "the system's store",
			s->ca_hint ? s->ca_hint : "git config http.sslCAInfo <file>");
	case CURLE_SSL_CERTPROBLEM:
		return err_set(ERR_DENIED,
			"%s: your certificate '%s' and its key cannot be used; check "
			"'git config http.sslCert' and 'http.sslKey', and whether the key has a "
			"passphrase",
			host, s->cert ? s->cert : "(none)");
	case CURLE_SSL_CONNECT_ERROR:
		return err_set(ERR_REMOTE,
			"%s: no secure connection (%s); does it speak TLS 1.2 or later on this "
			"port? if it speaks none, its URL begins with http://",
			host, detail);
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return err_set(ERR_REMOTE, "%s: the connection broke (%s)", host, detail);
	default:
		return err_set(ERR_REMOTE, "%s: %s", host, detail);
	}
}

int http_job_verdict(const struct http_job *job, const struct http_settings *settings)
{
	char host[300];

	host_of(host, job->request->url);
	switch (job->end) {
	case HTTP_END_STOPPED:
		return err_set(ERR_INTERRUPTED, "interrupted");
	case HTTP_END_STALLED:
		return err_set(ERR_REMOTE, "%s: no answer for %u s; check the network", host,
			settings->stall_ms / 1000);
	case HTTP_END_TIMEOUT:
		return err_set(ERR_REMOTE, "%s: no answer within %u.%u s", host,
			job->request->timeout_ms / 1000, job->request->timeout_ms / 100 % 10);
	case HTTP_END_REFUSED: /* its own message is there */
	case HTTP_END_CURL:
		break;
	}
	if (job->result == CURLE_OK)
		return 0;
	if (job->too_long)
		return too_long(job, host);
	if (job->file_error)
		return unreadable_body(job);
	return from_curl(job, settings, host);
}
