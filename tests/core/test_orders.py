"""The state machine: every state, every event; what has no arrow is refused and changes nothing."""

import itertools

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.layouts import ORDER_STATES
from neuraltrade.core.orders import OrderTable, arrow

ARROWS = {
    "pending": {"submitted", "denied"},
    "submitted": {"partially_filled", "filled", "cancelled", "rejected", "expired"},
    "partially_filled": {"partially_filled", "filled", "cancelled", "expired"},
    "filled": set(),
    "cancelled": set(),
    "rejected": set(),
    "expired": set(),
    "denied": set(),
}
FINAL = {"filled", "cancelled", "rejected", "expired", "denied"}
WAYS = {
    "pending": [],
    "submitted": ["submitted"],
    "partially_filled": ["submitted", "partially_filled"],
    "denied": ["denied"],
    **{state: ["submitted", state] for state in ("filled", "cancelled", "rejected", "expired")},
}


def test_the_table_is_whole():
    assert set(ARROWS) == set(ORDER_STATES) == set(WAYS)
    assert {state for state, ways in ARROWS.items() if not ways} == FINAL


@pytest.mark.parametrize(("before", "after"), list(itertools.product(ORDER_STATES, ORDER_STATES)))
def test_every_state_and_event(before, after):
    table = OrderTable()
    order_id = table.add()
    for step in WAYS[before]:
        assert table.move(order_id, step) == 1
    assert table.state(order_id) == before
    if after in ARROWS[before]:
        expected, state = 1, after
    else:
        expected, state = nt.Denial.ORDER_DONE if before in FINAL else nt.Denial.TRANSITION, before
    assert arrow(before, after) == expected
    assert (table.move(order_id, after), table.state(order_id)) == (expected, state)
    assert table.working == (state not in FINAL)


@pytest.mark.parametrize("order_id", [0, -1, 2, 2**62])
def test_an_unknown_order_does_not_move(order_id):
    table = OrderTable()
    table.add()
    assert table.move(order_id, "submitted") is nt.Denial.UNKNOWN_ORDER
    with pytest.raises(nt.InputError, match=r"order_id must be 1\.\.1"):
        table.state(order_id)


def test_an_unknown_state_is_refused():
    with pytest.raises(nt.InputError, match="state must be one of"):
        OrderTable().move(1, "lost")


def test_the_working_table_is_bounded():
    table = OrderTable()
    for _ in range(65_536):
        table.add()
    with pytest.raises(nt.InputError, match="65536 work"):
        table.add()


@pytest.mark.parametrize("seed", range(4))
def test_random_walks_of_many_orders(seed):
    rng = np.random.default_rng(seed)
    table, states = OrderTable(), {}
    refused = 0
    for _ in range(20_000):
        if rng.random() < 0.1 or not states:
            states[table.add()] = "pending"
            continue
        order_id, after = int(rng.integers(1, len(states) + 1)), str(rng.choice(ORDER_STATES))
        answer = table.move(order_id, after)
        assert (answer == 1) == (after in ARROWS[states[order_id]])
        if answer == 1:
            states[order_id] = after
        refused += answer != 1
    assert {order_id: table.state(order_id) for order_id in states} == states
    assert table.working == sum(state not in FINAL for state in states.values())
    assert 1000 < refused < 19_000
