/*
 * Numbers of the fragment format (docs/fragment-format.md) that its reader and its writer share.
 */
#ifndef LIB_STORE_FRAGMENT_FORMAT_H
#define LIB_STORE_FRAGMENT_FORMAT_H

#define FRAGMENT_MAGIC "DVXF"

enum {
	FRAGMENT_VERSION = 1,
	FRAGMENT_HEADER_LEN = 32,
	FRAGMENT_PACK_LEN = 40,
	FRAGMENT_RECORD_LEN = 12,
	FRAGMENT_EXTENT_LEN = 12,
	FRAGMENT_SUM_LEN = 16,
	FRAGMENT_LEN_MAX = 256 * 1024 * 1024
};

#endif
