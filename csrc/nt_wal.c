#include "nt_wal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "nt_crc32c.h"

enum { STAGE_BYTES = 1 << 18, DIRECT_BYTES = 1 << 14 };

struct nt_wal {
    const nt_io *io;
    int file; /* -1 once closed */
    int poisoned;
    uint32_t seed;
    pthread_mutex_t append_lock; /* over everything below */
    uint64_t end;
    uint64_t sequence;
    uint64_t dirty; /* end of the last record, marks left out */
    uint8_t *stage; /* records on their way into one write */
    size_t staged;
    uint64_t synced;
    pthread_mutex_t sync_lock; /* one sync at a time; taken before append_lock */
};

static const uint8_t ZEROS[8];

nt_status nt_wal_create(const nt_io *io, const char *path, const uint8_t identity[16], const uint8_t label[16],
                        uint64_t first_sequence) {
    nt_wal_header header = {.magic = {'N', 'T', 'W', 'A', 'L', 0, 0x1A, '\n'},
                            .version = NT_WAL_VERSION,
                            .header_bytes = NT_WAL_HEADER_BYTES,
                            .first_sequence = first_sequence};
    memcpy(header.identity, identity, 16);
    memcpy(header.label, label, 16);
    header.crc = nt_crc32c(0, &header, NT_WAL_HEADER_BYTES - 4);
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.%02x%02x%02x%02x.new", path, identity[0], identity[1],
                          identity[2], identity[3]);
    if (length >= (int)sizeof temporary) {
        errno = ENAMETOOLONG;
        return NT_IO;
    }
    int file = io->open(io->user, temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) return NT_IO;
    struct iovec part = {&header, sizeof header};
    nt_status status = nt_io_write_full(io, file, &part, 1, 0);
    if (status == NT_OK && io->sync(io->user, file) != 0) status = NT_IO;
    int error = errno;
    io->close(io->user, file);
    if (status == NT_OK && io->rename(io->user, temporary, path, 0) != 0) {
        status = NT_IO;
        error = errno;
    }
    if (status != NT_OK) {
        unlink(temporary);
        errno = error;
        return status;
    }
    return nt_io_sync_folder(io, path);
}

static nt_status scan_all(const nt_io *io, const char *path, nt_wal_header *header_out, nt_wal_end *end_out) {
    nt_wal_reader *reader;
    nt_status status = nt_wal_reader_open(io, path, 0, &reader, header_out);
    if (status != NT_OK) return status;
    nt_wal_record record;
    do status = nt_wal_next(reader, &record);
    while (status == NT_OK);
    nt_wal_reader_end(reader, end_out);
    nt_wal_reader_close(reader);
    return status == NT_END || status == NT_TORN ? NT_OK : status;
}

/* What no mark vouches for may be a survivor of a failed sync: in the page cache, clean, and not on the disk. Writing
 * it again makes it dirty again, so that the next sync means what it says. */
static nt_status rewrite_tail(nt_wal *wal, uint64_t from, uint64_t to) {
    while (from < to) {
        size_t count = to - from < STAGE_BYTES ? (size_t)(to - from) : STAGE_BYTES, got = 0;
        nt_status status = nt_io_read_full(wal->io, wal->file, wal->stage, count, (int64_t)from, &got);
        if (status == NT_OK && got < count) {
            errno = EIO;
            status = NT_IO;
        }
        struct iovec part = {wal->stage, count};
        if (status == NT_OK) status = nt_io_write_full(wal->io, wal->file, &part, 1, (int64_t)from);
        if (status != NT_OK) return status;
        from += count;
    }
    return NT_OK;
}

static nt_status begin(nt_wal *wal, const char *path, nt_wal_header *header_out, nt_wal_end *end_out) {
    const nt_io *io = wal->io;
    wal->file = io->open(io->user, path, O_RDWR, 0);
    if (wal->file < 0) return NT_IO;
    if (flock(wal->file, LOCK_EX | LOCK_NB) != 0) return errno == EWOULDBLOCK ? NT_STATE : NT_IO;
    nt_status status = scan_all(io, path, header_out, end_out);
    if (status != NT_OK) return status;
    if (end_out->torn_bytes > 0) {
        if (io->truncate(io->user, wal->file, (int64_t)end_out->offset) != 0) return NT_IO;
        if (io->sync(io->user, wal->file) != 0) return NT_IO;
    }
    wal->seed = nt_wal_seed(header_out->identity);
    wal->end = end_out->offset;
    wal->sequence = end_out->sequence;
    wal->synced = end_out->synced;
    int marked = wal->end <= wal->synced + nt_wal_extent(8);
    wal->dirty = marked ? wal->synced : wal->end;
    return marked ? NT_OK : rewrite_tail(wal, wal->synced, wal->end);
}

