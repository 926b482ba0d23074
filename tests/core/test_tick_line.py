"""Lines of sizes at the end of the range: what prints add up to is more than fits in 64 bits."""

import pytest

import neuraltrade as nt

MOST = 9e9


@pytest.mark.parametrize("model", ["behind", "probability"])
def test_prints_beyond_the_range_together(model):
    """9e9 units ahead, 2 x 7e9 printed: we had 5e9. The sum does not overflow (sanitizers)."""
    seen = []

    class Patient(nt.Strategy):
        def on_quote(self, ctx):
            if ctx.i == 0:
                ctx.buy(MOST, limit=1e-6)
            else:
                seen.append((ctx.position, ctx.queue_ahead(1)))

        on_trade = on_quote

    size = [MOST, MOST, 1.0, 1.0]
    quotes = nt.Quotes("X", [10, 40, 50, 60], [1e-6] * 4, size, [2e-6] * 4, [1.0] * 4)
    trades = nt.Trades("X", [20, 30], [1e-6] * 2, [7e9] * 2, [-1, -1])
    result = nt.backtest(nt.Ticks([quotes, trades]), Patient, fill=nt.FillPolicy(queue=model))
    assert seen == [(0, 2e9), (5e9, 0), (5e9, 0), (5e9, 0), (5e9, 0)]
    assert result.orders["filled"].tolist() == [5e9]
