/*
 * A shared object for LD_PRELOAD that makes the k-th call of a program into the system fail, so
 * that tests can try every one of them.  In the environment:
 *
 *   FAULTLINE="<programs> <calls> <fault> <k> <log>"
 *
 * programs   git-dvx,git-dvx-filter,git-dvx-transfer: the others are left alone
 * calls      the kinds of calls that count (see `kinds`), or "io": all but "alloc"
 * fault      an error name (EIO), "usual" (each kind's own error), "short" (half the bytes), "KILL"
 *            (SIGKILL instead of the call), "FIRST" (for the process that the run began with; the
 *            others go on), "GROUP" (for all of its process group; who left that goes on);
 *            "ENOSPC+": this one and all that follow, as on a disk that stays full
 * k          1 is the first call; 0 only counts
 * log        lines are appended: "fault <kind> <k>", "start <pid>", "end <pid> <calls so far>",
 *            "signal <number>".  <log>.count is what all processes of one run share
 *
 * What the C library does by itself (stdio, pthread_create's stack) goes past it; its malloc does
 * not.
 */
#undef _FILE_OFFSET_BITS /* both open and open64 are to be defined here */

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/fs.h>
#include <linux/openat2.h>

enum kind {
	OPEN,
	CREATE,
	READ,
	READDIR,
	RECEIVE,
	SEND,
	WRITE,
	FSYNC,
	RENAME,
	LINK,
	UNLINK,
	MMAP,
	CLONE,
	COPY,
	TRUNCATE,
	ALLOC,
	CLOSE,
	MKDIR,
	CHMOD,
	STAT,
	LOCK,
	SPAWN,
	THREAD,
	KINDS
};

static const struct {
	const char *name;
	int usual;
} kinds[KINDS] = {
	[OPEN] = {"open", EMFILE}, /* also opendir, fopen, pipe2 */
	[CREATE] = {"create", ENOSPC},
	[READ] = {"read", EIO},
	[READDIR] = {"readdir", EIO},
	[RECEIVE] = {"receive", EIO}, /* read and write where there is no file: a pipe */
	[SEND] = {"send", EIO},
	[WRITE] = {"write", ENOSPC},
	[FSYNC] = {"fsync", EIO},
	[RENAME] = {"rename", EDQUOT},
	[LINK] = {"link", ENOSPC},
	[UNLINK] = {"unlink", EIO},
	[MMAP] = {"mmap", ENOMEM},
	[CLONE] = {"clone", EIO},
	[COPY] = {"copy", EIO},
	[TRUNCATE] = {"truncate", EIO},
	[ALLOC] = {"alloc", ENOMEM},
	[CLOSE] = {"close", EIO},
	[MKDIR] = {"mkdir", ENOSPC},
	[CHMOD] = {"chmod", EPERM},
	[STAT] = {"stat", EIO},
	[LOCK] = {"lock", ENOLCK},
	[SPAWN] = {"spawn", EAGAIN},
	[THREAD] = {"thread", EAGAIN},
};

static const struct {
	const char *name;
	int number;
} errors[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EMFILE", EMFILE},
	{"EINTR", EINTR}, {"ENOMEM", ENOMEM}, {"EACCES", EACCES}, {"EROFS", EROFS}};

enum { SHORT = -1, KILL = -2, USUAL = -3, FIRST = -4, GROUP = -5 };

/* What the processes of a run share; a file of zeros, or none, begins a new one. */
struct shared {
	_Atomic uint64_t calls;
	_Atomic int first, group; /* the first process */
};

static uint32_t chosen; /* bits of kinds; 0 in programs that are left alone */
static int fault, sticky;
static uint64_t target;
static struct shared *shared;
static int log_fd = -1;

/* ---- what is to happen ---- */

