"""Orders that must be refused: the call, and the reason it gets. test_bad_orders.py has the book that they are put to.

Names in capitals are the ids of that book's orders; the last close is 100, the tick 0.05, the lot 0.1. 24 units are
held and may not go below 0.
"""

from __future__ import annotations

# The order of an id in the book, with what has become of it when the bad call comes.
BOOK = {
    "FILLED": (1, "filled"),
    "LIMIT": (2, "submitted"),  # buys 5 at 70, stop-loss 60, take-profit 90
    "CANCELLED": (3, "cancelled"),
    "EXPIRED": (4, "expired"),
    "DENIED": (5, "denied"),
    "REJECTED": (6, "rejected"),
    "JOINED": (7, "submitted"),
    "PARTNER": (8, "submitted"),
    "OTHER": (9, "submitted"),  # of the other symbol
    "LOSS": (10, "submitted"),  # children of FILLED: 60 and 150
    "PROFIT": (11, "submitted"),
    "STOP": (13, "submitted"),  # sells 2 at 85
    "TRAIL": (14, "submitted"),
    "STOP_LIMIT": (15, "submitted"),  # buys 1 between 120 and 125
    "PARTIAL": (12, "partially_filled"),  # 20 of 30 at the market
}
FINISHED = ("FILLED", "CANCELLED", "EXPIRED", "DENIED", "REJECTED")

# Values that are no quantity, no price, no distance.
NOT_POSITIVE = ("0", "-1", "-0.1", "NAN", "INF", "-INF", "1e10", "1e300", "1e-10")


def _quantities() -> dict[str, str]:
    calls = {
        f"ctx.{name}({value}{rest})": "QUANTITY_RANGE"
        for name, rest in (("buy", ""), ("sell", ", limit=105"), ("trailing_stop", ", trail=5"))
        for value in NOT_POSITIVE
    }
    calls |= {f"ctx.target({value})": "QUANTITY_RANGE" for value in ("NAN", "INF", "-INF", "1001", "-1001")}
    return calls | {
        "ctx.buy(1e9)": "QUANTITY_RANGE",  # 1e11 of cash, which 9 digits cannot count
        "ctx.buy(1e8, stop=1000)": "QUANTITY_RANGE",
        "ctx.buy(1.05)": "LOT",
        "ctx.sell(0.01)": "LOT",
        "ctx.buy(1.000000001, limit=95)": "LOT",
        "ctx.trailing_stop(1.05, trail=5)": "LOT",
        "ctx.trailing_stop(1.05, trail=5, side=1)": "LOT",
        "ctx.sell(24.1)": "SHORTING",
        "ctx.sell(24.1, limit=110)": "SHORTING",
        "ctx.trailing_stop(24.1, trail=5, side=-1)": "SHORTING",
    }


def _prices() -> dict[str, str]:
    calls = {f"ctx.buy(1, {name}={value})": "PRICE_RANGE" for name in ("limit", "stop") for value in NOT_POSITIVE}
    calls |= {f"ctx.sell(1, stop=95, limit={value})": "PRICE_RANGE" for value in NOT_POSITIVE}
    return calls | {
        "ctx.buy(1, limit=95.03)": "TICK",
        "ctx.sell(1, stop=95.000000001)": "TICK",
        "ctx.buy(1, stop=105, limit=105.01)": "TICK",
        'ctx.buy(1, limit=95, at="open")': "CONFLICT",
        'ctx.sell(1, stop=95, at="close")': "CONFLICT",
        'ctx.buy(1, limit=95, tif="gtd", good_till=0)': "TIME_IN_FORCE",
        'ctx.buy(1, limit=95, tif="gtd", good_till=-5)': "TIME_IN_FORCE",
        'ctx.buy(1, limit=95, tif="gtd", good_till=ctx.ts_ns)': "TIME_IN_FORCE",
        'ctx.sell(1, tif="gtd", good_till=ctx.ts_ns - 1)': "TIME_IN_FORCE",
        'ctx.trailing_stop(1, trail=5, tif="gtd", good_till=ctx.ts_ns)': "TIME_IN_FORCE",
    }


