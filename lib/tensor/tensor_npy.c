/*
 * .npy: a prefix with version and length, then a header that is a literal of Python,
 *
 *	{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }
 *
 * of which this reads what NumPy writes - strings, True and False, tuples of integers, and for
 * records lists of fields - and nothing more.  The data follow.
 */
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/tensor/tensor_internal.h"

enum { HEADER_MAX = 1 << 20, FIELDS_DEPTH_MAX = 16 };

static int not_a_header(void)
{
	return err_set(ERR_INVALID, "the header is not as NumPy writes it; the file is damaged");
}

/* --- the literal -------------------------------------------------------------------------------
 */

struct literal {
	const char *p, *end;
};

static void skip_blanks(struct literal *l)
{
	while (l->p < l->end && (*l->p == ' ' || *l->p == '\n' || *l->p == '\t'))
		l->p++;
}

/* Step over this character if it comes next: 1, else 0. */
static int accept(struct literal *l, char c)
{
	skip_blanks(l);
	if (l->p == l->end || *l->p != c)
		return 0;
	l->p++;
	return 1;
}

static int accept_word(struct literal *l, const char *word)
{
	size_t len = strlen(word);

	skip_blanks(l);
	if ((size_t)(l->end - l->p) < len || memcmp(l->p, word, len) != 0)
		return 0;
	l->p += len;
	return 1;
}

/* What is between the quotes; a backslash keeps the character behind it from ending the string. */
static int read_string(struct literal *l, const char **text, size_t *len)
{
	char quote;

	skip_blanks(l);
	if (l->p == l->end || (*l->p != '\'' && *l->p != '"'))
		return not_a_header();
	quote = *l->p++;
	*text = l->p;
	while (l->p < l->end && *l->p != quote)
		l->p += *l->p == '\\' && l->end - l->p > 1 ? 2 : 1;
	if (l->p >= l->end)
		return not_a_header();
	*len = (size_t)(l->p++ - *text);
	return 0;
}

static int read_integer(struct literal *l, uint64_t *out)
{
	const char *first;

	skip_blanks(l);
	first = l->p;
	for (*out = 0; l->p < l->end && *l->p >= '0' && *l->p <= '9'; l->p++) {
		if (__builtin_mul_overflow(*out, 10, out) ||
			__builtin_add_overflow(*out, (uint64_t)(*l->p - '0'), out))
			return err_set(ERR_INVALID, "its shape has too many elements");
	}
	if (l->p == first)
		return not_a_header();
	if (l->p < l->end && *l->p == 'L') /* Python 2 */
		l->p++;
	return 0;
}

/* "(3, 4)", "(3,)", "()". */
static int read_tuple(struct literal *l, uint64_t shape[static TENSOR_DIMS_MAX], unsigned *n)
{
	int rc;

	*n = 0;
	if (!accept(l, '('))
		return not_a_header();
	while (!accept(l, ')')) {
		if (*n == TENSOR_DIMS_MAX)
			return err_set(ERR_LIMIT, "more than %d dimensions", TENSOR_DIMS_MAX);
		rc = read_integer(l, &shape[(*n)++]);
		if (rc < 0)
			return rc;
		if (accept(l, ','))
			continue;
		return accept(l, ')') ? 0 : not_a_header();
	}
	return 0;
}

/* --- types -------------------------------------------------------------------------------------
 */

static int read_descr(struct literal *l, struct tensor_type *type, unsigned depth);

/* "('name', '<f4')", "(('title', 'name'), '<f4', (2, 3))": the bytes of the field are added; one
 * of no known size leaves the record without elements. */
