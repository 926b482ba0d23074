# cython: binding=False
"""What a strategy in Python sees of one bar: the same nt_context that a compiled strategy reads, behind attributes.

Every read is a field of a C struct and every order one call through the api table that compiled code uses, so both speeds take the
same path. Nothing here is valid outside `on_bar`.
"""

from libc.stdlib cimport calloc, free
from libc.math cimport INFINITY, NAN

import numpy as np

from ..clock import as_ns
from ..errors import InputError
from ..ports import SIMILAR_DTYPE
from .layouts import EVENT_NAMES, GATE_MODES, MARKET_TIMES, TIMES_IN_FORCE
from .settings import Denial, RiskLimits

from .native cimport nt_engine, nt_market, nt_position

_TIF = {name: code for code, name in enumerate(TIMES_IN_FORCE)}
_AT = {None: 0, **{name: code for code, name in enumerate(MARKET_TIMES, 1)}}
_DIRECTIONS = {"long": 1, "short": -1, "neutral": 0, "close": 0}
_DENIALS = {int(denial): denial for denial in Denial}


cdef class Run:
    def __cinit__(self, Py_ssize_t market_count):
        if not 0 < market_count <= 1_000_000:
            raise InputError(f"symbols: 1 to 1,000,000 of them, were {market_count}")
        self.borrowed = []
        self.market_count = market_count
        self.engine = <nt_engine*>calloc(1, sizeof(nt_engine))
        self.markets = <nt_market*>calloc(market_count, sizeof(nt_market))
        self.positions = <nt_position*>calloc(market_count, sizeof(nt_position))
        if self.engine == NULL or self.markets == NULL or self.positions == NULL:
            raise MemoryError(f"Engine: {market_count} symbols")

    def __dealloc__(self):
        cdef Py_ssize_t slot
        if self.close != NULL:
            self.close(self.engine)
        if self.markets != NULL:
            for slot in range(self.market_count):
                free(<void*>self.markets[slot].indicators)
        free(self.engine)
        free(self.markets)
        free(self.positions)


cdef class IndicatorHandle:
    """Names one indicator column of a run: `index` into what `Engine.set_indicators` got. Meant to be subclassed."""

    def __init__(self, Py_ssize_t index=-1):
        self.index = index


cdef class Bar:
    """One finished bar, as `ctx.ago(k)` returns it."""

    def __repr__(self):
        return (f"Bar(ts_ns={self.ts_ns}, open={self.open}, high={self.high}, low={self.low}, close={self.close}, "
                f"volume={self.volume})")


cdef inline object outcome(int64_t value):
    """An id, 0, or the Denial of that code."""
    return value if value >= 0 else _DENIALS.get(value, value)


cdef double given(object value, str name) except? -1.5:
    """NaN is the core's "not given", which a NaN of the user's is not: as an infinity it is refused for its range, and so is an
    integer that no float holds."""
    cdef double number
    if value is None:
        return NAN
    try:
        number = <double>value
    except OverflowError:
        return INFINITY
    except TypeError:
        raise InputError(f"{name} must be a number or None, was {value!r}") from None
    return INFINITY if number != number else number


cdef int64_t whole(object value, str name) except? -1:
    """An id or a sign: an integer, or a float without a fraction, as ctx.state keeps them. What int64 cannot hold is 0, no id."""
    cdef double number
    if isinstance(value, int):
        return <int64_t>value if -2**63 <= value < 2**63 else 0
    try:
        number = <double>value
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a whole number, was {value!r}") from None
    if not -9e18 < number < 9e18 or number != <double><int64_t>number:
        raise InputError(f"{name} must be a whole number, was {value!r}")
    return <int64_t>number


cdef int64_t rung(object level) except? -2:
    """A level of the book; an integer that int64 cannot hold lies beyond every book."""
    cdef int64_t found = whole(level, "level")
    return found if found != 0 or level == 0 else -1


