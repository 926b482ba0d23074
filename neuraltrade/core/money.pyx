"""Exact money: the fixed-point maths and the ledger of the core, one call at a time.

Prices and quantities are integers at 1e-9 ("nano"), cash is an integer in minor units (10^-digits). The engine uses the same C
functions; this face exists for tests, for audits and for whoever keeps books beside a run.
"""

from libc.stdlib cimport calloc, free

from ..errors import InputError

from .native cimport *


cdef int64_t narrow(object value, str name) except? -1:
    """`value` as an int64, or InputError."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise InputError(f"{name} must be an integer, was {value!r}")
    if not -(2**63) < int(value) < 2**63:
        raise InputError(f"{name} must fit 64 bits, was {value}")
    return <int64_t>int(value)


def to_nano(double value):
    """A price or quantity at 1e-9, to the nearest, ties to even. InputError for NaN, infinities and above 9.2e9.

    >>> from neuraltrade.core import money
    >>> money.to_nano(101.25)
    101250000000
    """
    cdef int64_t out
    if nt_nano_from_double(value, &out) != NT_OK:
        raise InputError(f"value must be finite and within 9.2e9 either way, was {value!r}")
    return out


def from_nano(nano):
    """The float that `nano` stands for, correctly rounded.

    >>> from neuraltrade.core import money
    >>> money.from_nano(101250000000)
    101.25
    """
    return nt_double_from_nano(narrow(nano, "nano"))


def multiply_divide(a, b, divisor):
    """a x b / divisor in 128 bits, rounded once, half to even. InputError where the result does not fit 64 bits.

    >>> from neuraltrade.core import money
    >>> money.multiply_divide(5, 1, 2), money.multiply_divide(7, 1, 2)
    (2, 4)
    """
    cdef int64_t out
    cdef int64_t by = narrow(divisor, "divisor")
    if by <= 0:
        raise InputError(f"divisor must be positive, was {divisor}")
    if nt_multiply_divide(narrow(a, "a"), narrow(b, "b"), by, &out) != NT_OK:
        raise InputError(f"{a} x {b} / {divisor} does not fit 64 bits")
    return out


cdef class Ledger:
    """Cash and positions of `multipliers` symbols (one nano multiplier each), opened with `cash` minor units.

    >>> from neuraltrade.core import money
    >>> books = money.Ledger([10**9], digits=2, cash=100_000)
    >>> closed = books.fill(0, 3 * 10**9, money.to_nano(101.5), fee=100)
    >>> books.cash, books.position(0)["basis"], books.balance
    (69450, 30450, 0)
    """

    cdef nt_ledger ledger
    cdef nt_position* positions

    def __cinit__(self, multipliers, int digits=6, cash=0):
        cdef Py_ssize_t slot, count = len(multipliers)
        if not 0 < count <= 1_000_000:
            raise InputError(f"multipliers: 1 to 1,000,000 of them, were {count}")
        if not 0 <= digits <= 9:
            raise InputError(f"digits must be 0..9, was {digits}")
        self.positions = <nt_position*>calloc(count, sizeof(nt_position))
        if self.positions == NULL:
            raise MemoryError(f"Ledger: {count} positions")
        for slot in range(count):
            self.positions[slot].multiplier = narrow(multipliers[slot], "multiplier")
            if self.positions[slot].multiplier <= 0:
                raise InputError(f"multiplier must be positive, was {multipliers[slot]}")
        nt_ledger_open(&self.ledger, self.positions, <int32_t>count, digits, narrow(cash, "cash"))

    def __dealloc__(self):
        free(self.positions)

    cdef int32_t slot(self, object slot) except -1:
        if not 0 <= slot < self.ledger.position_count:
            raise InputError(f"slot must be 0..{self.ledger.position_count - 1}, was {slot!r}")
        return slot

    def fill(self, slot, quantity, price, fee=0):
        """Book a fill of `quantity` (signed nano) at `price` (nano) with `fee` (minor units).

        Returns what it closed: quantity (nano), cost, realised and fees (minor units); all 0 where it only opened. InputError
        where an amount would not fit 64 bits, and then nothing is booked.
        """
        cdef nt_closing closing
        cdef int64_t signed = narrow(quantity, "quantity")
        cdef int64_t paid = narrow(price, "price")
        if signed == 0 or paid <= 0:
            raise InputError(f"quantity must not be 0 and price must be positive, were {quantity} and {price}")
        if nt_ledger_fill(&self.ledger, self.slot(slot), signed, paid, narrow(fee, "fee"), &closing) != NT_OK:
            raise InputError(f"fill of {quantity} at {price}: an amount does not fit 64 bits")
        return {"quantity": closing.quantity, "cost": closing.cost, "realised": closing.realised, "fees": closing.fees}

    def position(self, slot):
        """quantity and entry_price in nano; basis, realised, fees and entry_fees in minor units."""
        cdef nt_position* row = &self.positions[self.slot(slot)]
        return {"quantity": row.quantity, "basis": row.basis, "realised": row.realised, "fees": row.fees,
                "entry_price": row.entry_price, "entry_fees": row.entry_fees}

    @property
    def cash(self):
        """Minor units."""
        return self.ledger.cash

    @property
    def balance(self):
        """cash + basis - realised + fees - deposits: always 0."""
        return nt_ledger_balance(&self.ledger)
