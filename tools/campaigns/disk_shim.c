/* disk_shim: stands between a process and its disk (LD_PRELOAD), so that a campaign can see, break or end what happens.
 *
 * Every call of the C library that changes a file or a name under the watched folder is counted, whoever makes it: the
 * core, Python, numpy. One of them can be recorded with its bytes, fail, transfer less than it was asked to, or be the
 * last thing that the process does (SIGKILL). Calls are made one at a time, so that the record is the order in which
 * they happened. Memory that code within given address ranges asks for can be refused as well.
 *
 * For glibc. Not thread-safe where it is set up: the campaign does that while nothing else runs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN, WRITE, SYNC, TRUNCATE, RENAME, LINK, UNLINK, MKDIR, RMDIR, READ, CLOSE };
enum { FILES_MAX = 4096, RANGES_MAX = 64 };
static const size_t RECORD_BYTES_MAX = (size_t)1 << 31;

typedef struct entry { /* then path, other, data */
    uint32_t kind, handle, flags, path_bytes, other_bytes, data_bytes;
    int64_t offset;
} entry;

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char root[PATH_MAX];
static size_t root_bytes;
static uint32_t handles[FILES_MAX]; /* of open files under the root; 0 for others */
static uint32_t last_handle;
static uint8_t *record;
static size_t record_bytes;
static int recording;
static int64_t calls;                                                /* that change something */
static int64_t kill_at, kill_torn;                                   /* SIGKILL at this call; mid-write if torn */
static uint32_t fail_kinds;                                          /* bits */
static int64_t fail_calls, fail_at, fail_count;                      /* of the calls of these kinds, from 1 */
static int fail_errno;                                               /* 0: transfers are shortened instead */
static int64_t disk_left = INT64_MAX;                                /* bytes that still fit */
static int64_t memory_calls, memory_at;
static struct { uintptr_t low, high; } ranges[RANGES_MAX];
static int range_count;

void shim_watch(const char *path) {
    snprintf(root, sizeof root, "%s", path);
    root_bytes = strlen(root);
    memset(handles, 0, sizeof handles);
    calls = kill_at = fail_calls = fail_at = memory_calls = memory_at = 0;
    fail_kinds = 0;
    disk_left = INT64_MAX;
    recording = 0;
}

void shim_kill(int64_t at, int torn) { kill_at = at, kill_torn = torn; }

void shim_fail(uint32_t kinds, int64_t at, int64_t count, int error) {
    fail_kinds = kinds, fail_at = at, fail_count = count, fail_errno = error, fail_calls = 0;
}

void shim_disk(int64_t bytes) { disk_left = bytes; }
void shim_memory(int64_t at) { memory_at = at, memory_calls = 0; }
void shim_memory_range(uintptr_t low, uintptr_t high) {
    if (range_count < RANGES_MAX) ranges[range_count].low = low, ranges[range_count++].high = high;
}
int64_t shim_calls(void) { return calls; }
int64_t shim_failing_calls(void) { return fail_calls; }
int64_t shim_memory_calls(void) { return memory_calls; }
size_t shim_recorded(const uint8_t **bytes_out) { return *bytes_out = record, record_bytes; }

