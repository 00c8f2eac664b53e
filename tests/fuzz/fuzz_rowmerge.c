/*
 * Any bytes as three tables, divided by lines "%%"; the first byte says which format.  Nothing is
 * read outside of them, and what one side alone changed is what comes out.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/table/rowmerge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static struct rows_file file_of(const char *text, size_t len)
{
	struct rows_file f = {
		.name = "table", .fd = memfd_create("table", MFD_CLOEXEC), .size = len};

	require(f.fd >= 0 && fs_write_full(f.fd, text, len) == 0);
	return f;
}

static int take(const void *p, size_t len, void *data)
{
	return buf_add(data, p, len);
}

static int count(const struct rowmerge_conflict *c, void *data)
{
	(void)data;
	require(c->key != NULL && (c->base != NULL || c->ours != NULL || c->theirs != NULL));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum rows_format formats[] = {ROWS_CSV, ROWS_TSV, ROWS_JSONL};
	struct rowmerge_options o = {.rows.memory = 4096};
	const char *p = (const char *)data + 1;
	struct rows_file f[ROWMERGE_SIDES], idle[ROWMERGE_SIDES];
	struct rowmerge_result r;
	struct buf out = BUF_INIT;
	const struct rowmerge_sink sink = {take, count, &out};
	enum rows_format format;

	if (size < 1)
		return 0;
	format = formats[data[0] % 3];
	o.rows.key = data[0] & 4 ? "id" : NULL;
	size--;
	for (int i = 0; i < 3; i++) {
		const char *next = i < 2 ? memmem(p, size, "%%\n", 3) : NULL;
		const size_t len = next != NULL ? (size_t)(next - p) : size;

		f[i] = file_of(p, len);
		p = next != NULL ? next + 3 : p + len;
		size -= next != NULL ? len + 3 : len;
	}
	(void)rowmerge_run(&r, f, format, &o, &sink);
	rowmerge_result_release(&r);
	buf_reset(&out);
	memcpy(idle, f, sizeof idle);
	idle[ROWMERGE_THEIRS] = f[ROWMERGE_BASE];
	/* theirs did nothing: ours comes out, byte for byte */
	if (rowmerge_run(&r, idle, format, &o, &sink) == 0 && r.outcome != ROWMERGE_UNMERGEABLE) {
		struct buf ours = BUF_INIT;

		require(r.outcome == ROWMERGE_MERGED);
		require(lseek(f[1].fd, 0, SEEK_SET) == 0 && buf_read_fd(&ours, f[1].fd) == 0);
		require(ours.len == out.len && memcmp(buf_str(&ours), buf_str(&out), out.len) == 0);
		buf_release(&ours);
	}
	rowmerge_result_release(&r);
	for (int i = 0; i < 3; i++)
		close(f[i].fd);
	buf_release(&out);
	return 0;
}
