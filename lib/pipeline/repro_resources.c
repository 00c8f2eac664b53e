/*
 * What stages that run at the same time share: resources with a capacity, mutexes with one holder.
 */
#include "lib/pipeline/repro_internal.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

struct resource {
	uint64_t capacity, used;
};

/* Git's configuration, else the processors for "cpu", else one. */
static uint64_t capacity_of(const struct repro *r, const char *name)
{
	struct buf key = BUF_INIT;
	cpu_set_t cpus;
	int64_t n = 1;

	if (strcmp(name, "cpu") == 0 && sched_getaffinity(0, sizeof cpus, &cpus) == 0)
		n = CPU_COUNT(&cpus);
	if (buf_addf(&key, "dvx-resource.%s.capacity", name) == 0)
		n = config_int(r->context->repo->config, key.p, n);
	buf_release(&key);
	return n > 0 ? (uint64_t)n : 1;
}

/* Made when first asked for; NULL: out of memory, then it does not limit. */
static struct resource *resource_of(struct repro *r, const char *name, int mutex)
{
	struct buf key = BUF_INIT;
	struct resource *x = NULL;

	if (buf_addf(&key, "%s %s", mutex ? "mutex" : "resource", name) < 0)
		goto done;
	x = strmap_get(&r->resources, key.p);
	if (x != NULL)
		goto done;
	x = calloc(1, sizeof *x);
	if (x == NULL)
		goto done;
	x->capacity = mutex ? 1 : capacity_of(r, name);
	if (strmap_put(&r->resources, key.p, x) < 0) {
		free(x);
		x = NULL;
	}
done:
	buf_release(&key);
	return x;
}

/* Call fn for each that the stage wants, until it returns non-zero. */
static int each(
	struct repro *r, const struct stage *s, int (*fn)(struct resource *x, uint64_t amount))
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n_resources; i++) {
		struct resource *x = resource_of(r, s->resources[i].name, 0);
		uint64_t amount = s->resources[i].amount;

		if (x != NULL)
			rc = fn(x, amount < x->capacity ? amount : x->capacity);
	}
	for (size_t i = 0; rc == 0 && i < s->mutex.n; i++) {
		struct resource *x = resource_of(r, s->mutex.v[i], 1);

		if (x != NULL)
			rc = fn(x, 1);
	}
	return rc;
}

static int is_short(struct resource *x, uint64_t amount)
{
	return x->used >= x->capacity || amount > x->capacity - x->used;
}

static int take(struct resource *x, uint64_t amount)
{
	x->used += amount;
	return 0;
}

static int give(struct resource *x, uint64_t amount)
{
	x->used -= amount;
	return 0;
}

int repro_has_resources(struct repro *r, const struct stage *s)
{
	return !each(r, s, is_short);
}

void repro_take_resources(struct repro *r, const struct stage *s)
{
	(void)each(r, s, take);
}

void repro_give_resources(struct repro *r, const struct stage *s)
{
	(void)each(r, s, give);
}

void repro_free_resources(struct repro *r)
{
	strmap_release(&r->resources, free);
}
