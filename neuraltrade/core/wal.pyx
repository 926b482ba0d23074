"""The write-ahead log: what was acknowledged survives, what was damaged is told. The format and the rules of recovery
stand in csrc/nt_wal.h; this is its face in Python."""

import os

from libc.errno cimport EEXIST, errno
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset
from posix.unistd cimport getpid
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize

from neuraltrade.errors import FormatTooNew, InputError, LogCorrupt, StoreClosed, StoreLocked

FORMAT_VERSION = NT_WAL_VERSION
BODY_MAX = NT_WAL_BODY_MAX
OPERATIONS = ("open", "read", "write", "sync", "truncate", "rename")    # in the order of nt_io.h


cdef class Faults:
    """Disk faults for tests: pass it to `Log.open` or `scan`.

    operation : one of OPERATIONS. at : which call of it, from 1. error : the errno it fails with; 0 makes reads and
    writes transfer one byte at a time, from that call on. `calls` counts.
    """

    def __cinit__(self, str operation, *, int at, int error=0):
        if operation not in OPERATIONS:
            raise InputError(f"operation must be one of {', '.join(OPERATIONS)}, was {operation!r}")
        if at < 1 or error < 0:
            raise InputError(f"at must be >= 1 and error >= 0, were {at} and {error}")
        self.faults.operation = OPERATIONS.index(operation)
        self.faults.at = at
        self.faults.error = error

    @property
    def calls(self):
        return self.faults.calls


cdef bytes raw_path(path):
    if isinstance(path, (bytes, bytearray)) or not isinstance(path, (str, os.PathLike)):
        raise InputError(f"path must be a str or os.PathLike, was {type(path).__name__}")
    raw = os.fsencode(path)
    if not raw or b"\0" in raw:
        raise InputError(f"path must be a non-empty file name without NUL, was {path!r}")
    return raw


cdef object failure(nt_status status, int error, str path, uint64_t offset=0):
    """The exception that a failed status means."""
    if status == NT_IO or status == NT_FULL:
        return OSError(error, os.strerror(error), path)
    if status == NT_NO_MEMORY:
        return MemoryError(f"{path}: no memory to read or write the log")
    if status == NT_TOO_NEW:
        return FormatTooNew(f"{path} is a log written by a newer version; this one reads format {NT_WAL_VERSION} and older")
    if status == NT_CORRUPT:
        return LogCorrupt(f"{path}: bytes at offset {offset} do not check, and good records were synced after them")
    if status == NT_INVALID:
        return LogCorrupt(f"{path} is not a neuraltrade log (its first bytes are foreign)")
    if status == NT_STATE:
        return StoreLocked(f"{path} is open for writing elsewhere")
    return RuntimeError(f"{path}: unexpected status {status}")


cdef bytes padded_label(label):
    if isinstance(label, str):
        label = label.encode("ascii", "strict") if label.isascii() else b"\xff" * 17
    if not isinstance(label, bytes) or len(label) > 16 or b"\0" in label:
        raise InputError(f"label must be at most 16 ASCII characters, was {label!r}")
    return (<bytes>label).ljust(16, b"\0")


cdef class Reader:
    """Iterates over a log's records as (offset, kind, body); see `scan`. For one thread at a time."""

    def __cinit__(self, path, uint64_t start=0, *, bint sealed=False, Faults faults=None):
        cdef bytes raw = raw_path(path)
        cdef const char* name = raw
        cdef nt_wal_header header
        cdef nt_status status
        self.path = os.fsdecode(raw)
        self.sealed = sealed
        self.faults = faults
        self.io = nt_io_posix if faults is None else nt_io_faulty(&faults.faults)
        with nogil:
            status = nt_wal_reader_open(&self.io, name, start, &self.reader, &header)
        if status == NT_NOT_FOUND:
            raise InputError(f"start must be 0 or the offset of a record of {self.path}, was {start}")
        if status == NT_CORRUPT:
            raise LogCorrupt(f"{self.path}: the file header does not check")
        if status != NT_OK:
            raise failure(status, errno, self.path)
        self.identity = header.identity[:16]
        self.label = bytes(header.label[:16]).rstrip(b"\0")

    def __dealloc__(self):
        nt_wal_reader_close(self.reader)

    def __iter__(self):
        return self

    def __next__(self):
        cdef nt_wal_record record
        cdef nt_wal_end end
        cdef nt_status status
        with nogil:
            status = nt_wal_next(self.reader, &record)
        if status == NT_OK:
            return record.offset, record.kind, PyBytes_FromStringAndSize(<const char*>record.body, record.body_bytes)
        nt_wal_reader_end(self.reader, &end)
        if status == NT_TORN and self.sealed:
            raise LogCorrupt(f"{self.path}: the log is torn at offset {end.offset}, yet later logs follow it")
        if status == NT_END or status == NT_TORN:
            raise StopIteration
        raise failure(status, errno, self.path, end.offset)

    @property
    def offset(self):
        """Where the next record starts, or where reading stopped."""
        cdef nt_wal_end end
        nt_wal_reader_end(self.reader, &end)
        return end.offset

    @property
    def sequence(self):
        """Sequence of the next record."""
        cdef nt_wal_end end
        nt_wal_reader_end(self.reader, &end)
        return end.sequence

    @property
    def torn_bytes(self):
        """Bytes after the last good record; known once iteration has ended."""
        cdef nt_wal_end end
        nt_wal_reader_end(self.reader, &end)
        return end.torn_bytes