static void say(const char *word, const char *detail, uint64_t number)
{
	char line[64];
	int n = snprintf(
		line, sizeof line, "%s%s %llu\n", word, detail, (unsigned long long)number);
	static __typeof__(&write) real_write;

	if (!real_write)
		*(void **)&real_write = dlsym(RTLD_NEXT, "write");
	(void)!real_write(log_fd, line, (size_t)n);
}

/* The error that this call shall fail with, SHORT, or 0. */
static int strikes(enum kind kind)
{
	char detail[16] = " ";
	uint64_t k;

	if (!(chosen & 1u << kind))
		return 0;
	k = atomic_fetch_add(&shared->calls, 1) + 1;
	if (k != target && !(sticky && target && k > target))
		return 0;
	if (k == target) {
		strcpy(detail + 1, kinds[kind].name);
		say("fault", detail, k);
	}
	if (fault == KILL)
		kill(getpid(), SIGKILL);
	if (fault == FIRST || fault == GROUP) { /* whoever is left after it does its call */
		kill(fault == FIRST ? shared->first : -shared->group, SIGKILL);
		return 0;
	}
	return fault == USUAL ? kinds[kind].usual : fault;
}

/* 1 with errno set: the call shall fail.  Half of *len for SHORT. */
static int fails(enum kind kind, size_t *len)
{
	int error = strikes(kind);

	if (error == SHORT && len)
		*len = *len > 1 ? *len / 2 : *len;
	if (error <= 0)
		return 0;
	errno = error;
	return 1;
}

/* ---- start and end ---- */

static void on_crash(int number)
{
	void *frames[32];

	chosen = 0;
	say("signal", "", (uint64_t)number);
	backtrace_symbols_fd(frames, backtrace(frames, 32), STDERR_FILENO);
	signal(number, SIG_DFL);
	raise(number);
}

static int listed(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; p; p = strchr(p, ','), p = p ? p + 1 : NULL)
		if (!strncmp(p, word, n) && (p[n] == ',' || !p[n]))
			return 1;
	return 0;
}

static int parse_fault(char *text)
{
	size_t n = strlen(text);

	if (n && text[n - 1] == '+') {
		sticky = 1;
		text[n - 1] = '\0';
	}
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (!strcmp(text, errors[i].name))
			return errors[i].number;
	if (!strcmp(text, "FIRST") || !strcmp(text, "GROUP"))
		return *text == 'F' ? FIRST : GROUP;
	return !strcmp(text, "short") ? SHORT : !strcmp(text, "KILL") ? KILL : USUAL;
}

__attribute__((constructor)) static void begin(void)
{
	const char *spec = getenv("FAULTLINE");
	char programs[64], calls[256], what[16], log[4096], name[4096 + 8];
	unsigned long long k;
	uint32_t bits = 0;
	int fd, unset = 0;

	if (!spec ||
		sscanf(spec, "%63s %255s %15s %llu %4095[^\n]", programs, calls, what, &k, log) !=
			5 ||
		!listed(programs, program_invocation_short_name))
		return;
	for (int i = 0; i < KINDS; i++)
		if ((!strcmp(calls, "io") && i != ALLOC) || listed(calls, kinds[i].name))
			bits |= 1u << i;
	fault = parse_fault(what);
	target = k;
	log_fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	log_fd = fcntl(log_fd, F_DUPFD_CLOEXEC, 900); /* out of the program's way */
	snprintf(name, sizeof name, "%s.count", log);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (log_fd < 0 || fd < 0 || ftruncate(fd, sizeof *shared) < 0)
		abort();
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		abort();
	close(fd);
	if (atomic_compare_exchange_strong(&shared->first, &unset, getpid()))
		shared->group = getpgrp();
	signal(SIGSEGV, on_crash);
	signal(SIGBUS, on_crash);
	signal(SIGABRT, on_crash);
	signal(SIGFPE, on_crash);
	signal(SIGILL, on_crash);
	alarm(600); /* a program that hangs ends, without "end" in the log */
	say("start", "", (uint64_t)getpid());
	chosen = bits;
}

