cimport cython

from campaigns.sequence_order cimport Ask
from campaigns.sequence_state cimport SequenceState

@cython.locals(ask=Ask)
cpdef shape_refusal(SequenceState model, tuple row)
cpdef trail_level(tick, peak, long side, distance, rate)
cpdef time_refusal(SequenceState model, tuple row)
cpdef place_refusal(SequenceState model, tuple row, Ask ask)
cpdef short_refusal(SequenceState model, Ask ask)
@cython.locals(ask=Ask)
cpdef trail_refusal(SequenceState model, tuple row, held)
