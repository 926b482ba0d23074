#include "nt_curve.h"

#include <math.h>
#include <string.h>

#include "nt_lanes.h"

#define LANES 8
#define BLOCK 1024 /* values summed before they join the total: what rounding loses stays small */
#define STRIDE 16

/* Eight lanes in as many registers as the machine needs for them: what it needs, the bits do not tell. */
#define PARTS (LANES / NT_LANES)
#define PART(x, p) (nt_lanes_at((x) + (p) * NT_LANES))

static double nt_lanes_total(const nt_lanes *parts)
{
    double lane[LANES];
    memcpy(lane, parts, sizeof lane);
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

double nt_curve_sum(const double *x, int64_t n)
{
    double total = 0.0;
    for (int64_t start = 0; start < n; start += BLOCK) {
        int64_t end = start + BLOCK < n ? start + BLOCK : n, i = start;
        nt_lanes lane[PARTS] = {{0}};
        for (; i + LANES <= end; i += LANES)
            for (int p = 0; p < PARTS; p++) lane[p] += PART(x + i, p);
        for (; i < end; i++) lane[0][0] += x[i];
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
        nt_lanes one[PARTS] = {{0}}, two[PARTS] = {{0}};
        for (; i + LANES <= end; i += LANES) {
            for (int p = 0; p < PARTS; p++) {
                nt_lanes centred = PART(x + i, p) - mean, under = PART(x + i, p) - target;
                under = (nt_lanes)((nt_places)under & ~(under > 0.0)); /* NaN stays NaN */
                one[p] += centred * centred;
                two[p] += under * under;
            }
        }
        for (; i < end; i++) {
            double centred = x[i] - mean, under = x[i] - target;
            under = under > 0.0 ? 0.0 : under;
            one[0][0] += centred * centred;
            two[0][0] += under * under;
        }
        about += nt_lanes_total(one);
        below += nt_lanes_total(two);
    }
    *about_out = about;
    *below_out = below;
}

/* Whether STRIDE values in a row are at least `lowest` and below `peak`: nothing of a fall changes there. */
static int nt_is_between(const double *x, double lowest, double peak)
{
    nt_places outside = {0};
    for (int i = 0; i < STRIDE; i += NT_LANES)
        outside |= (nt_lanes_at(x + i) < lowest) | (nt_lanes_at(x + i) >= peak);
    int64_t any = 0;
    for (int k = 0; k < NT_LANES; k++) any |= outside[k];
    return !any;
}

/* Falls one after the other: what divides is done once a fall, not once a bar. */
static void nt_falls(const double *equity, int64_t n, double start, nt_curve_facts *out)
{
    double peak = start, lowest = start, deepest = 1.0;
    int64_t peak_bar = -1, longest = 0;
    for (int64_t i = 0; i < n; i++) {
        while (i % STRIDE == 0 && n - i > STRIDE && nt_is_between(equity + i, lowest, peak)) i += STRIDE;
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
    out->mean = count > 0 ? nt_curve_sum(returns_out, count) / (double)count : NAN;
    nt_squares(returns_out, count, out->mean, target, &out->squares, &out->below);
    if (!varies) out->squares = count > 0 && isnan(returns_out[0]) ? NAN : 0.0; /* whatever rounding made of the mean */
    out->mean_equity = nt_curve_sum(equity, n) / (double)n;
    nt_falls(equity, n, start, out);
}
