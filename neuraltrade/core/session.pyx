"""The session tier's tables: what is held, what works, what the market shows, what was just seen.

Lookups do one hash probe and allocate nothing: a symbol's str carries its hash, so finding its slot is a compare of two
pointers; positions are live views over C rows, made once per symbol. Money is kept by nt_ledger, in integers.

A ring holds `ring` observations of a symbol twice, `ring` rows apart, so that the last n are always contiguous and
`recent` is a slice: 64 bytes are written twice instead of up to 64 kB copied at every read.
"""

from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.unicode cimport PyUnicode_CheckExact
from libc.math cimport isfinite
from libc.stdint cimport int64_t, uintptr_t

import numpy as np

from neuraltrade.clock import SystemClock, as_ns
from neuraltrade.core.layouts import FLOW_KINDS
from neuraltrade.core.settings import Denial
from neuraltrade.errors import InputError
from neuraltrade.schema import MarketState

from .live_position cimport (
    LivePosition, Rows, market_row, nt_id_slot, nt_ids, nt_ids_add, nt_ids_find, nt_ids_remove, seen_row, symbol_entry,
)
from .native cimport (
    NT_CASH_DIGITS_MAX, NT_FULL, NT_NANO, NT_OK, NT_STATE, nt_closing, nt_double_from_nano, nt_fixed_from_double, nt_ledger_balance, nt_ledger_fill,
    nt_ledger_flow, nt_ledger_interest, nt_ledger_notional, nt_ledger_open, nt_ledger_split, nt_nano_from_double, nt_position,
    nt_status,
)

cdef extern from "Python.h":
    Py_hash_t PyObject_Hash(PyObject* o) except? -1

# One remembered observation.
RECENT_DTYPE = np.dtype([
    ("ts_ns", "<i8"), ("known_ns", "<i8"), ("id", "<u8"), ("price", "<f8"), ("volume", "<f8"), ("spread", "<f8"),
    ("bid", "<f8"), ("ask", "<f8"),
])
CAPACITY_MAX = 1 << 24
RING_MAX = 1 << 20


cdef Py_ssize_t power_of_two(Py_ssize_t least) noexcept:
    cdef Py_ssize_t power = 8
    while power < least:
        power *= 2
    return power


cdef int64_t nano(value, str argument) except? -1:
    cdef int64_t out = 0
    cdef double number = real(value, argument)
    if nt_nano_from_double(number, &out) != NT_OK:
        raise InputError(f"{argument} must be within +-9.2e9, was {value!r}")
    return out


cdef double real(value, str argument) except? -1.0:
    cdef double number
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InputError(f"{argument} must be a number, was {value!r}")
    number = value
    if not isfinite(number):
        raise InputError(f"{argument} must be finite, was {value!r}")
    return number


cdef int64_t price_nano(value, str argument) except? -1:
    cdef int64_t out = nano(value, argument)
    if out <= 0:
        raise InputError(f"{argument} must be > 0, was {value!r}")
    return out


cdef double optional(value, str argument, bint above) except? -1.0:
    cdef double number
    if value is None:
        return float("nan")
    number = real(value, argument)
    if number < 0 or (above and number == 0):
        raise InputError(f"{argument} must be {'> 0' if above else '>= 0'}, was {value!r}")
    return number


cdef int limit(value, str argument, int64_t high) except -1:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 1 <= value <= high:
        raise InputError(f"{argument} must be an integer in 1..{high}, was {value!r}")
    return 0


