/* Stands between a program and libc (LD_PRELOAD) and plays a machine in trouble.
 *
 * SHIM_CLOCK=FILE   the wall clock is off by the milliseconds (a 64-bit integer) in FILE,
 *                   which may change at any time
 * SHIM_FULL=FOLDER  the disk of FOLDER is full: of each file the first 4 KiB can be
 *                   written, then the error is ENOSPC
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static const int64_t SECOND = 1000000000;
static volatile int64_t *file;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SHIM_CLOCK");
    int opened = path == NULL ? -1 : open(path, O_RDONLY);
    if (opened >= 0) {
        void *mapped = mmap(NULL, sizeof *file, PROT_READ, MAP_SHARED, opened, 0);
        if (mapped != MAP_FAILED) file = mapped;
        close(opened);
    }
}

/* By how many nanoseconds the clock is off. */
static int64_t offset(void) { return file == NULL ? 0 : *file * 1000000; }

static int64_t number(const struct timespec *time) {
    return time->tv_sec * SECOND + time->tv_nsec;
}

static struct timespec timespec_of(int64_t number) {
    return (struct timespec){.tv_sec = number / SECOND, .tv_nsec = number % SECOND};
}

/* What the kernel takes for the time. */
static int64_t true_now(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    return number(&now);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int status = (int)syscall(SYS_clock_gettime, clock, time);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        *time = timespec_of(number(time) + offset());
    return status;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    struct timespec now = timespec_of(true_now() + offset());
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

int timespec_get(struct timespec *time, int base) {
    *time = timespec_of(true_now() + offset());
    return base;
}

time_t time(time_t *result) {
    time_t now = (true_now() + offset()) / SECOND;
    if (result != NULL) *result = now;
    return now;
}

/* Waits until a moment of the wall clock, as the kernel does: a clock that is put back
 * meanwhile makes it longer. It looks ten times a second. */
int cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex,
                  const struct timespec *restrict until) {
    static int (*real)(cnd_t *, mtx_t *, const struct timespec *);
    if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "cnd_timedwait");
    for (;;) {
        int64_t now = true_now();
        int64_t end = number(until) - offset();
        int64_t look = now + SECOND / 10;
        struct timespec next = timespec_of(end < look ? end : look);
        int status = real(cond, mutex, &next);
        if (status != thrd_timedout || end < look) return status;
    }
}

/* Whether a file is on the disk that is full. */
static int is_full(int descriptor) {
    const char *folder = getenv("SHIM_FULL");
    if (folder == NULL) return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    return length > 0 && strncmp(path, folder, strlen(folder)) == 0;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    if (is_full(descriptor)) {
        off_t room = 4096 - lseek(descriptor, 0, SEEK_CUR);
        if (room <= 0) {
            errno = ENOSPC;
            return -1;
        }
        if (count > (size_t)room) count = (size_t)room;
    }
    return syscall(SYS_write, descriptor, bytes, count);
}
