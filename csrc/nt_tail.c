#include <math.h>

#include "nt_curve.h"

#define SAMPLE 2048       /* values from which a band around the rank is guessed */
#define SAMPLED_FROM 8192 /* below, everything is the band */
#define MARGIN 0.02       /* of the sample's ranks either side: four standard deviations */

/* No branch depends on a comparison of values. */
double nt_curve_select(double *x, int64_t n, int64_t r)
{
    int64_t low = 0, high = n - 1;
    while (low < high) {
        double a = x[low], b = x[low + (high - low) / 2], c = x[high];
        double pivot = fmax(fmin(a, b), fmin(fmax(a, b), c)); /* the middle one */
        int64_t below = low, equal;
        for (int64_t i = low; i <= high; i++) {
            double value = x[i];
            x[i] = x[below];
            x[below] = value;
            below += value < pivot;
        }
        equal = below;
        for (int64_t i = below; i <= high; i++) {
            double value = x[i];
            x[i] = x[equal];
            x[equal] = value;
            equal += value == pivot;
        }
        if (r < below)
            high = below - 1;
        else if (r < equal)
            return pivot;
        else
            low = equal;
    }
    return x[r];
}

/* The values at least as high as `low` in their order; *below_out: how many were lower. NaNs are neither. */
static int64_t nt_from(const double *x, int64_t n, double low, double *out, int64_t *below_out)
{
    int64_t count = 0, below = 0;
    for (int64_t i = 0; i < n; i++) {
        double value = x[i];
        out[count] = value;
        count += value >= low;
        below += value < low;
    }
    *below_out = below;
    return count;
}

/* The values up to `high` in their order, but no more than `most` of them (then what is told is more). */
static int64_t nt_up_to(const double *x, int64_t n, double high, double *out, int64_t most)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n && count <= most; i++) {
        double value = x[i];
        out[count] = value;
        count += value <= high;
    }
    return count;
}

/* A band that the value of this share of the ranks is likely to lie in, from a sample at equal steps. */
static void nt_guess(const double *x, int64_t n, double share, double *room, double *low_out, double *high_out)
{
    int64_t count = 0, step = n / SAMPLE | 1;
    for (int64_t i = 0; i < n; i += step) {
        room[count] = x[i];
        count += !isnan(x[i]);
    }
    int64_t first = (int64_t)((share - MARGIN) * (double)count), last = (int64_t)((share + MARGIN) * (double)count) + 1;
    *high_out = last < count ? nt_curve_select(room, count, last) : INFINITY;
    *low_out = first > 0 && first < count ? nt_curve_select(room, last < count ? last : count, first) : -INFINITY;
}

void nt_curve_tail(const double *x, int64_t n, double share, double *room, double *quantile_out, double *mean_out)
{
    double place = share * (double)(n - 1), low = -INFINITY, high = INFINITY;
    int64_t rank = (int64_t)place, most = n / 2 - 1, count = n, below;
    const double *candidates = x;
    if (n >= SAMPLED_FROM) {
        nt_guess(x, n, share, room, &low, &high);
        int64_t found = nt_up_to(x, n, high, room, most);
        if (found <= most && found >= rank + 2) {
            candidates = room;
            count = found;
        }
    }
    double *band = candidates == x ? room : room + count;
    int64_t width = nt_from(candidates, count, low, band, &below);
    if (below > rank) width = nt_from(candidates, count, -INFINITY, band, &below); /* the sample misled */
    *quantile_out = *mean_out = NAN;
    if (rank - below >= width) return;
    double value = nt_curve_select(band, width, rank - below), next = INFINITY;
    for (int64_t i = rank - below + 1; i < width; i++) next = band[i] < next ? band[i] : next;
    if (place > (double)rank) *quantile_out = rank - below + 1 < width ? value + (place - (double)rank) * (next - value) : NAN;
    else *quantile_out = value;
    int64_t lower = 0;
    for (int64_t i = 0; i < count; i++) { /* in place: what is read lies at or behind what is written */
        double one = candidates[i];
        room[lower] = one;
        lower += one < value;
    }
    double sum = nt_curve_sum(room, lower) + (double)(rank + 1 - lower) * value;
    *mean_out = sum / (double)(rank + 1);
}
