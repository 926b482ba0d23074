from cpython.object cimport PyObject
from libc.stdint cimport int32_t, int64_t, uint64_t

from .native cimport nt_ledger, nt_position, nt_status

cdef extern from "nt_ids.h" nogil:
    ctypedef struct nt_id_slot:
        int64_t id, row
    ctypedef struct nt_ids:
        nt_id_slot* slots
        uint64_t mask
        int64_t count, capacity
    int64_t nt_ids_find(const nt_ids* ids, int64_t id)
    nt_status nt_ids_add(nt_ids* ids, int64_t id, int64_t row)
    nt_status nt_ids_remove(nt_ids* ids, int64_t id, int64_t* row_out)

cdef struct seen_row:                   # RECENT_DTYPE
    int64_t ts_ns
    int64_t known_ns
    uint64_t id
    double price
    double volume
    double spread
    double bid
    double ask

cdef struct market_row:
    int64_t last                        # nano, 0 = none yet
    int64_t expires_ns
    seen_row* ring                      # 2 * ring rows, owned by a NumPy array; NULL until the first observation
    int64_t seen_count

cdef struct symbol_entry:
    PyObject* key                       # borrowed from Tables.symbols
    PyObject* position                  # borrowed from Tables.positions
    Py_hash_t hash
    int64_t slot

cdef class Rows:
    cdef nt_ledger ledger
    cdef nt_position* positions
    cdef market_row* markets
    cdef symbol_entry* entries
    cdef nt_id_slot* ids

cdef class LivePosition:
    cdef Rows rows
    cdef int32_t slot
    cdef readonly str symbol