def scan(path, start=0, *, sealed=False, faults=None):
    """Records of a log, oldest first: an iterator of (offset int, kind int, body bytes).

    start : 0, or the offset of a record, to read on from there. sealed : the log is followed by later ones, so that a
    torn tail is damage too. Reads a snapshot of the file's length; opens nothing for writing. 2-3 GB/s from cache.
    Raises LogCorrupt (naming the offset) at damage, FormatTooNew, FileNotFoundError and other OSError.
    """
    if isinstance(start, bool) or not isinstance(start, int) or not 0 <= start < 2**63:
        raise InputError(f"start must be an offset >= 0, was {start!r}")
    return Reader(path, start, sealed=sealed, faults=faults)


cdef class Log:
    """An append-only log in one file, owned by this handle. Made by `Log.open`.

    `append` returns once the kernel has the record: it survives the death of the process. `sync` makes everything before
    it survive the loss of power. Appends, syncs and close may come from several threads; overlapping syncs share one
    fdatasync. After a failed sync or write the log is poisoned: every later call raises StoreClosed; reopening recovers
    what is whole. A full disk alone does not poison: the record is withdrawn and OSError(ENOSPC) raised.

    Attributes: path, read_only, label, identity (16 bytes, distinct for each file), first_sequence, torn_bytes and
    torn_records (what opening dropped from the tail).

    >>> import tempfile, os
    >>> from neuraltrade.core import wal
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "events.log")
    ...     with wal.Log.open(path, label="events") as log:
    ...         _ = log.append(1, b"bought")
    ...         _ = log.append(2, b"sold")
    ...         log.sync()
    ...     [(kind, body) for offset, kind, body in wal.scan(path)]
    [(1, b'bought'), (2, b'sold')]
    """

    def __cinit__(self):
        self.closed_flag = True

    def __init__(self):
        raise TypeError("Log is made by Log.open(path)")

    def __dealloc__(self):
        nt_wal_free(self.wal)

    @staticmethod
    def open(path, *, read_only=False, create=True, label=None, first_sequence=1, identity=None, faults=None):
        """Open the log at `path`, or create it.

        read_only : nothing is written, a torn tail is left alone, no lock is taken. create : False raises
        FileNotFoundError instead of creating. label : at most 16 ASCII characters; given at creation, checked on later
        opens. first_sequence, identity (16 bytes, random by default): for creation only.
        Reads the whole file once. Truncates a torn tail durably; `torn_bytes` and `torn_records` say what was dropped.
        Raises LogCorrupt (damage with its offset, a foreign file, another label), FormatTooNew, StoreLocked, OSError,
        InputError.
        """
        cdef bytes raw = raw_path(path)
        cdef const char* name = raw
        cdef bytes label_bytes = padded_label(b"" if label is None else label)
        cdef nt_status status
        cdef Log log = Log.__new__(Log)
        cdef const uint8_t* identity_at
        cdef const uint8_t* label_at = label_bytes
        cdef uint64_t first
        cdef int error
        if isinstance(first_sequence, bool) or not isinstance(first_sequence, int) or not 0 <= first_sequence < 2**63:
            raise InputError(f"first_sequence must be in 0..2**63-1, was {first_sequence!r}")
        identity = os.urandom(16) if identity is None else identity
        if not isinstance(identity, bytes) or len(identity) != 16:
            raise InputError(f"identity must be 16 bytes, was {identity!r}")
        if faults is not None and not isinstance(faults, Faults):
            raise InputError(f"faults must be a wal.Faults, was {type(faults).__name__}")
        log.path = os.fsdecode(raw)
        log.read_only = read_only
        log.faults = faults
        log.io = nt_io_posix if faults is None else nt_io_faulty(&log.faults.faults)
        log.owner = getpid()
        if create and not read_only and not os.path.lexists(raw):
            identity_at = identity
            first = first_sequence
            with nogil:
                status = nt_wal_create(&log.io, name, identity_at, label_at, first)
                error = errno
            if status != NT_OK and error != EEXIST:     # created by someone else meanwhile: open that
                raise failure(status, error, log.path)
        log.start(raw)
        if label is not None and log.label != label_bytes.rstrip(b"\0"):
            nt_wal_free(log.wal)
            log.wal = NULL
            raise LogCorrupt(f"{log.path} is a log of {log.label!r}, expected {label_bytes.rstrip(bytes(1))!r}")
        log.closed_flag = False
        return log

    cdef int start(self, bytes raw) except -1:
        cdef const char* name = raw
        cdef nt_wal_header header
        cdef nt_wal_record record
        cdef nt_wal_reader* reader = NULL
        cdef nt_status status
        memset(&self.found, 0, sizeof(self.found))
        if self.read_only:
            with nogil:
                status = nt_wal_reader_open(&self.io, name, 0, &reader, &header)
                if status == NT_OK:
                    while status == NT_OK:
                        status = nt_wal_next(reader, &record)
                    nt_wal_reader_end(reader, &self.found)
                    nt_wal_reader_close(reader)
                    if status == NT_END or status == NT_TORN:
                        status = NT_OK
        else:
            with nogil:
                status = nt_wal_open(&self.io, name, &self.wal, &header, &self.found)
        if status == NT_CORRUPT and self.found.offset == 0:
            raise LogCorrupt(f"{self.path}: the file header does not check")
        if status != NT_OK:
            raise failure(status, errno, self.path, self.found.offset)
        self.identity = header.identity[:16]
        self.label = bytes(header.label[:16]).rstrip(b"\0")
        self.first_sequence = header.first_sequence
        self.torn_bytes = self.found.torn_bytes
        self.torn_records = self.found.torn_records
        return 0

    cdef int writable(self) except -1:
        if self.read_only:
            raise InputError(f"{self.path} was opened with read_only=True, so nothing can be written to it")
        if self.closed_flag:
            raise StoreClosed(f"{self.path} is closed")
        if getpid() != self.owner:      # a forked child knows nothing of what its parent appends
            raise StoreLocked(f"{self.path} belongs to process {self.owner}, which this one was forked from")
        return 0

    def append(self, kind, body):
        """Append one record; returns the offset it starts at. The kernel has it on return; `sync` makes it durable.

        kind : 0..2**32-2, the caller's. body : any C-contiguous bytes-like, at most BODY_MAX bytes. One write(2), about
        1-2 us for small records. Raises StoreClosed (closed or poisoned), OSError, InputError.
        """
        cdef uint32_t kind_u32 = checked_kind(kind)
        cdef uint64_t offset = 0
        cdef nt_status status
        cdef int error
        cdef Py_buffer view
        self.writable()
        take(body, &view)
        with nogil:
            status = nt_wal_append(self.wal, kind_u32, view.buf, view.len, &offset)
            error = errno
        PyBuffer_Release(&view)
        if status != NT_OK:
            raise self._refused(status, error)
        return offset

    def append_many(self, kind, bodies):
        """Append records of one kind (int) or one kind each (sequence); returns the list of their offsets.

        All are acknowledged, or none: then the log is unchanged or poisoned. A crash in between leaves a prefix of them.
        About 0.15 us a small record. Errors as `append`.
        """
        bodies = list(bodies)
        kinds = [kind] * len(bodies) if isinstance(kind, int) else list(kind)
        if len(kinds) != len(bodies):
            raise InputError(f"kind must be one int or one per body: {len(kinds)} kinds, {len(bodies)} bodies")
        self.writable()
        cdef size_t count = len(bodies), taken = 0, i
        if count == 0:
            return []
        cdef Py_buffer* views = <Py_buffer*>calloc(count, sizeof(Py_buffer))
        cdef const void** pointers = <const void**>calloc(count, sizeof(void*))
        cdef size_t* sizes = <size_t*>calloc(count, sizeof(size_t))
        cdef uint32_t* kinds_at = <uint32_t*>calloc(count, sizeof(uint32_t))
        cdef uint64_t* offsets = <uint64_t*>calloc(count, sizeof(uint64_t))
        cdef nt_status status
        try:
            if views == NULL or pointers == NULL or sizes == NULL or kinds_at == NULL or offsets == NULL:
                raise MemoryError(f"append_many: {count} records")
            for i in range(count):
                kinds_at[i] = checked_kind(kinds[i])
                take(bodies[i], &views[i])
                taken += 1
                pointers[i] = views[i].buf
                sizes[i] = views[i].len
            with nogil:
                status = nt_wal_append_many(self.wal, count, kinds_at, pointers, sizes, offsets)
            if status != NT_OK:
                raise self._refused(status, errno)
            return [offsets[i] for i in range(count)]
        finally:
            for i in range(taken):
                PyBuffer_Release(&views[i])
            free(views)
            free(pointers)
            free(sizes)
            free(kinds_at)
            free(offsets)

    def sync(self):
        """Make everything appended so far durable (fdatasync). Nothing new: returns at once. A failure poisons the log."""
        cdef nt_status status
        self.writable()
        with nogil:
            status = nt_wal_sync(self.wal)
        if status != NT_OK:
            raise self._refused(status, errno)

    def close(self):
        """Sync and let go of the file. Repeating it does nothing; a poisoned log, and one of the process this one was
        forked from, closes without a sync."""
        cdef nt_status status = NT_OK
        if self.closed_flag:
            return
        self.closed_flag = True
        if self.wal != NULL and getpid() == self.owner:
            with nogil:
                status = nt_wal_close(self.wal)
        if status != NT_OK:
            raise self._refused(status, errno)

    def _refused(self, nt_status status, int error):
        if status == NT_STATE and nt_wal_poisoned(self.wal):
            return StoreClosed(f"{self.path} poisoned itself after a failed write or sync: reopen it to recover")
        if status == NT_STATE:
            return StoreClosed(f"{self.path} is closed")
        return failure(status, error, self.path)

    def scan(self, start=0):
        """Records from `start` on, as `scan(path, start)`; sees what was appended before the call."""
        return scan(self.path, start)

    @property
    def closed(self):
        return self.closed_flag

    @property
    def poisoned(self):
        """Whether a failed write or sync made this handle unusable."""
        return self.wal != NULL and nt_wal_poisoned(self.wal) != 0

    @property
    def offset(self):
        """End of the log: where the next record will start (marks of syncs may come between)."""
        return self._where().offset

    @property
    def sequence(self):
        """Sequence that the next record will get."""
        return self._where().sequence

    @property
    def synced_offset(self):
        """Everything before this offset is durable."""
        return self._where().synced

    cdef nt_wal_end _where(self) noexcept:
        cdef nt_wal_end end = self.found
        if self.wal != NULL:
            nt_wal_where(self.wal, &end)
        return end

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def __repr__(self):
        state = "closed" if self.closed else "poisoned" if self.poisoned else "read-only" if self.read_only else "open"
        return f"Log({self.path!r}, {state}, offset={self.offset}, sequence={self.sequence})"


cdef uint32_t checked_kind(kind) except? 0:
    if isinstance(kind, bool) or not isinstance(kind, int) or not 0 <= kind < NT_WAL_MARK:
        raise InputError(f"kind must be an int in 0..{NT_WAL_MARK - 1}, was {kind!r}")
    return kind


cdef int take(body, Py_buffer* view) except -1:
    try:
        PyObject_GetBuffer(body, view, PyBUF_SIMPLE)
    except (TypeError, BufferError, ValueError) as error:
        raise InputError(f"body must be C-contiguous bytes-like, was {type(body).__name__}: {error}") from None
    if view.len > NT_WAL_BODY_MAX:
        length = view.len
        PyBuffer_Release(view)
        raise InputError(f"body must be at most {NT_WAL_BODY_MAX} bytes, was {length}")
    return 0


def crc32c(body, uint32_t crc=0, *, bint serial=False):
    """CRC-32C (Castagnoli) of bytes-like `body`, continuing from `crc`. serial : by tables, the reference for tests.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    cdef Py_buffer view
    take(body, &view)
    with nogil:
        crc = nt_crc32c_serial(crc, view.buf, view.len) if serial else nt_crc32c(crc, view.buf, view.len)
    PyBuffer_Release(&view)
    return crc
