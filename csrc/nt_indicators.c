#include "nt_indicators.h"

#include <math.h>
#include <string.h>

#include "nt_math.h"

/* Windows: lift rows in, fold, finish rows out. */

static void fill(double *to, int64_t n, double value) {
    for (int64_t i = 0; i < n; i++) to[i] = value;
}

static double correlation_of(double xx, double yy, double xy) {
    const double scale = sqrt(xx) * sqrt(yy);
    const double r = scale > 0.0 ? xy / scale : NAN; /* undefined where either was constant */
    return r > 1.0 ? 1.0 : r < -1.0 ? -1.0 : r;
}

/* out[i] = in[i - lag_rows], NaN before the first row. */
static void lag_feed(nt_indicator *s, const double *in, int64_t n, double *out) {
    const int64_t k = s->lag_rows, head = n < k ? n : k;
    for (int64_t i = 0, at = s->lag_position; i < head; i++, at = at + 1 < k ? at + 1 : 0)
        out[i] = s->rows + i < k ? NAN : s->lag[at];
    if (n > k) memcpy(out + k, in, (size_t)(n - k) * sizeof(double));
    int64_t at = (s->lag_position + n - head) % k;
    for (int64_t i = n - head; i < n; i++, at = at + 1 < k ? at + 1 : 0) s->lag[at] = in[i];
    s->lag_position = at;
    s->rows += n;
}

static void lift(nt_indicator *s, const double *const *in, int64_t i, int64_t m) {
    const nt_span to = nt_window_input(&s->window);
    const double *x = in[0] + i;
    if (s->kind == NT_VOLATILITY) {
        to.base[0] = s->previous == s->previous ? nt_log(x[0] / s->previous) : NAN;
        for (int64_t k = 1; k < m; k++) to.base[k] = nt_log(x[k] / x[k - 1]);
        s->previous = x[m - 1];
    } else {
        memcpy(to.base, x, (size_t)m * sizeof(double));
    }
    if (s->kind == NT_WMA) memcpy(to.base + to.stride, x, (size_t)m * sizeof(double));
    else if (s->kind == NT_CORRELATION) memcpy(to.base + to.stride, in[1] + i, (size_t)m * sizeof(double));
    else if (s->kind == NT_AUTOCORRELATION) lag_feed(s, x, m, to.base + to.stride);
    const int set = s->kind == NT_WMA ? 2 : s->window.fields == 5 ? 2 : 1;
    for (int f = set; f < s->window.fields; f++) memset(to.base + f * to.stride, 0, (size_t)m * sizeof(double));
}

static void finish(const nt_indicator *s, nt_span folded, const double *in, int64_t m, double *const *out, int64_t i) {
    const double *a = folded.base, *b = a + folded.stride;
    const double count = (double)s->p.window, freedom = (double)(s->p.window - s->p.second);
    double *to = out[0] + i;
    switch (s->kind) {
    case NT_SMA:
        for (int64_t k = 0; k < m; k++) to[k] = a[k] / count;
        break;
    case NT_WMA:
        for (int64_t k = 0; k < m; k++) to[k] = b[k] / (0.5 * count * (count + 1.0));
        break;
    case NT_STDEV:
        for (int64_t k = 0; k < m; k++) to[k] = sqrt(b[k] / freedom);
        break;
    case NT_VOLATILITY:
        for (int64_t k = 0; k < m; k++) to[k] = sqrt(b[k] / (count - 1.0)) * s->p.real;
        break;
    case NT_ZSCORE:
        for (int64_t k = 0; k < m; k++) to[k] = b[k] > 0.0 ? (in[k] - a[k]) / sqrt(b[k] / freedom) : NAN;
        break;
    case NT_BBANDS:
        for (int64_t k = 0; k < m; k++) {
            const double reach = s->p.real * sqrt(b[k] / count);
            to[k] = a[k] + reach;
            out[1][i + k] = a[k];
            out[2][i + k] = a[k] - reach;
        }
        break;
    case NT_CORRELATION:
    case NT_AUTOCORRELATION:
        for (int64_t k = 0; k < m; k++)
            to[k] = correlation_of(a[k + 2 * folded.stride], a[k + 3 * folded.stride], a[k + 4 * folded.stride]);
        break;
    default:
        memcpy(to, a, (size_t)m * sizeof(double));
    }
}

