"""What a run has left behind so far: its tables as arrays, its counters, its books.

Everything is copied out of the core's own rows, but for `equity`, which the loop writes to directly. The Engine is built on this.
"""

from libc.string cimport memcpy

import numpy as np

from . import blocks, convert
from .layouts import (
    CONTROLS, DENIAL_DTYPE, EVENT_DTYPE, FILL_DTYPE, FLOW_DTYPE, MARGIN_CALL_DTYPE, ORDER_DTYPE, SIGNAL_DTYPE, TRADE_DTYPE,
)

from .context cimport Run
from .native cimport *

if (sizeof(nt_event) != EVENT_DTYPE.itemsize or sizeof(nt_fill_row) != FILL_DTYPE.itemsize
        or sizeof(nt_order_row) != ORDER_DTYPE.itemsize or sizeof(nt_trade_row) != TRADE_DTYPE.itemsize
        or sizeof(nt_signal_row) != SIGNAL_DTYPE.itemsize or sizeof(nt_denial_row) != DENIAL_DTYPE.itemsize
        or sizeof(nt_flow_row) != FLOW_DTYPE.itemsize or sizeof(nt_margin_row) != MARGIN_CALL_DTYPE.itemsize
        or NT_CONTROLS != len(CONTROLS)):
    raise ImportError("neuraltrade.core.layouts does not match csrc: rebuild the package")


cdef object copy_rows(const nt_rows* rows, object dtype):
    """The rows as a fresh structured array."""
    out = blocks.empty(rows.count, dtype)
    cdef unsigned char[::1] view
    if rows.count:
        view = out.view(np.uint8)
        memcpy(&view[0], rows.data, rows.count * rows.width)
    return out


cdef class Records:
    """The reading half of an Engine; made with the symbols of a run."""

    def __cinit__(self, symbols, *_, strategies=1, **__):
        self.run = Run(len(symbols) * strategies)

    def fills(self):
        """FILL_DTYPE[n], a copy."""
        cdef nt_engine* engine = self.run.engine
        out = blocks.empty(engine.fill_count, FILL_DTYPE)
        cdef unsigned char[::1] view
        if engine.fill_count:
            view = out.view(np.uint8)
            nt_trades_fills(engine, <nt_fill_row*>&view[0])
        return out

    def orders(self):
        """ORDER_DTYPE[n]: every order in order of its id, refused ones included."""
        cdef nt_orders* orders = &self.run.engine.orders
        out = blocks.empty(orders.count, ORDER_DTYPE)
        cdef unsigned char[::1] view
        if orders.count:
            view = out.view(np.uint8)
            nt_orders_export(orders, self.run.engine.clock_ts_ns, <nt_order_row*>&view[0])
        return out

    def trades(self):
        """TRADE_DTYPE[n]: one row for each closing fill; after `finish`, what is still open too."""
        return copy_rows(&self.run.engine.trades, TRADE_DTYPE)

    def signals(self):
        """SIGNAL_DTYPE[n], a copy."""
        return copy_rows(&self.run.engine.signals, SIGNAL_DTYPE)

    def denials(self):
        """DENIAL_DTYPE[n]: each refused order with its reason, the limit and the value that exceeded it, a copy."""
        return copy_rows(&self.run.engine.denials, DENIAL_DTYPE)

    def margin_calls(self):
        """MARGIN_CALL_DTYPE[n]: each time the account fell short, a copy."""
        return copy_rows(&self.run.engine.margin.calls, MARGIN_CALL_DTYPE)

    def flows(self):
        """FLOW_DTYPE[n]: cash that came or went without a trade, and splits, a copy."""
        return copy_rows(&self.run.engine.flows.rows, FLOW_DTYPE)

    def equity(self):
        """float64[clock_count] after each step's close, NaN where the run has not come to; the engine's own array."""
        if self.run.engine.i < self.run.engine.clock_count:
            self.equity_array[self.run.engine.i:] = np.nan
        return self.equity_array

    def events(self):
        """The event log as uint8[64 x n], a copy: `.view(EVENT_DTYPE)` reads it, the digest is taken over it."""
        return copy_rows(&self.run.engine.events, EVENT_DTYPE).view(np.uint8)

    def counters(self):
        """How many orders, denials, fills, trades, signals, events, levels of books found stale (ticks) so far; "controls": for each control of the gate how
        many orders it was asked about ("checked") and has refused ("denied"). The two loss limits count looks at equity."""
        cdef nt_engine* engine = self.run.engine
        return {
            "orders": engine.orders.count, "working": engine.orders.working_count, "denials": engine.denials.count,
            "fills": engine.fill_count, "trades": engine.trades.count, "signals": engine.signals.count,
            "events": engine.events.count, "ambiguous_bars": engine.ambiguous_bars, "stale_levels": nt_ticks_stale_levels(engine),
            "controls": {name: {"checked": engine.gate.tally.checked[index], "denied": engine.gate.tally.denied[index]}
                         for index, name in enumerate(CONTROLS)},
        }

    def ledger(self):
        """Cash and positions in integers: minor units of cash and nano units; `balance` is 0 as long as the books are right."""
        cdef nt_ledger* ledger = &self.run.engine.ledger
        cdef Py_ssize_t slot
        positions = {}
        for slot, name in enumerate(convert.slot_names(self.symbols)):
            positions[name] = convert.position(ledger.positions[slot])
        return {"cash": ledger.cash, "deposits": ledger.deposits, "interest": ledger.interest, "scale": ledger.scale, "balance": nt_ledger_balance(ledger),
                "positions": positions}

    @property
    def clock_count(self):
        return self.run.engine.clock_count

    @property
    def position_index(self):
        """Index of the next step."""
        return self.run.engine.i

    @property
    def ambiguous_bars(self):
        """Bars in which two triggers could each have come first."""
        return self.run.engine.ambiguous_bars

    @property
    def cash(self):
        return self.run.engine.cash
