/*
 * The variables that `${…}` can name: params.yaml, what `vars:` loads and says.  They merge as in
 * DVC: maps into maps, and nothing is ever overwritten, so that the order of sources says nothing
 * about values - only about which of two is told to be the second.
 */
#include "lib/pipeline/template.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/err.h"

__attribute__((format(printf, 2, 0))) static int complain(
	const char *place, const char *fmt, va_list ap)
{
	struct buf text = BUF_INIT;
	char message[1024];
	int rc;

	vsnprintf(message, sizeof(message), fmt, ap);
	rc = buf_addf(&text, "%s: %s", place, message);
	if (rc == 0)
		rc = err_set(ERR_INVALID, "%s", buf_str(&text));
	buf_release(&text);
	return rc;
}

int template_complain(const char *file, const struct node *n, const char *fmt, ...)
{
	char place[600];
	va_list ap;
	int rc;

	snprintf(place, sizeof(place), "%.500s:%u:%u", file, n->line, n->column);
	va_start(ap, fmt);
	rc = complain(place, fmt, ap);
	va_end(ap);
	return rc;
}

int template_complain_key(const char *file, const struct node *value, const char *fmt, ...)
{
	char place[600];
	va_list ap;
	int rc;

	snprintf(place, sizeof(place), "%.500s:%u", file,
		value->key_line > 0 ? value->key_line : value->line);
	va_start(ap, fmt);
	rc = complain(place, fmt, ap);
	va_end(ap);
	return rc;
}

void template_release(struct template *t)
{
	node_free(t->context);
	node_free(t->origins);
	strvec_release(&t->sources);
	memset(t, 0, sizeof(*t));
}

int template_dup(struct template *out, const struct template *t)
{
	int rc = 0;

	*out = (struct template){
		.file = t->file, .item = t->item, .key = t->key, .used = t->used, .made = t->made};
	for (size_t i = 0; rc == 0 && i < t->sources.n; i++)
		rc = strvec_push(&out->sources, t->sources.v[i]);
	if (rc == 0 && t->context != NULL) {
		out->context = node_dup(t->context);
		out->origins = node_dup(t->origins);
		if (out->context == NULL || out->origins == NULL)
			rc = err_set(ERR_NOMEM, "out of memory");
	}
	if (rc < 0)
		template_release(out);
	return rc;
}

/* The source that has something at the dotted path. */
static const char *source_of(const struct template *t, const char *path)
{
	for (size_t i = 0; i < t->sources.n; i++)
		if (node_at(t->origins->items[i], path) != NULL)
			return t->sources.v[i];
	return "vars";
}

int template_note(const struct template *t, const char *path)
{
	const char *source = source_of(t, path);
	struct buf entry = BUF_INIT;
	int rc;

	if (strcmp(source, "vars") == 0)
		return 0;
	rc = buf_addf(&entry, "%.*s:%s", (int)strcspn(source, ":"), source, path);
	if (rc == 0)
		rc = strmap_put(t->used, entry.p, NULL);
	buf_release(&entry);
	return rc;
}

static int merge(struct template *t, struct node *into, const struct node *more, struct buf *path,
	const char *where)
{
	size_t len = path->len;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < more->n; i++) {
		struct node *there = node_get(into, more->keys[i]);
		struct node *copy;

		rc = buf_addf(path, "%s%s", len > 0 ? "." : "", more->keys[i]);
		if (rc < 0)
			break;
		if (there != NULL && there->type == NODE_MAP && more->items[i]->type == NODE_MAP) {
			rc = merge(t, there, more->items[i], path, where);
		} else if (there != NULL) {
			rc = err_set(ERR_INVALID,
				"'%s' of %s is there already, from %s; remove or rename one",
				buf_str(path), where, source_of(t, buf_str(path)));
		} else {
			copy = node_dup(more->items[i]);
			rc = copy != NULL ? node_set(into, more->keys[i], copy)
					  : err_set(ERR_NOMEM, "out of memory");
		}
		buf_truncate(path, len);
	}
	return rc;
}

int template_merge(struct template *t, const struct node *more, const char *where)
{
	struct buf path = BUF_INIT;
	struct node *copy;
	int rc;

	if (t->context == NULL)
		t->context = node_map();
	if (t->origins == NULL)
		t->origins = node_list();
	copy = node_dup(more);
	if (t->context == NULL || t->origins == NULL || copy == NULL) {
		node_free(copy);
		return err_set(ERR_NOMEM, "out of memory");
	}
	rc = merge(t, t->context, more, &path, where);
	buf_release(&path);
	if (rc == 0)
		rc = strvec_push(&t->sources, where);
	if (rc < 0) {
		node_free(copy);
		return rc;
	}
	return node_push(t->origins, copy);
}