static void window_feed(nt_indicator *s, const double *const *in, int64_t n, double *const *out) {
    for (int64_t i = 0, m; i < n; i += m) {
        m = nt_window_room(&s->window, n - i);
        const int64_t cold = nt_window_cold(&s->window, m);
        lift(s, in, i, m);
        finish(s, nt_window_advance(&s->window, m), in[0] + i, m, out, i);
        for (int k = 0; k < (s->kind == NT_BBANDS ? 3 : 1); k++) fill(out[k] + i, cold, NAN);
    }
}

/* Averages with a memory. */

static nt_average average_of(double alpha, int64_t window) {
    return (nt_average){.alpha = alpha, .window = window};
}

static inline double average_push(nt_average *s, double x) {
    if (x != x) return NAN;
    if (s->seen >= s->window) return s->value += (x - s->value) * s->alpha;
    s->sum += x;
    if (++s->seen < s->window) return NAN;
    return s->value = s->sum / (double)s->window;
}

static void ema_feed(nt_indicator *s, const double *in, int64_t n, double *out) {
    nt_average average = s->average[0]; /* a copy, so that it lives in registers */
    for (int64_t i = 0; i < n; i++) out[i] = average_push(&average, in[i]);
    s->average[0] = average;
}

static void rsi_feed(nt_indicator *s, const double *in, int64_t n, double *out) {
    nt_average gains = s->average[0], losses = s->average[1];
    double previous = s->previous;
    for (int64_t i = 0; i < n; i++) {
        const double change = in[i] - previous;
        previous = in[i] == in[i] ? in[i] : previous;
        const double zero = 0.0 * change; /* NaN on the first row */
        const double up = change > zero ? change : zero;
        const double gain = average_push(&gains, up);
        const double both = gain + average_push(&losses, up - change);
        out[i] = both > 0.0 ? 100.0 * gain / both : both * 0.0; /* nothing moved: 0, as TA-Lib; not warm: NaN */
    }
    s->average[0] = gains;
    s->average[1] = losses;
    s->previous = previous;
}

/* The fast average starts on the slow one's first row from the values just before, as TA-Lib does. */
static void macd_feed(nt_indicator *s, const double *in, int64_t n, double *const *out) {
    nt_average fast = s->average[0], slow = s->average[1], signal = s->average[2];
    double *restrict macd = out[0], *restrict line = out[1], *restrict histogram = out[2];
    const int64_t skip = s->p.second - s->p.window;
    for (int64_t i = 0; i < n; i++) {
        const double quick = slow.seen < skip ? NAN : average_push(&fast, in[i]);
        const double difference = quick - average_push(&slow, in[i]);
        const double smooth = average_push(&signal, difference);
        macd[i] = smooth == smooth ? difference : NAN;
        line[i] = smooth;
        histogram[i] = difference - smooth;
    }
    s->average[0] = fast;
    s->average[1] = slow;
    s->average[2] = signal;
}

/* The first bar has no previous close and does not count, as in TA-Lib. */
static void atr_feed(nt_indicator *s, const double *const *in, int64_t n, double *out) {
    nt_average average = s->average[0];
    double previous = s->previous;
    for (int64_t i = 0; i < n; i++) {
        const double above = previous > in[0][i] ? previous : in[0][i];
        const double below = previous < in[1][i] ? previous : in[1][i];
        out[i] = average_push(&average, previous == previous ? above - below : NAN);
        previous = in[2][i];
    }
    s->average[0] = average;
    s->previous = previous;
}

/* Differences and totals. */

static void difference_feed(nt_indicator *s, const double *in, int64_t n, double *out) {
    lag_feed(s, in, n, out);
    if (s->kind == NT_MOMENTUM)
        for (int64_t i = 0; i < n; i++) out[i] = in[i] - out[i];
    else if (s->kind == NT_RATE)
        for (int64_t i = 0; i < n; i++) out[i] = (in[i] / out[i] - 1.0) * 100.0;
    else
        for (int64_t i = 0; i < n; i++) out[i] = out[i] == out[i] ? nt_log(in[i] / out[i]) : NAN;
}

