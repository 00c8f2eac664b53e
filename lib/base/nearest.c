/*
 * Edit distance with swaps (Damerau-Levenshtein, optimal string alignment) over short names; used
 * where a message can name what was probably meant: commands, stages, keys of files.
 */
#include "lib/base/nearest.h"

#include <string.h>

enum { NEAREST_MAX = 64 }; /* bytes; longer names are near to nothing */

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static size_t edit_distance(const char *a, size_t la, const char *b, size_t lb)
{
	size_t d[NEAREST_MAX + 1][NEAREST_MAX + 1];

	for (size_t i = 0; i <= la; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= lb; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		for (size_t j = 1; j <= lb; j++) {
			d[i][j] = smallest(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
				d[i - 1][j] + 1, d[i][j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[la][lb];
}

void nearest_init(struct nearest *n, const char *name)
{
	n->name = name;
	n->best = NULL;
	n->distance = strlen(name) / 3 + 2; /* "stauts" is near to "status", "frob" to nothing */
}

void nearest_offer(struct nearest *n, const char *known)
{
	size_t la = strlen(n->name), lb = strlen(known), d;

	if (la > NEAREST_MAX || lb > NEAREST_MAX || (la > lb ? la - lb : lb - la) >= n->distance)
		return;
	d = edit_distance(n->name, la, known, lb);
	if (d < n->distance) {
		n->distance = d;
		n->best = known;
	}
}
