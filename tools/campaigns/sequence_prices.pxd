from campaigns.sequence_order cimport Order
from campaigns.sequence_state cimport SequenceState
from campaigns.sequence_trails cimport Trails

cpdef slipped(SequenceState model, long side, price, low, high)
cpdef check_price(Trails model, Order order, price, at_close)
cpdef allowed(Trails model, Order order, open_, high, low, close)
cpdef bint passes(long side, stop, high, low) except -1
cpdef limit_range(policy, Order order, open_, high, low, long step)
