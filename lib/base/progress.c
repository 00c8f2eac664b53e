/*
 * The progress line (see progress.h).  Whoever reports progress also draws it when its time has
 * come: no thread of its own, and between two drawings a report costs two additions and a look at
 * the clock.
 */
#include "lib/base/progress.h"
#include "lib/base/gitvalue.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_AFTER_MS = 1000, INTERVAL_MS = 100, LINE_MAX_BYTES = 256 };

struct progress {
	_Atomic uint64_t objects, bytes;
	_Atomic uint64_t all_objects, all_bytes;
	_Atomic int64_t due_ms; /* when the next line may be drawn */
	int64_t start_ms;
	pthread_mutex_t mutex; /* over the terminal and width */
	int width;	       /* of the line that is on the terminal; 0: none was drawn */
	int forced;
	char title[];
};

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *progress_bytes(char out[static 16], uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes / 1024;
	int unit = 0;

	if (bytes < 1024) {
		snprintf(out, 16, "%u B", (unsigned)bytes);
		return out;
	}
	while (value >= 1023.95 && units[unit + 1]) { /* would be printed as 1024.0 */
		value /= 1024;
		unit++;
	}
	snprintf(out, 16, "%.1f %ciB", value, units[unit]);
	return out;
}

/* A terminal, and we are in its foreground: a job in the background must not write over the prompt.
 */
static int on_terminal(void)
{
	pid_t foreground;

	if (!isatty(STDERR_FILENO))
		return 0;
	foreground = tcgetpgrp(STDERR_FILENO);
	return foreground < 0 || foreground == getpgrp();
}

struct progress *progress_new(
	const char *title, uint64_t objects, uint64_t bytes, enum progress_mode mode)
{
	size_t len = strlen(title);
	struct progress *p;

	if (mode == PROGRESS_AUTO && gitvalue_lfs_env("GIT_LFS_FORCE_PROGRESS", 0))
		mode = PROGRESS_FORCE;
	if (mode == PROGRESS_OFF || (mode == PROGRESS_AUTO && !on_terminal()))
		return NULL;
	p = calloc(1, sizeof *p + len + 1);
	if (!p)
		return NULL;
	memcpy(p->title, title, len + 1);
	p->all_objects = objects;
	p->all_bytes = bytes;
	p->forced = mode == PROGRESS_FORCE;
	p->start_ms = monotonic_ms();
	p->due_ms = p->start_ms + (p->forced ? INTERVAL_MS : FIRST_AFTER_MS);
	pthread_mutex_init(&p->mutex, NULL);
	return p;
}

/* snprintf at the end of what is there; more than fits is cut. */
__attribute__((format(printf, 2, 3))) static void append(char *line, const char *fmt, ...)
{
	size_t len = strlen(line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + len, LINE_MAX_BYTES - len, fmt, ap);
	va_end(ap);
}

static void append_time_left(char *line, uint64_t seconds)
{
	if (seconds >= 3600)
		append(line, ", %u h %02u min left", (unsigned)(seconds / 3600),
			(unsigned)(seconds / 60 % 60));
	else if (seconds >= 60)
		append(line, ", %u min %02u s left", (unsigned)(seconds / 60),
			(unsigned)(seconds % 60));
	else
		append(line, ", %u s left", (unsigned)seconds);
}

/* "Uploading:  40% (200/500), 1.2 GiB of 3.0 GiB, 104.0 MiB/s, 17 s left" */
static void compose(char *line, const struct progress *p, int last)
{
	uint64_t objects = p->objects, all_objects = p->all_objects;
	uint64_t bytes = p->bytes, all_bytes = p->all_bytes;
	uint64_t elapsed = (uint64_t)(monotonic_ms() - p->start_ms) + 1;
	double part = all_bytes	    ? (double)bytes / (double)all_bytes
		      : all_objects ? (double)objects / (double)all_objects
				    : -1;
	char size[16];

	line[0] = '\0';
	append(line, "%s: ", p->title);
	if (part >= 0)
		append(line, "%3d%% ", part < 1 ? (int)(part * 100) : 100);
	if (all_objects)
		append(line, "(%llu/%llu)", (unsigned long long)objects,
			(unsigned long long)all_objects);
	else
		append(line, "%llu", (unsigned long long)objects);
	if (bytes || all_bytes)
		append(line, ", %s", progress_bytes(size, bytes));
	if (all_bytes && bytes != all_bytes)
		append(line, " of %s", progress_bytes(size, all_bytes));
	if (bytes)
		append(line, ", %s/s",
			progress_bytes(size, (uint64_t)((double)bytes * 1000 / (double)elapsed)));
	if (last && objects >= all_objects) /* else it was given up: the error says why */
		append(line, ", done");
	else if (!last && part > 0 && part < 1)
		append_time_left(line, (uint64_t)((double)elapsed * (1 - part) / part / 1000) + 1);
}

/* Draw over the line before.  The mutex is held. */
static void draw(struct progress *p, int last)
{
	char line[LINE_MAX_BYTES];
	int len;

	compose(line, p, last);
	len = (int)strlen(line);
	fprintf(stderr, "%s%*s%c", line, p->width > len ? p->width - len : 0, "",
		last ? '\n' : '\r');
	fflush(stderr);
	p->width = len;
}

static void draw_if_due(struct progress *p)
{
	int64_t now = monotonic_ms();

	if (now < p->due_ms || pthread_mutex_trylock(&p->mutex))
		return;
	if (now >= p->due_ms) {
		p->due_ms = now + INTERVAL_MS;
		draw(p, 0);
	}
	pthread_mutex_unlock(&p->mutex);
}

void progress_set(struct progress *p, uint64_t objects, uint64_t bytes)
{
	if (!p)
		return;
	p->objects = objects;
	p->bytes = bytes;
	draw_if_due(p);
}

void progress_add(struct progress *p, uint64_t objects, uint64_t bytes)
{
	if (!p)
		return;
	p->objects += objects;
	p->bytes += bytes;
	draw_if_due(p);
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	if (p->width || p->forced)
		draw(p, 1);
	pthread_mutex_destroy(&p->mutex);
	free(p);
}
