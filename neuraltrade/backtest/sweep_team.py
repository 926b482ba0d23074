"""Several strategies in the runs of a search: their parameters by `NAME.parameter`, each with a batch of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InputError
from ..strategy import CompiledStrategy, Signals
from ..strategy.batch import KEPT_BYTES, Batch
from ..strategy.prepare import Prepared
from .team import Members, by_name, members_of, names_of


def is_several(strategy: Any) -> bool:
    """Whether it is a list, a tuple or a mapping of strategies, as nt.backtest takes them."""
    return isinstance(strategy, (list, tuple, Mapping))


def each_of(strategy: Any) -> dict[str, Any]:
    """Name -> strategy, in the order of the run. Raises InputError as nt.backtest does."""
    names = names_of(strategy)
    return dict(zip(names, strategy.values() if isinstance(strategy, Mapping) else strategy, strict=True))


def all_release_gil(strategy: Any) -> bool:
    return all(isinstance(one, (CompiledStrategy, Signals)) for one in each_of(strategy).values())


class Several:
    """The strategies of a search over the data of `setup`, prepared for one set of parameters after the other.

    Safe from any thread: each strategy has its own Batch, which is.
    """

    def __init__(self, strategy: Any, setup: Any, *, has_window: bool) -> None:
        self._strategy, self._setup = strategy, setup
        self._given = each_of(strategy)
        self.names = tuple(self._given)
        for name, one in self._given.items():
            if isinstance(one, Signals) and has_window:
                raise InputError(
                    f"strategy {name!r} must be an nt.Strategy here: the arrays of nt.Signals, made of all the data, "
                    "cannot be cut to a window that knows nothing of what comes after it"
                )
        kept = KEPT_BYTES // len(self.names)
        self._batches = {
            name: Batch(one, setup.bars, kept, setup.calendars)
            for name, one in self._given.items()
            if setup.ticks is None and not isinstance(one, Signals)
        }

    def prepare(self, params: Mapping[str, Any]) -> Members:
        """All of them, ready for a run."""
        setup = self._setup
        own = by_name(params, self.names)
        if setup.ticks is not None:
            found = members_of(self._strategy, own, setup.bars, setup.ticks, setup.calendars)
            assert found is not None
            return found
        made: list[Signals | Prepared] = [
            self._batches[name].prepare(own.get(name), index * len(setup.bars)) if name in self._batches else one
            for index, (name, one) in enumerate(self._given.items())
        ]
        return Members(self.names, tuple(made), len(setup.bars))
