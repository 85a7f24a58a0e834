/* What may go wrong below a program: killed at a certain write, a full disk, a loss of power, a clock that is wrong.
   Preloaded; steered by environment variables that are read at every call, so that a program forked from a process that
   has it can be given its own:

     SHIM_UNDER    the folder whose files it is about; the rest only applies to these
     SHIM_NOT      a part of the paths of files that it is not about
     SHIM_LOG      each write and sync, one line: what, and the file
     SHIM_JOURNAL  each change in order, with its bytes (tests/shim.py reads it)
     SHIM_DIE      "N KINDS": SIGKILL at the N-th change of those kinds, half of it done
     SHIM_FAIL     "N KINDS ERRNO TIMES": changes of those kinds fail from the N-th on, so often (-1: ever after)
     SHIM_CLOCK    seconds by which the time of day is wrong (for all of the program)

   A library that makes system calls of its own passes by: what its file holds is written down when it is synced.

   Kinds of changes: W write, T truncate, S sync, R rename, U unlink, M mkdir, D rmdir, O open that makes or empties. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define REAL(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long to_die, to_fail, failures;

/* Whether a path is one of those it is about. */
static int about(const char *path) {
  const char *under = getenv("SHIM_UNDER"), *without = getenv("SHIM_NOT");
  size_t n = under ? strlen(under) : 0;
  return n && !strncmp(path, under, n) && (path[n] == '/' || !path[n]) && !strstr(path, " (deleted)") &&
         !(without && strstr(path, without));
}

static int of_fd(int fd, char *path, size_t size) {
  char link[64];
  ssize_t n;
  if (!getenv("SHIM_UNDER")) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if ((n = readlink(link, path, size - 1)) < 0) return 0;
  path[n] = 0;
  return about(path);
}

