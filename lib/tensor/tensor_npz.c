/*
 * .npz: a zip archive of .npy files.  minizip reads it, over pread() of our descriptor.
 *
 * What numpy.savez() stores plainly is found once and then read from its place, like the data of
 * any other format.  What numpy.savez_compressed() writes goes through inflate, in pieces; it
 * cannot make a bomb, because all members together may not take more of the file than there is of
 * it, and none may unpack to more than deflate can have packed.
 */
#include <minizip/unzip.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/tensor/tensor_internal.h"

enum { NAME_MAX_BYTES = 4096, DEFLATE_RATIO_MAX = 1032, SKIP_PIECE = 4096 };
enum { FLAG_ENCRYPTED = 1 };

/* The file as minizip sees it. */
struct stream {
	int fd;
	uint64_t size, at;
	int rc; /* the first error of reading */
};

struct tensor_npz {
	struct stream stream;
	unzFile zip;
	int member_open;
};

static int damaged(void)
{
	return err_set(ERR_INVALID, "the archive is damaged, or was cut short");
}

/* --- what minizip calls ------------------------------------------------------------------------
 */

static voidpf stream_open(voidpf opaque, const void *name, int mode)
{
	(void)name;
	(void)mode;
	return opaque;
}

static uLong stream_read(voidpf opaque, voidpf stream, void *out, uLong size)
{
	struct stream *s = stream;
	ssize_t n = fs_pread_full(s->fd, out, size, s->at);

	(void)opaque;
	if (n >= 0 && (uLong)n == size) {
		s->at += size;
		return size;
	}
	/* minizip takes the end of the file for zeros */
	s->rc = n < 0 ? (int)n : damaged();
	return 0;
}

static uLong stream_write(voidpf opaque, voidpf stream, const void *data, uLong size)
{
	(void)opaque;
	(void)stream;
	(void)data;
	(void)size;
	return 0;
}

static ZPOS64_T stream_tell(voidpf opaque, voidpf stream)
{
	(void)opaque;
	return ((struct stream *)stream)->at;
}

static long stream_seek(voidpf opaque, voidpf stream, ZPOS64_T offset, int origin)
{
	struct stream *s = stream;
	uint64_t from = origin == ZLIB_FILEFUNC_SEEK_CUR   ? s->at
			: origin == ZLIB_FILEFUNC_SEEK_END ? s->size
							   : 0;

	(void)opaque;
	if (__builtin_add_overflow(from, offset, &from) || from > s->size)
		return -1;
	s->at = from;
	return 0;
}

static int stream_done(voidpf opaque, voidpf stream)
{
	(void)opaque;
	(void)stream;
	return 0;
}

static int stream_error(voidpf opaque, voidpf stream)
{
	(void)opaque;
	return ((struct stream *)stream)->rc != 0;
}

/* --- members -----------------------------------------------------------------------------------
 */

/* What minizip says, or what reading said before it. */
static int failed(const struct tensor_npz *z)
{
	return z->stream.rc ? z->stream.rc : damaged();
}

static void close_member(struct tensor_npz *z)
{
	if (z->member_open)
		unzCloseCurrentFile(z->zip);
	z->member_open = 0;
}

static int open_member(struct tensor_npz *z)
{
	close_member(z);
	if (unzOpenCurrentFile(z->zip) != UNZ_OK)
		return failed(z);
	z->member_open = 1;
	return 0;
}

