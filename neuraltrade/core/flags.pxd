from .native cimport int64_t, nt_signal_arrays

# Columns of an nt.Signals as the core reads them; what they lie in is appended to `borrowed`.
cdef int signal_arrays(nt_signal_arrays* out, list borrowed, int64_t rows, int64_t symbols, int64_t first_slot, dict columns) except -1
