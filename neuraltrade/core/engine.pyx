"""One run of the native loop, from Python: open it over bars, bind a strategy, advance, finish. What it leaves behind is read
through `Records`, which it is built on.

The loop is in csrc/nt_engine.c. This file checks what comes in, keeps alive what the loop borrows, and is the trampoline through
which C calls Python: the strategy (with the GIL held for the whole advance) and the ports (which take it for their call only).
"""

from cpython.object cimport PyObject
from libc.stdlib cimport calloc

import numpy as np

from ..clock import union as union_of_times
from ..errors import InputError, NeuralTradeError, StrategyError
from ..ports import SIMILAR_DTYPE
from . import blocks, convert, convert_account, convert_ticks
from .explanation import explained, raising
from .settings import RiskLimits
from .feed import TickFeed
from .context import Bar, Context, IndicatorHandle  # the names this module offers
from .layouts import (
    API_NAMES, CONTEXT_DTYPE, CONTROLS, DENIAL_DTYPE, EVENT_CALLS, EVENT_DTYPE, EVENT_KINDS, FILL_DTYPE, FLOW_DTYPE, GATE_MODES,
    MARGIN_CALL_DTYPE, ORDER_DTYPE, ORDER_ROLES, ORDER_STATES, ORDER_TYPES, SIGNAL_DTYPE, TIMES_IN_FORCE, TRADE_DTYPE,
)

from .account cimport attach
from .feed cimport TickFeed, give_sessions, give_turns
from .flags cimport signal_arrays
from .native cimport *
from .records cimport Records

cdef extern from "Python.h":
    PyObject* PyObject_CallOneArg(PyObject* function, PyObject* argument)
    PyObject* PyIter_Next(PyObject* iterator)
    void Py_DECREF(PyObject* object)

if (sizeof(nt_context) != CONTEXT_DTYPE.itemsize or sizeof(nt_similar) != SIMILAR_DTYPE.itemsize
        or sizeof(nt_api) != 8 * len(API_NAMES)):
    raise ImportError("neuraltrade.core.layouts does not match csrc: rebuild the package")


cdef int pending() except -1:
    """Raise the exception that a call of C left behind."""
    return -1


cdef int64_t failed(Engine engine) noexcept:
    """Keep what the strategy raised; what a port raised in this bar came first."""
    try:
        pending()
    except BaseException as error:
        return caught(engine, unwrapped(error) if engine.resident is not None else error)
    return 1


cdef int caught(Engine engine, object error) noexcept:
    """The same of an exception at hand."""
    if engine.error is None:
        engine.error = error
        engine.from_strategy = True
    return 1


cdef object unwrapped(object error):
    """A generator turns a StopIteration of its own body into a RuntimeError that passed no line of Python."""
    if type(error) is RuntimeError and isinstance(error.__cause__, StopIteration) and error.__traceback__.tb_next is None:
        return error.__cause__
    return error


cdef int64_t call_strategy(nt_context* ctx, void* user) noexcept:
    """nt_strategy_fn: one call of the user's on_bar. The GIL is held. Bare calls: a try block costs 2 ns."""
    cdef Engine engine = <Engine>user
    cdef PyObject* done = PyObject_CallOneArg(<PyObject*>engine.on_bar, <PyObject*>engine.context)
    if done == NULL:
        return failed(engine)
    Py_DECREF(done)
    return 0


cdef int64_t resume_strategy(nt_context* ctx, void* user) noexcept:
    """The same of an on_bar that stays: it goes on to its next `yield`."""
    cdef PyObject* done = PyIter_Next(<PyObject*>user)
    if done == NULL:
        return failed(<Engine>ctx.engine.callback_user)
    Py_DECREF(done)
    return 0


cdef int64_t call_tick_strategy(nt_context* ctx, void* user) noexcept:
    """The same of a run over ticks: on_quote, on_trade or on_depth."""
    cdef Engine engine = <Engine>user
    try:
        engine.on_event[ctx.event](engine.context)
        return 0
    except BaseException as error:
        return caught(engine, error)


