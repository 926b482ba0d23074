cimport cython

from campaigns.sequence_order cimport Order
from campaigns.sequence_state cimport SequenceState

cdef class Trails(SequenceState):
    cpdef tuple levels(self, Order order)
    cpdef tuple standing(self, Order order)
    cpdef tuple moved_peaks(self, Order order, high, low, close)
    cpdef bint may_be_inside(self, Order order)
    @cython.locals(order=Order)
    cpdef move_trails(self, long slot, high, low, close)
