# Compiled, an order's attributes are fields. Whatever is money, a price or a quantity stays an integer of Python's.
cdef class Order:
    cdef public long id, slot, side, kind, role, parent, partner, tif, status, created, modified
    cdef public object quantity, limit, stop, filled, good_till, created_ns, trail, trail_rate
    cdef public tuple peaks, bracket
    cdef public bint is_fired, may_have_fired, at_once, born_late, parent_waits


cdef class Ask:
    cdef public long slot, side, changed, kind
    cdef public object quantity, limit, stop
    cdef public bint closes, may_be_short
