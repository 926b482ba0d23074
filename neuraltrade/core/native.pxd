# What the trading core declares in C, for the .pyx files beside this one. The headers in csrc/ are the documentation.
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t

cdef extern from "nt_status.h" nogil:
    ctypedef int32_t nt_status
    enum:
        NT_OK
        NT_INVALID
        NT_NO_MEMORY
        NT_OVERFLOW
        NT_FULL
        NT_STATE
        NT_STOPPED
        NT_UNBALANCED
        NT_DENIED_FIRST

cdef extern from "nt_context.h" nogil:
    ctypedef struct nt_similar:
        uint64_t id
        int64_t ts_ns
        double distance
        double outcome

    ctypedef struct nt_context:
        int64_t i
        int64_t bar
        int64_t ts_ns
        int64_t symbol
        const double* open
        const double* high
        const double* low
        const double* close
        const double* volume
        const double** indicators
        double* state
        const double* parameters
        double position
        double entry_price
        double cash
        double equity
        int64_t indicator_count
        int64_t state_count
        int64_t parameter_count
        const nt_api* api
        nt_engine* engine
        const nt_similar* similar
        int64_t similar_count
        int64_t event
        int64_t aggressor
        double bid
        double bid_size
        double ask
        double ask_size
        double last
        double last_size
        double mid

    ctypedef int64_t (*nt_strategy_fn)(nt_context* ctx, void* user) noexcept nogil

    ctypedef struct nt_api:
        int64_t trade(nt_context*, int64_t) noexcept
        int64_t order(nt_context*, int64_t, double, double, double, double, double, double, double, double, double,
                      int64_t) noexcept
        int64_t close_position(nt_context*) noexcept
        int64_t target(nt_context*, double) noexcept
        int64_t cancel(nt_context*, int64_t) noexcept
        int64_t cancel_all(nt_context*) noexcept
        int64_t is_active(nt_context*, int64_t) noexcept
        double signal(nt_context*, int64_t, double, int64_t) noexcept
        int64_t similar(nt_context*, int64_t) noexcept
        int64_t halt(nt_context*, int64_t) noexcept
        int64_t place(nt_context*, int64_t, double, double, double, double, double, double, double, double, double,
                      int64_t, int64_t, int64_t) noexcept
        int64_t trailing_stop(nt_context*, double, double, double, int64_t, int64_t, int64_t) noexcept
        int64_t modify(nt_context*, int64_t, double, double, double) noexcept
        int64_t oco(nt_context*, int64_t, int64_t) noexcept
        double depth_price(nt_context*, int64_t, int64_t) noexcept
        double depth_size(nt_context*, int64_t, int64_t) noexcept
        double queue_ahead(nt_context*, int64_t) noexcept

cdef extern from "nt_event.h" nogil:
    ctypedef struct nt_event:
        pass
    ctypedef struct nt_fill_row:
        pass
    ctypedef struct nt_order_row:
        pass
    ctypedef struct nt_trade_row:
        pass
    ctypedef struct nt_denial_row:
        pass
    ctypedef struct nt_margin_row:
        pass
    ctypedef struct nt_flow_row:
        pass
    ctypedef struct nt_signal_row:
        int64_t signal_id
        int64_t bar
        int64_t ts_ns
        double confidence
        double enhanced
        int64_t reasoning
        int32_t symbol
        int32_t direction

cdef extern from "nt_fixed.h" nogil:
    enum:
        NT_CASH_DIGITS_MAX
    int64_t NT_NANO
    nt_status nt_fixed_from_double(double x, double scale, int64_t* out)
    nt_status nt_nano_from_double(double x, int64_t* out)
    double nt_double_from_nano(int64_t nano)
    nt_status nt_multiply_divide(int64_t a, int64_t b, int64_t divisor, int64_t* out)
    int64_t nt_power_of_ten(int exponent)