def _brackets() -> dict[str, str]:
    names = ("stop_loss", "take_profit", "trail")
    calls = {f"ctx.buy(1, {name}={value})": "PRICE_RANGE" for name in names for value in NOT_POSITIVE}
    calls |= {
        f"ctx.buy(1, {name}_rate={value})": "PRICE_RANGE"
        for name in names
        for value in ("0", "-0.1", "NAN", "INF", "1e9", "1e-13")
    }
    calls |= {
        f"ctx.buy(1, {name}={price}, {name}_rate=0.1)": "CONFLICT"
        for name, price in (("stop_loss", 90), ("take_profit", 110), ("trail", 5))
    }
    wrong_side = (
        *("buy(1, stop_loss=100)", "buy(1, stop_loss=101)", "buy(1, take_profit=100)", "buy(1, take_profit=99)"),
        *("buy(1, stop_loss=120, take_profit=110)", "buy(1, stop_loss=90, take_profit=80)"),
        *("buy(1, limit=90, stop_loss=95)", "buy(1, limit=90, stop_loss=90)", "buy(1, limit=90, take_profit=85)"),
        *("buy(1, stop=110, stop_loss=115)", "buy(1, stop=110, take_profit=105)"),
        *("sell(1, stop_loss=100)", "sell(1, stop_loss=99)", "sell(1, take_profit=100)", "sell(1, take_profit=101)"),
        *("sell(1, stop_loss=90, take_profit=110)", "sell(1, limit=110, stop_loss=105)"),
        *("sell(1, stop=90, take_profit=95)", "sell(1, stop=90, stop_loss=85)"),
        *("buy(1, trail=100)", "buy(1, trail=250)", "buy(1, limit=50, trail=60)", "sell(1, trail=100)"),
        *("buy(1, stop_loss_rate=1)", "buy(1, stop_loss_rate=1.5)", "sell(1, take_profit_rate=1)"),
        *("buy(1, trail_rate=1)", "sell(1, trail_rate=2)", "buy(1, take_profit_rate=9e6, limit=1e5)"),
    )
    calls |= {f"ctx.{call}": "BRACKET" for call in wrong_side}
    return calls | {
        f"ctx.buy(1, {name}={value})": "TICK" for name, value in zip(names, (90.01, 110.01, 5.01), strict=True)
    }


def _trails() -> dict[str, str]:
    calls = {
        f"ctx.trailing_stop({side}{name}={value})": "PRICE_RANGE"
        for side in ("", "side=1, quantity=1, ")
        for name in ("trail", "trail_rate")
        for value in ("0", "-1", "NAN", "INF", "1e10")
    }
    return calls | {
        "ctx.trailing_stop(trail=5, trail_rate=0.1)": "CONFLICT",
        "ctx.trailing_stop(1, trail=5, trail_rate=0.1, side=1)": "CONFLICT",
        "ctx.trailing_stop()": "PRICE_RANGE",
        "ctx.trailing_stop(1, side=-1)": "PRICE_RANGE",
        "ctx.trailing_stop(trail_rate=1)": "PRICE_RANGE",
        "ctx.trailing_stop(trail=100)": "PRICE_RANGE",
        "ctx.trailing_stop(trail=5.01)": "TICK",
        "ctx.trailing_stop(1, trail=5, side=2)": "CONFLICT",
        "ctx.trailing_stop(1, trail=5, side=-7)": "CONFLICT",
    }


