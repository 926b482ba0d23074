/* nt_event: the rows that a run leaves behind. Layouts are fixed, little-endian and free of padding; they are mirrored in
 * neuraltrade/core/layouts.py, which says what each column means. The event log holds everything that decides: its bytes
 * are what a run's digest is taken over.
 */
#ifndef NT_EVENT_H
#define NT_EVENT_H

#include <stddef.h>
#include <stdint.h>

enum {
    NT_EVENT_SIGNAL = 1,
    NT_EVENT_ORDER = 2,
    NT_EVENT_DENIED = 3,
    NT_EVENT_FILL = 4,
    NT_EVENT_CANCELLED = 5,
    NT_EVENT_EXPIRED = 6,
    NT_EVENT_REJECTED = 7,
    NT_EVENT_HALTED = 8,
    NT_EVENT_RESUMED = 9,
    NT_EVENT_MODIFIED = 10,
    NT_EVENT_JOINED = 11,
    NT_EVENT_MARGIN_CALL = 12,
    NT_EVENT_FLOW = 13,
    NT_EVENT_RATE = 14
};

typedef struct nt_event {
    int64_t bar;
    int64_t ts_ns;
    int64_t id;
    int64_t quantity; /* nano */
    int64_t price;    /* nano */
    int64_t value;
    int64_t extra;
    int32_t symbol;
    int16_t code;
    uint8_t kind;
    int8_t side;
} nt_event;
_Static_assert(sizeof(nt_event) == 64 && offsetof(nt_event, side) == 63, "EVENT_DTYPE");

typedef struct nt_fill_row {
    int64_t bar;
    int64_t ts_ns;
    int64_t order_id;
    double quantity;
    double price;
    double fee;
    int32_t symbol;
    int32_t side;
} nt_fill_row;
_Static_assert(sizeof(nt_fill_row) == 56, "FILL_DTYPE");

typedef struct nt_order_row {
    int64_t order_id;
    int64_t signal_id;
    int64_t parent_id;
    int64_t created_bar;
    int64_t created_ts_ns;
    int64_t done_bar;
    int64_t done_ts_ns;
    double quantity;
    double filled;
    double limit_price;
    double stop_price;
    int32_t symbol;
    int32_t reason;
    int8_t side;
    uint8_t type;
    uint8_t tif;
    uint8_t status;
    uint8_t role;
    uint8_t spare[3];
} nt_order_row;
_Static_assert(sizeof(nt_order_row) == 104 && offsetof(nt_order_row, role) == 100, "ORDER_DTYPE");

typedef struct nt_trade_row {
    int64_t entry_bar;
    int64_t exit_bar;
    int64_t entry_ts_ns;
    int64_t exit_ts_ns;
    int64_t entry_order_id;
    int64_t exit_order_id;
    int64_t signal_id;
    double quantity;
    double entry_price;
    double exit_price;
    double fees;
    double pnl;
    double return_;
    int32_t symbol;
    int8_t direction;
    uint8_t open;
    uint8_t spare[2];
} nt_trade_row;
_Static_assert(sizeof(nt_trade_row) == 112 && offsetof(nt_trade_row, open) == 109, "TRADE_DTYPE");

typedef struct nt_signal_row {
    int64_t signal_id;
    int64_t bar;
    int64_t ts_ns;
    double confidence;
    double enhanced;
    int64_t reasoning;
    int32_t symbol;
    int32_t direction;
} nt_signal_row;
_Static_assert(sizeof(nt_signal_row) == 56, "SIGNAL_DTYPE");

/* Why an order was refused. limit and value are in the control's own unit, NaN where the code says it all. */
typedef struct nt_denial_row {
    int64_t bar;
    int64_t ts_ns;
    int64_t order_id;
    double limit;
    double value;
    int32_t symbol;
    int32_t reason;
} nt_denial_row;
_Static_assert(sizeof(nt_denial_row) == 48, "DENIAL_DTYPE");

/* The account fell short of its maintenance margin, or of zero. */
typedef struct nt_margin_row {
    int64_t bar;
    int64_t ts_ns;
    double equity;      /* as it was judged */
    double requirement; /* 0 where equity is below zero with nothing held */
    int32_t orders;     /* closing orders that the engine gave */
    int32_t reason;     /* NT_DENIED_LIQUIDATION or NT_DENIED_BANKRUPT */
} nt_margin_row;
_Static_assert(sizeof(nt_margin_row) == 40, "MARGIN_CALL_DTYPE");

enum { NT_FLOW_BORROW = 0, NT_FLOW_INTEREST = 1, NT_FLOW_FUNDING = 2, NT_FLOW_DIVIDEND = 3, NT_FLOW_SPLIT = 4 };

/* Cash that came or went without a trade. */
typedef struct nt_flow_row {
    int64_t bar;   /* the first that it counts in */
    int64_t ts_ns; /* when it was due */
    double amount; /* account currency; negative = paid */
    double quantity; /* held then; NaN of interest, which is on cash */
    double rate;     /* funding rate, dividend per unit, ratio of a split, yearly rate */
    int32_t symbol;  /* 0 of interest */
    int32_t kind;    /* NT_FLOW_* */
} nt_flow_row;
_Static_assert(sizeof(nt_flow_row) == 48, "FLOW_DTYPE");

#endif
