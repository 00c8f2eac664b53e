/*
 * Damaged fragments and notices of a blob store: nobody can use them, and a gc removes nothing
 * while there are any (docs/remote-gc.md).
 */
#ifndef TRANSFER_MEND_H
#define TRANSFER_MEND_H

#include "transfer/engine.h"

/* Read each fragment and notice of the remote of e->spec anew.  What is not what its name says is
 * put again from the local cache, or removed: then what it alone named is missing, and can be sent
 * again. Warns of each.  Those of a later version are left alone. */
int mend_names(struct engine *e);

#endif