cdef extern from "nt_ledger.h" nogil:
    ctypedef struct nt_position:
        int64_t quantity
        int64_t basis
        int64_t realised
        int64_t fees
        int64_t entry_price
        int64_t entry_fees
        int64_t multiplier
        int64_t rate
        int64_t flows
    ctypedef struct nt_ledger:
        int64_t cash
        int64_t deposits
        int64_t interest
        int64_t scale
        int32_t position_count
        nt_position* positions
    ctypedef struct nt_closing:
        int64_t quantity
        int64_t cost
        int64_t realised
        int64_t fees
        int64_t entry_price
    void nt_ledger_open(nt_ledger*, nt_position*, int32_t, int, int64_t)
    nt_status nt_ledger_notional(const nt_ledger*, int32_t, int64_t, int64_t, int64_t*)
    nt_status nt_ledger_fill(nt_ledger*, int32_t, int64_t, int64_t, int64_t, nt_closing*)
    nt_status nt_ledger_flow(nt_ledger*, int32_t, int64_t)
    nt_status nt_ledger_interest(nt_ledger*, int64_t)
    nt_status nt_ledger_split(nt_ledger*, int32_t, int64_t, int64_t)
    int64_t nt_ledger_balance(const nt_ledger*)

cdef extern from "nt_policy.h" nogil:
    ctypedef struct nt_policy:
        int32_t market_at
        int32_t limit_fill
        int32_t limit_gap
        int32_t stop_gap
        int32_t path
        int32_t contingent_from
        int32_t contingent_from_working
        int32_t stop_base
        int32_t trail_update
        int32_t trail_by
        int32_t limits_from
        int32_t depth
        int32_t reject_on_cash
        double volume_cap
    ctypedef struct nt_costs:
        int64_t fee_rate
        int64_t fee_fixed
        int64_t fee_per_unit
        int64_t fee_minimum
        int64_t slippage_rate
        int64_t slippage_ticks
        int64_t slippage_capped
    ctypedef struct nt_account:
        int64_t leverage
        int64_t shorting
        int64_t maintenance
        int64_t borrow_rate
        int64_t interest_rate
        int64_t fifo
        int64_t at_extremes
    ctypedef struct nt_limits:
        int64_t enabled
        int64_t max_quantity
        int64_t max_notional
        int64_t collar
        int64_t max_position
        int64_t mode
        int64_t max_gross
        int64_t max_net
        int64_t max_leverage
        int64_t max_rate
        int64_t duplicate_ns
        int64_t max_executions
        int64_t self_trade
        int64_t max_loss
        int64_t max_drawdown
        int64_t loss_mode
    ctypedef struct nt_size:
        int64_t kind
        int64_t value

cdef extern from "nt_rows.h" nogil:
    ctypedef struct nt_rows:
        uint8_t* data
        int64_t count
        int64_t width

cdef extern from "nt_orders.h" nogil:
    enum:
        NT_PENDING
        NT_DENIED
    ctypedef struct nt_order:
        uint8_t status
    ctypedef struct nt_working:
        pass
    ctypedef struct nt_orders:
        nt_order* rows
        int64_t count
        int32_t working_count
    nt_status nt_orders_open(nt_orders*, int32_t)
    void nt_orders_close(nt_orders*)
    nt_status nt_orders_arrow(uint8_t, uint8_t)
    nt_status nt_orders_add(nt_orders*, const nt_order*, const nt_working*, int64_t*)
    nt_status nt_orders_move(nt_orders*, int64_t, uint8_t, int32_t, int64_t)
    void nt_orders_export(const nt_orders*, const int64_t*, nt_order_row*)

cdef extern from "nt_risk.h" nogil:
    enum:
        NT_CONTROLS
    ctypedef struct nt_tally:
        int64_t checked[16]
        int64_t denied[16]

cdef extern from "nt_gate.h" nogil:
    ctypedef struct nt_gate:
        int32_t mode
        int32_t cause
        nt_tally tally

cdef extern from "nt_flows.h" nogil:
    ctypedef struct nt_due:
        pass
    ctypedef struct nt_flows:
        nt_rows rows

cdef extern from "nt_rates.h" nogil:
    ctypedef struct nt_rate_series:
        const int64_t* ts_ns
        const int64_t* rate
        int64_t count
        int64_t next

cdef extern from "nt_margin.h" nogil:
    ctypedef struct nt_margin:
        int32_t state
        nt_rows calls

