#include "nt_neighbours.h"

#include <math.h>
#include <string.h>

#include "nt_curve.h"

static void nt_squared_distances(const double *features, int64_t m, int64_t d, const double *asked, double *restrict out)
{
    memset(out, 0, (size_t)m * sizeof *out);
    for (int64_t c = 0; c < d; c++) {
        const double *column = features + c * m;
        double at = asked[c];
        for (int64_t i = 0; i < m; i++) {
            double apart = column[i] - at;
            out[i] += apart * apart;
        }
    }
}

double nt_neighbours_forecast(const double *features, int64_t m, int64_t d, const double *outcomes, const double *asked,
                              int64_t k, double *room)
{
    double *squared = room, *ordered = room + m;
    nt_squared_distances(features, m, d, asked, squared);
    memcpy(ordered, squared, (size_t)m * sizeof *ordered);
    double furthest = nt_curve_select(ordered, m, k - 1);
    int64_t ties = 0; /* of the furthest distance, how many are among the k */
    for (int64_t i = 0; i < k; i++) ties += ordered[i] == furthest;
    double middle = sqrt(nt_curve_select(ordered, k, (k - 1) / 2));
    if (k % 2 == 0) middle = 0.5 * (middle + sqrt(nt_curve_select(ordered, k, k / 2)));
    if (!(middle > 1e-12)) middle = 1e-12;
    double weights = 0.0, total = 0.0;
    for (int64_t i = 0; i < m; i++) {
        if (squared[i] > furthest) continue;
        if (squared[i] == furthest && ties-- <= 0) continue;
        double weight = 1.0 / (sqrt(squared[i]) + middle);
        weights += weight;
        total += weight * outcomes[i];
    }
    return total / weights;
}
