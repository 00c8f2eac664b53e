/*
 * Points in time as people name them, and as they are shown to them.  Local time is that of TZ.
 */
#ifndef LIB_REGISTRY_WHEN_H
#define LIB_REGISTRY_WHEN_H

#include <stdint.h>

#include "lib/base/buf.h"

/* "2023-12-15" (the whole day: its last second, local time), "2023-12-15 18:30[:00]" (local time),
 * "2023-12-15T18:30:00+01:00", "...Z", "@1702661400", "now", "today", "yesterday", "2 weeks ago",
 * "2.weeks.ago".  *whole_day: 1 for a day's end.  `now` is the present time.  0, or ERR_INVALID
 * that shows what may be written. */
int when_parse(int64_t *out, int *whole_day, const char *text, int64_t now);

/* Append "2023-12-15", the day in local time. */
int when_add_date(struct buf *out, int64_t t);
/* Append "2023-12-15 18:30", local time. */
int when_add_minute(struct buf *out, int64_t t);
/* Append "2023-12-15 18:30:00 +0100", local time. */
int when_add_local(struct buf *out, int64_t t);
/* Append "2023-12-15T18:30:00+01:00", in a zone of so many minutes east of UTC. */
int when_add_iso(struct buf *out, int64_t t, int zone);
/* The zone of local time at that moment, in minutes east of UTC. */
int when_local_zone(int64_t t);

#endif
