from campaigns.sequence_clock cimport Clock
from campaigns.sequence_order cimport Order

cdef class FillChecks(Clock):
    cpdef check_time(self, Order order)
    cpdef first_eligible_day(self, Order order)
    cpdef check_volume(self, Order order, quantity)
    cpdef check_size(self, Order order, quantity, price, after)
    cpdef check_opening(self, Order order, closed, opened, price)
    cpdef check_exposure(self, Order order, after, mark)