static int read_field(struct literal *l, struct tensor_type *record, unsigned depth)
{
	struct tensor_type type;
	uint64_t shape[TENSOR_DIMS_MAX], size;
	unsigned n = 0;
	const char *text;
	size_t len;
	int titled, rc;

	if (!accept(l, '('))
		return not_a_header();
	titled = accept(l, '(');
	rc = read_string(l, &text, &len);
	if (rc == 0 && titled) {
		rc = accept(l, ',') ? read_string(l, &text, &len) : not_a_header();
		if (rc == 0 && !accept(l, ')'))
			rc = not_a_header();
	}
	if (rc == 0)
		rc = accept(l, ',') ? read_descr(l, &type, depth + 1) : not_a_header();
	if (rc == 0 && accept(l, ','))
		rc = read_tuple(l, shape, &n);
	if (rc < 0)
		return rc;
	if (!accept(l, ')'))
		return not_a_header();
	if (type.unit == 0)
		record->unit_elements = 0;
	size = type.unit;
	for (unsigned i = 0; i < n; i++)
		if (__builtin_mul_overflow(size, shape[i], &size))
			size = UINT64_MAX;
	if (__builtin_add_overflow(size, record->unit, &size) || size > UINT32_MAX)
		return err_set(ERR_LIMIT, "a record of more than 4 GiB");
	record->unit = (uint32_t)size;
	return 0;
}

static int read_record(struct literal *l, struct tensor_type *type, unsigned depth)
{
	int rc = 0;

	*type = (struct tensor_type){.unit_elements = 1};
	if (depth > FIELDS_DEPTH_MAX)
		return err_set(ERR_LIMIT, "records nested more than %d deep", FIELDS_DEPTH_MAX);
	while (rc == 0 && !accept(l, ']')) {
		rc = read_field(l, type, depth);
		if (rc == 0 && !accept(l, ',')) {
			if (!accept(l, ']'))
				rc = not_a_header();
			break;
		}
	}
	if (type->unit_elements == 0) /* Python objects: the whole array is pickled */
		*type = (struct tensor_type){.unit_elements = 1};
	return rc;
}

static int read_descr(struct literal *l, struct tensor_type *type, unsigned depth)
{
	const char *text;
	size_t len;
	int rc;

	if (accept(l, '['))
		return read_record(l, type, depth);
	rc = read_string(l, &text, &len);
	if (rc < 0)
		return rc;
	if (!tensor_type_of_numpy(type, text, len))
		return err_set(ERR_UNSUPPORTED, "the type '%.*s' is not known here",
			(int)(len < 64 ? len : 64), text);
	return 0;
}

/* As the header spells it: what is in the quotes, or the whole list of fields. */
static int name_type(struct tensor_file *t, struct tensor *x, const char *text, const char *end)
{
	while (*text == ' ')
		text++;
	if (*text != '[') {
		text++;
		end--;
	}
	x->dtype = tensor_keep_short(t, text, (size_t)(end - text));
	return x->dtype ? 0 : ERR_NOMEM;
}

/* --- the header --------------------------------------------------------------------------------
 */

enum { HAS_DESCR = 1, HAS_ORDER = 2, HAS_SHAPE = 4, HAS_ALL = 7 };

static int read_item(struct literal *l, struct tensor_file *t, struct tensor *x,
	struct tensor_place *place, unsigned *has)
{
	const char *key, *start;
	size_t len;
	unsigned is = 0;
	int rc = read_string(l, &key, &len);

	if (rc == 0 && !accept(l, ':'))
		rc = not_a_header();
	if (rc < 0)
		return rc;
	start = l->p;
	if (len == 5 && memcmp(key, "descr", len) == 0) {
		is = HAS_DESCR;
		rc = read_descr(l, &place->type, 0);
		if (rc == 0)
			rc = name_type(t, x, start, l->p);
	} else if (len == 13 && memcmp(key, "fortran_order", len) == 0) {
		is = HAS_ORDER;
		place->fortran = accept_word(l, "True");
		if (!place->fortran && !accept_word(l, "False"))
			rc = not_a_header();
	} else if (len == 5 && memcmp(key, "shape", len) == 0) {
		is = HAS_SHAPE;
		rc = read_tuple(l, x->shape, &x->n_dims);
	}
	if (rc == 0 && (is == 0 || (*has & is)))
		rc = not_a_header();
	*has |= is;
	return rc;
}