nt_status nt_wal_open(const nt_io *io, const char *path, nt_wal **wal_out, nt_wal_header *header_out,
                      nt_wal_end *end_out) {
    nt_wal *wal = calloc(1, sizeof *wal);
    if (wal == NULL) return NT_NO_MEMORY;
    wal->io = io;
    wal->file = -1;
    pthread_mutex_init(&wal->append_lock, NULL);
    pthread_mutex_init(&wal->sync_lock, NULL);
    memset(end_out, 0, sizeof *end_out);
    nt_status status = NT_NO_MEMORY;
    if ((wal->stage = malloc(STAGE_BYTES)) != NULL) status = begin(wal, path, header_out, end_out);
    if (status != NT_OK) {
        nt_wal_free(wal);
        return status;
    }
    *wal_out = wal;
    return NT_OK;
}

static nt_wal_head head_of(const nt_wal *wal, uint64_t offset, uint64_t sequence, uint32_t kind, const void *body,
                           size_t body_bytes) {
    size_t padding = nt_wal_extent(body_bytes) - NT_WAL_RECORD_BYTES - body_bytes;
    nt_wal_head head = {.body_bytes = (uint32_t)body_bytes, .kind = kind, .sequence = sequence};
    head.body_crc = nt_crc32c(nt_crc32c(wal->seed, body, body_bytes), ZEROS, padding);
    head.head_crc = nt_wal_head_crc(wal->seed, offset, &head);
    return head;
}

/* A write failed at or after `start`: take back what reached the file. Keeps errno. */
static nt_status withdraw(nt_wal *wal, uint64_t start) {
    int error = errno;
    int full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    wal->staged = 0;
    if (wal->io->truncate(wal->io->user, wal->file, (int64_t)start) != 0) full = 0;
    if (!full) wal->poisoned = 1;
    errno = error;
    return full ? NT_FULL : NT_IO;
}

static nt_status flush_stage(nt_wal *wal, uint64_t end) {
    struct iovec part = {wal->stage, wal->staged};
    nt_status status = nt_io_write_full(wal->io, wal->file, &part, 1, (int64_t)(end - wal->staged));
    if (status == NT_OK) wal->staged = 0;
    return status;
}

/* Put one record at `end`: small ones into the stage, large ones straight from the caller's memory. */
static nt_status put(nt_wal *wal, uint64_t end, uint64_t sequence, uint32_t kind, const void *body, size_t body_bytes) {
    nt_wal_head head = head_of(wal, end, sequence, kind, body, body_bytes);
    size_t extent = nt_wal_extent(body_bytes);
    size_t padding = extent - NT_WAL_RECORD_BYTES - body_bytes;
    if (body_bytes > DIRECT_BYTES) {
        struct iovec parts[4] = {{wal->stage, wal->staged},
                                 {&head, sizeof head},
                                 {(void *)(uintptr_t)body, body_bytes},
                                 {(void *)(uintptr_t)ZEROS, padding}};
        uint64_t from = end - wal->staged;
        wal->staged = 0;
        return nt_io_write_full(wal->io, wal->file, parts, 4, (int64_t)from);
    }
    if (wal->staged + extent > STAGE_BYTES) {
        nt_status status = flush_stage(wal, end);
        if (status != NT_OK) return status;
    }
    uint8_t *to = wal->stage + wal->staged;
    memcpy(to, &head, sizeof head);
    if (body_bytes) memcpy(to + sizeof head, body, body_bytes);
    memcpy(to + sizeof head + body_bytes, ZEROS, padding);
    wal->staged += extent;
    return NT_OK;
}

static nt_status append_locked(nt_wal *wal, size_t count, const uint32_t *kinds, const void *const *bodies,
                               const size_t *body_bytes, uint64_t *offsets_out) {
    if (wal->file < 0 || wal->poisoned) return NT_STATE;
    uint64_t end = wal->end;
    for (size_t i = 0; i < count; i++) {
        nt_status status = put(wal, end, wal->sequence + i, kinds[i], bodies[i], body_bytes[i]);
        if (status != NT_OK) return withdraw(wal, wal->end);
        end += nt_wal_extent(body_bytes[i]);
    }
    if (wal->staged > 0 && flush_stage(wal, end) != NT_OK) return withdraw(wal, wal->end);
    for (size_t i = 0; i < count; i++) {
        offsets_out[i] = wal->end;
        wal->end += nt_wal_extent(body_bytes[i]);
    }
    wal->sequence += count;
    wal->dirty = wal->end;
    return NT_OK;
}

