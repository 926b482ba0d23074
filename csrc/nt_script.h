/* nt_script: a strategy that does what an array says, behind the same function pointer as any other. Campaigns run millions of
 * short scripts through it, which a strategy in Python would make a hundred times slower.
 */
#ifndef NT_SCRIPT_H
#define NT_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "nt_context.h"

enum {
    NT_DO_PLACE = 0,
    NT_DO_TRADE = 1,
    NT_DO_TARGET = 2, /* quantity is the fraction */
    NT_DO_CLOSE = 3,
    NT_DO_TRAIL = 4,
    NT_DO_CANCEL = 5,
    NT_DO_CANCEL_ALL = 6,
    NT_DO_MODIFY = 7,
    NT_DO_JOIN = 8,
    NT_DO_HALT = 9 /* side is the mode */
};

/* One call of the api, with its arguments; those of other calls are ignored. */
typedef struct nt_script_row {
    int64_t bar; /* clock index and slot at which it is made */
    int64_t symbol;
    int64_t action;
    int64_t side;
    double quantity;
    double limit;
    double stop;
    double stop_loss;
    double take_profit;
    double trail;
    double stop_loss_rate;
    double take_profit_rate;
    double trail_rate;
    int64_t tif;
    int64_t good_till;
    int64_t at;
    int64_t back;       /* which order: how many have come after it; beyond the first there is none */
    int64_t other_back;
    int64_t order_id;   /* out: the order that `back` named */
    int64_t other_id;   /* out */
    int64_t answer;     /* out */
} nt_script_row;
_Static_assert(sizeof(nt_script_row) == 168 && offsetof(nt_script_row, answer) == 160, "SCRIPT_DTYPE");

/* Rows ascend by bar, then by symbol; those of a step at which the symbol has no bar are left out. */
typedef struct nt_script {
    nt_script_row *rows;
    int64_t count;
    int64_t next;
} nt_script;

/* An nt_strategy_fn; user is an nt_script. */
int64_t nt_script_on_bar(nt_context *context, void *user);

#endif
