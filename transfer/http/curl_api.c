/*
 * Loading libcurl.  The library is found by its soname, as the dynamic loader would; each function
 * that we use is looked up by name, and one that is missing means a library older than we need.
 */
#include "transfer/http/curl_api.h"
#include "lib/base/err.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define INSTALL "install libcurl 7.68 or later (Debian: apt install libcurl4)"

static struct curl_api api;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char failure[512]; /* "" when it is loaded */

#define FUNCTION(name)                                                                             \
	{                                                                                          \
		"curl_" #name, offsetof(struct curl_api, name)                                     \
	}

static const struct {
	const char *name;
	size_t at;
} functions[] = {
	FUNCTION(global_init),
	FUNCTION(version_info),
	FUNCTION(easy_init),
	FUNCTION(easy_setopt),
	FUNCTION(easy_getinfo),
	FUNCTION(easy_pause),
	FUNCTION(easy_reset),
	FUNCTION(easy_cleanup),
	FUNCTION(easy_strerror),
	FUNCTION(slist_append),
	FUNCTION(slist_free_all),
	FUNCTION(multi_init),
	FUNCTION(multi_setopt),
	FUNCTION(multi_cleanup),
	FUNCTION(multi_add_handle),
	FUNCTION(multi_remove_handle),
	FUNCTION(multi_perform),
	FUNCTION(multi_poll),
	FUNCTION(multi_wakeup),
	FUNCTION(multi_info_read),
};

static void load(void)
{
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	void *function;

	if (!library) {
		snprintf(failure, sizeof(failure), "cannot load libcurl: %.300s; " INSTALL,
			dlerror());
		return;
	}
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		function = dlsym(library, functions[i].name);
		if (!function) {
			snprintf(failure, sizeof(failure),
				"the installed libcurl has no '%s': it is too old; " INSTALL,
				functions[i].name);
			return;
		}
		memcpy((char *)&api + functions[i].at, &function, sizeof(function));
	}
	if (api.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		snprintf(failure, sizeof(failure), "libcurl cannot be initialised; " INSTALL);
}

int curl_api_load(const struct curl_api **out)
{
	pthread_once(&once, load);
	*out = &api;
	return failure[0] ? err_set(ERR_UNSUPPORTED, "%s", failure) : 0;
}
