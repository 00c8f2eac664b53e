/*
 * Files of parameters, parsed once: hundreds of stages may depend on values of one file, and
 * parsing it costs more than all that is looked at otherwise.  The text is read each time - it is
 * small - and compared, so that no change is missed.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pipeline/fingerprint_internal.h"
#include "lib/yaml/yaml.h"

enum { DOCUMENT_BYTES_MAX = 64 * 1024 * 1024 };

struct document {
	struct buf text;
	struct node *root;
};

void fp_document_free(void *document)
{
	struct document *d = document;

	if (d == NULL)
		return;
	buf_release(&d->text);
	node_free(d->root);
	free(d);
}

/* The document of this text, parsed now or before.  `text` is taken over. */
static int find_document(
	struct document **out, struct fingerprints *f, const char *path, struct buf *text)
{
	struct document *d = strmap_get(&f->documents, path);
	int rc;

	if (d == NULL) {
		d = calloc(1, sizeof(*d));
		if (d == NULL || strmap_put(&f->documents, path, d) < 0) {
			free(d);
			return err_set(ERR_NOMEM, "out of memory");
		}
	}
	*out = d;
	if (d->root != NULL && d->text.len == text->len &&
		memcmp(d->text.p, text->p, text->len) == 0)
		return 0;
	node_free(d->root);
	d->root = NULL;
	rc = doc_parse(&d->root, path, buf_str(text), text->len);
	buf_release(&d->text);
	d->text = *text;
	*text = (struct buf)BUF_INIT;
	return rc;
}

int fingerprints_document(struct fingerprints *f, struct source *src, const char *path,
	int (*fn)(const struct node *root, void *data), void *data)
{
	struct buf text = {.max = DOCUMENT_BYTES_MAX};
	struct document *d = NULL;
	int rc;

	pthread_mutex_lock(&f->documents_mutex);
	rc = source_read(src, path, DOCUMENT_BYTES_MAX, &text);
	if (rc == 0)
		rc = buf_add(&text, "", 0);
	if (rc == 0)
		rc = find_document(&d, f, path, &text);
	if (rc == 0)
		rc = fn(d->root, data);
	pthread_mutex_unlock(&f->documents_mutex);
	buf_release(&text);
	return rc;
}
