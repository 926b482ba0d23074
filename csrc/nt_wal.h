/* nt_wal: an append-only log that knows what it lost.
 *
 * File: a header of 64 bytes, then records, each starting at a multiple of 8. All integers little-endian.
 *
 *   header   magic[8] version u32 header_bytes u32 identity[16] label[16] first_sequence u64 reserved u32 crc u32
 *   record   body_bytes u32 kind u32 sequence u64 body_crc u32 head_crc u32, body, zeros to the next multiple of 8
 *
 * Checksums are CRC32C, seeded with the file's identity; head_crc covers the record's offset as well, body_crc the
 * padding, so a record moved within the file, or taken from another file, does not check. Sequences increase by one.
 * A sync is followed by a mark: a record of kind NT_WAL_MARK whose body is the offset up to which the sync reached; it
 * shares the sequence of the record after it and is never handed to the caller.
 *
 * What is promised. A record whose append returned NT_OK has reached the kernel: it survives the death of the process.
 * What nt_wal_sync returned NT_OK for survives the loss of power. Reading gives an exact prefix of what was appended:
 * at the first bytes that do not check, the rest of the file is searched for records that do. If a later mark says that
 * the bad place had been synced, it is damage (NT_CORRUPT), whatever the place in the file. If none does, it is the tear
 * of a crash (NT_TORN): after a power loss, unsynced writes may be missing, partial or out of order, so whole records
 * beyond the tear are counted and dropped. Damage to the last records of a log that was neither synced nor closed
 * after them cannot be told from a tear, and is reported as one.
 *
 * Threads: appends, syncs and close may be called from several threads; syncs that overlap share one fdatasync. One
 * handle owns a file (flock). Readers are not shared between threads.
 */
#ifndef NT_WAL_H
#define NT_WAL_H

#include <stddef.h>
#include <stdint.h>

#include "nt_io.h"
#include "nt_status.h"

enum {
    NT_WAL_VERSION = 1,
    NT_WAL_HEADER_BYTES = 64,
    NT_WAL_RECORD_BYTES = 24, /* before the body */
    NT_WAL_BODY_MAX = 1 << 30,
};
#define NT_WAL_MARK 0xFFFFFFFFu

typedef struct nt_wal_header {
    uint8_t magic[8];
    uint32_t version;
    uint32_t header_bytes;
    uint8_t identity[16]; /* random, distinct for every file */
    uint8_t label[16];    /* what the log holds, ASCII, zero padded; chosen by the caller */
    uint64_t first_sequence;
    uint32_t reserved;
    uint32_t crc;
} nt_wal_header;

typedef struct nt_wal_head {
    uint32_t body_bytes;
    uint32_t kind;
    uint64_t sequence;
    uint32_t body_crc;
    uint32_t head_crc;
} nt_wal_head;

_Static_assert(sizeof(nt_wal_header) == NT_WAL_HEADER_BYTES, "on disk");
_Static_assert(sizeof(nt_wal_head) == NT_WAL_RECORD_BYTES, "on disk");

typedef struct nt_wal_record {
    uint64_t offset;
    uint64_t sequence;
    const uint8_t *body; /* owned by the reader, valid until its next call */
    uint32_t body_bytes;
    uint32_t kind;
} nt_wal_record;

/* Where a reading stopped. */
typedef struct nt_wal_end {
    uint64_t offset;       /* just after the last good record */
    uint64_t sequence;     /* of the record that would come next */
    uint64_t synced;       /* the highest mark seen */
    uint64_t torn_bytes;   /* bytes after offset */
    uint64_t torn_records; /* whole records among them */
} nt_wal_end;

typedef struct nt_wal nt_wal;
typedef struct nt_wal_reader nt_wal_reader;

/* Write an empty log at `path`, durably: temporary file, sync, rename, folder sync. Never replaces a file: of several
 * creators one wins, and the others find NT_IO with errno EEXIST.   NT_IO errno kept. */
nt_status nt_wal_create(const nt_io *io, const char *path, const uint8_t identity[16], const uint8_t label[16],
                        uint64_t first_sequence);

/* Open for appending; reads the whole file, and truncates a torn tail (end_out says what was dropped).
 * NT_STATE     another handle owns the file.
 * NT_INVALID   not a log of this kind (foreign magic).
 * NT_TOO_NEW   written by a newer version.
 * NT_CORRUPT   damage; end_out->offset is where it starts.
 * NT_IO        errno kept.   NT_NO_MEMORY. */
nt_status nt_wal_open(const nt_io *io, const char *path, nt_wal **wal_out, nt_wal_header *header_out,
                      nt_wal_end *end_out);

/* Append one record, in one write. Borrows `body`.
 * NT_OK       *offset_out = where the record starts; durable only after nt_wal_sync.
 * NT_INVALID  body_bytes above NT_WAL_BODY_MAX, or kind NT_WAL_MARK.
 * NT_FULL     the disk is full (errno kept): log unchanged, still usable.
 * NT_IO       errno kept; the handle is poisoned: close and reopen to recover.
 * NT_STATE    closed or poisoned. */
nt_status nt_wal_append(nt_wal *wal, uint32_t kind, const void *body, size_t body_bytes, uint64_t *offset_out);

/* The same for `count` records in as few writes as their size allows; all or none are acknowledged. */
nt_status nt_wal_append_many(nt_wal *wal, size_t count, const uint32_t *kinds, const void *const *bodies,
                             const size_t *body_bytes, uint64_t *offsets_out);

/* Make everything appended before the call durable. NT_IO poisons. */
nt_status nt_wal_sync(nt_wal *wal);

/* Sync and let go of the file. Safe to repeat. NT_IO: the file is let go all the same. */
nt_status nt_wal_close(nt_wal *wal);

/* Release the memory; closes without sync if still open. Safe on NULL. */
void nt_wal_free(nt_wal *wal);

/* offset, next sequence, synced. */
void nt_wal_where(nt_wal *wal, nt_wal_end *end_out);
int nt_wal_poisoned(nt_wal *wal);

/* Read from `start` (0, or the offset of a record). Statuses as nt_wal_open, without NT_STATE; NT_NOT_FOUND: no record
 * can start there. */
nt_status nt_wal_reader_open(const nt_io *io, const char *path, uint64_t start, nt_wal_reader **reader_out,
                             nt_wal_header *header_out);
/* NT_OK a record; NT_END; NT_TORN or NT_CORRUPT (nt_wal_reader_end tells where); NT_IO; NT_NO_MEMORY. All but NT_OK
 * stay. */
nt_status nt_wal_next(nt_wal_reader *reader, nt_wal_record *record_out);
void nt_wal_reader_end(const nt_wal_reader *reader, nt_wal_end *end_out);
void nt_wal_reader_close(nt_wal_reader *reader);

/* Shared by writer and reader. */
uint32_t nt_wal_seed(const uint8_t identity[16]);
uint32_t nt_wal_head_crc(uint32_t seed, uint64_t offset, const nt_wal_head *head);
nt_status nt_wal_check_header(const nt_wal_header *header, size_t got);

static inline uint64_t nt_wal_extent(uint64_t body_bytes) {
    return NT_WAL_RECORD_BYTES + ((body_bytes + 7) & ~(uint64_t)7);
}

#endif
