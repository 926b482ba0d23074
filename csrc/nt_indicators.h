/* Technical indicators: one state that is fed any number of rows at a time.
 *
 * Batch is one feed of all rows, streaming is feeds of one; the bits are the same however the rows are cut. Windows are
 * folded trees (nt_window.h), so nothing drifts; averages with a memory start as TA-Lib's do. Row i of an output is NaN
 * until warm and depends on rows 0..i alone. No allocation, nothing can fail: the caller has checked the parameters. */
#ifndef NT_INDICATORS_H
#define NT_INDICATORS_H

#include <stdint.h>

#include "nt_window.h"

typedef enum {         /* inputs; outputs; first row that is not NaN */
    NT_SUM,            /* 1; 1; window - 1 */
    NT_SMA,            /* 1; 1; window - 1 */
    NT_WMA,            /* 1; 1; window - 1 */
    NT_MINIMUM,        /* 1; 1; window - 1 */
    NT_MAXIMUM,        /* 1; 1; window - 1 */
    NT_STDEV,          /* 1; 1; window - 1. second: ddof */
    NT_ZSCORE,         /* 1; 1; window - 1. second: ddof */
    NT_BBANDS,         /* 1; upper, middle, lower; window - 1. real: width in deviations */
    NT_CORRELATION,    /* 2; 1; window - 1 */
    NT_AUTOCORRELATION,/* 1; 1; window + second - 1. second: lag */
    NT_VOLATILITY,     /* positive prices; 1; window. deviation (ddof 1) of log returns times real */
    NT_EMA,            /* 1; 1; window - 1 */
    NT_RSI,            /* 1; 1; window */
    NT_MACD,           /* 1; macd, signal, histogram; second + third - 2. window: fast, second: slow, third: signal */
    NT_ATR,            /* high, low, close; 1; window */
    NT_MOMENTUM,       /* 1; 1; window. difference over window rows */
    NT_RATE,           /* 1; 1; window. change in percent over window rows */
    NT_LOG_RETURN,     /* positive prices; 1; window */
    NT_OBV,            /* close, volume; 1; 0 */
    NT_EXPANDING,      /* 1; z-score over all values so far, 0 where NaN or before `window` values. real: clip */
    NT_INDICATOR_KINDS
} nt_indicator_kind;

typedef struct {
    int64_t window, second, third;
    double real;
} nt_indicator_parameters;

typedef struct {
    double alpha, value, sum;
    int64_t window, seen;
} nt_average; /* exponential; starts as the mean of its first `window` values; a NaN gives NaN and is skipped */

typedef struct {
    nt_indicator_kind kind;
    nt_indicator_parameters p;
    nt_window window;
    double *lag; /* the last `lag_rows` inputs, a ring */
    int64_t lag_rows, lag_position, rows; /* rows: fed so far */
    nt_average average[3];
    double previous, mean, m2, count;
} nt_indicator;

/* Doubles that nt_indicator_init needs, zeroed; at least 1. */
int64_t nt_indicator_slots(nt_indicator_kind kind, const nt_indicator_parameters *p);
/* Borrows `slots` for the life of the state. */
void nt_indicator_init(nt_indicator *s, nt_indicator_kind kind, const nt_indicator_parameters *p, double *slots);
/* The next n rows: in[k] holds input k, out[k] takes output k. Inputs and outputs must not overlap. */
void nt_indicator_feed(nt_indicator *s, const double *const *in, int64_t n, double *const *out);

#endif
