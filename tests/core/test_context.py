"""What a strategy sees of a bar, and the ports it reaches: Recall, Advisor, Journal."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, EVENT_KINDS, IndicatorHandle
from neuraltrade.ports import SIMILAR_DTYPE


def kinds(engine):
    return [EVENT_KINDS[event["kind"]] for event in engine.events().view(EVENT_DTYPE)]


def test_context_shows_the_bar(make_engine, fills_bars):
    seen = []
    engine = make_engine(fills_bars)
    engine.set_indicators([[np.array([np.nan, 1, 2, 3, 2, 1.0]), np.full(6, 2.0)]])
    engine.set_parameters(np.array([3.5]))
    engine.set_state(2)
    a, b = IndicatorHandle(0), IndicatorHandle(1)

    def on_bar(ctx):
        ctx.state[1] += ctx.close
        seen.append(
            (
                ctx.i,
                ctx.bar,
                ctx.slot,
                ctx.symbol,
                ctx.ts_ns,
                ctx.open,
                ctx.high,
                ctx.low,
                ctx.close,
                ctx.volume,
                ctx.parameters[0],
                ctx.crossed_above(a, b),
                ctx.crossed_below(a, b),
                ctx.crossed_above(a, 1.5),
                ctx.previous(a) if ctx.i else None,
            )
        )
        if ctx.i:
            past = ctx.ago(1)
            assert (past.open, past.close, past.ts_ns) == (
                fills_bars[1][ctx.i - 1],
                fills_bars[4][ctx.i - 1],
                fills_bars[0][ctx.i - 1],
            )

    engine.bind_python(on_bar)
    assert engine.advance(2) == 2
    assert engine.advance(100) == 6
    assert seen[3][:11] == (3, 3, 0, "S0", fills_bars[0][3], 90, 92, 88, 91, 1000, 3.5)
    assert [row[11] for row in seen] == [False, False, False, True, False, False]
    assert [row[12] for row in seen] == [False, False, False, False, False, True]
    assert [row[13] for row in seen] == [False, False, True, False, False, False]
    assert engine.context.state[1] == fills_bars[4].sum()


@pytest.mark.parametrize("k", [-1, 2, 100])
def test_ago_never_leaves_the_past(run, fills_bars, k):
    with pytest.raises(nt.StrategyError, match=r"k must be 0\.\.1"):
        run({1: lambda ctx: ctx.ago(k)}, fills_bars)


class _Recall:
    def __init__(self):
        self.asked = []

    def similar(self, symbol, ts_ns, k):
        self.asked.append((symbol, ts_ns, k))
        return np.array([(7, 1, 0.25, 0.5), (8, 2, 0.5, np.nan)], SIMILAR_DTYPE)


def test_ports(make_engine, fills_bars):
    recall, journal, seen = _Recall(), [], {}
    engine = make_engine(fills_bars)
    engine.set_recall(recall, ["AAPL"])
    engine.set_advisor(lambda slot, ts_ns, direction, confidence, reasoning, signal_id: confidence / 2)
    engine.set_journal(journal.append)

    def on_bar(ctx):
        if ctx.i == 1:
            seen["confidence"] = ctx.signal(1, 0.8, "up")
            seen["order"] = ctx.buy(10)
            seen["similar"] = ctx.similar(2)
            seen["journalled"] = sum(len(events) for events in journal)

    engine.bind_python(on_bar)
    engine.advance(6)
    engine.finish()
    assert seen["confidence"] == 0.4
    assert list(seen["similar"]["id"]) == [7, 8]
    assert recall.asked == [("AAPL", fills_bars[0][1], 2)]
    signal = engine.signals()[0]
    assert (signal["signal_id"], signal["confidence"], signal["enhanced"], signal["reasoning"]) == (1, 0.8, 0.4, 0)
    assert engine.context.texts == ["up"]
    assert engine.orders()[0]["signal_id"] == 1
    assert seen["journalled"] == 0
    assert np.array_equal(np.concatenate(journal), engine.events().view(EVENT_DTYPE))
    assert [len(events) for events in journal] == [2, 1]  # the decision before it acts, then its fill
    assert kinds(engine) == ["signal", "order", "fill"]


def test_without_ports_signals_keep_their_confidence(run, fills_bars):
    seen = []
    run({1: lambda ctx: seen.extend([ctx.signal("short", 0.3), len(ctx.similar(5))])}, fills_bars)
    assert seen == [0.3, 0]


def test_a_failing_journal_stops_before_the_order_acts(make_engine, fills_bars):
    def refuse(events):
        raise nt.StoreClosed("full")

    engine = make_engine(fills_bars, policy="vectorbt")
    engine.set_journal(refuse)
    engine.bind_signals(np.ones(6, np.uint8))
    with pytest.raises(nt.StoreClosed, match="full"):
        engine.advance(6)
    assert len(engine.fills()) == 0
    with pytest.raises(nt.InputError, match="ended"):
        engine.advance(1)


def test_an_advisor_must_answer_with_a_confidence(make_engine, fills_bars):
    engine = make_engine(fills_bars)
    engine.set_advisor(lambda *signal: 2.0)
    engine.bind_python(lambda ctx: ctx.signal(1, 0.5))
    with pytest.raises(nt.InputError, match="confidence"):
        engine.advance(1)


@pytest.mark.parametrize("rows", [None, 5, [(1, 2, 0.5, 0.5)], np.zeros(3), np.zeros((2, 2), SIMILAR_DTYPE)])
def test_a_recall_must_answer_with_its_rows(make_engine, fills_bars, rows):
    class Answers:
        def similar(self, symbol, ts_ns, k):
            return rows

    engine = make_engine(fills_bars)
    engine.set_recall(Answers())
    engine.bind_python(lambda ctx: ctx.similar(3))
    with pytest.raises(nt.InputError, match="recall: similar must return"):
        engine.advance(2)


def test_the_port_that_failed_first_is_the_one_named(make_engine, fills_bars):
    engine = make_engine(fills_bars)
    engine.set_advisor(lambda *_: 2.0)

    def on_bar(ctx):
        ctx.signal(1, 0.5)
        raise KeyError("later")

    engine.bind_python(on_bar)
    with pytest.raises(nt.InputError, match="advisor: confidence"):
        engine.advance(2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ctx: ctx.buy(1, tif="forever"), "tif"),
        (lambda ctx: ctx.buy(1, tif="gtd"), "tif"),
        (lambda ctx: ctx.signal(2, 0.5), "direction"),
        (lambda ctx: ctx.signal(1, 1.5), "confidence"),
        (lambda ctx: ctx.signal(1, 0.5, reasoning=5), "reasoning must be a text, was 5"),
        (lambda ctx: ctx.similar(0), "k"),
        (lambda ctx: ctx.value(IndicatorHandle(3)), "indicators"),
        (lambda ctx: ctx.crossed_above(IndicatorHandle(0), 1.0), "indicators"),
    ],
)
def test_context_calls_are_checked(run, fills_bars, call, message):
    with pytest.raises(nt.StrategyError, match=message):
        run({1: call}, fills_bars)