def _changes() -> dict[str, str]:
    calls = {f"ctx.modify({id_}, quantity=1)": "UNKNOWN_ORDER" for id_ in ("0", "-5", "999_999", "2**62")}
    for name in FINISHED:
        calls |= {
            f"ctx.modify({name}{change})": "ORDER_DONE" for change in (", limit=95", ", quantity=1", ", stop=95", "")
        }
    calls |= {f"ctx.modify(LIMIT, {value})": "QUANTITY_RANGE" for value in NOT_POSITIVE}
    calls |= {f"ctx.modify(LIMIT, limit={value})": "PRICE_RANGE" for value in NOT_POSITIVE}
    calls |= {f"ctx.modify(STOP, stop={value})": "PRICE_RANGE" for value in NOT_POSITIVE}
    return calls | {
        "ctx.modify(LIMIT, 1.05)": "LOT",
        "ctx.modify(LIMIT, 1e8, limit=80)": "QUANTITY_RANGE",
        "ctx.modify(LIMIT, limit=75.03)": "TICK",
        "ctx.modify(STOP, stop=80.01)": "TICK",
        "ctx.modify(STOP_LIMIT, stop=119, limit=125.01)": "TICK",
        "ctx.modify(LIMIT, stop=105)": "CONFLICT",
        "ctx.modify(STOP, limit=80)": "CONFLICT",
        "ctx.modify(PARTIAL, limit=95)": "CONFLICT",
        "ctx.modify(TRAIL, stop=95)": "CONFLICT",
        "ctx.modify(TRAIL, 1)": "CONFLICT",
        "ctx.modify(LOSS, 1)": "CONFLICT",
        "ctx.modify(LOSS, limit=70)": "CONFLICT",
        "ctx.modify(PROFIT, stop=140)": "CONFLICT",
        "ctx.modify(LOSS, stop=150)": "BRACKET",
        "ctx.modify(LOSS, stop=160)": "BRACKET",
        "ctx.modify(PROFIT, limit=60)": "BRACKET",
        "ctx.modify(LIMIT, limit=60)": "BRACKET",
        "ctx.modify(LIMIT, limit=90)": "BRACKET",
        "ctx.modify(PARTIAL, 20)": "QUANTITY_RANGE",  # as much as is filled already
        "ctx.modify(PARTIAL, 5)": "QUANTITY_RANGE",
        "ctx.modify(STOP, 24.1)": "SHORTING",
        "ctx.modify(LIMIT, 3, limit=-1)": "PRICE_RANGE",  # and the quantity stays
        "ctx.modify(LIMIT, 0, limit=75)": "QUANTITY_RANGE",  # and the limit stays
        "ctx.modify(STOP_LIMIT, 2, stop=118, limit=NAN)": "PRICE_RANGE",
    }


def _joins() -> dict[str, str]:
    calls = {f"ctx.oco(LIMIT, {name})": "ORDER_DONE" for name in FINISHED}
    calls |= {f"ctx.oco({name}, LIMIT)": "ORDER_DONE" for name in FINISHED}
    calls |= {
        f"ctx.oco({pair})": "UNKNOWN_ORDER" for pair in ("LIMIT, 999_999", "999_999, LIMIT", "0, LIMIT", "-1, -1")
    }
    pairs = (
        *("LIMIT, LIMIT", "LIMIT, OTHER", "OTHER, LIMIT", "LIMIT, JOINED", "PARTNER, LIMIT", "JOINED, PARTNER"),
        *("LOSS, PROFIT", "LIMIT, LOSS"),
    )
    return calls | {f"ctx.oco({pair})": "CONFLICT" for pair in pairs}


def _cancels() -> dict[str, str]:
    calls = {f"ctx.cancel({name})": "ORDER_DONE" for name in FINISHED}
    return calls | {f"ctx.cancel({id_})": "UNKNOWN_ORDER" for id_ in ("0", "-5", "999_999", "2**62")}


ORDERS = _quantities() | _prices() | _brackets() | _trails()  # leave a row of their own among the orders
CHANGES = _changes() | _joins()  # an event and a denial
CANCELS = _cancels()  # nothing at all
CALLS = ORDERS | CHANGES | CANCELS


def spelled(call: str) -> str:
    """The call with the book's ids in it."""
    for name, (id_, _) in sorted(BOOK.items(), key=lambda item: -len(item[0])):
        call = call.replace(name, str(id_))
    return call.replace("NAN", 'float("nan")').replace("INF", "math.inf")
