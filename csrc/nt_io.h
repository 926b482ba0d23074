/* nt_io: the named door to the disk. Every file operation of the core goes through a table of functions, so that tests
 * can fail, shorten or interrupt the nth of them; nt_io_posix is the real one.
 *
 * Functions of the table behave as their system calls: -1 with errno on failure, short counts allowed. The helpers below
 * finish short transfers and retry EINTR on reads and writes. A failed sync is never retried: after it the kernel may
 * have dropped the dirty pages and would report success (Rebello et al., ATC 2020).
 */
#ifndef NT_IO_H
#define NT_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "nt_status.h"

typedef struct nt_io {
    int (*open)(void *user, const char *path, int flags, int mode);
    int (*close)(void *user, int file);
    ssize_t (*read)(void *user, int file, void *bytes, size_t count, int64_t offset);
    ssize_t (*write)(void *user, int file, const struct iovec *parts, int count, int64_t offset);
    int (*sync)(void *user, int file);
    int (*truncate)(void *user, int file, int64_t bytes);
    /* replace 0: EEXIST if `to` exists. */
    int (*rename)(void *user, const char *from, const char *to, int replace);
    int64_t (*size)(void *user, int file);
    void *user;
} nt_io;

extern const nt_io nt_io_posix;

/* Read up to `count` bytes; fewer only at the end of the file. NT_OK *got_out set; NT_IO errno kept. */
nt_status nt_io_read_full(const nt_io *io, int file, void *bytes, size_t count, int64_t offset, size_t *got_out);

/* Write all parts at `offset`; `parts` is consumed (advanced) on the way. NT_IO: some prefix may have been written. */
nt_status nt_io_write_full(const nt_io *io, int file, struct iovec *parts, int count, int64_t offset);

/* Make a created or renamed name in the folder of `path` durable. */
nt_status nt_io_sync_folder(const nt_io *io, const char *path);

/* Faults for tests: the `at`th call (from 1) of one operation fails with `error`; with `error` 0 a read or write
 * transfers a single byte, from the `at`th call on. `calls` counts the calls of that operation. */
enum { NT_IO_OPEN, NT_IO_READ, NT_IO_WRITE, NT_IO_SYNC, NT_IO_TRUNCATE, NT_IO_RENAME, NT_IO_OPERATIONS };

typedef struct nt_io_faults {
    int operation;
    int error;
    int64_t at;
    int64_t calls;
} nt_io_faults;

/* A table that behaves as nt_io_posix but for `faults`, which is borrowed. */
nt_io nt_io_faulty(nt_io_faults *faults);

#endif