cdef extern from "nt_engine.h" nogil:
    ctypedef struct nt_series:
        const int64_t* ts_ns
        const double* open
        const double* high
        const double* low
        const double* close
        const double* volume
        int64_t count
    ctypedef struct nt_market:
        nt_series series
        const double** indicators
        int64_t indicator_count
        int64_t tick
        int64_t lot
        int64_t size_lot
        int64_t restricted
        const int32_t* sessions
        nt_rate_series rates
        const nt_due* dues
        int64_t due_count
        int64_t margin
    ctypedef int64_t (*nt_journal_fn)(void*, const nt_event*, int64_t) noexcept nogil
    ctypedef int64_t (*nt_advisor_fn)(void*, const nt_signal_row*, double*) noexcept nogil
    ctypedef int64_t (*nt_recall_fn)(void*, int64_t, int64_t, int64_t, const nt_similar**, int64_t*) noexcept nogil
    ctypedef struct nt_engine_config:
        nt_policy policy
        nt_costs costs
        nt_account account
        nt_limits limits
        nt_size size
        int64_t cash
        int64_t cash_digits
        int64_t latency_ns
        int64_t records_events
    ctypedef struct nt_engine:
        nt_context context
        nt_api api
        nt_ledger ledger
        nt_orders orders
        int32_t market_count
        const int64_t* clock_ts_ns
        int64_t i
        int32_t symbol_count
        int64_t clock_count
        double cash
        nt_rows events
        int64_t fill_count
        nt_rows trades
        nt_rows signals
        nt_rows denials
        nt_margin margin
        nt_flows flows
        nt_gate gate
        int64_t ambiguous_bars
        int32_t finished
        nt_strategy_fn strategy
        void* strategy_user
        void* callback_user
        nt_journal_fn journal
        nt_advisor_fn advisor
        nt_recall_fn recall
    nt_status nt_engine_open(nt_engine*, const nt_engine_config*, nt_market*, nt_position*, int32_t, const int64_t*, int64_t,
                             double*)
    void nt_engine_close(nt_engine*)
    nt_status nt_engine_advance(nt_engine*, int64_t)
    nt_status nt_engine_finish(nt_engine*, int)
    nt_status nt_engine_halt(nt_engine*, int32_t, int64_t*)
    nt_status nt_engine_resume(nt_engine*)
    void nt_trades_fills(const nt_engine*, nt_fill_row*)
    void nt_context_select(nt_engine*, int32_t)
    int64_t nt_engine_last_price(const nt_engine*, int32_t)

cdef extern from "nt_queue.h" nogil:
    ctypedef struct nt_queue_model:
        int32_t kind
        int32_t share
        double exponent

cdef extern from "nt_tick.h" nogil:
    ctypedef struct nt_tick_stream:
        const double* columns[4]
        const int8_t* sign
        int64_t count
        int32_t kind
        int32_t slot
    ctypedef struct nt_tick_events:
        const int64_t* ts_ns
        const int32_t* stream
        const int64_t* first
        const int32_t* rows
        const int64_t* venue
    ctypedef struct nt_ticks_config:
        nt_queue_model queue
        int64_t stop_trigger
        int64_t called
        int64_t symbol_count
    int64_t nt_ticks_stale_levels(const nt_engine*)
    nt_status nt_ticks_open(nt_engine*, const nt_ticks_config*, const nt_tick_stream*, int64_t, const nt_tick_events*)
    nt_status nt_ticks_sessions(nt_engine*, int32_t, const int64_t*, const int64_t*, int64_t)
    nt_status nt_ticks_turns(nt_engine*, int32_t, const int64_t*, int64_t, double*, double*)

cdef extern from "nt_signals.h" nogil:
    ctypedef struct nt_signal_arrays:
        const uint8_t* entries
        const uint8_t* exits
        const uint8_t* short_entries
        const uint8_t* short_exits
        const double* stop_loss
        const double* take_profit
        const double* size
        int64_t symbol_count
        int64_t first_slot
    int64_t nt_signals_on_bar(nt_context*, void*) noexcept

cdef extern from "nt_team.h" nogil:
    ctypedef struct nt_member:
        nt_strategy_fn call
        void* user
        double* state
        const double* parameters
        int64_t state_count
        int64_t parameter_count
        int64_t called
    ctypedef struct nt_team:
        nt_member* members
        int32_t count
        int32_t symbol_count
        double* contributions
    nt_status nt_team_join(nt_engine*, nt_team*)
