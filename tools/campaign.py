#!/usr/bin/env python3
"""Run one campaign: long random searches for what must never happen.

    tools/campaign.py NAME [--count N] [--seed S] [--state FILE] [--workers W]
    tools/campaign.py NAME --only CASE [--seed S]

NAME is kills (R1), power (R2), damage (R3), faults (R4), fuzz (R5), sequences (R6), determinism (R7), asof (R8),
threads (R12), bounds, denials, luck or speeds; N a number of cases (in whole chunks), "ci" or "full".
What is done is noted in the state file (default: ~/.cache/neuraltrade/campaigns/NAME-SEED.json), so that a run that was
stopped, or killed, goes on from there until the count is full. The last line printed is the result. Exit status: 0 all
cases hold, 1 some do not, 2 the arguments or the state file will not do, 130 stopped from the keyboard.
"""

from __future__ import annotations

import argparse
import multiprocessing
import signal
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import campaigns
from campaigns.state import State, StateRefused

SAVE_SECONDS = 5.0
TOLD_MAX = 20  # mismatches that are printed; the state file has them all


def prepare(name: str) -> Any:
    """The campaign, its models compiled where that can be done. Runs in every process that runs cases."""
    modules = campaigns.models_of(name)
    if modules:
        campaigns.compiled(modules)
    return campaigns.load(name)


def run_chunk(name: str, seed: int, index: int) -> campaigns.Outcome:
    return prepare(name).run_chunk(seed, index)


class Progress:
    """One line that is written over, where there is a terminal."""

    def __init__(self, unit: str, already: int, count: int) -> None:
        self.unit, self.already, self.count = unit, already, count
        self.began, self.shown, self.is_terminal = time.monotonic(), 0.0, sys.stderr.isatty()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def show(self, done: int, failures: int) -> None:
        if not self.is_terminal or self.seconds - self.shown < 0.5:
            return
        self.shown = self.seconds
        rate = (done - self.already) / max(self.seconds, 1e-9)
        left = int((self.count - done) / rate) if rate else 0
        clock = f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02}"
        text = f"{done:,} of {self.count:,} {self.unit}, {rate:,.0f} a second, {clock} left, {failures} mismatches"
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self.is_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def outcomes(name: str, seed: int, chunks: list[int], workers: int) -> Any:
    """(chunk, its outcome) in whatever order they come."""
    if workers == 1:
        for chunk in chunks:
            yield chunk, run_chunk(name, seed, chunk)
        return
    context = multiprocessing.get_context("spawn")
    quiet = (signal.SIGINT, signal.SIG_IGN)  # Control-C is the parent's to act on
    with ProcessPoolExecutor(workers, mp_context=context, initializer=signal.signal, initargs=quiet) as pool:
        waiting = iter(chunks)
        running: dict[Future[Any], int] = {}
        try:
            while True:
                while len(running) < 2 * workers and (chunk := next(waiting, None)) is not None:
                    running[pool.submit(run_chunk, name, seed, chunk)] = chunk
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def run(name: str, campaign: Any, state: State, count: int, workers: int) -> bool:
    """Run what the state lacks of `count` cases. False where it was stopped from the keyboard."""
    missing = [chunk for chunk in range(-(-count // campaign.CHUNK)) if not state.is_done(chunk)]
    if not missing:
        return True
    progress = Progress(campaign.UNIT, state.cases, count)
    before, saved = state.seconds, -SAVE_SECONDS
    try:
        for chunk, outcome in outcomes(name, state.seed, missing, workers):
            state.add(chunk, outcome)
            state.seconds = before + progress.seconds
            told = len(state.failures) - len(outcome.failures)
            for failure in outcome.failures[: max(0, TOLD_MAX - told)]:
                print(f"\nmismatch in case {failure.number}: {failure.reason}\n  see it with: tools/campaign.py {name}"
                      f" --seed {state.seed} --only {failure.number}", flush=True)  # fmt: skip
            if outcome.failures or progress.seconds - saved > SAVE_SECONDS:
                saved = progress.seconds
                state.save()
            progress.show(state.cases, len(state.failures))
    except KeyboardInterrupt:
        return False
    finally:
        progress.end()
        state.seconds = before + progress.seconds
        state.save()
    return True


def allowed(campaign: Any, cases: int) -> int:
    """How many cases need not hold: of a campaign about chance, as many as chance was given."""
    return int(campaign.allowed(cases)) if hasattr(campaign, "allowed") else 0


def result_line(name: str, campaign: Any, state: State) -> str:
    tallies = "".join(f", {value:,} {key}" for key, value in state.tallies.items())
    label = campaigns.NAMES[name] or name
    return (f"{label}: {state.cases:,} {campaign.UNIT}, {len(state.failures)} mismatches{tallies} "
            f"(seed {state.seed}, version {campaign.VERSION}, {state.seconds:.0f} s)")  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=[*campaigns.NAMES, *filter(None, campaigns.NAMES.values())], metavar="NAME")
    parser.add_argument("--count", default="ci")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="CASE")
    given = parser.parse_args()
    if given.workers < 1 or given.seed < 0 or (given.only is not None and given.only < 0):
        parser.error("--workers must be at least 1, --seed and --only not negative")
    if given.count not in ("ci", "full") and not (given.count.isdigit() and int(given.count) > 0):
        parser.error(f"--count must be a positive number, ci or full, was {given.count!r}")
    return given


def main() -> int:
    given = arguments()
    name = next(n for n, label in campaigns.NAMES.items() if given.name in (n, label))
    campaign = prepare(name)
    if given.only is not None:
        text = campaign.reproduce(given.seed, given.only)
        print(text)
        return 0 if text.splitlines()[0].endswith("holds") else 1
    count = {"ci": campaign.CI_COUNT, "full": campaign.FULL_COUNT}.get(given.count) or int(given.count)
    path = given.state or Path.home() / ".cache" / "neuraltrade" / "campaigns" / f"{name}-{given.seed}.json"
    try:
        state = State.open(path, name, campaign.VERSION, given.seed, campaign.CHUNK)
    except StateRefused as refused:
        print(refused, file=sys.stderr)
        return 2
    complete = run(name, campaign, state, count, given.workers)
    print(result_line(name, campaign, state))
    if not complete:
        print(f"stopped; the same command goes on from {path}")
        return 130
    idle = campaign.check_inputs_vary(state.tallies, state.cases) if hasattr(campaign, "check_inputs_vary") else ""
    if idle:
        print(f"the cases do not try enough: {idle}")
    return 1 if len(state.failures) > allowed(campaign, state.cases) or idle else 0


if __name__ == "__main__":
    sys.exit(main())