void shim_record(void) {
    if (record == NULL)
        record = mmap(NULL, RECORD_BYTES_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    record_bytes = 0;
    recording = 1;
}

/* The absolute path that (folder, path) mean, or an empty string where it is not under the root. */
static void resolve(int folder, const char *path, char out[PATH_MAX]) {
    out[0] = '\0';
    if (root_bytes == 0 || path == NULL) return;
    char base[PATH_MAX] = "";
    if (path[0] != '/') {
        char link[64];
        snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
        ssize_t got = readlink(link, base, sizeof base - 2);
        if (got <= 0) return;
        base[got] = '/';
        base[got + 1] = '\0';
    }
    char whole[2 * PATH_MAX];
    snprintf(whole, sizeof whole, "%s%s", base, path);
    if (strncmp(whole, root, root_bytes) != 0 || (whole[root_bytes] != '/' && whole[root_bytes] != '\0')) return;
    snprintf(out, PATH_MAX, "%s", whole[root_bytes] == '/' ? whole + root_bytes + 1 : ".");
}

static uint32_t handle_of(int file) { return file >= 0 && file < FILES_MAX ? handles[file] : 0; }

static void put(uint32_t kind, uint32_t handle, uint32_t flags, int64_t offset, const char *path, const char *other,
                const void *data, size_t data_bytes) {
    if (!recording) return;
    entry head = {kind, handle, flags, (uint32_t)strlen(path), (uint32_t)strlen(other), (uint32_t)data_bytes, offset};
    if (record_bytes + sizeof head + head.path_bytes + head.other_bytes + data_bytes > RECORD_BYTES_MAX) abort();
    uint8_t *to = record + record_bytes;
    to = mempcpy(to, &head, sizeof head);
    to = mempcpy(to, path, head.path_bytes);
    to = mempcpy(to, other, head.other_bytes);
    to = mempcpy(to, data, data_bytes);
    record_bytes = (size_t)(to - record);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* A call is about to happen: 0 go on, 1 it fails with errno set, 2 it transfers less. */
static int before(uint32_t kind) {
    if (kind != READ) {
        calls++;
        if (kill_at && calls == kill_at && !(kill_torn && kind == WRITE)) die();
    }
    if (!(fail_kinds >> kind & 1)) return 0;
    int64_t call = ++fail_calls;
    if (fail_at == 0 || call < fail_at || call >= fail_at + fail_count) return 0;
    errno = fail_errno;
    return fail_errno ? 1 : 2;
}

static int opened(int folder, const char *path, int flags, mode_t mode) {
    char at[PATH_MAX];
    resolve(folder, path, at);
    if (at[0] == '\0') return (int)syscall(SYS_openat, folder, path, flags, mode);
    pthread_mutex_lock(&lock);
    int changes = (flags & (O_CREAT | O_TRUNC)) != 0;
    int file = -1;
    if (before(changes ? OPEN : READ) != 1) file = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (file >= 0 && file < FILES_MAX) {
        handles[file] = ++last_handle;
        put(OPEN, last_handle, (uint32_t)flags, 0, at, "", NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return file;
}

#define OPENING(name)                                  \
    int name(const char *path, int flags, ...) {       \
        va_list more;                                  \
        va_start(more, flags);                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
        va_end(more);                                  \
        return opened(AT_FDCWD, path, flags, mode);    \
    }
OPENING(open)
OPENING(open64)
#define OPENING_AT(name)                                     \
    int name(int folder, const char *path, int flags, ...) { \
        va_list more;                                        \
        va_start(more, flags);                               \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
        va_end(more);                                        \
        return opened(folder, path, flags, mode);            \
    }
OPENING_AT(openat)
OPENING_AT(openat64)

int close(int file) {
    if (handle_of(file)) {
        pthread_mutex_lock(&lock);
        put(CLOSE, handles[file], 0, 0, "", "", NULL, 0);
        handles[file] = 0;
        int status = (int)syscall(SYS_close, file);
        pthread_mutex_unlock(&lock);
        return status;
    }
    return (int)syscall(SYS_close, file);
}

/* At most `limit` bytes of the parts, at `offset` or (-1) where the file stands. */
static ssize_t write_parts(int file, const struct iovec *parts, int count, int64_t offset, size_t limit) {
    ssize_t written = 0;
    for (int i = 0; i < count && limit > 0; i++) {
        size_t step = parts[i].iov_len < limit ? parts[i].iov_len : limit;
        if (step == 0) continue;
        ssize_t n = offset < 0 ? syscall(SYS_write, file, parts[i].iov_base, step)
                               : syscall(SYS_pwrite64, file, parts[i].iov_base, step, offset + written);
        if (n < 0) return written ? written : -1;
        written += n;
        limit -= (size_t)n;
        if ((size_t)n < step) break;
    }
    return written;
}

static ssize_t wrote(int file, const struct iovec *parts, int count, int64_t offset) {
    pthread_mutex_lock(&lock);
    size_t whole = 0;
    for (int i = 0; i < count; i++) whole += parts[i].iov_len;
    int64_t place = offset >= 0 ? offset : lseek(file, 0, SEEK_CUR);
    size_t limit = whole;
    int verdict = before(WRITE);
    ssize_t written = -1;
    if (verdict == 2) limit = whole > 1 ? whole / 2 : whole;
    if (disk_left < (int64_t)limit) limit = (size_t)disk_left;
    if (kill_at && calls == kill_at) {
        write_parts(file, parts, count, offset, whole / 2);
        die();
    }
    if (verdict == 1) {
    } else if (limit == 0 && whole > 0) {
        errno = ENOSPC;
    } else {
        written = write_parts(file, parts, count, offset, limit);
    }
    size_t left = written > 0 ? (size_t)written : 0;
    int64_t at = place;
    if (disk_left != INT64_MAX) disk_left -= (int64_t)left;
    for (int i = 0; i < count && left > 0; i++) {
        size_t step = parts[i].iov_len < left ? parts[i].iov_len : left;
        if (step) put(WRITE, handles[file], 0, at, "", "", parts[i].iov_base, step);
        at += (int64_t)step;
        left -= step;
    }
    int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return written;
}

ssize_t write(int file, const void *bytes, size_t count) {
    if (!handle_of(file)) return syscall(SYS_write, file, bytes, count);
    struct iovec part = {(void *)(uintptr_t)bytes, count};
    return wrote(file, &part, 1, -1);
}

static ssize_t write_at(int file, const void *bytes, size_t count, int64_t offset) {
    if (!handle_of(file)) return syscall(SYS_pwrite64, file, bytes, count, offset);
    struct iovec part = {(void *)(uintptr_t)bytes, count};
    return wrote(file, &part, 1, offset);
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) { return write_at(file, bytes, count, offset); }
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) { return write_at(file, bytes, count, offset); }

ssize_t writev(int file, const struct iovec *parts, int count) {
    return handle_of(file) ? wrote(file, parts, count, -1) : syscall(SYS_writev, file, parts, count);
}
static ssize_t write_many(int file, const struct iovec *parts, int count, int64_t offset) {
    return handle_of(file) ? wrote(file, parts, count, offset) : syscall(SYS_pwritev, file, parts, count, offset, 0);
}
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) { return write_many(file, parts, count, offset); }
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t offset) { return write_many(file, parts, count, offset); }

/* Copies within the kernel are refused where they would not be seen: callers fall back to reading and writing. */
ssize_t sendfile(int to, int from, off_t *offset, size_t count) {
    if (handle_of(to)) return errno = EINVAL, -1;
    return syscall(SYS_sendfile, to, from, offset, count);
}
ssize_t sendfile64(int to, int from, off64_t *offset, size_t count) { return sendfile(to, from, offset, count); }
ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t count, unsigned flags) {
    if (handle_of(to)) return errno = EINVAL, -1;
    return syscall(SYS_copy_file_range, from, from_at, to, to_at, count, flags);
}

