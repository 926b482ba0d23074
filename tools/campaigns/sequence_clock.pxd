cimport cython

from campaigns.sequence_order cimport Ask, Order
from campaigns.sequence_trails cimport Trails

cdef class Clock(Trails):
    @cython.locals(own=list, bar=cython.long, slot=cython.long)
    cpdef begin_step(self)
    @cython.locals(order=Order)
    cpdef end_step(self)
    @cython.locals(slot=cython.long)
    cpdef enter_strategy(self)
    cpdef equity(self)
    cpdef expect_no_halt(self)
    cpdef settle(self)
    @cython.locals(own=list, bar=cython.long, same_close=cython.bint)
    cpdef is_eligible(self, Order order, at_close)
    cpdef judge(self, Ask ask, answer, tuple stops=*)
