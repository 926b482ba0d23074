"""What a run leaves in mid-air: orders that work, with everything the event log does not tell until they fill, and the end of a run
that failed."""

import numpy as np

from ..errors import InputError
from .layouts import WORKING_DTYPE

from .engine cimport Engine
from .native cimport int64_t


cdef extern from "nt_orders.h" nogil:
    ctypedef struct bracket_t "nt_bracket":
        int64_t stop_loss
        int64_t take_profit
        int64_t trail
        int64_t stop_loss_rate
        int64_t take_profit_rate
        int64_t trail_rate
    ctypedef struct working_t "nt_working":
        int64_t limit
        int64_t stop
        int64_t trail
        int64_t trail_rate
        bracket_t bracket
        int64_t size_value
        int64_t good_till
        int64_t partner
        signed char target_side
        unsigned char size_kind
    ctypedef struct order_t "nt_order":
        int64_t created_bar
        int64_t quantity
        int working
    ctypedef struct orders_t "nt_orders":
        order_t* rows
        working_t* working
        int64_t count


def working(Engine engine not None):
    """WORKING_DTYPE[n]: every working order in order of its id, a copy; between two calls of `advance`. O(orders of the run)."""
    cdef Py_ssize_t index
    cdef const order_t* order
    cdef const working_t* more
    cdef const orders_t* orders = <const orders_t*>&engine.run.engine.orders
    rows = []
    for index in range(orders.count):
        order = orders.rows + index
        if order.working < 0:
            continue
        more = orders.working + order.working
        rows.append((
            index + 1, order.created_bar, order.quantity, more.limit, more.stop, more.trail, more.trail_rate,
            more.bracket.stop_loss, more.bracket.take_profit, more.bracket.trail, more.bracket.stop_loss_rate,
            more.bracket.take_profit_rate, more.bracket.trail_rate, more.size_kind, more.size_value, more.target_side,
            more.good_till, more.partner))
    return np.array(rows, WORKING_DTYPE)


def end_where_it_failed(Engine engine not None):
    """End a run whose strategy raised: the bar in which it did becomes its last, with what was decided in it before.

    Equity counts that bar's closes, and rows of open trades are added, as `Engine.finish` would; nothing more is journalled.
    """
    if engine.run.engine.i >= engine.run.engine.clock_count:
        raise InputError("end_where_it_failed: the run has come to its end")
    engine.set_journal(None)
    engine.run.engine.i += 1
    engine.finish()
