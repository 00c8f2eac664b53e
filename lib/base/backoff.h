/*
 * Waiting before something is tried again.
 */
#ifndef LIB_BASE_BACKOFF_H
#define LIB_BASE_BACKOFF_H

#include <stdint.h>

/* Milliseconds before the attempt after `tries` failed ones (from 0): 0.25 s doubled each time, at
 * most `longest`; at random from half to all of it, so that many clients do not come back
 * together. */
uint64_t backoff_ms(unsigned tries, uint64_t longest);
/* Sleep.  0, or ERR_INTERRUPTED as soon as *stop (may be NULL) is set. */
int backoff_wait(uint64_t ms, const volatile int *stop);

#endif