cdef int64_t tif_code(object tif, object good_till) except -1:
    """NT_TIF_*; "gtd" and a time come together or not at all."""
    code = _TIF.get(tif)
    if code is None:
        raise InputError(f"tif must be one of {', '.join(_TIF)}, was {tif!r}")
    if (tif == "gtd") != (good_till is not None):
        raise InputError(f"tif='gtd' and good_till= go together: tif was {tif!r}, good_till {good_till!r}")
    return code


cdef class Context:
    """What a strategy sees at one bar and how it acts; made by `Engine`, one for the run, valid inside `on_bar`."""

    def __cinit__(self, Run run not None):
        self.run = run
        self.c = &run.engine.context
        self.texts = []
        self.text_index = {}
        self.state_view = memoryview(np.zeros(0))
        self.parameter_view = memoryview(np.zeros(0))

    @property
    def i(self):
        """Index of the bar on the run's clock."""
        return self.c.i

    @property
    def bar(self):
        """Index into this symbol's own columns."""
        return self.c.bar

    @property
    def ts_ns(self):
        return self.c.ts_ns

    @property
    def slot(self):
        """Index of the symbol in the run."""
        return self.c.symbol - self.first_slot

    @property
    def symbol(self):
        return self.run.symbols[self.c.symbol]

    @property
    def open(self):
        return self.c.open[self.c.bar]

    @property
    def high(self):
        return self.c.high[self.c.bar]

    @property
    def low(self):
        return self.c.low[self.c.bar]

    @property
    def close(self):
        return self.c.close[self.c.bar]

    @property
    def volume(self):
        return self.c.volume[self.c.bar]

    @property
    def position(self):
        """Signed units of this symbol."""
        return self.c.position

    @property
    def entry_price(self):
        """Average entry price, NaN while flat."""
        return self.c.entry_price

    @property
    def cash(self):
        return self.c.cash

    @property
    def equity(self):
        """Cash and positions at the latest closes."""
        return self.c.equity

    @property
    def event(self):
        """What the strategy is called for: "bar", "quote", "trade" or "depth"."""
        return EVENT_NAMES[self.c.event]

    @property
    def bid(self):
        """Best bid as heard by now, NaN where there is none, as in all of these. Of the quotes where the symbol has them, else of its book."""
        return self.c.bid

    @property
    def bid_size(self):
        """Units shown there; 0 where there are none."""
        return self.c.bid_size

    @property
    def ask(self):
        return self.c.ask

    @property
    def ask_size(self):
        return self.c.ask_size

    @property
    def mid(self):
        """Half way between bid and ask, NaN unless there are both."""
        return self.c.mid

    @property
    def last(self):
        """Price of the last print."""
        return self.c.last

    @property
    def last_size(self):
        return self.c.last_size

    @property
    def aggressor(self):
        """Of the last print: +1 a buyer came to take, -1 a seller, 0 not known."""
        return self.c.aggressor

    def depth_price(self, side, level=0):
        """Price of a level as heard: side +1 bids, -1 asks; level 0 is the best. NaN beyond. Without depth level 0 is the quote."""
        return self.c.api.depth_price(self.c, whole(side, "side"), rung(level))

    def depth_size(self, side, level=0):
        """Units at that level; 0 beyond."""
        return self.c.api.depth_size(self.c, whole(side, "side"), rung(level))

    def queue_ahead(self, order_id):
        """Units ahead of a resting order at its price, by the policy's QueueModel. NaN unless it rests, infinite where unseen."""
        return self.c.api.queue_ahead(self.c, whole(order_id, "order_id"))

    @property
    def state(self):
        """float64 scratch, zero at the start; its length is what `Engine.set_state` was given."""
        return self.state_view

    @property
    def parameters(self):
        return self.parameter_view

    def ago(self, Py_ssize_t k):
        """The symbol's bar `k` bars back; 0 is the current one. InputError unless 0 <= k <= ctx.bar."""
        cdef int64_t at = self.c.bar - k
        if self.c.event != 0:
            raise InputError("ctx.ago: a run over ticks has no bars; keep what you need in ctx.state")
        if k < 0 or at < 0:
            raise InputError(f"ctx.ago: k must be 0..{self.c.bar} at this bar, was {k}")
        cdef Bar bar = Bar.__new__(Bar)
        bar.ts_ns = self.run.markets[self.c.symbol].series.ts_ns[at]
        bar.open = self.c.open[at]
        bar.high = self.c.high[at]
        bar.low = self.c.low[at]
        bar.close = self.c.close[at]
        bar.volume = self.c.volume[at]
        return bar

    def value(self, IndicatorHandle indicator not None):
        """The indicator at this bar; NaN until it is warm."""
        if not 0 <= indicator.index < self.c.indicator_count:
            raise InputError(f"ctx.value: this run has {self.c.indicator_count} indicators, index was {indicator.index}")
        return self.c.indicators[indicator.index][self.c.bar]

    def previous(self, IndicatorHandle indicator not None, Py_ssize_t k=1):
        """The indicator `k` bars back; NaN before the first bar."""
        if self.c.event != 0:
            raise InputError("ctx.previous: a run over ticks has no bars of its own; keep what you need in ctx.state")
        if not 0 <= indicator.index < self.c.indicator_count or k < 0:
            raise InputError(f"ctx.previous: index must be below {self.c.indicator_count} and k at least 0, were "
                             f"{indicator.index} and {k}")
        return NAN if k > self.c.bar else self.c.indicators[indicator.index][self.c.bar - k]

    cdef const double* column(self, object series) noexcept:
        """Where this bar's value of an indicator lies; NULL for anything else, which `look` then takes or refuses."""
        cdef size_t index
        if not isinstance(series, IndicatorHandle):
            return NULL
        index = <size_t>(<IndicatorHandle>series).index
        return self.c.indicators[index] + self.c.bar if index < <size_t>self.c.indicator_count else NULL

    cdef int look(self, object series, double* now, double* before) except -1:
        """This bar's value and the last one's, of an indicator or of a constant."""
        cdef Py_ssize_t index
        cdef const double* column
        if isinstance(series, IndicatorHandle):
            index = (<IndicatorHandle>series).index
            if not 0 <= index < self.c.indicator_count:
                raise InputError(f"ctx: this run has {self.c.indicator_count} indicators, index was {index}")
            column = self.c.indicators[index] + self.c.bar
            now[0] = column[0]
            before[0] = (column - 1)[0] if self.c.bar > 0 else NAN
        else:
            now[0] = before[0] = <double>series
        return 0

    def crossed_above(self, a, b):
        """Whether `a` was at or below `b` on the last bar and is above it now; NaN never crosses."""
        cdef double a_now, a_before, b_now, b_before
        cdef const double* x = self.column(a)
        cdef const double* y = self.column(b)
        if x != NULL and y != NULL:
            return x[0] > y[0] and self.c.bar > 0 and (x - 1)[0] <= (y - 1)[0]
        self.look(a, &a_now, &a_before)
        self.look(b, &b_now, &b_before)
        return a_before <= b_before and a_now > b_now

    def crossed_below(self, a, b):
        """Whether `a` was at or above `b` on the last bar and is below it now; NaN never crosses."""
        cdef double a_now, a_before, b_now, b_before
        cdef const double* x = self.column(a)
        cdef const double* y = self.column(b)
        if x != NULL and y != NULL:
            return x[0] < y[0] and self.c.bar > 0 and (x - 1)[0] >= (y - 1)[0]
        self.look(a, &a_now, &a_before)
        self.look(b, &b_now, &b_before)
        return a_before >= b_before and a_now < b_now

    cdef nt_context* acting(self) except NULL:
        """The context, for whatever acts through it."""
        if self.run.engine.finished or self.run.engine.i >= self.run.engine.clock_count:
            raise InputError("ctx: the run has ended; it acts inside on_bar only")
        return self.c

    cdef object order(self, int64_t side, object quantity, object limit, object stop, object stop_loss, object take_profit,
                      object trail, object tif, object stop_loss_rate, object take_profit_rate, object trail_rate, object at,
                      object good_till):
        cdef int64_t code = tif_code(tif, good_till), till = 0 if good_till is None else as_ns(good_till, "good_till")
        when = _AT.get(at)
        if when is None:
            raise InputError(f"at must be one of {', '.join(MARKET_TIMES)}, was {at!r}")
        return outcome(self.acting().api.place(
            self.c, side, given(quantity, "quantity"), given(limit, "limit"), given(stop, "stop"), given(stop_loss, "stop_loss"),
            given(take_profit, "take_profit"), given(trail, "trail"), given(stop_loss_rate, "stop_loss_rate"),
            given(take_profit_rate, "take_profit_rate"), given(trail_rate, "trail_rate"), code, till, <int64_t>when))

    def buy(self, quantity=None, limit=None, stop=None, stop_loss=None, take_profit=None, trail=None, tif="gtc", *,
            stop_loss_rate=None, take_profit_rate=None, trail_rate=None, at=None, good_till=None):
        """Buy `quantity` units, or to the default size. Returns an order id, 0 where there is nothing to do, or a Denial.

        at : "open" | "close" of the next bar, whatever the fill policy does with market orders; no limit or stop beside it.
        good_till : with tif="gtd" the time (as everywhere: ns, datetime, ISO text) up to which bars that end may fill it.
        """
        if (quantity is None and limit is None and stop is None and stop_loss is None and take_profit is None and trail is None
                and tif == "gtc" and stop_loss_rate is None and take_profit_rate is None and trail_rate is None
                and at is None and good_till is None):
            return outcome(self.acting().api.trade(self.c, 1))
        return self.order(1, quantity, limit, stop, stop_loss, take_profit, trail, tif, stop_loss_rate, take_profit_rate,
                          trail_rate, at, good_till)

    def sell(self, quantity=None, limit=None, stop=None, stop_loss=None, take_profit=None, trail=None, tif="gtc", *,
             stop_loss_rate=None, take_profit_rate=None, trail_rate=None, at=None, good_till=None):
        """Sell `quantity` units, or to the default short size. Returns as `buy`."""
        if (quantity is None and limit is None and stop is None and stop_loss is None and take_profit is None and trail is None
                and tif == "gtc" and stop_loss_rate is None and take_profit_rate is None and trail_rate is None
                and at is None and good_till is None):
            return outcome(self.acting().api.trade(self.c, -1))
        return self.order(-1, quantity, limit, stop, stop_loss, take_profit, trail, tif, stop_loss_rate, take_profit_rate,
                          trail_rate, at, good_till)

    def close_position(self):
        """Close what is held of this symbol, by a market order."""
        return outcome(self.acting().api.close_position(self.c))

    def target(self, fraction_of_equity):
        """Trade to that fraction of equity in this symbol, signed; 0 is flat."""
        if fraction_of_equity is None:
            raise InputError("fraction_of_equity must be a number, was None")
        return outcome(self.acting().api.target(self.c, given(fraction_of_equity, "fraction_of_equity")))

    def trailing_stop(self, quantity=None, trail=None, trail_rate=None, side=0, tif="gtc", good_till=None):
        """A stop that follows the price at a distance of `trail`, or of `trail_rate` times the best price since.

        side 0 : an exit, against what is held and never more than that; `quantity` None is all of it; returns 0 while flat.
        side +1, -1 : an order to buy or sell that may open or reverse, sized as in `buy`. It starts from the last close and
        follows as the policy's `trail_update` says. Returns as `buy`.
        """
        cdef int64_t code = tif_code(tif, good_till), till = 0 if good_till is None else as_ns(good_till, "good_till")
        return outcome(self.acting().api.trailing_stop(
            self.c, given(quantity, "quantity"), given(trail, "trail"), given(trail_rate, "trail_rate"), whole(side, "side"), code,
            till))

    def modify(self, order_id, quantity=None, limit=None, stop=None):
        """Give a working order another quantity (in all, what is filled included), limit or stop; None leaves it as it is.

        1 where it was done, 0 where nothing was asked, else a Denial, with the order as it was: the gate judges what it would
        become. An order keeps its type (CONFLICT), a bracket's child and a trailing exit their quantity.
        """
        return outcome(self.acting().api.modify(self.c, whole(order_id, "order_id"), given(quantity, "quantity"),
                                                given(limit, "limit"), given(stop, "stop")))

    def oco(self, order_id, other_id):
        """Join two working orders of one symbol: each shrinks by what the other fills, and is cancelled once that is full.

        1 where it was done, else a Denial. However one ends, cancelled, expired or rejected, the other ends with it.
        """
        return outcome(self.acting().api.oco(self.c, whole(order_id, "order_id"), whole(other_id, "other_id")))

    def cancel(self, order_id):
        """1 where it was cancelled, else a Denial: UNKNOWN_ORDER or ORDER_DONE."""
        return outcome(self.acting().api.cancel(self.c, whole(order_id, "order_id")))

    def cancel_all(self):
        """Cancel every working order of this symbol, brackets included; returns how many."""
        return self.acting().api.cancel_all(self.c)

    def halt(self, mode="halt"):
        """The kill switch, for the whole run: "reduce_only", "halt" or "cancel_all", see RiskLimits; it never loosens.

        Returns how many working orders it cancelled, of every symbol.
        """
        if mode not in RiskLimits.MODES:
            raise InputError(f"ctx.halt: mode must be one of {', '.join(RiskLimits.MODES)}, was {mode!r}")
        return self.acting().api.halt(self.c, <int64_t>GATE_MODES.index(mode))

    def is_active(self, order_id):
        """Whether the order is pending or working."""
        return self.c.api.is_active(self.c, whole(order_id, "order_id")) != 0

    def signal(self, direction, double confidence, reasoning=None):
        """Record a decision: direction -1, 0, +1 (or "short", "neutral", "long"), confidence 0..1.

        Returns the confidence after the Advisor; orders of this symbol in this bar carry the signal's id.
        """
        cdef int64_t sign, text = -1
        named = _DIRECTIONS.get(direction, direction)
        if named not in (-1, 0, 1):
            raise InputError(f"ctx.signal: direction must be -1, 0 or 1, was {direction!r}")
        if not 0 <= confidence <= 1:
            raise InputError(f"ctx.signal: confidence must be 0..1, was {confidence!r}")
        if reasoning is not None:
            if not isinstance(reasoning, str):
                raise InputError(f"ctx.signal: reasoning must be a text, was {reasoning!r}")
            if len(self.text_index) != len(self.texts):
                self.text_index = {known: index for index, known in enumerate(self.texts)}
            text = self.text_index.setdefault(reasoning, len(self.texts))
            if text == <int64_t>len(self.texts):
                self.texts.append(reasoning)
        sign = named
        return self.acting().api.signal(self.c, sign, confidence, text)

    def similar(self, int64_t k=10):
        """SIMILAR_DTYPE[m], m <= k: remembered situations like this one, nearest first; none without a Recall."""
        if k < 1:
            raise InputError(f"ctx.similar: k must be at least 1, was {k}")
        cdef int64_t count = self.acting().api.similar(self.c, k)
        if count <= 0:
            return np.zeros(0, SIMILAR_DTYPE)
        cdef const unsigned char[:] rows = <const unsigned char[:count * 32]><const unsigned char*>self.c.similar
        return np.frombuffer(bytes(rows), SIMILAR_DTYPE)
