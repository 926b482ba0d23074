/* nt_queue: where a resting order stands in the line at its price, as far as a feed of levels can tell.
 *
 * A feed shows how much stands at a price, not who. On arrival everything shown is ahead of us. Prints at the price come off
 * the front. When the level shrinks by more than was printed, somebody left: before us or behind us.
 *
 *     behind        nobody ahead leaves, except where the level has become smaller than what was ahead (a bound that is certain).
 *     probability   a share p = g(ahead) / (g(ahead) + g(behind)) of what left was ahead of us, and at least what cannot have been
 *                   behind; g(x) = x^exponent or log(1 + x), x in units. Rigtorp, "Estimating order queue position" (2013).
 *
 * So that for the same stream ahead(probability) <= ahead(behind), always. Nothing is drawn: equal input, equal lines.
 * Quantities in nano.
 */
#ifndef NT_QUEUE_H
#define NT_QUEUE_H

#include <stdint.h>

enum { NT_QUEUE_BEHIND = 0, NT_QUEUE_PROBABILITY = 1 };
enum { NT_SHARE_POWER = 0, NT_SHARE_LOG = 1 };

/* What no feed has shown: the line at a price beyond the quotes. */
#define NT_QUEUE_UNKNOWN INT64_MAX

typedef struct nt_queue_model {
    int32_t kind;  /* NT_QUEUE_* */
    int32_t share; /* NT_SHARE_*, of probability */
    double exponent;
} nt_queue_model;

/* What is ahead after the level went from `before` to `after`, of which `printed` was seen as prints since `before` was shown. */
int64_t nt_queue_after_change(const nt_queue_model *model, int64_t ahead, int64_t before, int64_t after, int64_t printed);

#endif
