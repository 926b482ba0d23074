cimport cython

cpdef half_even(value, divisor)

cdef class Position:
    cdef public object multiplier, quantity, basis, realised, fees, entry_price, entry_fees
    cpdef tuple state(self)

cdef class Books:
    cdef public object cash, deposits, divisor, leverage, fee_rate, fee_fixed, fee_per_unit, fee_minimum
    cdef public list positions
    cpdef notional(self, long slot, quantity, price)
    cpdef fee(self, long slot, quantity, price)
    cpdef margin(self, long slot, quantity, price)
    cpdef equity(self, list closes)
    @cython.locals(position=Position)
    cpdef free(self, long slot, kept, price, list closes)
    @cython.locals(position=Position)
    cpdef fill(self, long slot, change, price)
    cpdef balance(self)
