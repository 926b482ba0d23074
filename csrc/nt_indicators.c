/* Batch indicators: loops over the steps of nt_indicators.h. */
#include "nt_indicators.h"

void nt_sum_batch(const double *in, int64_t n, int64_t window, double *slots, double *out) {
    nt_sum s = nt_sum_init(slots, window);
    for (int64_t i = 0; i < n; i++) out[i] = nt_sum_push(&s, in[i]);
}

void nt_sma_batch(const double *in, int64_t n, int64_t window, double *slots, double *out) {
    nt_sum s = nt_sum_init(slots, window);
    const double count = (double)window;
    for (int64_t i = 0; i < n; i++) out[i] = nt_sum_push(&s, in[i]) / count;
}

void nt_wma_batch(const double *in, int64_t n, int64_t window, double *slots, double *out) {
    nt_wma s = nt_wma_init(slots, window);
    for (int64_t i = 0; i < n; i++) out[i] = nt_wma_push(&s, in[i]);
}

void nt_ema_batch(const double *in, int64_t n, int64_t window, double *out) {
    nt_ema s = nt_ema_of_window(window);
    for (int64_t i = 0; i < n; i++) out[i] = nt_ema_push(&s, in[i]);
}

void nt_extreme_batch(const double *in, int64_t n, int64_t window, double sign, double *slots, double *out) {
    nt_extreme s = nt_extreme_init(slots, window, sign);
    for (int64_t i = 0; i < n; i++) out[i] = nt_extreme_push(&s, in[i]);
}

void nt_stdev_batch(const double *in, int64_t n, int64_t window, int64_t ddof, double *slots, double *out) {
    nt_moments s = nt_moments_init(slots, window);
    const double freedom = (double)(window - ddof);
    nt_moment m;
    for (int64_t i = 0; i < n; i++) out[i] = nt_moments_push(&s, in[i], &m) ? sqrt(m.m2 / freedom) : NAN;
}

void nt_zscore_batch(const double *in, int64_t n, int64_t window, int64_t ddof, double *slots, double *out) {
    nt_moments s = nt_moments_init(slots, window);
    const double freedom = (double)(window - ddof);
    nt_moment m;
    for (int64_t i = 0; i < n; i++)
        out[i] = nt_moments_push(&s, in[i], &m) && m.m2 > 0.0 ? (in[i] - m.mean) / sqrt(m.m2 / freedom) : NAN;
}

void nt_bbands_batch(const double *in, int64_t n, int64_t window, double width, double *slots, double *upper,
                     double *middle, double *lower) {
    nt_moments s = nt_moments_init(slots, window);
    const double count = (double)window;
    for (int64_t i = 0; i < n; i++) {
        nt_moment m = {NAN, NAN};
        nt_moments_push(&s, in[i], &m);
        const double reach = width * sqrt(m.m2 / count);
        upper[i] = m.mean + reach;
        middle[i] = m.mean;
        lower[i] = m.mean - reach;
    }
}

void nt_rsi_batch(const double *in, int64_t n, int64_t window, double *out) {
    nt_rsi s = nt_rsi_init(window);
    for (int64_t i = 0; i < n; i++) out[i] = nt_rsi_push(&s, in[i]);
}

void nt_macd_batch(const double *in, int64_t n, int64_t fast, int64_t slow, int64_t signal_window, double *macd,
                   double *signal, double *histogram) {
    nt_macd s = nt_macd_init(fast, slow, signal_window);
    for (int64_t i = 0; i < n; i++) {
        const nt_macd_value value = nt_macd_push(&s, in[i]);
        macd[i] = value.macd;
        signal[i] = value.signal;
        histogram[i] = value.histogram;
    }
}

void nt_atr_batch(const double *high, const double *low, const double *close, int64_t n, int64_t window, double *out) {
    nt_atr s = nt_atr_init(window);
    for (int64_t i = 0; i < n; i++) out[i] = nt_atr_push(&s, high[i], low[i], close[i]);
}

void nt_mom_batch(const double *in, int64_t n, int64_t window, double *slots, double *out) {
    nt_lag s = nt_lag_init(slots, window);
    for (int64_t i = 0; i < n; i++) out[i] = in[i] - nt_lag_push(&s, in[i]);
}

void nt_roc_batch(const double *in, int64_t n, int64_t window, double *slots, double *out) {
    nt_lag s = nt_lag_init(slots, window);
    for (int64_t i = 0; i < n; i++) out[i] = (in[i] / nt_lag_push(&s, in[i]) - 1.0) * 100.0;
}

void nt_obv_batch(const double *close, const double *volume, int64_t n, double *out) {
    double total = 0.0;
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || close[i] > close[i - 1]) total += volume[i]; /* starts at the first volume, as TA-Lib */
        else if (close[i] < close[i - 1]) total -= volume[i];
        out[i] = total;
    }
}

void nt_log_batch(const double *in, int64_t n, double *out) {
    for (int64_t i = 0; i < n; i++) out[i] = nt_log(in[i]);
}

void nt_log_returns_batch(const double *in, int64_t n, int64_t window, double *slots, double *out) {
    nt_lag s = nt_lag_init(slots, window);
    for (int64_t i = 0; i < n; i++) {
        const double old = nt_lag_push(&s, in[i]);
        out[i] = old == old ? nt_log(in[i] / old) : NAN;
    }
}

void nt_realised_volatility_batch(const double *close, int64_t n, int64_t window, double scale, double *slots,
                                  double *out) {
    nt_moments s = nt_moments_init(slots, window);
    const double freedom = (double)(window - 1);
    nt_moment m;
    for (int64_t i = 0; i < n; i++) {
        const double change = i == 0 ? NAN : nt_log(close[i] / close[i - 1]);
        out[i] = nt_moments_push(&s, change, &m) ? sqrt(m.m2 / freedom) * scale : NAN;
    }
}

void nt_correlation_batch(const double *x, const double *y, int64_t n, int64_t window, double *slots, double *out) {
    nt_comoments s = nt_comoments_init(slots, window);
    nt_comoment c;
    for (int64_t i = 0; i < n; i++) out[i] = nt_comoments_push(&s, x[i], y[i], &c) ? nt_correlation_of(c) : NAN;
}

void nt_autocorrelation_batch(const double *in, int64_t n, int64_t window, int64_t lag, double *slots, double *out) {
    nt_comoments s = nt_comoments_init(slots, window);
    nt_lag earlier = nt_lag_init(slots + 6 * (window + 1), lag);
    nt_comoment c;
    for (int64_t i = 0; i < n; i++) {
        const double old = nt_lag_push(&earlier, in[i]);
        out[i] = nt_comoments_push(&s, in[i], old, &c) ? nt_correlation_of(c) : NAN;
    }
}

void nt_expanding_zscore_batch(const double *in, int64_t n, int64_t least, double limit, double *out) {
    nt_moment all = {0.0, 0.0};
    double count = 0.0;
    for (int64_t i = 0; i < n; i++) {
        out[i] = 0.0;
        if (in[i] != in[i]) continue;
        count += 1.0;
        all = nt_moment_add(all, in[i], 1.0 / count);
        if (count < (double)least || !(all.m2 > 0.0)) continue;
        const double z = (in[i] - all.mean) / sqrt(all.m2 / count);
        out[i] = z > limit ? limit : z < -limit ? -limit : z;
    }
}
