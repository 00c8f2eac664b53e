/*
 * Times of the local store beside what they can be compared with; the figures of
 * docs/performance.md come from the whole programs, this one is for work on the store.  Usage:
 * bench_store DIRECTORY [MIB] (an empty one; 1024).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/store.h"

enum { MIB = 1 << 20, SMALL = 20000, ROUNDS = 3, LEAST = 32 };

struct moment {
	double wall,
		cpu; /* seconds; of the processor: all threads, which a busy machine changes less */
};

static struct moment now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (struct moment){
		(double)fs_now_ns() / 1e9, (double)ts.tv_sec + (double)ts.tv_nsec / 1e9};
}

static void tell(const char *what, struct moment since, double scale, const char *unit)
{
	struct moment t = now();

	printf("%-14s %9.2f %-8s (cpu %9.2f)\n", what, (t.wall - since.wall) * scale, unit,
		(t.cpu - since.cpu) * scale);
}

static void must(int rc)
{
	if (rc < 0) {
		fprintf(stderr, "error: %s\n", err_msg());
		exit(1);
	}
}

static uint8_t *noise(size_t len)
{
	uint64_t x = 88172645463325252u;
	uint64_t *p = malloc(len);

	for (size_t i = 0; p && i < len / 8; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = x;
	}
	return (uint8_t *)p;
}

static struct store *open_store(struct gitdir *g, struct config *c)
{
	struct store *s;

	must(store_open(&s, g, c));
	return s;
}

static void put_all(struct store *s, const uint8_t *data, struct oid *oids)
{
	for (size_t i = 0; i < SMALL; i++)
		must(store_put(s, data + i * 1000, 600 + i % 400, &oids[i]));
}

static void bench_small(struct gitdir *g, struct config *c, const uint8_t *data)
{
	struct oid *oids = calloc(SMALL, sizeof *oids);
	struct store *s = open_store(g, c);
	struct buf out = BUF_INIT;
	struct moment t = now();

	put_all(s, data, oids);
	tell("put small", t, 1e6 / SMALL, "us each");
	t = now();
	put_all(s, data, oids);
	tell("put again", t, 1e6 / SMALL, "us each");
	t = now();
	store_close(s);
	tell("close", t, 1e3, "ms");
	t = now();
	s = open_store(g, c);
	(void)store_has(s, &oids[17], 617);
	tell("open, ask one", t, 1e3, "ms");
	t = now();
	for (size_t i = 0; i < SMALL; i++) {
		buf_reset(&out);
		must(store_read(s, &oids[i], 600 + i % 400, &out));
	}
	tell("read small", t, 1e6 / SMALL, "us each");
	t = now();
	must(store_sync(s, oids, SMALL));
	tell("sync small", t, 1e3, "ms");
	store_close(s);
	buf_release(&out);
	free(oids);
}

static void do_hash(const uint8_t *data, size_t len)
{
	struct moment t = now();
	struct oid oid;

	oid_of(&oid, data, len);
	tell("sha-256", t, 1e3, "ms");
}

static void do_write(const char *path, const uint8_t *data, size_t len)
{
	struct moment t = now();
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	for (size_t at = 0; at < len; at += MIB)
		must(fs_write_full(fd, data + at, MIB));
	close(fd);
	tell("write", t, 1e3, "ms");
	unlink(path);
}

static void do_cp(const char *from, const char *to)
{
	struct buf command = BUF_INIT;
	struct moment t = now();

	must(buf_addf(&command, "cp '%s' '%s'", from, to));
	if (system(command.p) != 0)
		exit(1);
	tell("cp", t, 1e3, "ms");
	unlink(to);
	buf_release(&command);
}

static void do_writer(struct store *s, const uint8_t *data, size_t len, struct oid *oid)
{
	struct moment t = now();
	struct store_writer *w;
	uint64_t size;

	must(store_writer_new(&w, s, -1));
	for (size_t at = 0; at < len; at += 64 * 1024)
		must(store_writer_add(w, data + at, 64 * 1024));
	must(store_writer_finish(w, NULL, oid, &size));
	store_writer_free(w);
	tell("writer", t, 1e3, "ms");
}

static void do_place(struct store *s, const struct oid *oid, size_t len, const char *path)
{
	struct moment t = now();
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	must(store_place(s, oid, len, fd));
	close(fd);
	tell("place", t, 1e3, "ms");
}

static void do_put_file(struct store *s, const char *path, struct oid *oid)
{
	struct moment t = now();
	int fd = open(path, O_RDONLY);
	uint64_t size;

	must(store_put_file(s, fd, NULL, oid, &size));
	close(fd);
	tell("put_file", t, 1e3, "ms");
}

static void bench_large(struct gitdir *g, struct config *c, uint8_t *data, size_t len)
{
	struct store *s = open_store(g, c);
	struct buf file = BUF_INIT, whole = BUF_INIT;
	struct oid oid;

	must(buf_addf(&file, "%s/file", g->worktree));
	for (int i = 0; i < ROUNDS; i++) {
		data[0]++;
		do_hash(data, len);
		do_write(file.p, data, len);
		do_writer(s, data, len, &oid);
		buf_reset(&whole);
		(void)store_whole_path(s, &oid, len, &whole);
		do_cp(whole.p, file.p);
		do_place(s, &oid, len, file.p);
		unlink(whole.p);
		do_put_file(s, file.p, &oid);
		unlink(whole.p);
		unlink(file.p);
	}
	store_close(s);
	buf_release(&file);
	buf_release(&whole);
}

int main(int argc, char **argv)
{
	size_t mib = argc > 2 ? strtoul(argv[2], NULL, 10) : 1024;
	size_t len = (mib < LEAST ? LEAST : mib) * MIB;
	struct buf git = BUF_INIT, dvx = BUF_INIT;
	struct gitdir g = {0};
	struct config *c;
	uint8_t *data;

	if (argc < 2)
		return 1;
	must(buf_addf(&git, "%s/.git", argv[1]));
	must(buf_addf(&dvx, "%s/.git/dvx", argv[1]));
	g.git_dir = g.common_dir = git.p;
	g.dvx_dir = dvx.p;
	g.worktree = argv[1];
	g.index = g.prefix = git.p;
	must(config_load(&c, &g));
	data = noise(len);
	if (!data)
		return 1;
	bench_small(&g, c, data);
	bench_large(&g, c, data, len);
	config_free(c);
	free(data);
	buf_release(&git);
	buf_release(&dvx);
	return 0;
}
