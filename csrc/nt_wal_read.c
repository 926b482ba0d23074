#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "nt_crc32c.h"
#include "nt_wal.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "logs are little-endian and written as they stand in memory"
#endif

enum { WINDOW_BYTES = 1 << 20 };

struct nt_wal_reader {
    const nt_io *io;
    int file;
    uint32_t seed;
    nt_status stopped; /* NT_OK while reading goes on */
    int sequence_known;
    uint64_t size;
    nt_wal_end end;
    uint8_t *window; /* bytes [window_start, window_start + window_bytes) of the file */
    uint64_t window_start;
    size_t window_bytes;
    size_t window_capacity;
};

static const uint8_t MAGIC[8] = {'N', 'T', 'W', 'A', 'L', 0, 0x1A, '\n'};

uint32_t nt_wal_seed(const uint8_t identity[16]) { return nt_crc32c(0, identity, 16); }

uint32_t nt_wal_head_crc(uint32_t seed, uint64_t offset, const nt_wal_head *head) {
    return nt_crc32c(nt_crc32c(seed, &offset, 8), head, NT_WAL_RECORD_BYTES - 4);
}

nt_status nt_wal_check_header(const nt_wal_header *header, size_t got) {
    if (got < 8 || memcmp(header->magic, MAGIC, 8) != 0) return NT_INVALID;
    if (got < NT_WAL_HEADER_BYTES) return NT_CORRUPT;
    /* The place of version and checksum is fixed for all versions. */
    if (header->crc != nt_crc32c(0, header, NT_WAL_HEADER_BYTES - 4)) return NT_CORRUPT;
    if (header->version > NT_WAL_VERSION) return NT_TOO_NEW;
    if (header->header_bytes != NT_WAL_HEADER_BYTES) return NT_CORRUPT;
    return NT_OK;
}

/* Bytes [offset, offset + count) of the file, which holds them. */
static nt_status fetch(nt_wal_reader *reader, uint64_t offset, size_t count, const uint8_t **bytes_out) {
    if (offset < reader->window_start || offset + count > reader->window_start + reader->window_bytes) {
        size_t want = count > WINDOW_BYTES ? count : WINDOW_BYTES;
        if (want > reader->size - offset) want = (size_t)(reader->size - offset);
        if (want > reader->window_capacity) {
            uint8_t *grown = realloc(reader->window, want);
            if (grown == NULL) return NT_NO_MEMORY;
            reader->window = grown;
            reader->window_capacity = want;
        }
        reader->window_bytes = 0;
        size_t got = 0;
        nt_status status = nt_io_read_full(reader->io, reader->file, reader->window, want, (int64_t)offset, &got);
        if (status != NT_OK) return status;
        if (got < count) { /* the file shrank under us */
            errno = EIO;
            return NT_IO;
        }
        reader->window_start = offset;
        reader->window_bytes = got;
    }
    *bytes_out = reader->window + (offset - reader->window_start);
    return NT_OK;
}

/* NT_OK and *head_out if the 24 bytes at `offset` are a record's head written there by this log. */
static nt_status read_head(nt_wal_reader *reader, uint64_t offset, nt_wal_head *head_out) {
    const uint8_t *bytes;
    if (reader->size - offset < NT_WAL_RECORD_BYTES) return NT_TORN;
    nt_status status = fetch(reader, offset, NT_WAL_RECORD_BYTES, &bytes);
    if (status != NT_OK) return status;
    nt_wal_head head;
    memcpy(&head, bytes, sizeof head);
    if (head.head_crc != nt_wal_head_crc(reader->seed, offset, &head)) return NT_TORN;
    if (head.body_bytes > NT_WAL_BODY_MAX || (head.kind == NT_WAL_MARK && head.body_bytes != 8)) return NT_TORN;
    *head_out = head;
    return NT_OK;
}

/* The whole record at `offset`: NT_OK, or NT_TORN if its bytes do not check. */
static nt_status read_record(nt_wal_reader *reader, uint64_t offset, nt_wal_record *record_out) {
    nt_wal_head head;
    nt_status status = read_head(reader, offset, &head);
    if (status != NT_OK) return status;
    uint64_t extent = nt_wal_extent(head.body_bytes);
    if (extent > reader->size - offset) return NT_TORN;
    const uint8_t *bytes;
    status = fetch(reader, offset, (size_t)extent, &bytes);
    if (status != NT_OK) return status;
    const uint8_t *body = bytes + NT_WAL_RECORD_BYTES;
    if (head.body_crc != nt_crc32c(reader->seed, body, (size_t)extent - NT_WAL_RECORD_BYTES)) return NT_TORN;
    *record_out = (nt_wal_record){offset, head.sequence, body, head.body_bytes, head.kind};
    return NT_OK;
}