nt_status nt_wal_append_many(nt_wal *wal, size_t count, const uint32_t *kinds, const void *const *bodies,
                             const size_t *body_bytes, uint64_t *offsets_out) {
    for (size_t i = 0; i < count; i++)
        if (kinds[i] == NT_WAL_MARK || body_bytes[i] > NT_WAL_BODY_MAX) return NT_INVALID;
    if (count == 0) return NT_OK;
    pthread_mutex_lock(&wal->append_lock);
    nt_status status = append_locked(wal, count, kinds, bodies, body_bytes, offsets_out);
    pthread_mutex_unlock(&wal->append_lock);
    return status;
}

nt_status nt_wal_append(nt_wal *wal, uint32_t kind, const void *body, size_t body_bytes, uint64_t *offset_out) {
    return nt_wal_append_many(wal, 1, &kind, &body, &body_bytes, offset_out);
}

/* Note the sync in the log. The mark itself is not synced: losing it loses the proof of damage, not a record. */
static nt_status put_mark(nt_wal *wal, uint64_t synced) {
    if (put(wal, wal->end, wal->sequence, NT_WAL_MARK, &synced, 8) != NT_OK) return withdraw(wal, wal->end);
    if (flush_stage(wal, wal->end + NT_WAL_RECORD_BYTES + 8) != NT_OK) return withdraw(wal, wal->end);
    wal->end += nt_wal_extent(8);
    return NT_OK;
}

static nt_status sync_locked(nt_wal *wal) {
    pthread_mutex_lock(&wal->append_lock);
    nt_status status = wal->file < 0 || wal->poisoned ? NT_STATE : NT_OK;
    uint64_t reach = wal->end;
    int clean = wal->dirty <= wal->synced;
    pthread_mutex_unlock(&wal->append_lock);
    if (status != NT_OK || clean) return status;
    int failed = wal->io->sync(wal->io->user, wal->file) != 0;
    int error = errno;
    pthread_mutex_lock(&wal->append_lock);
    if (failed) {
        wal->poisoned = 1;
        status = NT_IO;
    } else {
        wal->synced = reach;
        /* A disk too full for the mark does not undo the sync. */
        if (!wal->poisoned && put_mark(wal, reach) == NT_IO) status = NT_IO;
        else errno = error;
    }
    pthread_mutex_unlock(&wal->append_lock);
    if (failed) errno = error;
    return status;
}

nt_status nt_wal_sync(nt_wal *wal) {
    pthread_mutex_lock(&wal->sync_lock);
    nt_status status = sync_locked(wal);
    pthread_mutex_unlock(&wal->sync_lock);
    return status;
}

nt_status nt_wal_close(nt_wal *wal) {
    pthread_mutex_lock(&wal->sync_lock);
    nt_status status = NT_OK;
    if (wal->file >= 0) {
        status = wal->poisoned ? NT_OK : sync_locked(wal);
        int error = errno;
        pthread_mutex_lock(&wal->append_lock);
        int marked = wal->end > wal->dirty;
        if (status == NT_OK && !wal->poisoned && marked && wal->io->sync(wal->io->user, wal->file) != 0) {
            status = NT_IO;
            error = errno;
        }
        flock(wal->file, LOCK_UN); /* also where a forked child still holds the file */
        wal->io->close(wal->io->user, wal->file);
        wal->file = -1;
        pthread_mutex_unlock(&wal->append_lock);
        errno = error;
    }
    pthread_mutex_unlock(&wal->sync_lock);
    return status;
}

void nt_wal_free(nt_wal *wal) {
    if (wal == NULL) return;
    int error = errno;
    if (wal->file >= 0) wal->io->close(wal->io->user, wal->file);
    pthread_mutex_destroy(&wal->append_lock);
    pthread_mutex_destroy(&wal->sync_lock);
    free(wal->stage);
    free(wal);
    errno = error;
}

void nt_wal_where(nt_wal *wal, nt_wal_end *end_out) {
    pthread_mutex_lock(&wal->append_lock);
    *end_out = (nt_wal_end){.offset = wal->end, .sequence = wal->sequence, .synced = wal->synced};
    pthread_mutex_unlock(&wal->append_lock);
}

int nt_wal_poisoned(nt_wal *wal) {
    pthread_mutex_lock(&wal->append_lock);
    int poisoned = wal->poisoned;
    pthread_mutex_unlock(&wal->append_lock);
    return poisoned;
}
