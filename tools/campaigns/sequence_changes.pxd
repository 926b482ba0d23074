cimport cython

from campaigns.sequence_fills cimport FillChecks
from campaigns.sequence_order cimport Ask, Order

cdef class Changes(FillChecks):
    cpdef end(self, Order order, long status)
    cpdef bint may_end_alone(self, Order order, kind) except -1
    cpdef bint may_end(self, Order order, kind, reason) except -1
    @cython.locals(order=Order, partner=Order)
    cpdef on_end(self, tuple event)