__attribute__((destructor)) static void end(void)
{
	char detail[24];

	if (log_fd < 0)
		return;
	chosen = 0;
	snprintf(detail, sizeof detail, " %d", (int)getpid());
	say("end", detail, atomic_load(&shared->calls));
}

/* ---- the calls ---- */

#define REAL(name)                                                                                 \
	static __typeof__(&name) real;                                                             \
	if (!real)                                                                                 \
	*(void **)&real = dlsym(RTLD_NEXT, #name)

#define WRAP(type, name, kind, failure, len, params, args)                                         \
	type name params                                                                           \
	{                                                                                          \
		REAL(name);                                                                        \
		return fails(kind, len) ? failure : real args;                                     \
	}

static enum kind open_kind(uint64_t flags)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? CREATE : OPEN;
}

#define WRAP_OPEN(name, params, args)                                                              \
	int name params                                                                            \
	{                                                                                          \
		REAL(name);                                                                        \
		va_list ap;                                                                        \
		mode_t mode;                                                                       \
		va_start(ap, flags);                                                               \
		mode = open_kind((uint64_t)flags) == CREATE ? va_arg(ap, mode_t) : 0;              \
		va_end(ap);                                                                        \
		return fails(open_kind((uint64_t)flags), NULL) ? -1 : real args;                   \
	}

WRAP_OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
WRAP_OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
WRAP_OPEN(openat, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))
WRAP_OPEN(openat64, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))
WRAP(DIR *, opendir, OPEN, NULL, NULL, (const char *path), (path))
WRAP(FILE *, fopen, OPEN, NULL, NULL, (const char *path, const char *how), (path, how))
WRAP(FILE *, fopen64, OPEN, NULL, NULL, (const char *path, const char *how), (path, how))
WRAP(int, pipe2, OPEN, -1, NULL, (int fds[2], int flags), (fds, flags))
WRAP(int, memfd_create, CREATE, -1, NULL, (const char *name, unsigned flags), (name, flags))

/* openat2 has no function in the C library. */
long syscall(long number, ...)
{
	REAL(syscall);
	va_list ap;
	long a[6];

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_openat2) {
		const struct open_how *how = (const struct open_how *)a[2];

		if (fails(open_kind(how->flags), NULL))
			return -1;
	}
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static enum kind on_file(int fd, enum kind file, enum kind pipe)
{
	struct stat st;
	int saved = errno, is_file = syscall(SYS_fstat, fd, &st) < 0 || S_ISREG(st.st_mode);

	errno = saved;
	return is_file ? file : pipe;
}

