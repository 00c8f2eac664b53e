/*
 * Reading .npz archives: members, and what is refused.
 */
#include <stdio.h>

#include "tests/unit/tensor_files.h"

/* Member "w.npy" of these floats. */
static void add_floats(struct zip *z, const char *name, unsigned method, size_t n)
{
	static float v[1000];
	char header[128];
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < 1000; i++)
		v[i] = (float)i;
	snprintf(header, sizeof header,
		"{'descr': '<f4', 'fortran_order': False, 'shape': (%zu,), }\n", n);
	make_npy(&b, header, v, n * sizeof(*v));
	zip_add(z, name, method, b.p, b.len);
	buf_release(&b);
}

static void npz(void **state)
{
	struct zip z = {.n = 0};
	struct opened o;

	(void)state;
	add_floats(&z, "stored.npy", 0, 3);
	add_floats(&z, "deflated.npy", 8, 1000);
	zip_add(&z, "dir/", 0, "", 0);
	zip_add(&z, "dir/notes.txt", 8, "hello", 5);
	zip_end(&z);
	open_file(&o, "m.npz", &z.file);
	lists(&o, "deflated <f4 [1000] 1000 4000\ndir/notes.txt bytes [5] 5 5\nstored <f4 [3] 3 "
		  "12\n");
	close_file(&o);
	buf_release(&z.file);
	/* without any array */
	z = (struct zip){.n = 0};
	zip_end(&z);
	open_file(&o, "m.npz", &z.file);
	lists(&o, "");
	close_file(&o);
	buf_release(&z.file);
}

static void npz_refused(struct zip *z, int code, const char *message)
{
	zip_end(z);
	refused("m.npz", z->file.p, z->file.len, code, message);
	buf_release(&z->file);
	*z = (struct zip){.n = 0};
}

static void npz_damaged(void **state)
{
	struct zip z = {.n = 0};

	(void)state;
	refused("m.npz", "", 0, ERR_INVALID, "m.npz: the archive is damaged");
	refused("m.npz", "PK\3\4", 4, ERR_INVALID, "m.npz: the archive is damaged");
	add_floats(&z, "a.npy", 0, 3);
	add_floats(&z, "a.npy", 8, 3);
	npz_refused(&z, ERR_INVALID, "'a' is there twice");
	zip_add(&z, "a.npy", 8, "hello, I am no array", 20);
	npz_refused(&z, ERR_INVALID, "m.npz: a.npy: no .npy file");
	zip_add(&z, "a.npy", 0, "hello", 5);
	npz_refused(&z, ERR_INVALID, "m.npz: a.npy: no .npy file");
	/* more members than file: they would overlap */
	add_floats(&z, "a.npy", 0, 1000);
	assert_int_equal(buf_grow(&z.directory, 9 * 51), 0);
	for (int i = 0; i < 9; i++)
		assert_int_equal(buf_add(&z.directory, z.directory.p, 51), 0);
	z.n = 10;
	npz_refused(&z, ERR_INVALID, "larger than the file");
	/* more bytes than deflate can have packed */
	add_floats(&z, "a.npy", 8, 1000);
	z.file.p[25] = z.directory.p[27] = 0x70; /* of 4,000 bytes make 1.8 GB */
	npz_refused(&z, ERR_INVALID, "m.npz: a.npy: its sizes cannot be");
	add_floats(&z, "a.npy", 0, 1000);
	z.file.p[6] = z.directory.p[8] = 1;
	npz_refused(&z, ERR_UNSUPPORTED, "encrypted");
	add_floats(&z, "a.npy", 0, 1000);
	z.file.p[8] = z.directory.p[10] = 12;
	npz_refused(&z, ERR_UNSUPPORTED, "its kind of compression (12)");
}

static void any_damage(void **state)
{
	struct zip z = {.n = 0};

	(void)state;
	add_floats(&z, "stored.npy", 0, 5);
	add_floats(&z, "deflated.npy", 8, 50);
	zip_end(&z);
	survives("m.npz", &z.file, z.file.len);
	buf_release(&z.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(npz),
		cmocka_unit_test(npz_damaged),
		cmocka_unit_test(any_damage),
	};

	return cmocka_run_group_tests_name("tensor_npz", tests, NULL, NULL);
}
