"""R6: random sequences of orders through the engine, and its event log against an exact model in Python integers.

Each case is a run of its own over ten bars of one or two symbols, with settings, limits, bars and calls at random. With
one case in a hundred comes a script that is predicted tick by tick by the book of tests/core/order_model.py.
"""

from __future__ import annotations

import gc
import struct

from neuraltrade.core.engine import Engine
from neuraltrade.core.layouts import EVENT_DTYPE, EVENT_KINDS, ORDER_STATES, ORDER_TYPES, TIMES_IN_FORCE
from neuraltrade.core.scripted import ACTIONS, Script
from neuraltrade.core.settings import Denial
from neuraltrade.errors import NeuralTradeError

from campaigns import Failure, Outcome
from campaigns import sequences_predicted as predicted
from campaigns import sequences_scripts as scripts
from campaigns.books import Wrong
from campaigns.sequence_model import SequenceModel

VERSION = 1
UNIT = "sequences"
EVENT = struct.Struct("<7qihBb")  # a row of EVENT_DTYPE
assert EVENT.size == EVENT_DTYPE.itemsize
CHUNK = scripts.BLOCK
CI_COUNT, FULL_COUNT = 100_000, 10_000_000
FAILS = (Wrong, NeuralTradeError, LookupError)  # what the model denies, a run that ends, an order that is not there
PREDICTED = 100  # of how many cases one is predicted in full as well
TALLIES = ("fills", "denials", "children", "joined", "modified", "halts", "expired", "partial", "predicted")


def play(sequence: scripts.Sequence) -> tuple[Engine, list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Run it. Returns the engine, its events and the script's rows with what the run answered."""
    settings = sequence.settings
    engine = Engine(settings.symbols, sequence.bars, **settings.engine_arguments)
    script = Script(sequence.script())
    script.bind(engine)
    if settings.resume_at:
        engine.advance(settings.resume_at)
        engine.halt("reduce_only")
        engine.resume()
    engine.advance(scripts.STEPS)
    engine.finish(settings.close_open)
    rows = [row[:18] + found for row, found in zip(sequence.rows, script.answers(), strict=True)]
    return engine, list(EVENT.iter_unpack(engine.events())), rows


def check(sequence: scripts.Sequence) -> tuple[list[tuple[int, ...]], SequenceModel]:
    """Run it and hold the log to the model; Wrong tells what does not hold. Returns the events and the model."""
    engine, events, rows = play(sequence)
    model = SequenceModel(sequence)
    model.run(events, rows, scripts.STEPS - 1)
    model.check_end(engine.orders(), engine.ledger(), engine.counters())
    return events, model


def count_events(events: list[tuple[int, ...]], model: SequenceModel, tallies: dict[str, int]) -> None:
    tallies["children"] += sum([order.parent != 0 and order.filled > 0 for order in model.orders])
    kinds = [event[9] for event in events]
    tallies["fills"] += kinds.count(4)
    tallies["denials"] += kinds.count(3)
    tallies["expired"] += kinds.count(6)
    tallies["halts"] += kinds.count(8)
    for event in events:
        if event[9] == 4 and event[8] == 2:
            tallies["partial"] += 1
        elif event[9] in (10, 11) and event[8] == 0:
            tallies["modified" if event[9] == 10 else "joined"] += 1


def run_chunk(seed: int, index: int) -> Outcome:
    was_on = gc.isenabled()
    gc.disable()  # looking for the few cycles takes a tenth of the time; they wait until the chunk is done
    try:
        return run_block(seed, index)
    finally:
        if was_on:
            gc.enable()


def run_block(seed: int, index: int) -> Outcome:
    tallies = dict.fromkeys(TALLIES, 0)
    failures = []
    for sequence in scripts.block(seed, index):
        try:
            if sequence.number % PREDICTED == 0:
                predicted.check(seed, sequence.number)
                tallies["predicted"] += 1
            events, model = check(sequence)
        except FAILS as wrong:
            failures.append(Failure(sequence.number, f"{type(wrong).__name__}: {wrong}"))
            continue
        count_events(events, model, tallies)
    return Outcome(CHUNK, tallies, failures)


def reproduce(seed: int, number: int) -> str:
    """The case told in full, its script shrunk to what is needed where it fails."""
    sequence = scripts.block(seed, number // CHUNK)[number % CHUNK]
    if number % PREDICTED == 0:
        try:
            predicted.check(seed, number)
        except Wrong as wrong:
            return f"sequence {number} of seed {seed}: {wrong}"
    reason = failure_of(sequence)
    if reason:
        shrink(sequence)
        reason = failure_of(sequence) or reason
    try:
        _, events, rows = play(sequence)
    except NeuralTradeError:  # the run itself ends; its calls are all there is to show
        events, rows = [], sequence.rows
    return "\n".join([f"sequence {number} of seed {seed}: {reason or 'holds'}", *tell(sequence, events, rows)])


def failure_of(sequence: scripts.Sequence) -> str:
    try:
        check(sequence)
    except FAILS as wrong:
        return f"{type(wrong).__name__}: {wrong}"
    return ""


def shrink(sequence: scripts.Sequence) -> None:
    """Leave out calls for as long as the sequence still fails, whichever way."""
    again = True
    while again:
        again = False
        sequence.ready = None
        for index in reversed(range(len(sequence.rows))):
            rows = sequence.rows
            sequence.rows = rows[:index] + rows[index + 1 :]
            if failure_of(sequence):
                again = True
            else:
                sequence.rows = rows


def tell(sequence: scripts.Sequence, events: list[tuple[int, ...]], rows: list[tuple[int, ...]]) -> list[str]:
    """Settings, bars, calls and log for a reader."""
    lines = [f"  {name} = {value}" for name, value in vars(sequence.settings).items() if name != "engine_arguments"]
    for symbol, bars in zip(sequence.settings.symbols, sequence.prices, strict=True):
        for index, bar in enumerate(bars):
            shown = " ".join(f"{x / 1e9:g}" for x in bar[1:5])
            lines.append(f"  {symbol} bar {index}: {shown} volume {bar[5]} at {bar[0]}")
    for row in rows:
        named = dict(zip(scripts.COLUMNS, row, strict=True))
        given = {
            key: value for key, value in named.items() if value and key not in ("bar", "symbol", "action", "answer")
        }
        given["tif"] = TIMES_IN_FORCE[named["tif"]]
        call = f"{sequence.settings.symbols[named['symbol']]} {ACTIONS[named['action']]} {given}"
        lines.append(f"  step {named['bar']} {call} -> {answer_name(named['answer'])}")
    for bar, _, id_, quantity, price, value, extra, symbol, code, kind, side in events:
        what = ORDER_TYPES[code] if kind == 2 else ORDER_STATES[code] if kind == 4 else answer_name(code)
        lines.append(f"  step {bar} {EVENT_KINDS[kind]} {id_} {sequence.settings.symbols[symbol]} {side:+d} {what}"
                     f" quantity {quantity / 1e9:g} price {price / 1e9:g} value {value} extra {extra}")  # fmt: skip
    return lines


def answer_name(answer: int) -> str:
    if answer == scripts.SKIPPED:
        return "not made: no bar"
    return Denial(answer).name if answer <= -100 else str(answer)


def check_inputs_vary(tallies: dict[str, int], cases: int) -> str:
    """What the cases never did, which would make them prove less than they say."""
    idle = [name for name in TALLIES if tallies.get(name, 0) * 101 < cases]
    return f"too few {', '.join(idle)}" if cases >= CHUNK and idle else ""


__all__ = ["check_inputs_vary", "reproduce", "run_chunk"]