static uint64_t mark_of(const nt_wal_record *record) {
    uint64_t synced;
    memcpy(&synced, record->body, 8);
    return synced;
}

/* The record at end.offset does not check. Search what follows; NT_CORRUPT if a later mark covers the bad place. */
static nt_status judge(nt_wal_reader *reader) {
    uint64_t bad = reader->end.offset, whole = 0;
    for (uint64_t offset = bad + 8; offset < reader->size && reader->size - offset >= NT_WAL_RECORD_BYTES;) {
        nt_wal_record record;
        nt_status status = read_record(reader, offset, &record);
        if (status != NT_OK && status != NT_TORN) return status;
        if (status == NT_TORN) {
            offset += 8;
            continue;
        }
        if (record.kind == NT_WAL_MARK && mark_of(&record) > bad) return NT_CORRUPT;
        whole += record.kind != NT_WAL_MARK;
        offset += nt_wal_extent(record.body_bytes);
    }
    reader->end.torn_bytes = reader->size - bad;
    reader->end.torn_records = whole;
    return NT_TORN;
}

static nt_status step(nt_wal_reader *reader, nt_wal_record *record_out) {
    for (;;) {
        uint64_t offset = reader->end.offset;
        if (offset == reader->size) return NT_END;
        nt_wal_record record;
        nt_status status = read_record(reader, offset, &record);
        if (status == NT_TORN) return judge(reader);
        if (status != NT_OK) return status;
        if (reader->sequence_known && record.sequence != reader->end.sequence) return NT_CORRUPT;
        reader->sequence_known = 1;
        reader->end.sequence = record.sequence;
        reader->end.offset = offset + nt_wal_extent(record.body_bytes);
        if (record.kind != NT_WAL_MARK) {
            reader->end.sequence++;
            *record_out = record;
            return NT_OK;
        }
        uint64_t synced = mark_of(&record);
        if (synced > offset) return NT_CORRUPT;
        if (synced > reader->end.synced) reader->end.synced = synced;
    }
}

nt_status nt_wal_next(nt_wal_reader *reader, nt_wal_record *record_out) {
    if (reader->stopped == NT_OK) {
        nt_status status = step(reader, record_out);
        if (status == NT_OK) return NT_OK;
        reader->stopped = status;
    }
    return reader->stopped;
}

void nt_wal_reader_end(const nt_wal_reader *reader, nt_wal_end *end_out) { *end_out = reader->end; }

void nt_wal_reader_close(nt_wal_reader *reader) {
    if (reader == NULL) return;
    int error = errno;
    if (reader->file >= 0) reader->io->close(reader->io->user, reader->file);
    free(reader->window);
    free(reader);
    errno = error;
}

static nt_status begin(nt_wal_reader *reader, const char *path, uint64_t start, nt_wal_header *header_out) {
    const nt_io *io = reader->io;
    reader->file = io->open(io->user, path, O_RDONLY, 0);
    if (reader->file < 0) return NT_IO;
    int64_t size = io->size(io->user, reader->file);
    if (size < 0) return NT_IO;
    nt_wal_header header;
    memset(&header, 0, sizeof header);
    size_t got = 0;
    nt_status status = nt_io_read_full(io, reader->file, &header, sizeof header, 0, &got);
    if (status == NT_OK) status = nt_wal_check_header(&header, got);
    if (status != NT_OK) return status;
    if (start != 0 && (start < NT_WAL_HEADER_BYTES || start > (uint64_t)size || start % 8 != 0)) return NT_NOT_FOUND;
    reader->size = (uint64_t)size;
    reader->seed = nt_wal_seed(header.identity);
    reader->sequence_known = start <= NT_WAL_HEADER_BYTES;
    reader->end.offset = start ? start : NT_WAL_HEADER_BYTES;
    reader->end.sequence = header.first_sequence;
    reader->end.synced = NT_WAL_HEADER_BYTES;
    *header_out = header;
    return NT_OK;
}

nt_status nt_wal_reader_open(const nt_io *io, const char *path, uint64_t start, nt_wal_reader **reader_out,
                             nt_wal_header *header_out) {
    nt_wal_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return NT_NO_MEMORY;
    reader->io = io;
    reader->file = -1;
    nt_status status = begin(reader, path, start, header_out);
    if (status != NT_OK) {
        nt_wal_reader_close(reader);
        return status;
    }
    *reader_out = reader;
    return NT_OK;
}
