/*
 * Classes and listings of blobs as docs/ssh-protocol.md numbers them, for both ends.
 */
#ifndef TRANSFER_WIRECLASS_H
#define TRANSFER_WIRECLASS_H

#include "lib/wire/blobwire.h"
#include "transfer/remote/remote.h"

uint8_t wireclass_of(enum remote_class c);
/* `c` is one that lib/wire/blobwire.h lets through. */
enum remote_class wireclass_parse(uint8_t c);

uint8_t wireclass_of_listing(enum remote_listing what);
enum remote_listing wireclass_parse_listing(uint8_t what);

#endif
