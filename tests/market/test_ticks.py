"""Quotes, trades and depth: what is taken, what is refused and with which row, what order they merge in."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import neuraltrade as nt

NAN = float("nan")


def quotes(ts=(1, 2, 2), local=None, **changed):
    columns = {"bid": [99.0, 99.5, 99.0], "bid_size": [5, 3, 2], "ask": [101.0, 100.5, 100.0], "ask_size": [4, 1, 2]}
    return nt.Quotes("X", ts, **(columns | changed), local_ns=local)


def trades(ts=(1, 2, 3), local=None, **changed):
    columns = {"price": [100.0, 99.0, 101.0], "quantity": [1, 2, 3], "aggressor": [1, -1, 0]}
    return nt.Trades("X", ts, **(columns | changed), local_ns=local)


def depth(ts=(1, 1, 3), local=None, **changed):
    columns = {"side": [1, -1, 1], "price": [99.0, 101.0, 99.0], "quantity": [5, 4, 0]}
    return nt.Depth("X", ts, **(columns | changed), local_ns=local)


MAKERS = [quotes, trades, depth]


@pytest.mark.parametrize("make", MAKERS)
class TestEvery:
    def test_columns_are_read_only_copies(self, make):
        rows = make()
        for column in rows.columns():
            assert not column.flags.writeable and column.flags.c_contiguous
        given = np.array([1, 2, 3])
        made = make(given)
        given[:] = 9
        assert made.ts_ns.tolist() == [1, 2, 3]

    def test_without_local_times_both_are_one(self, make):
        assert make().local_ns is make().ts_ns or np.array_equal(make().local_ns, make().ts_ns)

    def test_slices_are_views(self, make):
        rows = make()
        part = rows[1:]
        assert len(part) == 2 and part.columns()[2].base is not None
        assert np.array_equal(part.ts_ns, rows.ts_ns[1:]) and part != rows
        assert part == make()[1:]

    @pytest.mark.parametrize("key", [slice(2, 2), slice(0, 3, 2), 1, "a"])
    def test_other_slices_are_refused(self, make, key):
        with pytest.raises(nt.InputError):
            make()[key]

    @pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
    @pytest.mark.parametrize("local", [None, (5, 5, 9)])
    def test_frames_round_trip(self, make, library, local):
        rows = make(local=local)
        assert type(rows).from_frame(rows.to_frame(library), symbol="X") == rows

    def test_files_round_trip(self, make, tmp_path):
        from pyarrow import parquet

        rows = make(local=(5, 5, 9))
        parquet.write_table(rows.to_frame("pyarrow"), tmp_path / "x.parquet")
        assert type(rows).read(tmp_path / "x.parquet", symbol="X") == rows
        with pytest.raises(nt.InputError, match="no such file"):
            type(rows).read(tmp_path / "y.parquet", symbol="X")

    def test_frames_that_lack_columns_are_refused(self, make):
        frame = make().to_frame("pandas")
        with pytest.raises(nt.InputError, match=f"lacks the columns {frame.columns[-1]}"):
            type(make()).from_frame(frame.iloc[:, :-1], symbol="X")
        with pytest.raises(nt.InputError, match="has no time"):
            type(make()).from_frame(frame.drop(columns="ts_ns"), symbol="X")

    def test_pickles(self, make):
        rows = make(local=(4, 5, 9))
        assert pickle.loads(pickle.dumps(rows)) == rows

    def test_times_must_not_fall(self, make):
        with pytest.raises(nt.InputError, match=r"ts_ns row 2: .* is earlier than row 1"):
            make((1, 3, 2))
        assert make((1, 3, 2), local=(3, 3, 4)).ts_ns.tolist() == [1, 3, 2]
        with pytest.raises(nt.InputError, match=r"local_ns row 1: .* is earlier than row 0"):
            make((1, 3, 4), local=(5, 4, 6))

    def test_lengths_must_agree(self, make):
        with pytest.raises(nt.InputError, match="local_ns has 2 rows, ts_ns has 3"):
            make(local=(1, 2))
        with pytest.raises(nt.InputError, match="has 3 rows, ts_ns has 2"):
            make((1, 2))

    def test_empty_is_refused(self, make):
        none = {name: [] for name in make().COLUMNS}
        with pytest.raises(nt.InputError, match=f"ts_ns is empty: {make().KIND} need at least one row"):
            make(np.zeros(0, np.int64), **none)
        with pytest.raises(nt.InputError, match=f"ts_ns is empty: {make().KIND} need at least one row"):
            make([], **none)

    def test_latency_is_corrected(self, make):
        late = make((10, 20, 30), local=(3, 15, 40))
        assert late.with_latency(2).local_ns.tolist() == [12, 24, 49]
        assert make((10, 20, 30)).with_latency(7).local_ns.tolist() == [17, 27, 37]
        assert make((10, 20, 30)).with_latency().local_ns.tolist() == [1_000_010, 1_000_020, 1_000_030]
        assert late.with_latency(2).ts_ns is late.ts_ns

    @pytest.mark.parametrize("floor", [-1, 0.5, True, None, 2**63])
    def test_latency_floors_are_checked(self, make, floor):
        with pytest.raises(nt.InputError, match="floor_ns must be an int"):
            make().with_latency(floor)

    def test_latency_beyond_int64_is_refused(self, make):
        far = make((2**63 - 3, 2**63 - 2, 2**63 - 1))
        with pytest.raises(nt.InputError, match="leaves the range of int64"):
            far.with_latency(5)
        apart = make((2**63 - 3, 2**63 - 2, 2**63 - 1), local=(-(2**63), 0, 1))
        with pytest.raises(nt.InputError, match="leaves the range"):
            apart.with_latency(0)

    @pytest.mark.parametrize("symbol", ["", " x", 5, "x" * 65])
    def test_symbols_are_checked(self, make, symbol):
        rows = make()
        with pytest.raises(nt.InputError, match="symbol must be"):
            type(rows)(symbol, rows.ts_ns, *rows.columns()[2:])


@pytest.mark.parametrize("bad", [NAN, float("inf"), 0.0, -1.0, 1e-10, 9.1e9])
def test_prices_are_checked_with_their_row(bad):
    for make, names in ((quotes, ("bid", "ask")), (trades, ("price",)), (depth, ("price",))):
        for name in names:
            with pytest.raises(nt.InputError, match=f"{name} row 1: .* is not a price in 1e-09..9e\\+09"):
                make(**{name: [100.0, bad, 100.0]})


@pytest.mark.parametrize("bad", [NAN, float("inf"), -1.0, 1e-10, 9.1e9])
def test_sizes_are_checked_with_their_row(bad):
    for make, names in ((quotes, ("bid_size", "ask_size")), (trades, ("quantity",)), (depth, ("quantity",))):
        for name in names:
            with pytest.raises(nt.InputError, match=f"{name} row 2: .* must be .*units in 1e-09..9e\\+09"):
                make(**{name: [1.0, 1.0, bad]})


def test_a_print_of_nothing_is_refused():
    with pytest.raises(nt.InputError, match=r"quantity row 0: 0.0 must be units"):
        trades(quantity=[0, 1, 1])


def test_a_side_without_size_has_no_price():
    rows = quotes(bid=[99.0, NAN, -5.0], bid_size=[1, 0, 0])
    assert np.array_equal(rows.bid, [99.0, NAN, NAN], equal_nan=True)


def test_a_cleared_book_needs_no_price():
    rows = depth(side=[0, 1, -1], price=[NAN, 99.0, 101.0], quantity=[NAN, 1.0, 2.0])
    assert rows.side.tolist() == [0, 1, -1] and rows.quantity.tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("bad", [2, -2, 0.5, NAN])
def test_signs_are_checked_with_their_row(bad):
    with pytest.raises(nt.InputError, match=r"aggressor row 1: .* is not -1, 0 or 1"):
        trades(aggressor=[1, bad, 1])
    with pytest.raises(nt.InputError, match=r"side row 1: .* is not -1, 0 or 1"):
        depth(side=[1, bad, 1])


def test_merge_is_by_hearing_then_prints_quotes_depth():
    ticks = nt.Ticks([depth((2, 2, 2)), quotes((2, 2, 3)), trades((1, 2, 2))])
    kinds = " ".join(ticks.kind(i) for i in range(len(ticks)))
    assert kinds == "trades trades trades quotes quotes depth quotes"
    events = ticks.events()
    assert events.first.tolist() == [0, 1, 2, 0, 1, 0, 2] and events.rows.tolist() == [1, 1, 1, 1, 1, 3, 1]
    assert events.venue is None


def test_equal_streams_keep_the_order_given():
    one, other = quotes((1, 1, 1)), quotes((1, 1, 1))
    assert nt.Ticks([one, other]).events().stream.tolist() == [0, 0, 0, 1, 1, 1]


def test_the_venue_has_its_own_order():
    slow, fast = quotes((1, 2, 3), local=(10, 11, 12)), trades((2, 3, 4), local=(2, 3, 4))
    events = nt.Ticks([slow, fast]).events()
    assert events.local_ns.tolist() == [2, 3, 4, 10, 11, 12]
    assert events.ts_ns.tolist() == [2, 3, 4, 1, 2, 3]
    assert events.venue.tolist() == [3, 0, 4, 1, 5, 2]


def test_merge_agrees_with_sorting_rows():
    rng = np.random.default_rng(7)
    for _ in range(50):
        streams = []
        for make in (quotes, trades, depth):
            stamps = np.sort(rng.integers(0, 6, 3))
            streams.append(make(stamps, local=np.sort(stamps + rng.integers(0, 4, 3))))
        rng.shuffle(streams)
        events = nt.Ticks(streams).events()
        rank = {"trades": 0, "quotes": 1, "depth": 2}
        keys = []
        for index, one in enumerate(streams):
            row = 0
            while row < len(one):
                count = 1
                while (
                    one.KIND == "depth"
                    and row + count < len(one)
                    and (one.ts_ns[row + count] == one.ts_ns[row] and one.local_ns[row + count] == one.local_ns[row])
                ):
                    count += 1
                keys.append((one.local_ns[row], rank[one.KIND], index, row, count, one.ts_ns[row]))
                row += count
        keys.sort()
        assert [(k[2], k[3], k[4]) for k in keys] == list(
            zip(events.stream.tolist(), events.first.tolist(), events.rows.tolist(), strict=True)
        )
        happened = sorted(range(len(keys)), key=lambda i: (keys[i][5], keys[i][1], keys[i][2], keys[i][3]))
        venue = list(range(len(keys))) if events.venue is None else events.venue.tolist()
        assert venue == happened


def test_latency_is_corrected_for_all_streams_alike():
    ticks = nt.Ticks([quotes((10, 20, 30), local=(1, 2, 3)), trades((10, 20, 30), local=(5, 20, 31))])
    fixed = ticks.with_latency(4)
    assert fixed.streams[0].local_ns.tolist() == [32, 33, 34] and fixed.streams[1].local_ns.tolist() == [36, 51, 62]


def test_slices_and_spans():
    ticks = nt.Ticks([quotes(), trades(), depth()])
    assert sum(len(ticks[i : i + 1]) for i in range(len(ticks))) == len(ticks)
    assert len(ticks.between(2, 3)) == 3
    assert [one.KIND for one in ticks.between(3)] == ["trades", "depth"]
    assert pickle.loads(pickle.dumps(ticks)) == ticks
    with pytest.raises(nt.InputError, match="no ticks in"):
        ticks.between(50, 60)
    for key in (slice(1, 1), slice(0, 2, 2), 0):
        with pytest.raises(nt.InputError):
            ticks[key]


@pytest.mark.parametrize("given", [None, [], quotes(), [1], "x", [nt.datasets.load("GOOG")]])
def test_streams_are_checked(given):
    with pytest.raises(nt.InputError, match="streams"):
        nt.Ticks(given)


@pytest.mark.parametrize("index", [2, -3, 0.0, "0", None, True])
def test_a_wrong_index_is_named(index):
    ticks = nt.Ticks([nt.Trades("X", [1, 2], [1.0] * 2, [1.0] * 2, [1] * 2)])
    assert ticks.kind(1) == ticks.kind(-2) == "trades"
    with pytest.raises(nt.InputError, match=r"index must be an int in -2\.\.1, was "):
        ticks.kind(index)
