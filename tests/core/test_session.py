"""The session's tables against plain dictionaries and the ledger's identity, and everything they refuse."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.clock import FixedClock
from neuraltrade.core.session import RECENT_DTYPE, Tables


def test_orders_follow_a_set():
    rng = np.random.default_rng(1)
    tables, model = Tables(capacity=50), set()
    for _ in range(20_000):
        order_id = int(rng.integers(1, 120)) * int(rng.choice([1, 1 << 20, 2**55 + 1]))
        if rng.random() < 0.5 and (len(model) < 50 or order_id in model):
            assert tables.order_opened(order_id) is (order_id not in model)
            model.add(order_id)
        else:
            assert tables.order_closed(order_id) is (order_id in model)
            model.discard(order_id)
        probe = int(rng.integers(1, 120))
        assert tables.is_active(probe) is (probe in model)
    assert len(model) > 5
    assert tables.active_orders == sorted(model) and tables.active_count == len(model)


def test_many_symbols_are_told_apart():
    tables = Tables(symbols=3_000)
    names = [f"S{i}" for i in range(3_000)]
    for index, name in enumerate(names):
        tables.update_position(name, index + 1, 2.0)
    assert tables.symbols == tuple(names)
    for index, name in enumerate(names):
        fresh = "".join(list(name))  # equal, not identical
        assert tables.position(fresh).quantity == index + 1 and tables.position(fresh) is tables.position(name)
    assert tables.position("S3000") is None
    with pytest.raises(nt.InputError, match="'S3000' finds no room: the session holds 3000 symbols"):
        tables.update_position("S3000", 1, 1.0)
    assert len(tables.symbols) == 3_000


def test_positions_are_live_and_exact():
    tables = Tables(cash=1_000.0)
    tables.apply_fill("A", "buy", 10, 10.1, fee=0.5)
    held = tables.position("A")
    assert (held.quantity, held.average_price, held.cost_basis, held.realised) == (10.0, 10.1, 101.0, 0.0)
    assert held.unrealised == 0.0  # valued at the fill
    tables.update_market("A", 0, last=11.1)
    assert held.unrealised == 10.0
    tables.apply_fill("A", -1, 15, 12.1, fee=1.5)  # closes ten, goes short five
    assert (held.quantity, held.average_price, held.cost_basis, held.realised) == (-5.0, 12.1, -60.5, 20.0)
    assert tables.cash == 1_000 - 101 - 0.5 + 15 * 12.1 - 1.5 and tables.balance == 0
    assert held.record() == nt.Position(symbol="A", quantity=-5.0, average_price=12.1, cost_basis=-60.5, realised=20.0,
                                        unrealised=5.0)  # fmt: skip
    assert repr(held) == "LivePosition('A', quantity=-5, average_price=12.1)"


def test_random_fills_keep_the_identity_to_the_last_unit():
    rng = np.random.default_rng(2)
    tables, held = Tables(cash=1e6), {}
    for _ in range(5_000):
        name = f"S{rng.integers(5)}"
        side, quantity, price = (
            int(rng.choice([-1, 1])),
            int(rng.integers(1, 10**9)) / 1e6,
            int(rng.integers(1, 10**6)) / 1e3,
        )
        tables.apply_fill(name, side, quantity, price, fee=int(rng.integers(0, 100)) / 1e6)
        held[name] = held.get(name, 0) + side * round(quantity * 1e9)
        assert tables.balance == 0
    assert {name: round(tables.position(name).quantity * 1e9) for name in held} == held
    tables.update_position("S0", 3, 7.0, realised=5.0)
    assert tables.balance == 0 and tables.position("S0").realised == 5.0
    tables.update_position("S0", 0)
    assert tables.position("S0").average_price == 0.0 and tables.balance == 0


def test_a_position_outlives_its_session():
    held = Tables().position("A")
    tables = Tables()
    tables.apply_fill("A", "sell", 2, 3.0)
    held = tables.position("A")
    del tables
    assert held.quantity == -2.0


@pytest.mark.parametrize("ring", [1, 2, 7, 64])
def test_recent_is_a_read_only_view_of_the_last_rows(ring):
    tables, model = Tables(ring=ring), []
    assert tables.recent("A", 1).shape == (0,) and tables.recent("A", 1).dtype == RECENT_DTYPE
    for step in range(3 * ring + 2):
        tables.observe("A", step, price=step + 1.0, volume=step if step % 2 else None, id=step, known_ns=step + 5)
        model.append(step)
        for n in {1, (ring + 1) // 2, ring}:
            rows = tables.recent("A", n)
            assert rows["ts_ns"].tolist() == model[-min(n, ring) :] and rows["id"].tolist() == rows["ts_ns"].tolist()
            assert rows["price"].tolist() == [t + 1.0 for t in rows["ts_ns"]]
            assert not rows.flags.owndata and not rows.flags.writeable
    assert np.isnan(rows["bid"]).all() and (rows["known_ns"] == rows["ts_ns"] + 5).all()
    with pytest.raises(ValueError, match="read-only"):
        rows["price"] = 0.0


def test_market_state_expires_by_the_injected_clock():
    clock = FixedClock(1_000)
    tables = Tables(ttl_s=1e-6, clock=clock)
    assert tables.market_state("A") is None
    tables.update_market("A", 1_000, last=5.0, bid=4.9, ask=5.1, volume=7.0)
    clock.set(1_999)
    assert tables.market_state("A") == nt.MarketState(symbol="A", ts_ns=1_000, last=5.0, bid=4.9, ask=5.1, volume=7.0,
                                                      expires_ns=2_000)  # fmt: skip
    clock.set(2_000)
    assert tables.market_state("A") is None
    assert (tables.hits, tables.misses, tables.expired) == (1, 1, 1)


def test_refusals_are_no_active_orders():
    tables = Tables()
    tables.order_opened(3)
    assert [tables.is_active(i) for i in (3, np.int64(3), 0, -3, -120, 2**63 - 1, 2**64)] == [True, True] + [False] * 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"capacity": 0}, r"capacity must be an integer in 1\.\.16777216, was 0"),
        ({"capacity": 2.5}, "capacity"),
        ({"capacity": True}, "capacity"),
        ({"ring": 0}, "ring"),
        ({"ring": 2**21}, "ring"),
        ({"symbols": -1}, "symbols"),
        ({"ttl_s": 0}, "ttl_s must be > 0"),
        ({"ttl_s": float("nan")}, "ttl_s must be finite"),
        ({"ttl_s": "5"}, "ttl_s must be a number"),
        ({"cash": float("inf")}, "cash must be finite"),
        ({"cash": 1e300}, "cash must fit int64"),
        ({"cash_digits": 10}, "cash_digits"),
        ({"clock": 5}, "clock must have a method now_ns"),
    ],
)
def test_settings_refused(settings, message):
    with pytest.raises(nt.InputError, match=message):
        Tables(**settings)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.position(5), "symbol must be a string, was 5"),
        (lambda t: t.position(None), "symbol must be a string"),
        (lambda t: t.recent("A", 0), r"n must be an integer in 1\.\.8 \(ring=\), was 0"),
        (lambda t: t.recent("A", 9), "n must be"),
        (lambda t: t.recent("A", "x"), "n must be"),
        (lambda t: t.is_active("x"), "order_id must be an integer"),
        (lambda t: t.order_opened(0), "order_id must be an integer in 1"),
        (lambda t: t.order_opened(2**63), "order_id"),
        (lambda t: t.order_closed(-1), "order_id"),
        (lambda t: t.apply_fill("", "buy", 1, 1.0), "symbol must not be empty"),
        (lambda t: t.apply_fill("N", "long", 1, 1.0), "side must be 'buy', 'sell', 1 or -1, was 'long'"),
        (lambda t: t.apply_fill("N", 2, 1, 1.0), "side"),
        (lambda t: t.apply_fill("N", "buy", 0, 1.0), "quantity must be > 0"),
        (lambda t: t.apply_fill("N", "buy", -1, 1.0), "quantity must be > 0"),
        (lambda t: t.apply_fill("N", "buy", float("nan"), 1.0), "quantity must be finite"),
        (lambda t: t.apply_fill("N", "buy", 1e300, 1.0), "quantity must be within"),
        (lambda t: t.apply_fill("N", "buy", 1, 0.0), "price must be > 0"),
        (lambda t: t.apply_fill("N", "buy", 1, "1"), "price must be a number"),
        (lambda t: t.apply_fill("N", "buy", 1, 1.0, fee=float("inf")), "fee must be finite"),
        (lambda t: t.apply_fill("A", "buy", 9e9, 9e9), "does not fit the ledger"),
        (lambda t: t.update_position("N", 1), "average_price must be > 0"),
        (lambda t: t.update_position("A", 9e9, 9e9), "must fit int64"),
        (lambda t: t.update_market("N", 0, last=-1), "last must be > 0"),
        (lambda t: t.update_market("N", 0, bid=2.0, ask=1.0), "bid must not be above ask"),
        (lambda t: t.update_market("N", "soon"), "ts_ns must be an ISO"),
        (lambda t: t.observe("N", 5, known_ns=4), "known_ns must not be before"),
        (lambda t: t.observe("N", 5, price=0.0), "price must be > 0"),
        (lambda t: t.observe("N", 5, volume=-1), "volume must be >= 0"),
        (lambda t: t.observe("N", 5, id=-1), "id must be"),
    ],
)
def test_refuses_and_stays_as_it_was(call, message):
    tables = Tables(ring=8, clock=FixedClock(0))
    tables.apply_fill("A", "buy", 1, 1.0)
    with pytest.raises(nt.InputError, match=message):
        call(tables)
    assert tables.symbols == ("A",) and tables.position("A").quantity == 1.0 and tables.cash == -1.0
    assert tables.balance == 0 and tables.active_count == 0


def test_a_full_order_table_refuses():
    tables = Tables(capacity=2)
    tables.order_opened(1)
    tables.order_opened(2)
    assert tables.order_opened(3) is nt.Denial.TABLE_FULL
    assert not nt.accepted(tables.order_opened(3)) and nt.accepted(tables.capacity)
    assert tables.active_orders == [1, 2] and tables.order_opened(2) is False
    tables.order_closed(1)
    assert tables.order_opened(3) is True
