from campaigns.books cimport Books
from campaigns.gate_model cimport Gate
from campaigns.sequence_order cimport Order

cdef class SequenceState:
    cdef public object settings, policy, now, family_base, due_halt, tick, lot, latency_ns, step_ns, slippage_rate
    cdef public double volume_cap
    cdef public Books books
    cdef public Gate gate
    cdef public Order family
    cdef public list prices, rows, slots, closes, orders, active, bars, has_bar, room, expected_children
    cdef public set due, may_be_due, scripted_cancels, scripted_sweeps
    cdef public long step, next_row, fills, denials
    cdef public bint is_scarce, shorting, slippage_capped, fills_at_close, limits_at_once, is_strategy_phase, is_finishing
