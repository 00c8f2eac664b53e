/*
 * Any bytes as a configuration file, as a file of the tree, and as a configuration snapshot: never
 * a crash, keys always with lower-case section and name, and from the tree nothing but what the
 * allow-list has.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/gitvalue.h"
#include "lib/setup/gitconf.h"
#include "lib/setup/intree.h"
#include "lib/setup/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static int check_setting(const char *key, const char *value, void *data)
{
	const char *name = strrchr(key, '.');
	long long n;

	(void)data;
	for (const char *p = key; *p && *p != '.'; p++)
		require(!isupper((unsigned char)*p));
	for (name = name ? name + 1 : key; *name; name++)
		require(islower((unsigned char)*name) || isdigit((unsigned char)*name) ||
			*name == '-');
	gitvalue_bool(value, 1);
	gitvalue_int(&n, value);
	return 0;
}

static void check_tree(const char *file, const char *text, size_t size)
{
	struct strvec pairs = STRVEC_INIT;
	struct buf refused = BUF_INIT;

	intree_parse(&pairs, &refused, file, text, size);
	require(pairs.n % 2 == 0);
	for (size_t i = 0; i < pairs.n; i += 2)
		require(strncmp(pairs.v[i], "dvx", 3) == 0 || strncmp(pairs.v[i], "lfs.", 4) == 0 ||
			strncmp(pairs.v[i], "remote.", 7) == 0);
	for (size_t i = 0; i < refused.len; i++)
		require((unsigned char)refused.p[i] >= 0x20);
	strvec_release(&pairs);
	buf_release(&refused);
}

static void check_snapshot(const struct buf *text)
{
	struct snapshot_view v;

	if (snapshot_parse(&v, text) < 0)
		return;
	for (size_t i = 0; i < v.n_pairs; i++)
		require(v.pairs[i].key && v.pairs[i].value &&
			strlen(v.pairs[i].key) + strlen(v.pairs[i].value) < text->len);
	free(v.pairs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT;

	require(buf_add(&text, data, size) == 0);
	gitconf_parse(text.p, text.len, "file", check_setting, NULL);
	check_tree(".dvxconfig", text.p, text.len);
	check_tree(".lfsconfig", text.p, text.len);
	check_snapshot(&text);
	buf_release(&text);
	return 0;
}
