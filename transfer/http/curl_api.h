/*
 * libcurl (version 7.68 or later, any 4th ABI), loaded when first needed: linking it would cost
 * every start of git-dvx-transfer some 5 ms, and mix its shared libcrypto with our static one.
 * Only transfer/http*.c use this.
 */
#ifndef TRANSFER_CURL_API_H
#define TRANSFER_CURL_API_H

#include <curl/curl.h>

/* The functions that we call, under their names without "curl_". */
struct curl_api {
	CURLcode (*global_init)(long flags);
	curl_version_info_data *(*version_info)(CURLversion);
	CURL *(*easy_init)(void);
	CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
	CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
	CURLcode (*easy_pause)(CURL *, int what);
	void (*easy_reset)(CURL *);
	void (*easy_cleanup)(CURL *);
	const char *(*easy_strerror)(CURLcode);
	struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
	void (*slist_free_all)(struct curl_slist *);
	CURLM *(*multi_init)(void);
	CURLMcode (*multi_setopt)(CURLM *, CURLMoption, ...);
	CURLMcode (*multi_cleanup)(CURLM *);
	CURLMcode (*multi_add_handle)(CURLM *, CURL *);
	CURLMcode (*multi_remove_handle)(CURLM *, CURL *);
	CURLMcode (*multi_perform)(CURLM *, int *running);
	CURLMcode (*multi_poll)(CURLM *, struct curl_waitfd *, unsigned n, int ms, int *ready);
	CURLMcode (*multi_wakeup)(CURLM *);
	CURLMsg *(*multi_info_read)(CURLM *, int *left);
};

/* Load it, once for the process; it stays.  0; ERR_UNSUPPORTED when it is not there or too old,
 * with what to install. */
int curl_api_load(const struct curl_api **out);

#endif
