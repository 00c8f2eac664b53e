/*
 * Directories that were looked at a moment ago: the output of one stage is the dependency of the
 * next, and a walk is what a `repro` without anything to do consists of.  Nothing is taken from
 * here once somebody of this process wrote files (fingerprints_forget), and nothing after a second.
 */
#include <stdlib.h>
#include <time.h>

#include "lib/base/err.h"
#include "lib/pipeline/fingerprint_internal.h"

enum { SEEN_NS_MAX = 1000000000 };

struct seen {
	struct fingerprint fp;
	int64_t when; /* nanoseconds of the monotonic clock, before the walk */
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int fp_seen_find(
	struct fingerprints *f, const char *name, struct fp_sight *sight, struct fingerprint *out)
{
	const struct seen *s;
	int found;

	sight->when = now_ns();
	pthread_mutex_lock(&f->mutex);
	sight->generation = f->generation;
	s = strmap_get(&f->seen, name);
	found = s != NULL && sight->when - s->when < SEEN_NS_MAX;
	if (found)
		*out = s->fp;
	pthread_mutex_unlock(&f->mutex);
	return found;
}

void fp_seen_add(struct fingerprints *f, const char *name, const struct fp_sight *sight,
	const struct fingerprint *fp)
{
	struct seen *s = malloc(sizeof(*s));

	if (s == NULL)
		return; /* it is looked at again */
	*s = (struct seen){*fp, sight->when};
	pthread_mutex_lock(&f->mutex);
	if (sight->generation == f->generation) {
		free(strmap_get(&f->seen, name));
		if (strmap_put(&f->seen, name, s) == 0)
			s = NULL;
	}
	pthread_mutex_unlock(&f->mutex);
	free(s);
}

void fingerprints_forget(struct fingerprints *f, const char *path)
{
	(void)path; /* of the rest, what is remembered is compared with stat data when it is used */
	pthread_mutex_lock(&f->mutex);
	f->generation++;
	strmap_release(&f->seen, free);
	pthread_mutex_unlock(&f->mutex);
}
