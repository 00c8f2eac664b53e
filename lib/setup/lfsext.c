/*
 * The extensions that the user configured, in their order (see lfsext.h).
 */
#include "lib/setup/lfsext.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

#include <stdlib.h>
#include <string.h>

static const char section[] = "lfs.extension.";

/* "lfs.extension.<name>.<key>": note the name once. */
static int note_name(const char *key, const char *value, void *data)
{
	struct lfsext_list *l = data;
	const char *name = key + sizeof(section) - 1, *dot = strrchr(key, '.');

	(void)value;
	if (strncmp(key, section, sizeof(section) - 1) != 0 || dot < name)
		return 0;
	if (lfsext_find(l, name, (size_t)(dot - name)))
		return 0;
	if (l->n == LFSEXT_MAX)
		return err_set(ERR_LIMIT, "more than %d extensions (lfs.extension.*)", LFSEXT_MAX);
	l->v[l->n].name = strndup(name, (size_t)(dot - name));
	return l->v[l->n++].name ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* What the user's own configuration says; NULL also for nothing at all. */
static const char *setting(const struct config *c, const char *name, const char *key)
{
	struct buf full = BUF_INIT;
	const char *value = NULL;

	if (buf_addf(&full, "%s%s.%s", section, name, key) == 0)
		value = config_get_own(c, full.p);
	buf_release(&full);
	return value && *value ? value : NULL;
}

static int fill(struct lfsext *e, const struct config *c)
{
	const char *priority = setting(c, e->name, "priority");

	e->clean = setting(c, e->name, "clean");
	e->smudge = setting(c, e->name, "smudge");
	if (!priority || priority[0] < '0' || priority[0] > '9' || priority[1])
		return err_set(ERR_INVALID,
			"lfs.extension.%s.priority must be a number from 0 to 9, each once",
			e->name);
	e->priority = priority[0] - '0';
	return 0;
}

static int by_priority(const void *a, const void *b)
{
	return ((const struct lfsext *)a)->priority - ((const struct lfsext *)b)->priority;
}

int lfsext_load(struct lfsext_list *out, const struct config *c)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = config_each(c, note_name, out);
	for (int i = 0; rc == 0 && i < out->n; i++)
		rc = fill(&out->v[i], c);
	if (rc == 0)
		qsort(out->v, (size_t)out->n, sizeof(out->v[0]), by_priority);
	for (int i = 1; rc == 0 && i < out->n; i++)
		if (out->v[i].priority == out->v[i - 1].priority)
			rc = err_set(ERR_INVALID,
				"the extensions '%s' and '%s' have the same priority "
				"(lfs.extension.*)",
				out->v[i - 1].name, out->v[i].name);
	if (rc < 0)
		lfsext_release(out);
	return rc;
}

void lfsext_release(struct lfsext_list *l)
{
	for (int i = 0; i < l->n; i++)
		free(l->v[i].name);
	l->n = 0;
}

const struct lfsext *lfsext_find(const struct lfsext_list *l, const char *name, size_t len)
{
	for (int i = 0; i < l->n; i++)
		if (strlen(l->v[i].name) == len && memcmp(l->v[i].name, name, len) == 0)
			return &l->v[i];
	return NULL;
}
