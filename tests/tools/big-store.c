/*
 * Makes a directory blob store that names very many objects, without their bytes, for tests of what
 * a push to a large store costs:
 *
 *	big-store DIRECTORY OBJECTS FRAGMENTS [PER-PACK]
 *
 * The objects' ids are the hashes of their numbers; each fragment has its share of them, in packs
 * of its own that do not exist.
 */
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/fragment.h"
#include "lib/store/pack.h"

#include <stdio.h>
#include <stdlib.h>

enum { OBJECT_SIZE = 1000, STORED_SIZE = OBJECT_SIZE + PACK_ENTRY_HEADER_LEN };

static int add_object(struct fragment_writer *w, unsigned long number, unsigned long per_pack)
{
	unsigned long pack_number = number / per_pack;
	struct fragment_extent x = {.length = STORED_SIZE,
		.offset = (uint32_t)(PACK_HEADER_LEN + number % per_pack * STORED_SIZE)};
	struct oid oid, pack;
	int rc;

	oid_of(&oid, &number, sizeof(number));
	oid_of(&pack, &pack_number, sizeof(pack_number) / 2);
	rc = fragment_writer_pack(w, &pack, PACK_MAX, &x.pack);
	return rc < 0 ? rc : fragment_writer_object(w, &oid, OBJECT_SIZE, &x, 1);
}

static int put(const char *root, struct fragment_writer *w)
{
	struct buf bytes = BUF_INIT, path = BUF_INIT;
	char hex[OID_HEX_LEN + 1];
	struct oid name;
	int rc = fragment_writer_finish(w, &bytes, &name);

	oid_to_hex(hex, &name);
	if (rc == 0)
		rc = buf_addf(&path, "%s/fragments/%s.idx", root, hex);
	if (rc == 0)
		rc = fs_mkdirs_parent(path.p);
	if (rc == 0)
		rc = fs_replace_file(path.p, bytes.p, bytes.len, 0);
	buf_release(&bytes);
	buf_release(&path);
	return rc;
}

static int make_fragment(
	const char *root, unsigned long from, unsigned long to, unsigned long per_pack)
{
	struct fragment_writer *w = NULL;
	int rc = fragment_writer_new(&w);

	for (unsigned long i = from; rc == 0 && i < to; i++)
		rc = add_object(w, i, per_pack);
	if (rc == 0)
		rc = put(root, w);
	fragment_writer_free(w);
	return rc;
}

int main(int argc, char **argv)
{
	unsigned long objects, fragments, per_pack;
	int rc = 0;

	if (argc < 4) {
		fprintf(stderr, "usage: big-store DIRECTORY OBJECTS FRAGMENTS [PER-PACK]\n");
		return 129;
	}
	objects = strtoul(argv[2], NULL, 10);
	fragments = strtoul(argv[3], NULL, 10);
	per_pack = argc > 4 ? strtoul(argv[4], NULL, 10) : 10000;
	if (fragments == 0 || per_pack == 0)
		return 129;
	for (unsigned long i = 0; rc == 0 && i < fragments; i++)
		rc = make_fragment(
			argv[1], objects * i / fragments, objects * (i + 1) / fragments, per_pack);
	if (rc < 0)
		fprintf(stderr, "error: %s\n", err_msg());
	return rc < 0 ? 128 : 0;
}
