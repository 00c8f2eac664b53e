/*
 * What rclone prints and what a URL of it says: an item has a path, a place can be written and
 * read again, an error is always one.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "transfer/rclone/rclone_text.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int ok)
{
	if (!ok)
		abort();
}

static void try_url(const char *text)
{
	struct rclone_place p, again;
	struct buf url = BUF_INIT;

	if (rclone_place_parse(&p, text) == 0) {
		must(*p.remote != '-' && *p.remote && !strpbrk(p.remote, ":,=/"));
		must(buf_addf(&url, "rclone://%s:%s", p.remote, p.path) == 0);
		must(rclone_place_parse(&again, url.p) == 0);
		must(strcmp(again.remote, p.remote) == 0 && strcmp(again.path, p.path) == 0);
		rclone_place_release(&again);
	}
	rclone_place_release(&p);
	buf_release(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct rclone_place place = {(char *)"r", (char *)"p"};
	char *text = malloc(len + 1);
	struct rclone_item item;
	int rc;

	must(text != NULL);
	memcpy(text, data, len);
	text[len] = '\0';
	rc = rclone_item_parse(&item, text, len);
	must((rc == 1) == (item.path != NULL));
	free(item.path);
	rc = rclone_class_parse(text, len);
	must(rc == ERR_CORRUPT || (rc >= RCLONE_WHOLE && rc <= RCLONE_IN_PLACE));
	must(rclone_failure(&place, "it", len ? data[0] : 1, text) < 0);
	try_url(text);
	free(text);
	return 0;
}