static int of_path(int at, const char *path, char *whole, size_t size) {
  if (!getenv("SHIM_UNDER")) return 0;
  if (path[0] == '/') snprintf(whole, size, "%s", path);
  else {
    char link[64], base[2048];
    ssize_t n;
    if (at == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    if ((n = readlink(link, base, sizeof base - 1)) < 0) return 0;
    base[n] = 0;
    snprintf(whole, size, "%s/%s", base, path);
  }
  return about(whole);
}

static void append(const char *file, const void *head, size_t n, const char *more, size_t m) {
  int fd = REAL(int, "open64", const char *, int, ...)(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ssize_t (*put)(int, const void *, size_t) = REAL(ssize_t, "write", int, const void *, size_t);
  if (fd < 0) return;
  if (put(fd, head, n) < 0 || (m && put(fd, more, m) < 0)) abort();
  close(fd);
}

static void note(char kind, const char *path, const char *other, int64_t at, const void *data, int64_t size) {
  const char *journal = getenv("SHIM_JOURNAL"), *log = getenv("SHIM_LOG");
  char line[4200];
  if (log && (kind == 'W' || kind == 'S'))
    append(log, line, (size_t)snprintf(line, sizeof line, "%s %s\n", kind == 'W' ? "write" : "sync", path), 0, 0);
  if (journal) {
    int n = snprintf(line, sizeof line, "%c %lld %lld %zu %zu\n%s%s", kind, (long long)at, (long long)size,
                     strlen(path), strlen(other), path, other);
    append(journal, line, (size_t)n, data, data ? (size_t)size : 0);
  }
}

/* What becomes of the next change: 0 it is made, 1 half of it and then the end, 2 it fails with errno. */
static int fate(char kind) {
  const char *die = getenv("SHIM_DIE"), *fail = getenv("SHIM_FAIL");
  long at, times;
  int number;
  char kinds[32];
  if (die && sscanf(die, "%ld %31s", &at, kinds) == 2 && strchr(kinds, kind) && ++to_die >= at) return 1;
  if (fail && sscanf(fail, "%ld %31s %d %ld", &at, kinds, &number, &times) == 4 && strchr(kinds, kind) &&
      ++to_fail >= at && (times < 0 || failures < times)) {
    failures++;
    errno = number;
    return 2;
  }
  return 0;
}

/* One change of any kind but a write: `call` makes it. */
#define CHANGE(kind, path, other, at, call)          \
  do {                                               \
    int result, kept;                                \
    pthread_mutex_lock(&lock);                       \
    switch (fate(kind)) {                            \
    case 1: raise(SIGKILL); /* fall through */       \
    case 2: result = -1; break;                      \
    default:                                         \
      result = (call);                               \
      kept = errno;                                  \
      if (result >= 0) note(kind, path, other, at, 0, 0); \
      errno = kept;                                  \
    }                                                \
    kept = errno;                                    \
    pthread_mutex_unlock(&lock);                     \
    errno = kept;                                    \
    return result;                                   \
  } while (0)

static ssize_t put(int fd, const void *data, size_t n, off64_t at, int placed) {
  ssize_t (*real_pwrite)(int, const void *, size_t, off64_t) = REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
  ssize_t (*real_write)(int, const void *, size_t) = REAL(ssize_t, "write", int, const void *, size_t);
  char path[4096];
  ssize_t result = -1;
  int what, kept;
  if (!of_fd(fd, path, sizeof path)) return placed ? real_pwrite(fd, data, n, at) : real_write(fd, data, n);
  pthread_mutex_lock(&lock);
  what = fate('W');
  /* a disk that has just become full takes the first part */
  if (what != 2 || (failures == 1 && n > 1)) {
    size_t part = what ? (n + 1) / 2 : n;
    result = placed ? real_pwrite(fd, data, part, at) : real_write(fd, data, part);
    if (result >= 0) note('W', path, "", placed ? at : lseek64(fd, 0, SEEK_CUR) - result, data, result);
  }
  if (what == 1) raise(SIGKILL);
  kept = errno;
  pthread_mutex_unlock(&lock);
  errno = kept;
  return result;
}

ssize_t write(int fd, const void *data, size_t n) { return put(fd, data, n, 0, 0); }
ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at) { return put(fd, data, n, at, 1); }
ssize_t pwrite(int fd, const void *data, size_t n, off_t at) { return put(fd, data, n, at, 1); }

/* All that a small file holds, -1 for the long ones of SQLite's, which writes through us. */
static int64_t content(int fd, const char *path, char *into, size_t most) {
  struct stat there;
  if (strstr(path, ".sqlite") || fstat(fd, &there) || !S_ISREG(there.st_mode)) return -1;
  return pread(fd, into, most, 0);
}
static int synced(const char *name, int fd) {
  static char whole[4 << 20];
  char path[4096];
  int (*real)(int) = REAL(int, name, int);
  int result = -1, kept;
  if (!of_fd(fd, path, sizeof path)) return real(fd);
  pthread_mutex_lock(&lock);
  switch (fate('S')) {
  case 1: raise(SIGKILL); break;
  case 0: {
    int64_t size = content(fd, path, whole, sizeof whole);
    result = real(fd);
    kept = errno;
    if (!result) note('S', path, "", size, size < 0 ? 0 : whole, size < 0 ? 0 : size);
    errno = kept;
  }
  }
  kept = errno;
  pthread_mutex_unlock(&lock);
  errno = kept;
  return result;
}
int fsync(int fd) { return synced("fsync", fd); }
int fdatasync(int fd) { return synced("fdatasync", fd); }

int ftruncate64(int fd, off64_t size) {
  char path[4096];
  int (*real)(int, off64_t) = REAL(int, "ftruncate64", int, off64_t);
  if (!of_fd(fd, path, sizeof path)) return real(fd, size);
  CHANGE('T', path, "", size, real(fd, size));
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int rename(const char *from, const char *to) {
  char path[4096], other[4096];
  int (*real)(const char *, const char *) = REAL(int, "rename", const char *, const char *);
  if (!of_path(AT_FDCWD, from, path, sizeof path) || !of_path(AT_FDCWD, to, other, sizeof other)) return real(from, to);
  CHANGE('R', path, other, 0, real(from, to));
}
int unlink(const char *name) {
  char path[4096];
  int (*real)(const char *) = REAL(int, "unlink", const char *);
  if (!of_path(AT_FDCWD, name, path, sizeof path)) return real(name);
  CHANGE('U', path, "", 0, real(name));
}
int mkdir(const char *name, mode_t mode) {
  char path[4096];
  int (*real)(const char *, mode_t) = REAL(int, "mkdir", const char *, mode_t);
  if (!of_path(AT_FDCWD, name, path, sizeof path)) return real(name, mode);
  CHANGE('M', path, "", 0, real(name, mode));
}
int rmdir(const char *name) {
  char path[4096];
  int (*real)(const char *) = REAL(int, "rmdir", const char *);
  if (!of_path(AT_FDCWD, name, path, sizeof path)) return real(name);
  CHANGE('D', path, "", 0, real(name));
}

static int opened(int at, const char *name, int flags, mode_t mode) {
  char path[4096];
  struct stat there;
  int (*real)(int, const char *, int, ...) = REAL(int, "openat64", int, const char *, int, ...);
  int made = (flags & O_CREAT) || (flags & O_TRUNC);
  if (!made || (flags & O_TMPFILE) == O_TMPFILE || !of_path(at, name, path, sizeof path)) return real(at, name, flags, mode);
  if (!stat(path, &there) && !((flags & O_TRUNC) && there.st_size)) return real(at, name, flags, mode);
  CHANGE('O', path, "", 0, real(at, name, flags, mode));
}
#define MODE(flags)                                                        \
  mode_t mode = 0;                                                         \
  if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) {           \
    va_list more;                                                          \
    va_start(more, flags);                                                 \
    mode = va_arg(more, mode_t);                                           \
    va_end(more);                                                          \
  }
int open(const char *name, int flags, ...) { MODE(flags) return opened(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE(flags) return opened(AT_FDCWD, name, flags | O_LARGEFILE, mode); }
int openat(int at, const char *name, int flags, ...) { MODE(flags) return opened(at, name, flags, mode); }
int openat64(int at, const char *name, int flags, ...) { MODE(flags) return opened(at, name, flags | O_LARGEFILE, mode); }

int clock_gettime(clockid_t which, struct timespec *now) {
  const char *wrong = getenv("SHIM_CLOCK");
  int result = REAL(int, "clock_gettime", clockid_t, struct timespec *)(which, now);
  if (wrong && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) now->tv_sec += atol(wrong);
  return result;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  const char *wrong = getenv("SHIM_CLOCK");
  int result = REAL(int, "gettimeofday", struct timeval *, void *)(now, zone);
  if (wrong) now->tv_sec += atol(wrong);
  return result;
}
time_t time(time_t *into) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (into) *into = now.tv_sec;
  return now.tv_sec;
}
