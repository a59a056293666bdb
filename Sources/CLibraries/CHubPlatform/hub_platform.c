#define _GNU_SOURCE
#include "hub_platform.h"
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <nss.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

// <nss.h> declares it only for NSS modules.
extern int __nss_configure_lookup(const char *database, const char *services);

static int argument_count;
static char **arguments;

// The Swift runtime looks for its own path in /proc before main and aborts where /proc is not mounted, unless told. It also
// finds the arguments by walking back from `environ`, which setenv moves: in a static program they would be lost, so they
// are kept here, as glibc passes them to constructors.
__attribute__((constructor(101))) static void set_swift_root(int count, char **values) {
    argument_count = count;
    arguments = values;
    setenv("SWIFT_ROOT", "/", 0);
}

int hub_argument_count(void) { return argument_count; }

const char *hub_argument(int index) { return index >= 0 && index < argument_count ? arguments[index] : ""; }

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

int hub_open_direct(const char *path) {
    int fd = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 ? fd : -errno;
}

int hub_lock_file(int fd) { return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno; }

int64_t hub_unsent_bytes(int fd) {
    int count = 0;
    return ioctl(fd, SIOCOUTQ, &count) == 0 ? count : -1;
}

int hub_peer_credentials(int fd, uint32_t *uid, uint32_t *gid, int32_t *pid) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return errno;
    *uid = peer.uid;
    *gid = peer.gid;
    *pid = peer.pid;
    return 0;
}

int hub_close_on_exec(int fd) {
    int flags = fcntl(fd, F_GETFD);
    return flags >= 0 && fcntl(fd, F_SETFD, flags | FD_CLOEXEC) == 0 ? 0 : errno;
}

// Linux 5.14; older C libraries do not name it.
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

// For kernels without MADV_POPULATE_READ: the copy costs, the effect is the same.
static int load_by_reading(int fd, int64_t offset, int64_t length) {
    char buffer[65536];
    while (length > 0) {
        ssize_t count = pread(fd, buffer, length < (int64_t)sizeof buffer ? (size_t)length : sizeof buffer, offset);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return count < 0 ? errno : EIO;
        offset += count;
        length -= count;
    }
    return 0;
}

int hub_load_range(int fd, int64_t offset, int64_t length) {
    if (length <= 0) return 0;
    int64_t start = offset - offset % sysconf(_SC_PAGESIZE);
    size_t size = (size_t)(offset + length - start);
    // All of it asked for at once; populating alone would read it window by window.
    readahead(fd, start, size);
    void *pages = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, start);
    if (pages == MAP_FAILED) return load_by_reading(fd, offset, length);
    int code = madvise(pages, size, MADV_POPULATE_READ) == 0 ? 0 : errno;
    munmap(pages, size);
    return code == EINVAL ? load_by_reading(fd, offset, length) : code;
}

int hub_range_is_in_memory(int fd, int64_t offset, int64_t length) {
    struct stat status;
    if (length <= 0) return 1;
    if (fstat(fd, &status) != 0 || status.st_size < offset + length) return 0;
    int64_t page = sysconf(_SC_PAGESIZE);
    int64_t start = offset - offset % page;
    size_t size = (size_t)(offset + length - start);
    size_t count = (size + (size_t)page - 1) / (size_t)page;
    unsigned char present[4096];
    if (count > sizeof present) return 0;
    void *pages = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, start);
    if (pages == MAP_FAILED) return 0;
    int is_known = mincore(pages, size, present) == 0;
    munmap(pages, size);
    for (size_t index = 0; is_known && index < count; index++) is_known = present[index] & 1;
    return is_known;
}

void hub_return_free_memory(void) {
    malloc_trim(0);
}

const void *hub_find(const void *text, size_t count, const void *needle, size_t needle_count) {
    return memmem(text, count, needle, needle_count);
}
