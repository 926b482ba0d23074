from campaigns.sequence_order cimport Order
from campaigns.sequence_shape cimport Ask
from campaigns.sequence_trails cimport Trails

cdef class Clock(Trails):
    cpdef begin_step(self)
    cpdef end_step(self)
    cpdef enter_strategy(self)
    cpdef equity(self)
    cpdef expect_no_halt(self)
    cpdef settle(self)
    cpdef is_eligible(self, Order order, at_close)
    cpdef judge(self, Ask ask, answer, tuple stops=*)
