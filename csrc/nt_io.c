#define _GNU_SOURCE /* renameat2 */
#include "nt_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

static int posix_open(UNUSED void *user, const char *path, int flags, int mode) {
    return open(path, flags | O_CLOEXEC, mode);
}

static int posix_close(UNUSED void *user, int file) { return close(file); }

static ssize_t posix_read(UNUSED void *user, int file, void *bytes, size_t count, int64_t offset) {
    return pread(file, bytes, count, offset);
}

static ssize_t posix_write(UNUSED void *user, int file, const struct iovec *parts, int count, int64_t offset) {
    return pwritev(file, parts, count, offset);
}

static int posix_sync(UNUSED void *user, int file) { return fdatasync(file); }

static int posix_truncate(UNUSED void *user, int file, int64_t bytes) { return ftruncate(file, bytes); }

static int posix_rename(UNUSED void *user, const char *from, const char *to, int replace) {
    if (replace) return rename(from, to);
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    return link(from, to) == 0 ? unlink(from) : -1; /* a file system without the flag */
}

static int64_t posix_size(UNUSED void *user, int file) {
    struct stat info;
    return fstat(file, &info) == 0 ? (int64_t)info.st_size : -1;
}

const nt_io nt_io_posix = {posix_open, posix_close, posix_read, posix_write, posix_sync,
                           posix_truncate, posix_rename, posix_size, NULL};

nt_status nt_io_read_full(const nt_io *io, int file, void *bytes, size_t count, int64_t offset, size_t *got_out) {
    size_t got = 0;
    while (got < count) {
        ssize_t n = io->read(io->user, file, (uint8_t *)bytes + got, count - got, offset + (int64_t)got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return NT_IO;
        if (n == 0) break;
        got += (size_t)n;
    }
    *got_out = got;
    return NT_OK;
}

nt_status nt_io_write_full(const nt_io *io, int file, struct iovec *parts, int count, int64_t offset) {
    while (count > 0) {
        if (parts->iov_len == 0) {
            parts++, count--;
            continue;
        }
        ssize_t n = io->write(io->user, file, parts, count, offset);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = EIO;
        if (n <= 0) return NT_IO;
        offset += n;
        for (size_t left = (size_t)n; left > 0;) {
            size_t step = left < parts->iov_len ? left : parts->iov_len;
            parts->iov_base = (uint8_t *)parts->iov_base + step;
            parts->iov_len -= step;
            left -= step;
            if (parts->iov_len == 0) parts++, count--;
        }
    }
    return NT_OK;
}

nt_status nt_io_sync_folder(const nt_io *io, const char *path) {
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    if (length >= sizeof folder - 1) {
        errno = ENAMETOOLONG;
        return NT_IO;
    }
    memcpy(folder, length ? path : ".", length ? length : 1);
    folder[length ? length : 1] = '\0';
    int file = io->open(io->user, folder, O_RDONLY | O_DIRECTORY, 0);
    if (file < 0) return NT_IO;
    int failed = io->sync(io->user, file);
    int error = errno;
    io->close(io->user, file);
    errno = error;
    return failed ? NT_IO : NT_OK;
}

/* Does this call fail, and is it shortened? */
static int strikes(nt_io_faults *faults, int operation, int *shortened) {
    if (faults->operation != operation) return 0;
    int64_t call = ++faults->calls;
    if (faults->error == 0) {
        *shortened = call >= faults->at;
        return 0;
    }
    if (call != faults->at) return 0;
    errno = faults->error;
    return 1;
}

static int faulty_open(void *user, const char *path, int flags, int mode) {
    int shortened = 0;
    return strikes(user, NT_IO_OPEN, &shortened) ? -1 : posix_open(NULL, path, flags, mode);
}

static ssize_t faulty_read(void *user, int file, void *bytes, size_t count, int64_t offset) {
    int shortened = 0;
    if (strikes(user, NT_IO_READ, &shortened)) return -1;
    return posix_read(NULL, file, bytes, shortened && count > 1 ? 1 : count, offset);
}

static ssize_t faulty_write(void *user, int file, const struct iovec *parts, int count, int64_t offset) {
    int shortened = 0;
    if (strikes(user, NT_IO_WRITE, &shortened)) return -1;
    struct iovec byte = {parts->iov_base, 1};
    return shortened ? posix_write(NULL, file, &byte, 1, offset) : posix_write(NULL, file, parts, count, offset);
}

static int faulty_sync(void *user, int file) {
    int shortened = 0;
    return strikes(user, NT_IO_SYNC, &shortened) ? -1 : posix_sync(NULL, file);
}

static int faulty_truncate(void *user, int file, int64_t bytes) {
    int shortened = 0;
    return strikes(user, NT_IO_TRUNCATE, &shortened) ? -1 : posix_truncate(NULL, file, bytes);
}

static int faulty_rename(void *user, const char *from, const char *to, int replace) {
    int shortened = 0;
    return strikes(user, NT_IO_RENAME, &shortened) ? -1 : posix_rename(NULL, from, to, replace);
}

nt_io nt_io_faulty(nt_io_faults *faults) {
    return (nt_io){faulty_open, posix_close, faulty_read, faulty_write, faulty_sync,
                   faulty_truncate, faulty_rename, posix_size, faults};
}
