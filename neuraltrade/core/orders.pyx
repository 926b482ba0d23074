"""The order table's state machine, without a market around it: what may follow what, refused otherwise with its reason."""

from libc.string cimport memset

from ..errors import InputError
from .layouts import ORDER_STATES
from .settings import Denial

from .native cimport int64_t, nt_order, nt_orders, nt_orders_add, nt_orders_arrow, nt_orders_close, nt_orders_move
from .native cimport nt_orders_open, nt_status, nt_working, NT_OK


cdef int state_code(object state) except -1:
    if state not in ORDER_STATES:
        raise InputError(f"state must be one of {', '.join(ORDER_STATES)}, was {state!r}")
    return ORDER_STATES.index(state)


def arrow(before, after):
    """1 where an order may go from one state to the other, else Denial.ORDER_DONE or Denial.TRANSITION.

    before, after : names of ORDER_STATES. Raises InputError for others.

    >>> from neuraltrade.core.orders import arrow
    >>> arrow("submitted", "filled"), arrow("filled", "cancelled").name, arrow("pending", "filled").name
    (1, 'ORDER_DONE', 'TRANSITION')
    """
    cdef nt_status status = nt_orders_arrow(state_code(before), state_code(after))
    return 1 if status == NT_OK else Denial(status)


cdef class OrderTable:
    """Orders of one symbol as the engine keeps them, moved by hand: 88 bytes each, for ever.

    >>> from neuraltrade.core.orders import OrderTable
    >>> table = OrderTable()
    >>> order_id = table.add()
    >>> table.move(order_id, "submitted"), table.move(order_id, "denied").name, table.working
    (1, 'TRANSITION', 1)
    """

    cdef nt_orders orders

    def __cinit__(self):
        if nt_orders_open(&self.orders, 1) != NT_OK:
            raise MemoryError("OrderTable")

    def __dealloc__(self):
        nt_orders_close(&self.orders)

    def __len__(self):
        return self.orders.count

    def add(self):
        """A pending order; returns its id. Raises InputError where the table of working orders is full."""
        cdef nt_order order
        cdef nt_working working
        cdef int64_t order_id = 0
        memset(&order, 0, sizeof(order))
        memset(&working, 0, sizeof(working))
        cdef nt_status status = nt_orders_add(&self.orders, &order, &working, &order_id)
        if status != NT_OK:
            raise InputError(f"OrderTable: no room for another working order, {self.orders.working_count} work")
        return order_id

    def move(self, int64_t order_id, state):
        """1 where the order has moved on to `state`, else the Denial, with the order as it was."""
        cdef nt_status status = nt_orders_move(&self.orders, order_id, state_code(state), 0, 0)
        return 1 if status == NT_OK else Denial(status)

    def state(self, int64_t order_id):
        """The state's name. Raises InputError for an id that is not there."""
        if not 1 <= order_id <= self.orders.count:
            raise InputError(f"order_id must be 1..{self.orders.count}, was {order_id}")
        return ORDER_STATES[self.orders.rows[order_id - 1].status]

    @property
    def working(self):
        """How many orders are not in a final state."""
        return self.orders.working_count
