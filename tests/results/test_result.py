"""Result: its tables, digest, frames, file and summaries."""

from __future__ import annotations

import hashlib
import re
import sys

import numpy as np
import pytest
from blake3 import blake3

from neuraltrade import DependencyMissing, FormatTooNew, InputError, LogCorrupt
from neuraltrade.core import curves
from neuraltrade.results import Result, container

TABLES = ("fills", "trades", "orders", "signals")


def test_tables_name_symbols_and_are_read_only(run):
    result = run(symbols=("AAPL", "BRK.B"), seed=3)
    assert set(result.trades["symbol"]) == {"AAPL", "BRK.B"}
    for name in TABLES:
        rows = getattr(result, name)
        assert rows is getattr(result, name)
        assert sorted(rows.dtype.names) == sorted(set(result.slots[name].dtype.names) - {"spare"})
        with pytest.raises(ValueError, match="read-only"):
            rows["symbol"] = "X"
    assert result.fills.dtype.names == ("bar", "ts_ns", "symbol", "side", "quantity", "price", "fee", "order_id")
    assert result.trades.dtype.names[:13] == (
        "symbol", "direction", "quantity", "entry_bar", "exit_bar", "entry_ts_ns", "exit_ts_ns",
        "entry_price", "exit_price", "fees", "pnl", "return_", "open",
    )  # fmt: skip
    slots = [result.symbols.index(symbol) for symbol in result.trades["symbol"]]
    assert slots == result.slots["trades"]["symbol"].tolist()


def test_orders_read_as_words(run):
    first, last = run().orders[[0, -1]]
    assert (first["type"], first["tif"], first["role"], first["status"], first["reason"]) == (
        "market", "gtc", "entry", "filled", "")  # fmt: skip
    assert (last["type"], last["status"], last["reason"]) == ("limit", "denied", "max_notional")
    assert len(run(trade_count=0).orders) == 0


def test_the_callers_arrays_keep_their_flags(run):
    equity = np.full(50, 10_000.0)
    result = run(count=50, trade_count=0, equity=equity)
    equity[0] = 10_001.0
    assert not result.equity.flags.writeable


def test_digest_is_of_symbols_and_events_only(run):
    first, again, other = run(), run(settings={}), run(events=np.zeros(640, np.uint8))
    assert first.digest == again.digest != other.digest
    assert run(symbols=("MSFT",)).digest != first.digest
    symbols = b"AAPL"
    expected = blake3(b"neuraltrade.events.1\n" + len(symbols).to_bytes(8, "little") + symbols + bytes(first.events))
    assert first.digest == expected.hexdigest()


def test_benchmark_defaults_to_buy_and_hold(run):
    result = run()
    close = result.data.close
    assert result.benchmark == pytest.approx(result.cash * close / close[0])
    panel = run(symbols=("A", "B"))
    legs = [bars.close / bars.close[0] for bars in panel.data.bars]
    assert panel.benchmark == pytest.approx(panel.cash * (legs[0] + legs[1]) / 2)


def test_benchmark_as_bars_is_aligned_to_the_past(run):
    result = run(count=10, trade_count=0)
    late = type(result.data)(ts_ns=result.ts_ns[[3, 6]] - 1, close=np.array([50.0, 75.0]))
    given = run(count=10, trade_count=0, benchmark=late).benchmark
    assert np.isnan(given[:3]).all() and (given[3:6] == 10_000.0).all() and (given[6:] == 15_000.0).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cash": 0.0}, "cash must be finite and > 0, was 0.0"),
        ({"cash": float("nan")}, "cash must be finite"),
        ({"risk_free": -1.0}, "risk_free must be a finite rate per year > -1"),
        ({"periods_per_year": 0.0}, "periods_per_year must be finite and > 0"),
        ({"equity": np.ones(3)}, "equity must have a value per bar of the clock .500., at least one, had 3"),
        ({"equity": np.append(np.ones(499), np.nan)}, "equity must be finite, was nan at bar 499"),
        ({"equity": np.ones(0), "clock_ts_ns": np.ones(0)}, "at least one, had 0"),
        ({"clock_ts_ns": np.zeros(500, np.int64)}, "clock_ts_ns must ascend, does not at bar 1"),
        ({"fills": np.zeros(2, [("bar", "i8")])}, "fills must have the engine's columns, ts_ns, order_id, quantity"),
        ({"trades": np.full(1, 7, "i8")}, "trades must have the engine's columns"),
        ({"benchmark": np.ones(3)}, r"benchmark must have one value per bar \(500\), had shape \(3,\)"),
        ({"benchmark": "SPY"}, "benchmark must be Bars or numbers, was str"),
        ({"benchmark": np.zeros(500)}, "benchmark must hold finite values > 0"),
    ],
)
def test_wrong_arguments(run, given, message):
    with pytest.raises(InputError, match=message):
        run(**given)


