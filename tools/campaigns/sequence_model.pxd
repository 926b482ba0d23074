from campaigns.sequence_changes cimport Changes
from campaigns.sequence_order cimport Order
from campaigns.sequence_shape cimport Ask

cdef class SequenceModel(Changes):
    cpdef handle(self, tuple event, long kind)
    cpdef advance(self, long step)
    cpdef expect_rows_without_events(self, actions)
    cpdef halts(self, row)
    cpdef is_scripted(self, event)
    cpdef Order add(self, event, long role)
    cpdef on_order(self, event)
    cpdef on_placed(self, event)
    cpdef on_denied(self, event)
    cpdef on_child(self, event)
    cpdef on_finish(self, event)
    cpdef on_fill(self, event)
    cpdef after_fill(self, Order order, quantity, opened, price, after)
    cpdef expect_children(self, Order order, opened, price)
    cpdef moved(self, base, rate, way)