static void obv_feed(nt_indicator *s, const double *close, const double *volume, int64_t n, double *out) {
    double total = s->count, previous = s->previous;
    for (int64_t i = 0; i < n; i++) {
        const double sign = (double)((close[i] > previous) - (close[i] < previous));
        total += previous == previous ? sign * volume[i] : volume[i]; /* starts at the first volume, as in TA-Lib */
        previous = close[i];
        out[i] = total;
    }
    s->count = total;
    s->previous = previous;
}

static void expanding_feed(nt_indicator *s, const double *in, int64_t n, double *out) {
    double mean = s->mean, m2 = s->m2, count = s->count;
    const double least = (double)s->p.window, limit = s->p.real;
    for (int64_t i = 0; i < n; i++) {
        out[i] = 0.0;
        if (in[i] != in[i]) continue;
        count += 1.0; /* Welford 1962 */
        const double d = in[i] - mean;
        mean += d / count;
        m2 += d * (in[i] - mean);
        if (count < least || !(m2 > 0.0)) continue;
        const double z = (in[i] - mean) / sqrt(m2 / count);
        out[i] = z > limit ? limit : z < -limit ? -limit : z;
    }
    s->mean = mean;
    s->m2 = m2;
    s->count = count;
}

/* One face. */

static nt_fold fold_of(nt_indicator_kind kind, int *fields) {
    *fields = 1;
    switch (kind) {
    case NT_SUM:
    case NT_SMA: return nt_fold_sum;
    case NT_MINIMUM: return nt_fold_minimum;
    case NT_MAXIMUM: return nt_fold_maximum;
    case NT_WMA: *fields = 2; return nt_fold_ramp;
    case NT_STDEV:
    case NT_ZSCORE:
    case NT_BBANDS:
    case NT_VOLATILITY: *fields = 2; return nt_fold_moments;
    case NT_CORRELATION:
    case NT_AUTOCORRELATION: *fields = 5; return nt_fold_comoments;
    default: *fields = 0; return NULL;
    }
}

static int64_t lag_of(nt_indicator_kind kind, const nt_indicator_parameters *p) {
    if (kind == NT_AUTOCORRELATION) return p->second;
    return kind == NT_MOMENTUM || kind == NT_RATE || kind == NT_LOG_RETURN ? p->window : 0;
}

int64_t nt_indicator_slots(nt_indicator_kind kind, const nt_indicator_parameters *p) {
    int fields;
    const int64_t folded = fold_of(kind, &fields) ? nt_window_slots(p->window, fields) : 0;
    return folded + lag_of(kind, p) + 1;
}

void nt_indicator_init(nt_indicator *s, nt_indicator_kind kind, const nt_indicator_parameters *p, double *slots) {
    int fields;
    const nt_fold fold = fold_of(kind, &fields);
    *s = (nt_indicator){.kind = kind, .p = *p, .lag_rows = lag_of(kind, p), .previous = NAN};
    if (fold) s->window = nt_window_init(slots, p->window, fields, fold);
    s->lag = slots + (fold ? nt_window_slots(p->window, fields) : 0);
    if (kind == NT_EMA) s->average[0] = average_of(2.0 / (double)(p->window + 1), p->window);
    if (kind == NT_RSI || kind == NT_ATR) /* Wilder 1978 */
        s->average[0] = s->average[1] = average_of(1.0 / (double)p->window, p->window);
    if (kind == NT_MACD) {
        s->average[0] = average_of(2.0 / (double)(p->window + 1), p->window);
        s->average[1] = average_of(2.0 / (double)(p->second + 1), p->second);
        s->average[2] = average_of(2.0 / (double)(p->third + 1), p->third);
    }
}

void nt_indicator_feed(nt_indicator *s, const double *const *in, int64_t n, double *const *out) {
    switch (s->kind) {
    case NT_EMA: ema_feed(s, in[0], n, out[0]); break;
    case NT_RSI: rsi_feed(s, in[0], n, out[0]); break;
    case NT_MACD: macd_feed(s, in[0], n, out); break;
    case NT_ATR: atr_feed(s, in, n, out[0]); break;
    case NT_MOMENTUM:
    case NT_RATE:
    case NT_LOG_RETURN: difference_feed(s, in[0], n, out[0]); break;
    case NT_OBV: obv_feed(s, in[0], in[1], n, out[0]); break;
    case NT_EXPANDING: expanding_feed(s, in[0], n, out[0]); break;
    default: window_feed(s, in, n, out);
    }
}
