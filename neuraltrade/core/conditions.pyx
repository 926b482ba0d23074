# cython: binding=False
"""What Python asks of the current bar without a call: `if condition:` compares two numbers of the run, `~reading` is one.

A condition is what a test in `on_bar` comes to where both of its sides are known before the run: a crossing of two indicators, an
indicator, a price or the position against a number. An interpreter that meets `ctx.crossed_above(self.f, self.s)` executes eight
bytecodes and a call; a name and its truth are two bytecodes. The answer is that of the expression, NaN included.
"""

cimport cython
from libc.stdlib cimport calloc, free

from ..errors import InputError

from .context cimport Context, Run
from .native cimport int64_t, nt_context, nt_market

KINDS = ("crossed_above", "crossed_below", "<", "<=", ">", ">=", "==", "!=")
COLUMNS = ("open", "high", "low", "close", "volume")
FIELDS = ("position", "entry_price", "cash", "equity")


cdef struct side_of:                 # one side: at[slot][bar & mask], of the slots that the context's strategy has
    const double** at
    const double** rows              # what is freed: at[the first of those slots]
    int64_t mask                     # -1 a column, 0 a single number
    double constant


cdef const double* column_of(const nt_market* market, str name) except? NULL:
    if name == "open":
        return market.series.open
    if name == "high":
        return market.series.high
    if name == "low":
        return market.series.low
    if name == "close":
        return market.series.close
    if name == "volume":
        return market.series.volume
    raise InputError(f"Condition: columns are {', '.join(COLUMNS)}, was {name!r}")


cdef const double* field_of(const nt_context* context, str name) except NULL:
    if name == "position":
        return &context.position
    if name == "entry_price":
        return &context.entry_price
    if name == "cash":
        return &context.cash
    if name == "equity":
        return &context.equity
    raise InputError(f"Condition: fields are {', '.join(FIELDS)}, was {name!r}")


cdef int fill(side_of* side, Context context, tuple given) except -1:
    """Point a side at its numbers, for each symbol. The caller frees side.rows, also where this raises."""
    cdef Run run = context.run
    cdef Py_ssize_t slot, index = 0, first = context.first_slot, count = run.engine.symbol_count
    what, which = given
    side.rows = <const double**>calloc(count, sizeof(double*))
    if side.rows == NULL:
        raise MemoryError(f"Condition: {count} symbols")
    side.at = <const double**>(<size_t>side.rows - first * sizeof(double*))
    side.mask = -1 if what in ("indicator", "column") else 0
    if what == "indicator":
        index = which
        if not 0 <= index < run.markets[first].indicator_count:
            raise InputError(f"Condition: this run has {run.markets[first].indicator_count} indicators, index was {index}")
    elif what == "constant":
        side.constant = which
    for slot in range(first, first + count):
        if what == "indicator":
            side.at[slot] = run.markets[slot].indicators[index]
        elif what == "column":
            side.at[slot] = column_of(&run.markets[slot], which)
        elif what == "field":
            side.at[slot] = field_of(context.c, which)
        elif what == "constant":
            side.at[slot] = &side.constant
        else:
            raise InputError(f"Condition: a side is an indicator, a column, a field or a constant, was {what!r}")
    return 0


@cython.final
cdef class Reading:
    """A number of the bar that `context` stands at: `~reading` is the float. `side` as in Condition."""

    cdef Run run
    cdef nt_context* c
    cdef side_of side

    def __cinit__(self, Context context not None, tuple side):
        self.run, self.c = context.run, context.c
        fill(&self.side, context, side)

    def __dealloc__(self):
        free(<void*>self.side.rows)

    def __invert__(self):
        return self.side.at[self.c.symbol][self.c.bar & self.side.mask]


@cython.final
cdef class Condition:
    """Whether `left kind right` holds at the bar that `context` stands at: its truth, nothing else.

    kind : of KINDS. left, right : ("indicator", index) of the run, ("column", name of COLUMNS), ("field", name of FIELDS) or
    ("constant", number). Indicators must be set before. Raises InputError.
    """

    cdef Run run
    cdef nt_context* c
    cdef side_of left, right
    cdef int kind

    def __cinit__(self, Context context not None, str kind, tuple left, tuple right):
        self.run, self.c = context.run, context.c
        if kind not in KINDS:
            raise InputError(f"Condition: kind must be one of {', '.join(KINDS)}, was {kind!r}")
        self.kind = KINDS.index(kind)
        fill(&self.left, context, left)
        fill(&self.right, context, right)

    def __dealloc__(self):
        free(<void*>self.left.rows)
        free(<void*>self.right.rows)

    def __bool__(self):
        cdef int64_t bar = self.c.bar
        cdef const double* x = self.left.at[self.c.symbol]
        cdef const double* y = self.right.at[self.c.symbol]
        cdef double a = x[bar & self.left.mask], b = y[bar & self.right.mask]
        cdef int kind = self.kind
        if kind == 0:
            return a > b and bar > 0 and x[(bar - 1) & self.left.mask] <= y[(bar - 1) & self.right.mask]
        if kind == 1:
            return a < b and bar > 0 and x[(bar - 1) & self.left.mask] >= y[(bar - 1) & self.right.mask]
        if kind == 2:
            return a < b
        if kind == 3:
            return a <= b
        if kind == 4:
            return a > b
        if kind == 5:
            return a >= b
        if kind == 6:
            return a == b
        return a != b