cdef class Tables:
    """The tables of one session. See neuraltrade.memory.SessionMemory for the words."""
    cdef Rows rows
    cdef nt_ids orders
    cdef symbol_entry* entries
    cdef Py_hash_t entry_mask
    cdef int64_t symbol_capacity, ttl_ns
    cdef readonly int64_t ring
    cdef readonly int cash_digits
    cdef readonly object clock
    cdef list symbol_list, positions, rings, views, states
    cdef readonly int64_t hits, misses, expired, position_hits, position_misses, recent_hits, recent_misses
    cdef readonly int64_t order_hits, order_misses

    def __cinit__(self, capacity=65_536, ring=1_024, ttl_s=300.0, *, symbols=4_096, cash=0.0, cash_digits=6,
                  clock=None, multipliers=None):
        cdef int64_t cash_minor = 0
        limit(capacity, "capacity", CAPACITY_MAX)
        limit(ring, "ring", RING_MAX)
        limit(symbols, "symbols", 1 << 20)
        if type(cash_digits) is not int or not 0 <= cash_digits <= NT_CASH_DIGITS_MAX:
            raise InputError(f"cash_digits must be an integer in 0..{NT_CASH_DIGITS_MAX}, was {cash_digits!r}")
        if not 0.0 < real(ttl_s, "ttl_s") <= 1e9:
            raise InputError(f"ttl_s must be > 0 and <= 1e9 seconds, was {ttl_s!r}")
        if nt_fixed_from_double(real(cash, "cash"), 10.0 ** cash_digits, &cash_minor) != NT_OK:
            raise InputError(f"cash must fit int64 with {cash_digits} digits, was {cash!r}")
        if clock is not None and not callable(getattr(clock, "now_ns", None)):
            raise InputError(f"clock must have a method now_ns, was {type(clock).__name__}")
        entry_count = power_of_two(2 * symbols)
        id_count = power_of_two(2 * capacity)
        self.rows = Rows(symbols, entry_count, id_count)
        nt_ledger_open(&self.rows.ledger, self.rows.positions, symbols, cash_digits, cash_minor)
        for slot in range(symbols):
            self.rows.positions[slot].multiplier = NT_NANO
        self.entries, self.entry_mask = self.rows.entries, entry_count - 1
        self.orders.slots, self.orders.mask, self.orders.capacity = self.rows.ids, id_count - 1, capacity
        self.symbol_capacity, self.ring, self.ttl_ns = symbols, ring, <int64_t>(ttl_s * 1e9)
        self.cash_digits = cash_digits
        self.clock = SystemClock() if clock is None else clock
        self.symbol_list, self.positions, self.rings, self.views, self.states = [], [], [], [], []
        for symbol, multiplier in ({} if multipliers is None else multipliers).items():
            self.set_multiplier(symbol, multiplier)

    cdef inline symbol_entry* find(self, symbol) except? NULL:
        """The entry of a symbol, NULL if it is not known."""
        cdef PyObject* key = <PyObject*>symbol
        if not PyUnicode_CheckExact(symbol):
            return self.find_other(symbol)
        cdef Py_hash_t hash_ = PyObject_Hash(key)
        cdef Py_hash_t place = hash_ & self.entry_mask
        cdef symbol_entry* entry = &self.entries[place]
        while entry.key != NULL:
            if entry.key == key or (entry.hash == hash_ and <str>entry.key == <str>key):
                return entry
            place = (place + 1) & self.entry_mask
            entry = &self.entries[place]
        return NULL

    cdef symbol_entry* find_other(self, symbol) except? NULL:
        if isinstance(symbol, str):
            return self.find(str.__str__(symbol))
        raise InputError(f"symbol must be a string, was {symbol!r}")

    cdef symbol_entry* known(self, symbol) except NULL:
        """The entry of a symbol, made if there is room."""
        cdef symbol_entry* entry = self.find(symbol)
        if entry != NULL:
            return entry
        if not symbol:
            raise InputError("symbol must not be empty")
        cdef int64_t slot = len(self.symbol_list)
        if slot == self.symbol_capacity:
            raise InputError(f"symbol {symbol!r} finds no room: the session holds {slot} symbols, its limit (symbols=)")
        cdef str key = str.__str__(symbol)
        cdef LivePosition position = LivePosition.__new__(LivePosition)
        position.rows, position.slot, position.symbol = self.rows, slot, key
        cdef Py_hash_t hash_ = PyObject_Hash(<PyObject*>key)
        cdef Py_hash_t place = hash_ & self.entry_mask
        while self.entries[place].key != NULL:
            place = (place + 1) & self.entry_mask
        entry = &self.entries[place]
        entry.hash, entry.slot, entry.position = hash_, slot, <PyObject*>position
        entry.key = <PyObject*>key
        self.symbol_list.append(key)
        self.positions.append(position)
        self.rings.append(None)
        self.views.append(None)
        self.states.append(None)
        return entry

    def position(self, symbol):
        """The live position of a symbol, None if the session never heard of it. One hash probe, nothing allocated."""
        cdef symbol_entry* entry = self.find(symbol)
        if entry == NULL:
            self.position_misses += 1
            return None
        self.position_hits += 1
        return <object>entry.position

    def is_active(self, order_id):
        """Whether the order is opened and not closed. Refusals (negative ids) and 0 never are. One hash probe."""
        cdef int64_t key
        try:
            key = order_id
        except OverflowError:
            return False
        except TypeError:
            raise InputError(f"order_id must be an integer, was {order_id!r}") from None
        if nt_ids_find(&self.orders, key) >= 0:
            self.order_hits += 1
            return True
        self.order_misses += 1
        return False

    def recent(self, symbol, n=100):
        """RECENT_DTYPE[m], the last m <= n observations of a symbol, oldest first; NaN where a number was not given.

        A read-only view, not a copy: once `ring - n` more of that symbol arrive, its oldest rows are overwritten. Copy
        what is kept. Raises InputError unless 1 <= n <= ring.
        """
        cdef symbol_entry* entry = self.find(symbol)
        cdef int64_t count, end, have
        try:
            count = n
        except (TypeError, OverflowError):
            count = 0
        if not 1 <= count <= self.ring:
            raise InputError(f"n must be an integer in 1..{self.ring} (ring=), was {n!r}")
        if entry == NULL or self.views[entry.slot] is None:
            self.recent_misses += 1
            return np.empty(0, RECENT_DTYPE)
        self.recent_hits += 1
        have = self.rows.markets[entry.slot].seen_count
        if count > have:
            count = have
        end = (have - 1) % self.ring + 1 + (self.ring if have > self.ring else 0)
        return self.views[entry.slot][end - count:end]

    def market_state(self, symbol):
        """The nt.MarketState given last, None if there is none or it is older than `ttl_s` by the session's clock."""
        cdef symbol_entry* entry = self.find(symbol)
        state = None if entry == NULL else self.states[entry.slot]
        if state is None:
            self.misses += 1
            return None
        cdef int64_t now = self.clock.now_ns()
        if now >= self.rows.markets[entry.slot].expires_ns:
            self.expired += 1
            return None
        self.hits += 1
        return state

    def update_market(self, symbol, ts_ns, last=None, bid=None, ask=None, volume=None):
        """Replace a symbol's market state; it expires `ttl_s` after `ts_ns`. `last` also values the position."""
        cdef int64_t at = as_ns(ts_ns), last_nano = 0
        cdef symbol_entry* entry
        if last is not None:
            last_nano = price_nano(last, "last")
        expires = min(at + self.ttl_ns, 2**63 - 1)
        state = MarketState(symbol=symbol, ts_ns=at, last=last, bid=bid, ask=ask, volume=volume, expires_ns=expires)
        entry = self.known(symbol)
        self.states[entry.slot] = state
        self.rows.markets[entry.slot].expires_ns = expires
        if last is not None:
            self.rows.markets[entry.slot].last = last_nano

    def observe(self, symbol, ts_ns, price=None, volume=None, spread=None, bid=None, ask=None, *, known_ns=None, id=0):
        """Remember an observation for `recent`, over the oldest one once `ring` are held. `price` values the position.

        price, bid, ask > 0; volume, spread >= 0; all may be None. The order of arrival is kept, whatever the times.
        """
        cdef seen_row row
        cdef market_row* market
        cdef int64_t last_nano = 0
        cdef symbol_entry* entry
        row.ts_ns = as_ns(ts_ns)
        row.known_ns = row.ts_ns if known_ns is None else as_ns(known_ns, "known_ns")
        if row.known_ns < row.ts_ns:
            raise InputError(f"known_ns must not be before ts_ns ({row.ts_ns}), was {row.known_ns}")
        if isinstance(id, bool) or not isinstance(id, (int, np.integer)) or not 0 <= id < 2**64:
            raise InputError(f"id must be an integer in 0..2**64-1, was {id!r}")
        row.id = id
        if price is not None:
            last_nano = price_nano(price, "price")
        row.price, row.volume = optional(price, "price", True), optional(volume, "volume", False)
        row.spread = optional(spread, "spread", False)
        row.bid, row.ask = optional(bid, "bid", True), optional(ask, "ask", True)
        entry = self.known(symbol)
        market = &self.rows.markets[entry.slot]
        if market.ring == NULL:
            self.make_ring(entry.slot)
        market.ring[market.seen_count % self.ring] = row
        market.ring[market.seen_count % self.ring + self.ring] = row
        market.seen_count += 1
        if price is not None:
            market.last = last_nano

    cdef int make_ring(self, int64_t slot) except -1:
        ring = np.zeros(2 * self.ring, RECENT_DTYPE)
        view = ring.view()
        view.flags.writeable = False
        self.rings[slot], self.views[slot] = ring, view
        self.rows.markets[slot].ring = <seen_row*><uintptr_t>ring.ctypes.data
        return 0

    def update_position(self, symbol, quantity, average_price=0.0, realised=0.0):
        """Set what is held, as told by a broker: quantity signed, average_price > 0 unless flat. Cash stays."""
        cdef int64_t held = nano(quantity, "quantity"), price = 0, gained = 0, basis = 0
        cdef nt_position* row
        cdef symbol_entry* entry
        if held != 0:
            price = price_nano(average_price, "average_price")
        if nt_fixed_from_double(real(realised, "realised"), <double>self.rows.ledger.scale, &gained) != NT_OK:
            raise InputError(f"realised must fit int64 with {self.cash_digits} digits, was {realised!r}")
        entry = self.known(symbol)
        if nt_ledger_notional(&self.rows.ledger, entry.slot, held, price, &basis) != NT_OK:
            raise InputError(f"quantity x average_price must fit int64 with {self.cash_digits} digits, was "
                             f"{quantity!r} x {average_price!r}")
        row = &self.rows.positions[entry.slot]
        # Told from outside, so cash is left alone and what the ledger started from is moved instead.
        self.rows.ledger.deposits += (basis - row.basis) - (gained - row.realised)
        row.quantity, row.entry_price, row.basis, row.realised, row.entry_fees = held, price, basis, gained, 0

    def apply_fill(self, symbol, side, quantity, price, fee=0.0):
        """Book one execution: side "buy", "sell", 1 or -1; quantity, price > 0; fee in money. Exact, average cost."""
        cdef int64_t fee_minor = 0
        cdef int64_t units = nano(quantity, "quantity"), at = price_nano(price, "price")
        if units <= 0:
            raise InputError(f"quantity must be > 0 (side gives the sign), was {quantity!r}")
        if nt_fixed_from_double(real(fee, "fee"), <double>self.rows.ledger.scale, &fee_minor) != NT_OK:
            raise InputError(f"fee must fit int64 with {self.cash_digits} digits, was {fee!r}")
        if side == "buy" or (not isinstance(side, str) and side == 1):
            pass
        elif side == "sell" or (not isinstance(side, str) and side == -1):
            units = -units
        else:
            raise InputError(f"side must be 'buy', 'sell', 1 or -1, was {side!r}")
        self.apply_exact(symbol, units, at, fee_minor)

    def apply_exact(self, symbol, int64_t quantity_nano, int64_t price_nano, int64_t fee_minor):
        """Book one execution in the ledger's own units: signed quantity and price at 1e-9, fee at 10**-cash_digits."""
        cdef symbol_entry* entry = self.known(symbol)
        cdef nt_closing closing
        if nt_ledger_fill(&self.rows.ledger, entry.slot, quantity_nano, price_nano, fee_minor, &closing) != NT_OK:
            raise InputError(f"the fill of {quantity_nano} x {price_nano} nano of {symbol!r} does not fit the ledger")
        if self.rows.markets[entry.slot].last == 0:
            self.rows.markets[entry.slot].last = price_nano

    def apply_flow(self, symbol, str kind, int64_t amount, int64_t ratio=0):
        """Book cash that moved without a trade, of one of FLOW_KINDS, in units of 10**-cash_digits; a split: by ratio / amount."""
        cdef symbol_entry* entry = self.known(symbol)
        cdef nt_status status = NT_OK
        if kind == "split" and amount > 0 and ratio > 0:
            status = nt_ledger_split(&self.rows.ledger, entry.slot, ratio, amount)
            self.rows.markets[entry.slot].last = <int64_t>(<double>self.rows.markets[entry.slot].last * amount / ratio)
        elif kind == "interest":
            status = nt_ledger_interest(&self.rows.ledger, amount)
        elif kind in FLOW_KINDS and kind != "split":
            status = nt_ledger_flow(&self.rows.ledger, entry.slot, amount)
        else:
            raise InputError(f"kind must be one of {', '.join(FLOW_KINDS)} (a split with a ratio above 0), was {kind!r}")
        if status != NT_OK:
            raise InputError(f"the {kind} of {amount} in {symbol!r} does not fit the ledger")

    def apply_rate(self, symbol, int64_t rate_pico):
        """From here on what a symbol's fills are converted by, at 1e-12, above 0."""
        if rate_pico <= 0:
            raise InputError(f"rate_pico must be above 0, was {rate_pico}")
        self.rows.positions[self.known(symbol).slot].rate = rate_pico

    def set_multiplier(self, symbol, multiplier):
        """What one unit of a symbol is worth per point of its price: money = quantity x price x multiplier. While flat."""
        cdef int64_t value = nano(multiplier, "multiplier")
        if value <= 0:
            raise InputError(f"multiplier must be > 0, was {multiplier!r}")
        cdef nt_position* row = &self.rows.positions[self.known(symbol).slot]
        if row.quantity != 0 and row.multiplier != value:
            raise InputError(f"multiplier of {symbol!r} must not change while {nt_double_from_nano(row.quantity):g} are held")
        row.multiplier = value

    def order_opened(self, order_id):
        """Note that an order works. False if it already did; nt.Denial.TABLE_FULL, and nothing noted, when `capacity` do:
        `nt.accepted` of the answer tells."""
        cdef int64_t key = self.order_key(order_id)
        cdef nt_status status = nt_ids_add(&self.orders, key, 0)
        if status == NT_FULL:
            return Denial.TABLE_FULL
        return status != NT_STATE

    def order_closed(self, order_id):
        """Note that an order is done. False if it was not active."""
        cdef int64_t row = 0
        return nt_ids_remove(&self.orders, self.order_key(order_id), &row) == NT_OK

    cdef int64_t order_key(self, order_id) except -1:
        if isinstance(order_id, bool) or not isinstance(order_id, (int, np.integer)) or not 0 < order_id < 2**63:
            raise InputError(f"order_id must be an integer in 1..2**63-1, was {order_id!r}")
        return order_id

    def _know(self, symbol):
        """Give a symbol its place. Raises InputError where there is none left."""
        self.known(symbol)

    @property
    def capacity(self):
        """How many orders may be active."""
        return self.orders.capacity

    @property
    def symbols(self):
        """The symbols heard of, in order of arrival."""
        return tuple(self.symbol_list)

    @property
    def active_orders(self):
        """Ids of the active orders, ascending. Reads the whole table."""
        cdef Py_ssize_t place
        cdef list found = []
        for place in range(<Py_ssize_t>self.orders.mask + 1):
            if self.orders.slots[place].id != 0:
                found.append(self.orders.slots[place].id)
        return sorted(found)

    @property
    def active_count(self):
        """How many orders are active."""
        return self.orders.count

    @property
    def cash(self):
        """Cash after all fills."""
        return <double>self.rows.ledger.cash / <double>self.rows.ledger.scale

    @property
    def balance(self):
        """cash + basis - realised + fees - deposits, in minor units: 0, or a bug."""
        return nt_ledger_balance(&self.rows.ledger)