int tensor_npy_header(struct tensor_file *t, struct tensor *x, struct tensor_place *place,
	const char *text, size_t len)
{
	struct literal l = {text, text + len};
	unsigned has = 0;
	int rc = accept(&l, '{') ? 0 : not_a_header();

	while (rc == 0 && !accept(&l, '}')) {
		rc = read_item(&l, t, x, place, &has);
		if (rc == 0 && !accept(&l, ',')) {
			if (!accept(&l, '}'))
				rc = not_a_header();
			break;
		}
	}
	skip_blanks(&l);
	if (rc == 0 && (has != HAS_ALL || l.p != l.end))
		rc = not_a_header();
	if (x->n_dims < 2) /* either order is the same */
		place->fortran = 0;
	return rc == 0 ? tensor_measure(x, &place->type) : rc;
}

int tensor_npy_prefix(size_t *text_at, size_t *text_len, const uint8_t *head, size_t len)
{
	if (len < TENSOR_NPY_PREFIX - 2 || memcmp(head, "\x93NUMPY", 6) != 0)
		return err_set(ERR_INVALID, "no .npy file, or one that was cut short");
	if (head[6] < 1 || head[6] > 3 || head[7] != 0)
		return err_set(ERR_UNSUPPORTED, "version %u.%u of the format is not known here",
			head[6], head[7]);
	*text_len = (size_t)(head[8] | head[9] << 8);
	*text_at = 10;
	if (head[6] > 1) {
		if (len < TENSOR_NPY_PREFIX)
			return err_set(ERR_INVALID, "the file was cut short");
		*text_len |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
		*text_at = TENSOR_NPY_PREFIX;
	}
	if (*text_len > HEADER_MAX)
		return err_set(ERR_LIMIT, "a header of more than %d KiB", HEADER_MAX >> 10);
	return 0;
}

/* The data must be all that follows, so that nothing goes unseen. */
static int check_size(struct tensor_file *t, struct tensor *x, const struct tensor_place *place)
{
	uint64_t there = t->size - place->offset;

	if (place->type.unit == 0)
		x->bytes = there;
	if (x->bytes > there)
		return err_set(ERR_INVALID,
			"%llu bytes of data, where its shape takes %llu; the file was cut short",
			(unsigned long long)there, (unsigned long long)x->bytes);
	if (x->bytes < there)
		return err_set(ERR_INVALID, "%llu bytes behind the array belong to nothing",
			(unsigned long long)(there - x->bytes));
	return 0;
}

int tensor_npy_read(struct tensor_file *t)
{
	uint8_t head[TENSOR_NPY_PREFIX];
	struct tensor x = {.name = "array"};
	struct tensor_place place = {.offset = 0};
	struct buf text = BUF_INIT;
	size_t at = 0, len = 0;
	ssize_t n = fs_pread_full(t->fd, head, sizeof head, 0);
	int rc = n < 0 ? (int)n : tensor_npy_prefix(&at, &len, head, (size_t)n);

	if (rc == 0)
		rc = buf_grow(&text, len + 1);
	if (rc == 0) {
		n = fs_pread_full(t->fd, text.p, len, at);
		rc = n < 0 ? (int)n : 0;
	}
	if (rc == 0 && ((size_t)n < len || at + len > t->size))
		rc = err_set(ERR_INVALID, "the file was cut short");
	if (rc == 0) {
		text.p[len] = '\0';
		rc = tensor_npy_header(t, &x, &place, text.p, len);
	}
	if (rc == 0) {
		place.offset = at + len;
		rc = check_size(t, &x, &place);
	}
	if (rc == 0)
		rc = tensor_add(t, &x, &place);
	buf_release(&text);
	return rc;
}