WRAP(ssize_t, read, on_file(fd, READ, RECEIVE), -1, &n, (int fd, void *p, size_t n), (fd, p, n))
WRAP(ssize_t, pread, READ, -1, &n, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
WRAP(ssize_t, pread64, READ, -1, &n, (int fd, void *p, size_t n, off64_t at), (fd, p, n, at))
WRAP(struct dirent64 *, readdir64, READDIR, NULL, NULL, (DIR * dir), (dir))
WRAP(ssize_t, write, on_file(fd, WRITE, SEND), -1, &n, (int fd, const void *p, size_t n),
	(fd, p, n))
WRAP(ssize_t, pwrite, WRITE, -1, &n, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
WRAP(ssize_t, pwrite64, WRITE, -1, &n, (int fd, const void *p, size_t n, off64_t at),
	(fd, p, n, at))
WRAP(int, fsync, FSYNC, -1, NULL, (int fd), (fd))
WRAP(int, fdatasync, FSYNC, -1, NULL, (int fd), (fd))
WRAP(int, syncfs, FSYNC, -1, NULL, (int fd), (fd))
WRAP(int, rename, RENAME, -1, NULL, (const char *from, const char *to), (from, to))
WRAP(int, renameat, RENAME, -1, NULL, (int d1, const char *from, int d2, const char *to),
	(d1, from, d2, to))
WRAP(int, renameat2, RENAME, -1, NULL,
	(int d1, const char *from, int d2, const char *to, unsigned flags),
	(d1, from, d2, to, flags))
WRAP(int, link, LINK, -1, NULL, (const char *from, const char *to), (from, to))
WRAP(int, linkat, LINK, -1, NULL, (int d1, const char *from, int d2, const char *to, int flags),
	(d1, from, d2, to, flags))
WRAP(int, unlink, UNLINK, -1, NULL, (const char *path), (path))
WRAP(int, unlinkat, UNLINK, -1, NULL, (int dir, const char *path, int flags), (dir, path, flags))
WRAP(void *, mmap, MMAP, MAP_FAILED, NULL,
	(void *at, size_t n, int prot, int flags, int fd, off_t offset),
	(at, n, prot, flags, fd, offset))
WRAP(void *, mmap64, MMAP, MAP_FAILED, NULL,
	(void *at, size_t n, int prot, int flags, int fd, off64_t offset),
	(at, n, prot, flags, fd, offset))
WRAP(ssize_t, copy_file_range, COPY, -1, &n,
	(int in, off64_t *from, int out, off64_t *to, size_t n, unsigned flags),
	(in, from, out, to, n, flags))
WRAP(int, ftruncate, TRUNCATE, -1, NULL, (int fd, off_t size), (fd, size))
WRAP(int, ftruncate64, TRUNCATE, -1, NULL, (int fd, off64_t size), (fd, size))
WRAP(int, mkdir, MKDIR, -1, NULL, (const char *path, mode_t mode), (path, mode))
WRAP(int, chmod, CHMOD, -1, NULL, (const char *path, mode_t mode), (path, mode))
WRAP(int, fchmod, CHMOD, -1, NULL, (int fd, mode_t mode), (fd, mode))
WRAP(int, fchmodat, CHMOD, -1, NULL, (int dir, const char *path, mode_t mode, int flags),
	(dir, path, mode, flags))
WRAP(int, futimens, CHMOD, -1, NULL, (int fd, const struct timespec times[2]), (fd, times))
WRAP(int, utimensat, CHMOD, -1, NULL,
	(int dir, const char *path, const struct timespec times[2], int flags),
	(dir, path, times, flags))
WRAP(int, stat64, STAT, -1, NULL, (const char *path, struct stat64 *st), (path, st))
WRAP(int, lstat64, STAT, -1, NULL, (const char *path, struct stat64 *st), (path, st))
WRAP(int, fstat64, STAT, -1, NULL, (int fd, struct stat64 *st), (fd, st))
WRAP(int, fstatat64, STAT, -1, NULL, (int dir, const char *path, struct stat64 *st, int flags),
	(dir, path, st, flags))
WRAP(int, flock, LOCK, -1, NULL, (int fd, int operation), (fd, operation))

int ioctl(int fd, unsigned long request, ...)
{
	REAL(ioctl);
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if ((request == FICLONE || request == FICLONERANGE) && fails(CLONE, NULL))
		return -1;
	return real(fd, request, arg);
}

/* A close that fails has closed nevertheless. */
int close(int fd)
{
	REAL(close);
	int failed = fails(CLOSE, NULL), error = errno, rc = real(fd);

	if (!failed)
		return rc;
	errno = error;
	return -1;
}

/* These two return the error. */
int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	REAL(posix_spawn);

	return fails(SPAWN, NULL) ? errno : real(pid, path, actions, attr, argv, envp);
}

int pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
	REAL(pthread_create);

	return fails(THREAD, NULL) ? errno : real(id, attr, start, arg);
}

/* dlsym allocates, so these are found by the names under which glibc has them too. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *malloc(size_t n)
{
	return fails(ALLOC, NULL) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails(ALLOC, NULL) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fails(ALLOC, NULL) ? NULL : __libc_realloc(p, n);
}
