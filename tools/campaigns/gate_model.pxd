cimport cython

from campaigns.books cimport Books
from campaigns.sequence_order cimport Ask, Order

cdef class Gate:
    cdef public Books books
    cdef public list closes, active, restricted, recent
    cdef public bint enabled, self_trade
    cdef public object max_quantity, max_notional, collar, max_position, max_gross, max_net, max_leverage, max_rate
    cdef public object duplicate_ns, max_executions, max_loss, max_drawdown
    cdef public object day, day_equity, peak, seen
    cdef public long mode, loss_mode, cause, executions
    cpdef watch(self, now)
    cpdef resume(self)
    @cython.locals(order=Order)
    cpdef working(self, long slot, long side, long but)
    cpdef worst(self, long slot, up, down, price)
    cpdef towards(self, long slot, quantity, price)
    cpdef exposures(self, Ask ask)
    @cython.locals(order=Order)
    cpdef crosses(self, Ask ask, model)
    cpdef passed(self, Ask ask, now, is_stop_known)
