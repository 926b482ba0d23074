#!/usr/bin/env python3
"""Do neighbours mean anything? Forecast log volatility of the next five days from the 50 nearest earlier days.

On each bundled symbol, walking forward: the forecast for day i is the mean outcome of its 50 nearest days among those
whose outcome was known on day i. Compared with the mean of all known outcomes (R2 = 0), with an autoregression on
volatilities of 5, 21 and 63 days (HAR, Corsi 2009) and on ranges of 1, 5 and 21, refitted monthly, with the latter plus
half the neighbours' mean residual, and with a hash embedding. Prints a Markdown table of out-of-sample R2.

Run: python tools/evaluate_embedding.py        (about 20 s)
"""

from __future__ import annotations

import numpy as np

import neuraltrade as nt

HORIZON, NEIGHBOURS, FIRST, START, REFIT = 5, 50, 272, 750, 21


def outcomes(bars: nt.Bars) -> np.ndarray:
    """float64[n]: log of the root mean square return of the next HORIZON days, NaN where not known yet."""
    returns = np.r_[np.nan, np.diff(np.log(bars.close))]
    ahead = np.lib.stride_tricks.sliding_window_view(returns[1:] ** 2, HORIZON).mean(axis=1)
    return np.r_[0.5 * np.log(ahead + 1e-10), np.full(HORIZON, np.nan)]


def by_neighbours(vectors: np.ndarray, values: np.ndarray) -> np.ndarray:
    alike = vectors @ vectors.T
    forecast = np.full(len(values), np.nan)
    for day in range(START, len(values)):
        known = slice(FIRST, day - HORIZON + 1)  # an outcome is known HORIZON days after its day
        nearest = np.argpartition(-alike[day, known], NEIGHBOURS)[:NEIGHBOURS]
        forecast[day] = np.nanmean(values[known][nearest])
    return forecast


def by_regression(columns: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(forecast, residual of every day under the coefficients in force when it became known)."""
    inputs = np.column_stack([np.ones(len(values)), columns])
    fitted = np.full(len(values), np.nan)
    coefficients = np.zeros(inputs.shape[1])
    for day in range(FIRST + 100, len(values)):
        if (day - FIRST - 100) % REFIT == 0:
            known = slice(FIRST, day - HORIZON + 1)
            coefficients = np.linalg.lstsq(inputs[known], values[known], rcond=None)[0]
        fitted[day] = inputs[day] @ coefficients
    return fitted, np.nan_to_num(values - fitted)


def r_squared(forecast: np.ndarray, values: np.ndarray) -> float:
    days = np.arange(START, len(values) - HORIZON)
    plain = np.array([values[FIRST : day - HORIZON + 1].mean() for day in days])
    return 1.0 - float(((values[days] - forecast[days]) ** 2).sum() / ((values[days] - plain) ** 2).sum())


def main() -> None:
    encoder, hashes = nt.embedding.MarketState(), nt.embedding.HashEncoder()
    names = encoder.feature_names
    print(
        "| symbol | neighbours | HAR returns | HAR range | HAR range + neighbours | hash |\n|---|---|---|---|---|---|"
    )
    for symbol in nt.datasets.names():
        bars = nt.datasets.load(symbol)
        values, vectors, raw = outcomes(bars), encoder.encode(bars), encoder.features(bars)
        pick = lambda *wanted, raw=raw: raw[:, [names.index(name) for name in wanted]]  # noqa: E731
        returns, _ = by_regression(pick("volatility_5", "volatility_21", "volatility_63"), values)
        ranges, residuals = by_regression(pick("range_1", "range_5", "range_21"), values)
        scores = [
            by_neighbours(vectors, values),
            returns,
            ranges,
            ranges + 0.5 * by_neighbours(vectors, residuals),
            by_neighbours(hashes.encode(bars), values),
        ]
        print(f"| {symbol} | " + " | ".join(f"{r_squared(score, values):.3f}" for score in scores) + " |")


if __name__ == "__main__":
    main()
