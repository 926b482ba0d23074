"""Settings refuse what the engine could not mean."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.settings.meanings import MEANINGS


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nt.FillPolicy(path="wrst"), "did you mean 'worst'"),
        (lambda: nt.FillPolicy(market_at="open"), "market_at"),
        (lambda: nt.FillPolicy(contingent_from_working="later"), "contingent_from_working"),
        (lambda: nt.FillPolicy(volume_cap=0), "volume_cap"),
        (lambda: nt.FillPolicy(volume_cap=1.5), "volume_cap"),
        (lambda: nt.FillPolicy(default_lot=0), "default_lot"),
        (lambda: nt.FillPolicy.preset("backtesting"), "did you mean 'backtesting_py'"),
        (lambda: nt.FillPolicy.preset("zipline"), "conservative, backtesting_py, vectorbt, backtrader"),
        (lambda: nt.FillPolicy(trail_by="close"), "trail_by"),
        (lambda: nt.FillPolicy(limits_from="now"), "limits_from"),
        (lambda: nt.FillPolicy(depth="half_bar"), "depth"),
        (lambda: nt.Fees(rate=-0.1), "rate"),
        (lambda: nt.Fees(rate=1.1), "rate"),
        (lambda: nt.Fees(fixed=float("nan")), "fixed"),
        (lambda: nt.Fees(minimum="1"), "minimum"),
        (lambda: nt.Slippage(rate=2), "rate"),
        (lambda: nt.Slippage(ticks=0.5), "whole"),
        (lambda: nt.Size.equity(0), "fraction"),
        (lambda: nt.Size.cash(-1), "amount"),
        (lambda: nt.Size.units(True), "quantity"),
        (lambda: nt.Size("half"), "kind"),
        (lambda: nt.RiskLimits(max_position=0), "max_position"),
        (lambda: nt.RiskLimits(kill_switch=1), "kill_switch"),
        (lambda: nt.RiskLimits(reduce_only=None), "reduce_only"),
        (lambda: nt.RiskLimits(prevent_self_trade="yes"), "prevent_self_trade"),
        (lambda: nt.RiskLimits(max_gross_exposure=-1), "max_gross_exposure"),
        (lambda: nt.RiskLimits(max_net_exposure=float("nan")), "max_net_exposure"),
        (lambda: nt.RiskLimits(max_leverage=float("inf")), "max_leverage"),
        (lambda: nt.RiskLimits(max_orders_per_second=1.5), "max_orders_per_second"),
        (lambda: nt.RiskLimits(duplicate_window_ns=0), "duplicate_window_ns"),
        (lambda: nt.RiskLimits(max_executions=True), "max_executions"),
        (lambda: nt.RiskLimits(restricted="AAPL"), "restricted"),
        (lambda: nt.RiskLimits(max_daily_loss=1e12), "max_daily_loss"),
        (lambda: nt.RiskLimits(max_drawdown=1.5), "max_drawdown"),
        (lambda: nt.RiskLimits(on_loss="stop"), "on_loss"),
        (lambda: nt.Account(cash_digits=10), "cash_digits"),
        (lambda: nt.Account(cash_digits=2.0), "cash_digits must be 0..9, was 2.0"),
        (lambda: nt.Slippage(cap_to_bar=1), "cap_to_bar must be True or False, was 1"),
        (lambda: nt.Account(leverage=0.5), "leverage"),
        (lambda: nt.Account(currency=""), "currency"),
        (lambda: nt.Account(shorting=None), "shorting"),
        (lambda: nt.Instrument(tick=0), "tick"),
        (lambda: nt.Instrument(lot=-1), "lot"),
        (lambda: nt.Instrument(multiplier=0), "multiplier"),
        (lambda: nt.Instrument(currency=3), "currency"),
    ],
)
def test_wrong_values_are_refused(make, message):
    with pytest.raises(nt.InputError, match=message):
        make()


def test_settings_are_frozen():
    with pytest.raises(AttributeError):
        nt.FillPolicy().path = "best"


def test_presets_are_what_fills_says():
    names = ("conservative", "backtesting_py", "vectorbt", "backtrader", "nautilus_1_221", "lean_equity")
    assert nt.FillPolicy.presets() == names
    assert nt.FillPolicy.preset("conservative") == nt.FillPolicy()
    vectorbt = nt.FillPolicy.preset("vectorbt")
    assert (vectorbt.market_at, vectorbt.stop_base, vectorbt.contingent_from) == (
        "same_close",
        "entry_close",
        "next_bar",
    )
    assert nt.FillPolicy.preset("backtesting_py").contingent_from_working == "certain_profit"
    table = {
        "backtrader": ("next_open", "touch", "improve", "at_open", "worst", "next_bar"),
        "nautilus_1_221": ("same_close", "touch", "at_limit", "at_stop", "ohlc", "entry_bar"),
        "lean_equity": ("next_open", "penetrate", "improve", "at_open", "worst", "next_bar"),
    }
    columns = ("market_at", "limit_fill", "limit_gap", "stop_gap", "path", "contingent_from")
    for name, row in table.items():
        policy = nt.FillPolicy.preset(name)
        assert tuple(getattr(policy, column) for column in columns) == row
        assert (policy.stop_base, policy.trail_update) == ("fill_price", "after_check")


def test_denials_mirror_the_core():
    # csrc/nt_status.h numbers them; the gate's tests meet most of them by name.
    assert {denial.name: int(denial) for denial in nt.Denial if denial <= -120} == {
        "MAX_QUANTITY": -120,
        "MAX_NOTIONAL": -121,
        "NO_REFERENCE": -122,
        "COLLAR": -123,
        "MAX_POSITION": -124,
        "HALTED": -125,
        "REDUCE_ONLY": -126,
        "MAX_EXPOSURE": -127,
        "MAX_LEVERAGE": -128,
        "RATE": -129,
        "RESTRICTED": -130,
        "LOSS": -131,
        "MAX_NET_EXPOSURE": -132,
        "DUPLICATE": -133,
        "REPEATED": -134,
        "SELF_TRADE": -135,
        "DRAWDOWN": -136,
        "LIQUIDATION": -140,
        "BANKRUPT": -141,
        "NO_RATE": -142,
        "SESSION_CLOSED": -143,
    }
    assert [nt.accepted(answer) for answer in (nt.Denial.LOT, 0, 1)] == [False, False, True]


def test_every_denial_has_a_meaning_and_a_remedy_here_and_in_the_guide():
    page = (Path(__file__).parents[2] / "docs" / "risk.md").read_text(encoding="utf-8")
    for denial in nt.Denial:
        assert denial.meaning and denial.remedy
        assert f"| `{denial.name}` | {denial.meaning} | {denial.remedy} |" in page
    assert set(MEANINGS) == set(nt.Denial.__members__)


SETTINGS = (nt.Fees, nt.Slippage, nt.Size, nt.Account, nt.Instrument, nt.RiskLimits, nt.FillPolicy, nt.QueueModel)
ODD = [
    *(float("nan"), float("inf"), -float("inf"), -1, 1e300, 10**400, "?", b"1", "", [], {}, object(), 1j, float),
    *(np.array([1.0, 2.0]), np.array(["a"])),
]
# The fields that take one of them.
TAKES = {("Account", "currency", "?"), ("Instrument", "currency", "?"), ("Instrument", "calendar", "?")}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.__name__)
def test_every_field_refuses_what_it_cannot_mean(setting):
    needed = {"kind": "units"} if setting is nt.Size else {}
    for name in setting.__struct_fields__:
        for value in ODD:
            if isinstance(value, str) and (setting.__name__, name, value) in TAKES:
                continue
            with pytest.raises(nt.InputError) as caught:
                setting(**{**needed, name: value})
            assert name in str(caught.value) or name == "queue", (name, value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nt.Fees(rat=0.1), r"Fees has no argument 'rat'; did you mean 'rate'\?"),
        (lambda: nt.RiskLimits(max_drawdwn=0.1), "did you mean 'max_drawdown'"),
        (lambda: nt.Instrument(zzz=1), "Instrument has no argument 'zzz'; it takes tick, lot, "),
        (lambda: nt.FillPolicy(limitfill="touch"), "did you mean 'limit_fill'"),
        (lambda: nt.Account(laverage=2), "did you mean 'leverage'"),
        (lambda: nt.Slippage(0.1), "Slippage takes rate=, ticks=, cap_to_bar=: Extra positional"),
        (nt.Size, "Size takes kind=, value=: Missing required"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(make, message):
    for kind in (nt.UnknownArgument, nt.InputError, TypeError):
        with pytest.raises(kind, match=message):
            make()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.__name__)
def test_settings_survive_plain_data(setting):
    made = setting.cash(5.0) if setting is nt.Size else setting()
    assert msgspec.convert(msgspec.to_builtins(made), setting) == made
    assert msgspec.structs.replace(made) == made and hash(made) == hash(msgspec.structs.replace(made))
