"""The C rows of a session, and the live views over its positions."""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport calloc, free

from neuraltrade.schema import Position

from .native cimport NT_OK, nt_double_from_nano, nt_ledger_notional, nt_position


cdef class Rows:
    """Owns the C arrays; positions keep it alive."""
    def __cinit__(self, int32_t symbols, Py_ssize_t entry_count, Py_ssize_t id_count):
        self.positions = <nt_position*>calloc(symbols, sizeof(nt_position))
        self.markets = <market_row*>calloc(symbols, sizeof(market_row))
        self.entries = <symbol_entry*>calloc(entry_count, sizeof(symbol_entry))
        self.ids = <nt_id_slot*>calloc(id_count, sizeof(nt_id_slot))
        if self.positions == NULL or self.markets == NULL or self.entries == NULL or self.ids == NULL:
            raise MemoryError(f"session: {symbols} symbols, {id_count // 2} orders")

    def __dealloc__(self):
        free(self.positions)
        free(self.markets)
        free(self.entries)
        free(self.ids)


cdef class LivePosition:
    """What is held of one symbol, now: reads the session's row each time. `record()` takes a copy.

    quantity : signed units. average_price : of the open quantity, 0 while flat. cost_basis, realised, unrealised,
    fees : money; realised is before fees. unrealised is 0 until a price was seen.
    """
    @property
    def quantity(self):
        return nt_double_from_nano(self.rows.positions[self.slot].quantity)

    @property
    def average_price(self):
        return nt_double_from_nano(self.rows.positions[self.slot].entry_price)

    @property
    def cost_basis(self):
        return <double>self.rows.positions[self.slot].basis / <double>self.rows.ledger.scale

    @property
    def realised(self):
        return <double>self.rows.positions[self.slot].realised / <double>self.rows.ledger.scale

    @property
    def fees(self):
        return <double>self.rows.positions[self.slot].fees / <double>self.rows.ledger.scale

    @property
    def unrealised(self):
        cdef nt_position* row = &self.rows.positions[self.slot]
        cdef int64_t last = self.rows.markets[self.slot].last, worth = 0
        if last == 0 or row.quantity == 0:
            return 0.0
        if nt_ledger_notional(&self.rows.ledger, self.slot, row.quantity, last, &worth) != NT_OK:
            raise OverflowError(f"{self.symbol}: the value of the position does not fit int64")
        return <double>(worth - row.basis) / <double>self.rows.ledger.scale

    def record(self):
        """An nt.Position with the numbers of this moment."""
        return Position(symbol=self.symbol, quantity=self.quantity, average_price=self.average_price,
                        cost_basis=self.cost_basis, realised=self.realised, unrealised=self.unrealised)

    def __repr__(self):
        return f"LivePosition({self.symbol!r}, quantity={self.quantity:g}, average_price={self.average_price:g})"
