/*
 * The end of the upload pipeline: chunks in, durable packs and fragments out, and the answer for
 * each object when a durable fragment names it.  Used by one thread; committing packs goes on in
 * others.
 */
#ifndef TRANSFER_PACKER_H
#define TRANSFER_PACKER_H

#include "transfer/blob/blobstore.h"

struct packer;

/* `b` borrowed, its fragments loaded.  Picks up what a killed push left. */
int packer_new(struct packer **out, struct blobstore *b);
/* Waits for the commits under way. */
void packer_free(struct packer *p);

/* The chunks that follow are this object's.  Its base's chunks become known. */
int packer_begin(struct packer *p, struct transfer_object *o);
/* The next chunk: packed if it is not known. */
int packer_chunk(struct packer *p, const struct oid *id, const void *data, size_t len);
/* The object is complete and its bytes were verified. */
int packer_end(struct packer *p);
/* The object turned out bad: no fragment will name it. */
void packer_drop(struct packer *p);
/* Everything durable and answered. */
int packer_finish(struct packer *p);

#endif
