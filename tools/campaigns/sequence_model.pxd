cimport cython

from campaigns.sequence_changes cimport Changes
from campaigns.sequence_order cimport Ask, Order

cdef class SequenceModel(Changes):
    cpdef handle(self, tuple event, long kind)
    cpdef advance(self, long step)
    @cython.locals(row=tuple, rows=list)
    cpdef expect_rows_without_events(self, actions)
    cpdef halts(self, tuple row)
    @cython.locals(row=tuple)
    cpdef is_scripted(self, tuple event)
    @cython.locals(order=Order)
    cpdef Order add(self, tuple event, long role)
    cpdef on_order(self, tuple event)
    @cython.locals(order=Order, row=tuple, ask=Ask, role=cython.long)
    cpdef on_placed(self, tuple event)
    @cython.locals(row=tuple, ask=Ask)
    cpdef on_denied(self, tuple event)
    @cython.locals(order=Order, parent=Order)
    cpdef on_child(self, tuple event)
    @cython.locals(order=Order)
    cpdef on_finish(self, tuple event)
    @cython.locals(order=Order, slot=cython.long)
    cpdef on_fill(self, tuple event)
    @cython.locals(partner=Order, other=Order, slot=cython.long, sibling=cython.bint, is_spent=cython.bint)
    cpdef after_fill(self, Order order, quantity, opened, price, after)
    @cython.locals(child=Order)
    cpdef expect_children(self, Order order, opened, price)
    cpdef moved(self, base, rate, way)
