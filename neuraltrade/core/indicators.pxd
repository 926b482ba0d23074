from libc.stdint cimport int64_t


cdef extern from "nt_indicators.h" nogil:
    ctypedef enum nt_indicator_kind:
        NT_SUM
        NT_SMA
        NT_WMA
        NT_MINIMUM
        NT_MAXIMUM
        NT_STDEV
        NT_ZSCORE
        NT_BBANDS
        NT_CORRELATION
        NT_AUTOCORRELATION
        NT_VOLATILITY
        NT_EMA
        NT_RSI
        NT_MACD
        NT_ATR
        NT_MOMENTUM
        NT_RATE
        NT_LOG_RETURN
        NT_OBV
        NT_EXPANDING
    ctypedef struct nt_indicator_parameters:
        int64_t window
        int64_t second
        int64_t third
        double real
    ctypedef struct nt_indicator:
        pass
    int64_t nt_indicator_slots(nt_indicator_kind, const nt_indicator_parameters*) noexcept
    void nt_indicator_init(nt_indicator*, nt_indicator_kind, const nt_indicator_parameters*, double*) noexcept
    void nt_indicator_feed(nt_indicator*, const double* const*, int64_t, double* const*) noexcept

cdef extern from "nt_math.h" nogil:
    double nt_log(double) noexcept

cdef enum:
    SERIES_MAX = 3  # inputs, or outputs, of one indicator
