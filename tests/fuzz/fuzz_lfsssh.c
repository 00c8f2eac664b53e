/*
 * Any bytes as Git LFS's SSH protocol, taken both as requests and as answers: never a crash, and
 * nothing that is larger than the protocol's limits.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/wire/lfsssh.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void try_head(const struct lfsssh_head *h)
{
	struct lfs_lock lock;
	const char *operand;
	uint64_t n;

	require(h->args.n <= LFSSSH_ARGS_MAX);
	lfsssh_command_parse(&operand, h->line);
	require(strlen(operand) <= strlen(h->line));
	if (lfsssh_arg_number(&n, h, "size") == 1)
		require(n <= INT64_MAX);
	if (lfsssh_lock_parse(&lock, h) == 0)
		require(lock.id && lock.path);
	lfs_lock_release(&lock);
}

/* A line of a body as an object, and as a part of a listing. */
static int try_line(struct lfsssh_listing *l, char *line)
{
	struct lfsssh_object o;
	char *copy = strdup(line);

	require(copy != NULL);
	if (lfsssh_object_parse(&o, copy, line[0] & 1) == 0)
		require(o.size <= INT64_MAX);
	free(copy);
	return lfsssh_listing_line(l, line);
}

static int try_body(struct pkt_reader *r, int as_data)
{
	struct lfs_lock_page page = {.next_cursor = NULL};
	struct lfsssh_listing l = {.page = &page};
	struct buf line = BUF_INIT;
	int rc, listed = 0;

	if (as_data)
		return lfsssh_body_skip(r);
	while ((rc = lfsssh_body_line(r, &line)) == 1)
		if (listed == 0)
			listed = try_line(&l, line.p);
	if (rc == 0 && listed == 0)
		lfsssh_listing_end(&l);
	lfsssh_listing_release(&l);
	lfs_lock_page_release(&page);
	buf_release(&line);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("messages", MFD_CLOEXEC), rc = 0;
	struct lfsssh_head h;
	struct pkt_reader r;

	require(fd >= 0 && fs_write_full(fd, data, size) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	require(pkt_reader_init(&r, fd) == 0);
	while (rc == 0 && lfsssh_head_read(&h, &r) == 1) {
		try_head(&h);
		if (h.has_body)
			rc = try_body(&r, lfsssh_status_parse(h.line) < 0);
		lfsssh_head_release(&h);
	}
	pkt_reader_release(&r);
	close(fd);
	return 0;
}
