#define _GNU_SOURCE
#include "hub_platform.h"
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <nss.h>
#include <stdlib.h>
#include <sys/file.h>

// <nss.h> declares it only for NSS modules.
extern int __nss_configure_lookup(const char *database, const char *services);

// The Swift runtime looks for its own path in /proc before main and aborts where /proc is not mounted, unless told.
__attribute__((constructor(101))) static void set_swift_root(void) { setenv("SWIFT_ROOT", "/", 0); }

void hub_prepare_process(void) {
    __nss_configure_lookup("hosts", "files dns");
    __nss_configure_lookup("passwd", "files");
    __nss_configure_lookup("group", "files");
    __nss_configure_lookup("services", "files");
    mallopt(M_ARENA_MAX, 2);
}

int hub_start_writeback(int fd, int64_t offset, int64_t length) {
    return sync_file_range(fd, offset, length, SYNC_FILE_RANGE_WRITE) == 0 ? 0 : errno;
}

int hub_finish_writeback(int fd, int64_t offset, int64_t length) {
    unsigned flags = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (sync_file_range(fd, offset, length, flags) != 0) return errno;
    return posix_fadvise(fd, offset, length, POSIX_FADV_DONTNEED);
}

int hub_lock_file(int fd) { return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno; }