def test_slots_must_name_a_symbol(run):
    orders = run().slots["orders"].copy()
    orders["symbol"][0] = 1
    with pytest.raises(InputError, match=r"orders must have slots in 0\.\.0, had 1"):
        run(orders=orders)


def test_frames(run):
    result = run()
    frame = result.to_frame("trades")
    assert len(frame) == len(result.trades)
    assert frame["pnl"].to_numpy() == pytest.approx(result.trades["pnl"])
    assert frame["entry_time"].astype("int64").tolist() == result.trades["entry_ts_ns"].tolist()
    equity = result.to_frame("equity")
    assert list(equity.columns) == ["time", "ts_ns", "equity", "drawdown", "benchmark"]
    for name in TABLES:
        assert len(result.to_frame(name)) == len(getattr(result, name))
    monthly = result.to_frame("monthly")
    assert list(monthly.columns) == ["year", *curves.MONTHS, "total"]
    assert monthly["dec"].to_numpy() == pytest.approx(result.monthly()["months"][:, 11], nan_ok=True)
    falls = result.to_frame("drawdowns")
    assert len(falls) == len(result.drawdowns(None)) > 3
    assert falls["recovery_time"].isna().tolist() == falls["open"].tolist()
    assert result.to_frame("by_symbol")["symbol"].tolist() == ["AAPL"]
    with pytest.raises(InputError, match=r"one of fills, trades, .*, drawdowns, by_symbol, by_strategy, was 'trade'"):
        result.to_frame("trade")


