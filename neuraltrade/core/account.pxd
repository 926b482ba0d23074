from .context cimport Run

# What a run's account is told beside its numbers: pointed at before the engine opens, kept alive by the run.
cdef int attach(Run run, object dues, object rates, object sessions) except -1