cdef int64_t call_journal(void* user, const nt_event* events, int64_t count) noexcept with gil:
    cdef Engine engine = <Engine>user
    try:
        engine.journal(np.frombuffer(bytes((<const unsigned char*>events)[:count * sizeof(nt_event)]), EVENT_DTYPE))
        return 0
    except BaseException as error:
        engine.error = error
        return 1


cdef int64_t call_advisor(void* user, const nt_signal_row* signal, double* confidence_out) noexcept with gil:
    cdef Engine engine = <Engine>user
    cdef double confidence
    try:
        confidence = engine.advisor(signal.symbol, signal.ts_ns, signal.direction, signal.confidence, signal.reasoning,
                                    signal.signal_id)
        if not 0 <= confidence <= 1:
            raise InputError(f"advisor: confidence must be 0..1, was {confidence!r}")
        confidence_out[0] = confidence
        return 0
    except BaseException as error:
        engine.error = error
        return 1


cdef int64_t call_recall(void* user, int64_t symbol, int64_t ts_ns, int64_t k, const nt_similar** rows_out,
                         int64_t* count_out) noexcept with gil:
    cdef Engine engine = <Engine>user
    cdef const unsigned char[::1] view
    try:
        rows = engine.recall.similar(engine.recall_symbols[symbol], ts_ns, k)
        if not isinstance(rows, np.ndarray) or rows.dtype != SIMILAR_DTYPE or rows.ndim != 1:
            raise InputError(f"recall: similar must return ports.SIMILAR_DTYPE[m], returned {rows!r}")
        rows = np.ascontiguousarray(rows)[:k]
        engine.similar_rows = rows
        count_out[0] = rows.shape[0]
        rows_out[0] = NULL
        if rows.shape[0]:
            view = rows.view(np.uint8)
            rows_out[0] = <const nt_similar*>&view[0]
        return 0
    except BaseException as error:
        engine.error = error
        return 1


cdef const double* doubles(object array, str name, Py_ssize_t count) except? NULL:
    """Address of a float64[count] column; NULL where count is 0."""
    cdef const double[::1] view = convert.column(array, np.float64, name, count)
    return &view[0] if count else NULL


