"""csrc/nt_io.h and csrc/nt_wal.h, and the classes over them."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t


cdef extern from "nt_io.h" nogil:
    ctypedef int32_t nt_status
    ctypedef struct nt_io:
        void* user
    const nt_io nt_io_posix
    ctypedef struct nt_io_faults:
        int operation
        int error
        int64_t at
        int64_t calls
    nt_io nt_io_faulty(nt_io_faults* faults) noexcept
    int NT_OK, NT_INVALID, NT_NO_MEMORY, NT_FULL, NT_NOT_FOUND, NT_IO, NT_CORRUPT, NT_END, NT_TORN, NT_STATE, NT_TOO_NEW


cdef extern from "nt_wal.h" nogil:
    int NT_WAL_VERSION, NT_WAL_BODY_MAX
    uint32_t NT_WAL_MARK
    ctypedef struct nt_wal_header:
        uint32_t version
        uint8_t identity[16]
        uint8_t label[16]
        uint64_t first_sequence
    ctypedef struct nt_wal_record:
        uint64_t offset
        uint64_t sequence
        const uint8_t* body
        uint32_t body_bytes
        uint32_t kind
    ctypedef struct nt_wal_end:
        uint64_t offset
        uint64_t sequence
        uint64_t synced
        uint64_t torn_bytes
        uint64_t torn_records
    ctypedef struct nt_wal:
        pass
    ctypedef struct nt_wal_reader:
        pass
    nt_status nt_wal_create(const nt_io* io, const char* path, const uint8_t* identity, const uint8_t* label,
                            uint64_t first_sequence) noexcept
    nt_status nt_wal_open(const nt_io* io, const char* path, nt_wal** out, nt_wal_header* header, nt_wal_end* end) noexcept
    nt_status nt_wal_append(nt_wal* wal, uint32_t kind, const void* body, size_t body_bytes, uint64_t* offset) noexcept
    nt_status nt_wal_append_many(nt_wal* wal, size_t count, const uint32_t* kinds, const void* const* bodies,
                                 const size_t* body_bytes, uint64_t* offsets) noexcept
    nt_status nt_wal_sync(nt_wal* wal) noexcept
    nt_status nt_wal_close(nt_wal* wal) noexcept
    void nt_wal_free(nt_wal* wal) noexcept
    void nt_wal_where(nt_wal* wal, nt_wal_end* end) noexcept
    int nt_wal_poisoned(nt_wal* wal) noexcept
    nt_status nt_wal_reader_open(const nt_io* io, const char* path, uint64_t start, nt_wal_reader** out,
                                 nt_wal_header* header) noexcept
    nt_status nt_wal_next(nt_wal_reader* reader, nt_wal_record* record) noexcept
    void nt_wal_reader_end(const nt_wal_reader* reader, nt_wal_end* end) noexcept
    void nt_wal_reader_close(nt_wal_reader* reader) noexcept


cdef extern from "nt_crc32c.h" nogil:
    uint32_t nt_crc32c(uint32_t crc, const void* bytes, size_t count) noexcept
    uint32_t nt_crc32c_serial(uint32_t crc, const void* bytes, size_t count) noexcept


cdef class Faults:
    cdef nt_io_faults faults


cdef class Log:
    cdef nt_wal* wal
    cdef nt_io io
    cdef Faults faults          # kept alive: io points into it
    cdef bint closed_flag
    cdef int owner      # the process that opened it
    cdef readonly str path
    cdef readonly bint read_only
    cdef readonly bytes identity
    cdef readonly bytes label
    cdef readonly object first_sequence
    cdef readonly object torn_bytes
    cdef readonly object torn_records
    cdef nt_wal_end found       # where a read-only log ends
    cdef int start(self, bytes raw) except -1
    cdef int writable(self) except -1
    cdef nt_wal_end _where(self) noexcept


cdef class Reader:
    cdef nt_wal_reader* reader
    cdef nt_io io
    cdef Faults faults
    cdef readonly str path
    cdef readonly bytes identity
    cdef readonly bytes label
    cdef bint sealed
