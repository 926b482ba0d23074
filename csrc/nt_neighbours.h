/* nt_neighbours: what followed the situations nearest to one, weighted by nearness. Exact; ties go to the older row. */
#ifndef NT_NEIGHBOURS_H
#define NT_NEIGHBOURS_H

#include <stdint.h>

/* features[d][m]: columns, each of m rows, oldest first; outcomes[m]; asked[d]. k in 1..m. room: 2 m doubles of the
 * caller's. The mean outcome of the k rows nearest by Euclidean distance, with weights 1 / (distance + the median of
 * the k distances, 1e-12 at least). Sums run over the columns and over the rows in their order. All finite. */
double nt_neighbours_forecast(const double *features, int64_t m, int64_t d, const double *outcomes, const double *asked,
                              int64_t k, double *room);

#endif