cdef class Engine(Records):
    """One run over the bars of one or more symbols.

    symbols : names, each once. bars : for each a tuple (ts_ns int64[n], open, high, low, close, volume float64[n]), C-contiguous,
    kept referenced and never copied. cash : in the account's currency. path : overrides policy.path. record_events : keep the whole
    event log (64 bytes an event), which the digest is taken over; else fills only. latency_ns : how long an order takes to reach the
    market. dues : for each symbol DUE_DTYPE[n] or None, by time. rates : RATES_DTYPE[n] or None. sessions : int32[bars] or None, over
    ticks the times themselves, (open_ns int64[n], close_ns int64[n]) or None.
    strategies : how many are to trade them, each with its own slots: core/team.pyx binds them.
    ticks : an nt.Ticks to run over instead, with a strategy that has `calls` (of EVENT_CALLS); bars are None then.
    Raises InputError. Memory: 8 bytes a clock step, plus its rows.
    """

    def __init__(self, symbols, bars=None, *, cash, policy, fees, slippage, size, risk, instruments, account, path=None,
                 record_events=True, latency_ns=0, ticks=None, calls=(), dues=None, rates=None, sessions=None, strategies=1):
        if self.run.close != NULL:
            raise InputError("Engine: an engine is opened once")
        self.symbols = self.run.symbols = convert.unique_symbols(symbols) * strategies
        calendars, sessions = (sessions, None) if ticks is not None else (None, sessions)
        bars, instruments, dues, rates, sessions = (convert.repeated(each, strategies) for each in (bars, instruments, dues, rates, sessions))
        if ticks is not None:
            convert_ticks.check_policy(policy, slippage)
            self.feed = TickFeed(ticks, self.symbols)
            bars = [None] * len(self.symbols)
        if len(bars) != len(self.symbols) or len(instruments) != len(self.symbols):
            raise InputError(f"Engine: {len(self.symbols)} symbols need as many bars and instruments, got {len(bars)} and "
                             f"{len(instruments)}")
        convert_account.check_account(account, self.symbols, instruments)
        cdef nt_engine_config config = convert.config(cash, policy, fees, slippage, size, risk, account, path, latency_ns,
                                                      record_events)
        cdef Py_ssize_t slot
        for slot in range(self.run.market_count):
            self._open_market(slot, bars[slot], instruments[slot], policy, slippage)
        attach(self.run, dues, rates, sessions)
        self.clock_ts_ns = union_of_times([columns[0] for columns in bars]) if ticks is None else self.feed.clock_ts_ns
        cdef const int64_t[::1] clock = self.clock_ts_ns
        cdef int64_t count = clock.shape[0]
        self.equity_array = blocks.empty(count)
        cdef double[::1] equity = self.equity_array
        cdef nt_status status = nt_engine_open(
            self.run.engine, &config, self.run.markets, self.run.positions, self.run.market_count,
            &clock[0] if count else NULL, count, &equity[0] if count else NULL)
        if status != NT_OK:
            raise MemoryError("Engine: the order table")
        self.run.close = nt_engine_close
        self.run.borrowed += [self.clock_ts_ns, self.equity_array]
        if ticks is not None:
            self._open_ticks(convert_ticks.ticks_config(policy, calls, len(self.symbols) // strategies))
            give_sessions(self.run, calendars)
        self.context = RunContext(self.run)
        restricted = frozenset() if risk is None else frozenset(risk.restricted)
        for slot in range(self.run.market_count):
            self.run.markets[slot].restricted = self.symbols[slot] in restricted

    def _open_market(self, Py_ssize_t slot, columns, instrument, policy, slippage):
        """Point one market at its columns and say what its instrument allows."""
        cdef nt_market* market = &self.run.markets[slot]
        market.tick, market.lot, market.size_lot = convert.grids(instrument, policy, slippage)
        market.margin = convert_account.margin(instrument)
        self.run.positions[slot].multiplier = convert.nano(instrument.multiplier, "multiplier")
        if columns is None:
            return
        if len(columns) != 6:
            raise InputError(f"bars of {self.symbols[slot]}: six columns (ts_ns, open, high, low, close, volume), got {len(columns)}")
        cdef Py_ssize_t count = len(columns[0])
        cdef const int64_t[::1] times = convert.column(columns[0], np.int64, "ts_ns", count)
        market.series.ts_ns = &times[0] if count else NULL
        market.series.open = doubles(columns[1], "open", count)
        market.series.high = doubles(columns[2], "high", count)
        market.series.low = doubles(columns[3], "low", count)
        market.series.close = doubles(columns[4], "close", count)
        market.series.volume = doubles(columns[5], "volume", count)
        market.series.count = count
        self.run.borrowed.append(tuple(columns))

    cdef object _open_ticks(self, nt_ticks_config config):
        cdef nt_status status = nt_ticks_open(self.run.engine, &config, self.feed.streams, self.feed.stream_count, &self.feed.events)
        if status != NT_OK:
            raise MemoryError("Engine: the books")
        self.run.borrowed.append(self.feed)

    def set_indicators(self, columns, turns=None):
        """columns[symbol][handle]: float64[n] over that symbol's own bars, as many for each symbol; kept referenced.

        turns : over ticks, for each symbol the events at which its columns turn to their next row, int64[n - 1]; None = there are none.
        """
        cdef Py_ssize_t slot, handle, count
        cdef const double** pointers
        convert.check_columns(columns, self.symbols)
        for slot, own in enumerate(turns or ()):
            if own is not None:
                give_turns(self.run, slot, own)
        for slot in range(self.run.market_count):
            count = len(columns[slot])
            if self.run.markets[slot].indicators != NULL:
                raise InputError("set_indicators: indicators are set once")
            pointers = <const double**>calloc(count + 1, sizeof(double*))
            if pointers == NULL:
                raise MemoryError(f"{count} indicators")
            self.run.markets[slot].indicators = pointers
            for handle in range(count):
                pointers[handle] = doubles(columns[slot][handle], f"indicator {handle}", self.run.markets[slot].series.count)
            self.run.markets[slot].indicator_count = count
        self.run.borrowed.append([list(own) for own in columns])
        nt_context_select(self.run.engine, 0)

    def set_parameters(self, values):
        """What `ctx.parameters` holds: float64[m], copied."""
        cdef double[::1] view = np.array(values, np.float64).reshape(-1)
        self.run.borrowed.append(view.base)
        self.run.engine.context.parameters = &view[0] if view.shape[0] else NULL
        self.run.engine.context.parameter_count = view.shape[0]
        self.context.parameter_view = memoryview(view.base).toreadonly()

    def set_state(self, Py_ssize_t count):
        """Make `ctx.state` a block of `count` zeros."""
        if not 0 <= count <= 100_000_000:
            raise InputError(f"set_state: count must be 0..100,000,000, was {count}")
        cdef double[::1] view = np.zeros(count)
        self.run.borrowed.append(view.base)
        self.run.engine.context.state = &view[0] if count else NULL
        self.run.engine.context.state_count = count
        self.context.state_view = memoryview(view.base)

    def set_recall(self, recall, symbols=None):
        """A ports.Recall behind `ctx.similar`, or None; `symbols` are the names it knows the run's symbols by."""
        self.recall = recall
        self.recall_symbols = self.symbols if symbols is None else tuple(symbols)
        if len(self.recall_symbols) != len(self.symbols):
            raise InputError(f"set_recall: {len(self.symbols)} symbols, got {len(self.recall_symbols)}")
        self.run.engine.recall = <nt_recall_fn>call_recall if recall is not None else NULL

    def set_advisor(self, advisor):
        """advisor(slot, ts_ns, direction, confidence, reasoning, signal_id) -> confidence 0..1 for each signal, or None."""
        self.advisor = advisor
        self.run.engine.advisor = <nt_advisor_fn>call_advisor if advisor is not None else NULL

    def set_journal(self, journal):
        """journal(EVENT_DTYPE[n]) for each batch of events, decisions before they act; raising stops the run. Or None."""
        self.journal = journal
        self.run.engine.journal = <nt_journal_fn>call_journal if journal is not None else NULL

    def bind_python(self, on_bar, start=None):
        """Call on_bar(context) after each bar; where `start` is given, resume start(context), a generator, instead."""
        if not callable(on_bar):
            raise InputError(f"bind_python: on_bar must be callable, was {type(on_bar).__name__}")
        self.on_bar = on_bar
        self.needs_gil = True
        self.resident = None if start is None else start(self.context)
        if self.resident is None:
            self.run.engine.strategy = <nt_strategy_fn><void*>call_strategy
            self.run.engine.strategy_user = <void*>self
        else:
            self.run.engine.strategy = <nt_strategy_fn><void*>resume_strategy
            self.run.engine.strategy_user = <void*>self.resident

    def bind_events(self, on_event):
        """Call on_event["on_quote"](context) and so on, for the calls the engine was made with."""
        self.on_event = tuple(on_event.get(name) for name in EVENT_CALLS)
        self.needs_gil = True
        self.run.engine.strategy = <nt_strategy_fn><void*>call_tick_strategy
        self.run.engine.strategy_user = <void*>self

    def bind_native(self, address, user=0):
        """Call the nt_strategy_fn at `address` with `user` after each bar, without the GIL."""
        if not address:
            raise InputError("bind_native: address must not be 0")
        self.needs_gil = False
        self.run.engine.strategy = <nt_strategy_fn><void*><size_t>address
        self.run.engine.strategy_user = <void*><size_t>user

    def bind_signals(self, entries, exits=None, short_entries=None, short_exits=None, stop_loss=None, take_profit=None,
                     size=None):
        """Trade arrays [n, symbols] (or [n] for one symbol), C-contiguous: uint8 or bool flags, float64 rates and units, or None."""
        signal_arrays(&self.run.arrays, self.run.borrowed, self.run.engine.clock_count, self.run.market_count, 0, dict(
            entries=entries, exits=exits, short_entries=short_entries, short_exits=short_exits, stop_loss=stop_loss,
            take_profit=take_profit, size=size))
        self.needs_gil = False
        self.run.engine.strategy = <nt_strategy_fn>nt_signals_on_bar
        self.run.engine.strategy_user = &self.run.arrays

    def advance(self, int64_t count):
        """Take up to `count` further steps of the clock; returns the index reached.

        An exception of a Python strategy comes back as StrategyError (bar, ts_ns, the exception as its cause); one of a port as
        it is. A run that failed cannot go on.
        """
        cdef nt_status status
        cdef nt_engine* engine = self.run.engine
        if self.running:
            raise InputError("advance: the run is already advancing")
        if engine.strategy == NULL:
            raise InputError("advance: bind a strategy first")
        if count < 0:
            raise InputError(f"advance: count must not be negative, was {count}")
        engine.callback_user = <void*>self
        self.running = True
        try:
            if self.needs_gil:
                status = nt_engine_advance(engine, count)
            else:
                with nogil:
                    status = nt_engine_advance(engine, count)
        finally:
            self.running = False
        if status != NT_OK:
            self._raise(status)
        return engine.i

    def finish(self, close_open=False):
        """End the run: close what is open at the open of the last bar, if asked; add the rows of open trades."""
        self.run.engine.callback_user = <void*>self
        cdef nt_status status = nt_engine_finish(self.run.engine, 1 if close_open else 0)
        if status != NT_OK:
            self._raise(status)

    def _raise(self, nt_status status):
        """The exception that tells why the loop ended with `status`."""
        cdef int64_t bar = self.run.engine.i
        cdef int64_t ts_ns = self.clock_ts_ns[bar] if 0 <= bar < self.run.engine.clock_count else 0
        error, self.error = self.error, None
        if error is not None:
            if not self.from_strategy or not isinstance(error, Exception):
                raise error
            called = raising(error, EVENT_CALLS[self.run.engine.context.event])
            raise StrategyError(f"{called} raised {type(error).__name__} at bar {bar}: {explained(error, Context)}", bar=bar,
                                ts_ns=ts_ns) from error
        if status == NT_STOPPED:
            raise StrategyError(f"the compiled strategy stopped the run at bar {bar}", bar=bar, ts_ns=ts_ns)
        if status == NT_NO_MEMORY:
            raise MemoryError(f"out of memory at bar {bar}")
        if status == NT_OVERFLOW:
            raise InputError(f"bar {bar}: a price or an amount exceeds what int64 holds at {len(str(self.run.engine.ledger.scale)) - 1} cash digits; "
                             "use fewer cash_digits or smaller sizes")
        if status == NT_UNBALANCED:
            raise NeuralTradeError(f"bar {bar}: the ledger does not balance: {self.ledger()}")
        if status == NT_STATE:
            raise InputError("the run has ended: open a new Engine")
        raise NeuralTradeError(f"bar {bar}: core status {status}")

    def halt(self, mode="halt"):
        """The kill switch by hand, between two calls of `advance`: "reduce_only", "halt" or "cancel_all", see RiskLimits.

        Returns how many working orders it cancelled. It only tightens; `resume` opens the gate again.
        """
        cdef int64_t cancelled = 0
        if mode not in RiskLimits.MODES:
            raise InputError(f"halt: mode must be one of {', '.join(RiskLimits.MODES)}, was {mode!r}")
        self._between("halt")
        cdef nt_status status = nt_engine_halt(self.run.engine, GATE_MODES.index(mode), &cancelled)
        if status != NT_OK:
            self._raise(status)
        return cancelled

    def resume(self):
        """Open the gate again; daily loss, drawdown and executions count anew from here."""
        self._between("resume")
        cdef nt_status status = nt_engine_resume(self.run.engine)
        if status != NT_OK:
            self._raise(status)

    def _between(self, name):
        if self.running:
            raise InputError(f"{name}: the run is advancing; a strategy has ctx.halt")
        self.run.engine.callback_user = <void*>self

    @property
    def gate_mode(self):
        """What the gate lets through: one of GATE_MODES."""
        return GATE_MODES[self.run.engine.gate.mode]

    @property
    def context_address(self):
        """Where the nt_context of this run lies."""
        return <size_t>&self.run.engine.context

    @property
    def api_address(self):
        """Where the nt_api of this run lies."""
        return <size_t>&self.run.engine.api
