"""Times come in many forms and leave as one."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuraltrade as nt
from neuraltrade.clock import DAY_NS, NS_MAX, NS_MIN, Clock, FixedClock, SystemClock, as_ns, iso, union

NOON = 1_709_294_400_000_000_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (np.int64(5), 5),
        (NS_MIN, NS_MIN),
        (NS_MAX, NS_MAX),
        (datetime(2024, 3, 1, 12), NOON),
        (datetime(2024, 3, 1, 13, tzinfo=timezone(timedelta(hours=1))), NOON),
        (datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), -1000),
        (pd.Timestamp("2024-03-01T12:00:00.000000123"), NOON + 123),
        (np.datetime64("2024-03-01T12:00"), NOON),
        (np.datetime64("2024-03-01T12:00:00.000000123"), NOON + 123),
        (date(2024, 3, 1), NOON + DAY_NS // 2 - 1),
        ("2024-03-01", NOON + DAY_NS // 2 - 1),
        ("20240301", NOON + DAY_NS // 2 - 1),
        (np.datetime64("2024-03-01"), NOON + DAY_NS // 2 - 1),
        ("2024-03-01T12:00:00Z", NOON),
        ("2024-03-01 12:00", NOON),
        ("2024-03-01T13:00:00+01:00", NOON),
        ("2024-03-01T12:00:00.000000001Z", NOON + 1),
        ("2024-03-01T13:00:00.5+01:00", NOON + 500_000_000),
    ],
)
def test_as_ns(value, expected):
    assert as_ns(value) == expected


@pytest.mark.parametrize("value", [1.5, None, True, np.True_, "noon", "", "2024-13-01", [], np.datetime64("NaT"),
                                   np.datetime64("2024"), np.datetime64("9999-01-01T00:00:00"), NS_MAX + 1, NS_MIN - 1,
                                   datetime(2300, 1, 1), np.float64(3), pd.NaT])  # fmt: skip
def test_as_ns_refuses(value):
    with pytest.raises(nt.InputError, match="start must"):
        as_ns(value, "start")


@given(st.integers(NS_MIN, NS_MAX))
def test_iso_round_trips(ts_ns):
    assert as_ns(iso(ts_ns)) == ts_ns


def test_clocks():
    clock = FixedClock("2024-03-01T12:00:00Z")
    assert isinstance(clock, Clock) and isinstance(SystemClock(), Clock)
    clock.advance(5)
    assert clock.now_ns() == NOON + 5
    clock.set(7)
    assert clock.now_ns() == 7
    with pytest.raises(nt.InputError):
        clock.advance(NS_MAX)
    assert clock.now_ns() == 7


@pytest.mark.parametrize("seed", range(8))
def test_union_of_times_equals_a_set(seed):
    rng = np.random.default_rng(seed)
    drawn = [np.array(sorted(set(rng.integers(-50, 50, rng.integers(1, 40)).tolist()))) for _ in range(4)]
    times = [*drawn, drawn[0].copy(), drawn[2], drawn[1][:1]]
    found = union(times)
    assert found.dtype == np.int64
    assert found.tolist() == sorted({int(ts_ns) for own in times for ts_ns in own})


def test_times_that_all_share_are_not_copied():
    own = np.arange(5)
    assert union([own, own.copy(), own]) is own
    assert union([own]) is own
    assert own.flags.writeable
