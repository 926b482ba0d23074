#include "nt_curve.h"

#include <math.h>

#define LANES 8
#define BLOCK 1024 /* values summed before they join the total: what rounding loses stays small */

static double nt_lanes_total(const double *lane)
{
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

static double nt_sum(const double *x, int64_t n)
{
    double total = 0.0;
    for (int64_t start = 0; start < n; start += BLOCK) {
        int64_t end = start + BLOCK < n ? start + BLOCK : n, i = start;
        double lane[LANES] = {0};
        for (; i + LANES <= end; i += LANES)
            for (int k = 0; k < LANES; k++) lane[k] += x[i + k];
        for (; i < end; i++) lane[0] += x[i];
        total += nt_lanes_total(lane);
    }
    return total;
}

/* Both sums of squares in one pass. */
static void nt_squares(const double *x, int64_t n, double mean, double target, double *about_out, double *below_out)
{
    double about = 0.0, below = 0.0;
    for (int64_t start = 0; start < n; start += BLOCK) {
        int64_t end = start + BLOCK < n ? start + BLOCK : n, i = start;
        double one[LANES] = {0}, two[LANES] = {0};
        for (; i + LANES <= end; i += LANES) {
            for (int k = 0; k < LANES; k++) {
                double centred = x[i + k] - mean, under = x[i + k] - target;
                under = under > 0.0 ? 0.0 : under; /* NaN stays NaN */
                one[k] += centred * centred;
                two[k] += under * under;
            }
        }
        for (; i < end; i++) {
            double centred = x[i] - mean, under = x[i] - target;
            under = under > 0.0 ? 0.0 : under;
            one[0] += centred * centred;
            two[0] += under * under;
        }
        about += nt_lanes_total(one);
        below += nt_lanes_total(two);
    }
    *about_out = about;
    *below_out = below;
}

/* Falls one after the other: what divides is done once a fall, not once a bar. */
static void nt_falls(const double *equity, int64_t n, double start, nt_curve_facts *out)
{
    double peak = start, lowest = start, deepest = 1.0;
    int64_t peak_bar = -1, longest = 0;
    for (int64_t i = 0; i < n; i++) {
        if (equity[i] >= peak) {
            if (i - peak_bar > 1) {
                longest = i - peak_bar > longest ? i - peak_bar : longest;
                deepest = lowest / peak < deepest ? lowest / peak : deepest;
            }
            peak = lowest = equity[i];
            peak_bar = i;
        } else if (equity[i] < lowest) {
            lowest = equity[i];
        }
    }
    if (n - 1 > peak_bar) {
        longest = n - 1 - peak_bar > longest ? n - 1 - peak_bar : longest;
        deepest = lowest / peak < deepest ? lowest / peak : deepest;
    }
    out->deepest = deepest - 1.0;
    out->longest = longest;
}

void nt_curve_measure(const double *equity, int64_t n, double start, double target, double *returns_out, nt_curve_facts *out)
{
    int64_t count = n - 1;
    for (int64_t i = 0; i < count; i++) returns_out[i] = equity[i] == 0.0 ? NAN : equity[i + 1] / equity[i] - 1.0;
    int varies = 0;
    for (int64_t i = 1; i < count && !varies; i++) varies = returns_out[i] != returns_out[0];
    out->mean = count > 0 ? nt_sum(returns_out, count) / (double)count : NAN;
    nt_squares(returns_out, count, out->mean, target, &out->squares, &out->below);
    if (!varies) out->squares = count > 0 && isnan(returns_out[0]) ? NAN : 0.0; /* whatever rounding made of the mean */
    out->mean_equity = nt_sum(equity, n) / (double)n;
    nt_falls(equity, n, start, out);
}
