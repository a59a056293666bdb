/// What the hub needs of Linux and of C libraries and cannot reach from Swift: variadic calls, set-up before `main`.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Pins host and user look-ups to files and DNS, so that a static glibc program loads no NSS plug-in of the host, and
/// bounds the allocator's arenas, so that memory used by many connections is given back. The first call of `main`.
void hub_prepare_process(void);

/// The program's arguments, its own name first. Swift's `CommandLine.arguments` is empty in the static program.
int hub_argument_count(void);
const char *hub_argument(int index);

/// `sync_file_range(2)`: starts the write-back of a range without waiting for it. 0, or an errno value.
int hub_start_writeback(int fd, int64_t offset, int64_t length);

/// Waits for the write-back of a range and drops it from the page cache. 0, or an errno value.
int hub_finish_writeback(int fd, int64_t offset, int64_t length);

/// Opens a file to write past the page cache (`O_DIRECT`), following no link. A descriptor, or an errno value below zero (-EINVAL: the file
/// system has no such writes).
int hub_open_direct(const char *path);

/// Takes a lock for this process on a file, without waiting (`flock(2)`). 0, or an errno value (EWOULDBLOCK: held).
int hub_lock_file(int fd);

/// The bytes that a connected socket holds and its peer has not acknowledged (`SIOCOUTQ`), or -1.
int64_t hub_unsent_bytes(int fd);

/// Who is at the other end of a unix socket (`SO_PEERCRED`). 0, or an errno value.
int hub_peer_credentials(int fd, uint32_t *uid, uint32_t *gid, int32_t *pid);

/// Sets close-on-exec on a descriptor. 0, or an errno value.
int hub_close_on_exec(int fd);

/// Reads a range of a file into the page cache and waits for it, without copying it. 0, or an errno value.
int hub_load_range(int fd, int64_t offset, int64_t length);

/// Whether all pages of a range of a file of one's own are in the page cache; does not wait. At most 16 MiB are looked at: 0 beyond.
/// A file that ends before the range does is 0 too.
int hub_range_is_in_memory(int fd, int64_t offset, int64_t length);

/// Gives memory that the allocator holds free in any arena back to the system.
void hub_return_free_memory(void);

/// Where `needle` first occurs in `text` (`memmem(3)`), or NULL.
const void *hub_find(const void *text, size_t count, const void *needle, size_t needle_count);