static ssize_t read_at(int file, void *bytes, size_t count, int64_t offset) {
    if (handle_of(file) && fail_kinds >> READ & 1) {
        pthread_mutex_lock(&lock);
        int verdict = before(READ), error = errno;
        pthread_mutex_unlock(&lock);
        errno = error;
        if (verdict == 1) return -1;
        if (verdict == 2 && count > 1) count = count / 2;
    }
    return offset < 0 ? syscall(SYS_read, file, bytes, count) : syscall(SYS_pread64, file, bytes, count, offset);
}
ssize_t read(int file, void *bytes, size_t count) { return read_at(file, bytes, count, -1); }
ssize_t pread(int file, void *bytes, size_t count, off_t offset) { return read_at(file, bytes, count, offset); }
ssize_t pread64(int file, void *bytes, size_t count, off64_t offset) { return read_at(file, bytes, count, offset); }

static int synced(int file, long number) {
    if (!handle_of(file)) return (int)syscall(number, file);
    pthread_mutex_lock(&lock);
    int status = before(SYNC) == 1 ? -1 : (int)syscall(number, file), error = errno;
    if (status == 0) put(SYNC, handles[file], 0, 0, "", "", NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return status;
}
int fsync(int file) { return synced(file, SYS_fsync); }
int fdatasync(int file) { return synced(file, SYS_fdatasync); }

static int truncated(int file, int64_t bytes) {
    if (!handle_of(file)) return (int)syscall(SYS_ftruncate, file, bytes);
    pthread_mutex_lock(&lock);
    int status = before(TRUNCATE) == 1 ? -1 : (int)syscall(SYS_ftruncate, file, bytes), error = errno;
    if (status == 0) put(TRUNCATE, handles[file], 0, bytes, "", "", NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return status;
}
int ftruncate(int file, off_t bytes) { return truncated(file, bytes); }
int ftruncate64(int file, off64_t bytes) { return truncated(file, bytes); }

/* One call on names. */
static int named(uint32_t kind, uint32_t flags, int folder, const char *path, int other_folder, const char *other,
                 long number, long a, long b, long c, long d, long e) {
    char at[PATH_MAX], to[PATH_MAX] = "";
    resolve(folder, path, at);
    if (other != NULL) resolve(other_folder, other, to);
    if (at[0] == '\0' && to[0] == '\0') return (int)syscall(number, a, b, c, d, e);
    pthread_mutex_lock(&lock);
    int status = before(kind) == 1 ? -1 : (int)syscall(number, a, b, c, d, e), error = errno;
    if (status == 0) put(kind, 0, flags, 0, at, to, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return status;
}

int renameat2(int folder, const char *from, int other, const char *to, unsigned flags) {
    return named(RENAME, flags, folder, from, other, to, SYS_renameat2, folder, (long)from, other, (long)to, flags);
}
int renameat(int folder, const char *from, int other, const char *to) { return renameat2(folder, from, other, to, 0); }
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int folder, const char *from, int other, const char *to, int flags) {
    return named(LINK, 0, folder, from, other, to, SYS_linkat, folder, (long)from, other, (long)to, flags);
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
int unlinkat(int folder, const char *path, int flags) {
    uint32_t kind = flags & AT_REMOVEDIR ? RMDIR : UNLINK;
    return named(kind, 0, folder, path, 0, NULL, SYS_unlinkat, folder, (long)path, flags, 0, 0);
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int mkdirat(int folder, const char *path, mode_t mode) {
    return named(MKDIR, 0, folder, path, 0, NULL, SYS_mkdirat, folder, (long)path, mode, 0, 0);
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* Memory. */
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);

static int refused(const void *caller) {
    if (memory_at == 0) return 0;
    uintptr_t at = (uintptr_t)caller;
    for (int i = 0; i < range_count; i++)
        if (at >= ranges[i].low && at < ranges[i].high) {
            if (__atomic_add_fetch(&memory_calls, 1, __ATOMIC_RELAXED) != memory_at) return 0;
            errno = ENOMEM;
            return 1;
        }
    return 0;
}
#define CALLER __builtin_extract_return_addr(__builtin_return_address(0))
void *malloc(size_t bytes) { return refused(CALLER) ? NULL : __libc_malloc(bytes); }
void *calloc(size_t count, size_t bytes) { return refused(CALLER) ? NULL : __libc_calloc(count, bytes); }
void *realloc(void *old, size_t bytes) { return refused(CALLER) ? NULL : __libc_realloc(old, bytes); }
void *aligned_alloc(size_t align, size_t bytes) { return refused(CALLER) ? NULL : __libc_memalign(align, bytes); }
int posix_memalign(void **out, size_t align, size_t bytes) {
    if (refused(CALLER)) return ENOMEM;
    return (*out = __libc_memalign(align, bytes)) == NULL ? ENOMEM : 0;
}
