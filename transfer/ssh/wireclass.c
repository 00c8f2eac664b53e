/*
 * One table for each, read both ways.
 */
#include "transfer/ssh/wireclass.h"

static const uint8_t classes[] = {
	[REMOTE_PACK] = BLOBWIRE_PACK,
	[REMOTE_FRAGMENT] = BLOBWIRE_FRAGMENT,
	[REMOTE_NOTICE] = BLOBWIRE_NOTICE,
	[REMOTE_RUNS] = BLOBWIRE_RUNS,
};
static const uint8_t listings[] = {
	[REMOTE_LIST_FRAGMENTS] = BLOBWIRE_FRAGMENTS,
	[REMOTE_LIST_PACKS] = BLOBWIRE_PACKS,
	[REMOTE_LIST_RUNS] = BLOBWIRE_RUN_BUNDLES,
};

static unsigned index_of(const uint8_t *table, unsigned n, uint8_t number)
{
	unsigned i = 0;

	while (i + 1 < n && table[i] != number)
		i++;
	return i;
}

uint8_t wireclass_of(enum remote_class c)
{
	return classes[c];
}

enum remote_class wireclass_parse(uint8_t c)
{
	return (enum remote_class)index_of(classes, sizeof(classes), c);
}

uint8_t wireclass_of_listing(enum remote_listing what)
{
	return listings[what];
}

enum remote_listing wireclass_parse_listing(uint8_t what)
{
	return (enum remote_listing)index_of(listings, sizeof(listings), what);
}