@pytest.mark.parametrize(
    ("missing", "extra", "call"),
    [
        ("pandas", "frames", lambda result: result.to_frame()),
        ("plotly", "report", lambda result: result.plot()),
    ],
)
def test_missing_packages_are_named(run, monkeypatch, missing, extra, call):
    for name in [name for name in sys.modules if name == missing or name.startswith(f"{missing}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(DependencyMissing, match=rf"pip install 'neuraltrade\[{extra}\]'"):
        call(run())


def test_infinite_growth_is_readable(run):
    result = run(count=2, trade_count=0, equity=np.array([10_000.0, 20_000.0]), periods_per_year=525_600.0)
    assert re.search(r"cagr +∞", repr(result))


def test_text_and_html(run):
    result = run(symbols=("<b>A</b>",), settings={"strategy": "A & B"}, ambiguous_bars=3)
    text = repr(result)
    assert "A & B on <b>A</b> (2020-09-13 to 2022-01-25, 500 bars)" in text
    assert f"digest {result.digest[:16]}" in text and "3 ambiguous bars" in text
    assert max(map(len, text.splitlines())) <= 130
    html = result._repr_html_()
    assert "<b>A</b>" not in html and "&lt;b&gt;A&lt;/b&gt;" in html and "A &amp; B" in html
    bounded = run(bounds=(run(seed=2), run(seed=3)))
    assert "worst path" in repr(bounded)


def test_text_of_nothing(run):
    result = run(count=1, trade_count=0)
    assert re.search(r"sharpe +-  ", repr(result)) and "nan" not in repr(result)


class TestContainer:
    ARRAYS = {  # noqa: RUF012
        "a": np.arange(100, dtype=np.float64),
        "b": np.zeros(3, [("x", "<i4"), ("s", "<U4"), ("spare", "u1", 3)]),
        "none": np.zeros(0, np.int64),
        "wide": np.arange(6, dtype=np.uint8).reshape(2, 3),
    }

    @pytest.fixture
    def path(self, tmp_path):
        container.write(tmp_path / "run.ntr", {"text": "naïve", "nan": float("nan")}, self.ARRAYS)
        return tmp_path / "run.ntr"

    def test_round_trip(self, path):
        meta, arrays = container.read(path)
        assert meta["text"] == "naïve" and np.isnan(meta["nan"])
        assert list(arrays) == list(self.ARRAYS)
        for name, array in self.ARRAYS.items():
            assert arrays[name].dtype == array.dtype and np.array_equal(arrays[name], array)

    def test_equal_content_gives_equal_bytes_and_leaves_nothing_else(self, path):
        before = hashlib.sha256(path.read_bytes()).digest()
        container.write(path, {"text": "naïve", "nan": float("nan")}, self.ARRAYS)
        assert hashlib.sha256(path.read_bytes()).digest() == before
        assert [p.name for p in path.parent.iterdir()] == ["run.ntr"]

    def test_every_flipped_byte_is_found(self, path):
        content = path.read_bytes()
        padding = _padding(content)
        assert 0 < len(padding) < len(content) // 4
        for at in range(len(content)):
            if at in padding:
                continue
            path.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
            with pytest.raises((LogCorrupt, InputError)):
                container.read(path)

    def test_every_cut_is_found(self, path):
        content = path.read_bytes()
        for length in range(0, len(content) - 1):
            path.write_bytes(content[:length])
            with pytest.raises((LogCorrupt, InputError)):
                container.read(path)

    def test_a_newer_format_is_refused_by_name(self, path):
        content = bytearray(path.read_bytes())
        content[8] = 2
        length = int.from_bytes(content[16:24], "little")
        content[24:56] = blake3(bytes(content[:24]) + bytes(content[56 : 56 + length])).digest()
        path.write_bytes(content)
        with pytest.raises(FormatTooNew, match="format 2, this package reads up to 1"):
            container.read(path)

    def test_files_that_are_none(self, tmp_path):
        (tmp_path / "other").write_bytes(b"PK\x03\x04 something else entirely")
        reasons = {"other": "does not begin with NTRESULT", "absent": "No such file", ".": "Is a directory"}
        for name, reason in reasons.items():
            with pytest.raises(InputError, match=reason):
                container.read(tmp_path / name)

    def test_objects_are_refused(self, tmp_path):
        with pytest.raises(InputError, match="holds Python objects"):
            container.write(tmp_path / "x", {}, {"o": np.array([object()])})
        assert list(tmp_path.iterdir()) == []


def _padding(content):
    """Positions between blocks, which carry nothing and are under no checksum."""
    import json

    length = int.from_bytes(content[16:24], "little")
    used = set(range(56 + length))
    for entry in json.loads(content[56 : 56 + length])["arrays"]:
        used |= set(range(entry["offset"], entry["offset"] + entry["bytes"]))
    return set(range(len(content))) - used


@pytest.mark.parametrize("path", [None, 5])
def test_a_path_is_a_files(run, tmp_path, path):
    for call in (run().save, Result.load):
        with pytest.raises(InputError, match="path must be a file's"):
            call(path)
    with pytest.raises(InputError, match="path must be a file's"):
        run().save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_save_into_a_missing_folder(run, tmp_path):
    with pytest.raises(InputError, match="path must lie in an existing folder"):
        run().save(tmp_path / "no" / "run.ntr")


@pytest.mark.parametrize("symbols", [("AAPL",), ("AAPL", "MSFT")])
def test_save_and_load(run, tmp_path, symbols):
    market = pytest.importorskip("neuraltrade.market")
    sides = run(seed=5, symbols=symbols), run(seed=6, symbols=symbols)
    result = run(symbols=symbols, risk_free=0.02, reasoning=("a", "b"), bounds=sides, benchmark=np.linspace(1, 2, 500))
    result.save(tmp_path / "run.ntr")
    loaded = Result.load(tmp_path / "run.ntr")
    assert isinstance(loaded.data, market.Bars if len(symbols) == 1 else market.Panel)
    assert loaded.digest == result.digest and dict(loaded.stats) == dict(result.stats)
    for name in TABLES:
        assert np.array_equal(getattr(loaded, name), getattr(result, name))
    for name in ("equity", "ts_ns", "benchmark", "drawdown"):
        assert np.array_equal(getattr(loaded, name), getattr(result, name))
    assert loaded.settings == result.settings and loaded.reasoning == ("a", "b")
    assert [bound.digest for bound in loaded.bounds] == [side.digest for side in sides]