int tensor_npz_next(struct tensor_npz *z, void *data, size_t len)
{
	uint8_t *p = data;

	while (len > 0) {
		int n = unzReadCurrentFile(z->zip, p, (unsigned)(len < 1 << 30 ? len : 1 << 30));

		if (n <= 0)
			return failed(z);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int tensor_npz_end(struct tensor_npz *z)
{
	z->member_open = 0;
	return unzCloseCurrentFile(z->zip) == UNZ_OK ? 0 : failed(z);
}

int tensor_npz_open(struct tensor_npz *z, const struct tensor_place *place)
{
	unz64_file_pos pos = {place->directory_pos, place->directory_index};
	uint8_t skipped[SKIP_PIECE];
	int rc = 0;

	close_member(z);
	if (unzGoToFilePos64(z->zip, &pos) != UNZ_OK)
		return failed(z);
	rc = open_member(z);
	for (uint64_t left = place->offset, n; rc == 0 && left > 0; left -= n) {
		n = left < sizeof skipped ? left : sizeof skipped;
		rc = tensor_npz_next(z, skipped, n);
	}
	return rc;
}

void tensor_npz_free(struct tensor_npz *z)
{
	if (!z)
		return;
	close_member(z);
	if (z->zip)
		unzClose(z->zip);
	free(z);
}

/* --- reading the directory ---------------------------------------------------------------------
 */

struct member {
	char name[NAME_MAX_BYTES];
	unz_file_info64 info;
	uint64_t data; /* of a stored one: where its bytes begin */
	int is_array;  /* "x.npy"; all else is listed as bytes */
};

static int check_member(const struct member *m)
{
	if (m->info.flag & FLAG_ENCRYPTED)
		return err_set(ERR_UNSUPPORTED, "%s: it is encrypted", m->name);
	if (m->info.compression_method != 0 && m->info.compression_method != Z_DEFLATED)
		return err_set(ERR_UNSUPPORTED,
			"%s: its kind of compression (%lu) is not known here", m->name,
			m->info.compression_method);
	if (m->info.compression_method == 0
			? m->info.uncompressed_size != m->info.compressed_size
			: m->info.uncompressed_size / DEFLATE_RATIO_MAX > m->info.compressed_size)
		return err_set(
			ERR_INVALID, "%s: its sizes cannot be; the archive is damaged", m->name);
	return 0;
}

static int find_member(struct tensor_npz *z, struct member *m)
{
	if (unzGetCurrentFileInfo64(z->zip, &m->info, m->name, sizeof m->name, NULL, 0, NULL, 0) !=
		UNZ_OK)
		return failed(z);
	if (m->info.size_filename >= sizeof m->name)
		return err_set(ERR_LIMIT, "a name of more than %d bytes", NAME_MAX_BYTES - 1);
	if (strlen(m->name) != m->info.size_filename)
		return err_set(ERR_INVALID, "a name with a NUL in it");
	return check_member(m);
}

/* The header of the .npy file that the open member is. */
static int read_array(
	struct tensor_file *t, struct tensor *x, struct tensor_place *place, const struct member *m)
{
	struct buf text = BUF_INIT;
	size_t at = 0, len = 0, head_len = TENSOR_NPY_PREFIX;
	uint8_t head[TENSOR_NPY_PREFIX];
	int rc;

	if (m->info.uncompressed_size < head_len)
		return err_set(ERR_INVALID, "no .npy file");
	rc = tensor_npz_next(t->npz, head, head_len);
	if (rc == 0)
		rc = tensor_npy_prefix(&at, &len, head, head_len);
	if (rc == 0 && at + len > m->info.uncompressed_size)
		rc = err_set(ERR_INVALID, "it was cut short");
	if (rc == 0)
		rc = buf_add(&text, head + at, head_len - at);
	if (rc == 0 && len > text.len)
		rc = buf_grow(&text, len - text.len);
	if (rc == 0 && len > text.len)
		rc = tensor_npz_next(t->npz, text.p + text.len, len - text.len);
	if (rc == 0) {
		place->offset = at + len;
		rc = tensor_npy_header(t, x, place, text.p, len);
	}
	buf_release(&text);
	return rc;
}

static int check_size(struct tensor *x, const struct tensor_place *place, const struct member *m)
{
	uint64_t there = m->info.uncompressed_size - place->offset;

	if (place->type.unit == 0)
		x->bytes = there;
	if (x->bytes != there)
		return err_set(ERR_INVALID, "%llu bytes of data, where its shape takes %llu",
			(unsigned long long)there, (unsigned long long)x->bytes);
	return 0;
}

/* From the place in its member to that in the file, where the bytes are stored as they are. */
static int set_place(struct tensor_file *t, struct tensor_place *place, const struct member *m)
{
	unz64_file_pos pos;

	place->compressed = m->info.compression_method != 0;
	if (!place->compressed) {
		if (m->data > t->size || m->info.uncompressed_size > t->size - m->data)
			return failed(t->npz);
		place->offset += m->data;
		return 0;
	}
	if (unzGetFilePos64(t->npz->zip, &pos) != UNZ_OK)
		return failed(t->npz);
	place->directory_pos = pos.pos_in_zip_directory;
	place->directory_index = pos.num_of_file;
	return 0;
}

static int read_member(struct tensor_file *t, struct member *m)
{
	struct tensor x = {.name = NULL};
	struct tensor_place place = {.type = {.unit = 1, .unit_elements = 1}};
	size_t len = strlen(m->name);
	int is_array = len > 4 && strcmp(m->name + len - 4, ".npy") == 0, rc;

	rc = open_member(t->npz);
	if (rc < 0)
		return rc;
	m->data = unzGetCurrentFileZStreamPos64(t->npz->zip);
	x.name = tensor_keep(t, m->name, is_array ? len - 4 : len);
	if (!x.name)
		return ERR_NOMEM;
	if (is_array) {
		rc = read_array(t, &x, &place, m);
	} else {
		x.dtype = "bytes";
		x.shape[x.n_dims++] = m->info.uncompressed_size;
		rc = tensor_measure(&x, &place.type);
	}
	if (rc == 0)
		rc = check_size(&x, &place, m);
	if (rc == 0)
		rc = set_place(t, &place, m);
	close_member(t->npz);
	return rc == 0 ? tensor_add(t, &x, &place) : rc;
}

static int read_members(struct tensor_file *t, struct member *m)
{
	struct tensor_npz *z = t->npz;
	uint64_t packed = 0;
	int more = unzGoToFirstFile(z->zip), rc = 0;

	while (rc == 0 && more == UNZ_OK) {
		rc = find_member(z, m);
		if (rc < 0)
			break;
		if (__builtin_add_overflow(packed, m->info.compressed_size, &packed) ||
			packed > t->size)
			return err_set(ERR_INVALID,
				"its members are larger than the file; the archive is damaged");
		if (m->info.size_filename > 0 && m->name[m->info.size_filename - 1] != '/') {
			rc = read_member(t, m);
			if (rc < 0)
				return err_prefix(rc, "%s", m->name);
		}
		more = unzGoToNextFile(z->zip);
	}
	if (rc == 0 && more != UNZ_END_OF_LIST_OF_FILE)
		rc = failed(z);
	return rc;
}

/* What numpy.savez() without arrays writes, which minizip takes for no archive. */
static int is_empty(const struct tensor_file *t)
{
	enum { END_RECORD = 22 };
	uint8_t head[4];

	return t->size == END_RECORD && fs_pread_full(t->fd, head, 4, 0) == 4 &&
	       memcmp(head, "PK\5\6", 4) == 0;
}

static int open_archive(struct tensor_file *t)
{
	zlib_filefunc64_def calls = {stream_open, stream_read, stream_write, stream_tell,
		stream_seek, stream_done, stream_error, NULL};

	t->npz = calloc(1, sizeof(*t->npz));
	if (!t->npz)
		return err_no_memory();
	t->npz->stream = (struct stream){.fd = t->fd, .size = t->size};
	calls.opaque = &t->npz->stream;
	t->npz->zip = unzOpen2_64(t->name, &calls);
	if (t->npz->zip)
		return 0;
	return t->npz->stream.rc ? t->npz->stream.rc
				 : err_set(ERR_INVALID, "no .npz file, or one that was cut short");
}

int tensor_npz_read(struct tensor_file *t)
{
	struct member *m;
	int rc;

	if (is_empty(t))
		return 0;
	m = malloc(sizeof(*m));
	rc = m ? open_archive(t) : err_no_memory();
	if (rc == 0)
		rc = read_members(t, m);
	free(m);
	return rc;
}
