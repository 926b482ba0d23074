#include "nt_window.h"

#include <string.h>

/* Level k keeps the 2^k rows before its present span, and the span: max(256, 2^k) rows, so that moving what is kept to
 * the front costs at most one copy a row. */
static int64_t span_rows(int level) {
    const int64_t rows = (int64_t)1 << level;
    return rows > NT_WINDOW_STEP ? rows : NT_WINDOW_STEP;
}

static int64_t level_stride(int level) {
    return ((int64_t)1 << level) + span_rows(level);
}

static int top_level(int64_t window) {
    int level = 0;
    while (((int64_t)2 << level) <= window) level++;
    return level;
}

int64_t nt_window_slots(int64_t window, int fields) {
    int64_t rows = NT_WINDOW_STEP; /* for windows joined from several levels */
    for (int level = 0; level <= top_level(window); level++) rows += level_stride(level);
    return rows * fields;
}

nt_window nt_window_init(double *slots, int64_t window, int fields, nt_fold fold) {
    return (nt_window){.slots = slots, .fold = fold, .window = window, .fields = fields, .top = top_level(window)};
}

/* The level's elements of the present rows. */
static nt_span level_span(const nt_window *w, int level) {
    double *base = w->slots + (int64_t)NT_WINDOW_STEP * w->fields;
    for (int k = 0; k < level; k++) base += level_stride(k) * w->fields;
    const int64_t position = w->fed & (span_rows(level) - 1);
    return (nt_span){base + ((int64_t)1 << level) + position, level_stride(level)};
}

static nt_span delayed(nt_span span, int64_t rows) {
    return (nt_span){span.base - rows, span.stride};
}

int64_t nt_window_room(nt_window *w, int64_t wanted) {
    const int64_t room = NT_WINDOW_STEP - (w->fed & (NT_WINDOW_STEP - 1));
    if (room == NT_WINDOW_STEP && w->fed > 0) {
        for (int level = 0; level <= w->top; level++) {
            if (w->fed & (span_rows(level) - 1)) continue;
            const int64_t kept = (int64_t)1 << level;
            double *base = level_span(w, level).base - kept;
            for (int f = 0; f < w->fields; f++, base += level_stride(level))
                memcpy(base, base + span_rows(level), (size_t)kept * sizeof(double));
        }
    }
    return wanted < room ? wanted : room;
}

nt_span nt_window_input(const nt_window *w) {
    return level_span(w, 0);
}

int64_t nt_window_cold(const nt_window *w, int64_t m) {
    const int64_t missing = w->window - 1 - w->fed;
    return missing <= 0 ? 0 : missing < m ? missing : m;
}

nt_span nt_window_advance(nt_window *w, int64_t m) {
    nt_span level = level_span(w, 0), joined = {0};
    int64_t count = 0;
    for (int k = 0; k <= w->top; k++) {
        const int64_t size = (int64_t)1 << k;
        if (w->window & size) {
            if (count == 0) {
                joined = level;
            } else {
                const nt_span out = {w->slots, NT_WINDOW_STEP};
                w->fold(delayed(level, count), joined, out, m, (double)size, (double)count);
                joined = out;
            }
            count += size;
        }
        if (k < w->top) {
            const nt_span above = level_span(w, k + 1);
            w->fold(delayed(level, size), level, above, m, (double)size, (double)size);
            level = above;
        }
    }
    w->fed += m;
    return joined;
}

#define EACH_ROW _Pragma("GCC ivdep") for (int64_t i = 0; i < m; i++)

void nt_fold_sum(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count, double newer_count) {
    (void)older_count, (void)newer_count;
    const double *a = older.base, *b = newer.base;
    double *to = out.base;
    EACH_ROW to[i] = a[i] + b[i];
}

void nt_fold_minimum(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count, double newer_count) {
    (void)older_count, (void)newer_count;
    const double *a = older.base, *b = newer.base;
    double *to = out.base;
    EACH_ROW to[i] = (a[i] < b[i]) | (a[i] != a[i]) ? a[i] : b[i];
}

void nt_fold_maximum(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count, double newer_count) {
    (void)older_count, (void)newer_count;
    const double *a = older.base, *b = newer.base;
    double *to = out.base;
    EACH_ROW to[i] = (a[i] > b[i]) | (a[i] != a[i]) ? a[i] : b[i];
}

void nt_fold_ramp(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count, double newer_count) {
    (void)newer_count;
    const double *a_sum = older.base, *a_ramp = older.base + older.stride;
    const double *b_sum = newer.base, *b_ramp = newer.base + newer.stride;
    double *sum = out.base, *ramp = out.base + out.stride;
    EACH_ROW {
        ramp[i] = (a_ramp[i] + b_ramp[i]) + older_count * b_sum[i]; /* newer weights start after the older ones' last */
        sum[i] = a_sum[i] + b_sum[i];
    }
}

void nt_fold_moments(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count, double newer_count) {
    const double *a_mean = older.base, *a_m2 = older.base + older.stride;
    const double *b_mean = newer.base, *b_m2 = newer.base + newer.stride;
    double *mean = out.base, *m2 = out.base + out.stride;
    const double share = older_count / (older_count + newer_count), weight = share * newer_count;
    EACH_ROW {
        const double d = a_mean[i] - b_mean[i];
        m2[i] = (a_m2[i] + b_m2[i]) + d * d * weight;
        mean[i] = b_mean[i] + d * share;
    }
}

void nt_fold_comoments(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count, double newer_count) {
    const double share = older_count / (older_count + newer_count), weight = share * newer_count;
    const double *ax = older.base, *ay = ax + older.stride, *axx = ay + older.stride, *ayy = axx + older.stride,
                 *axy = ayy + older.stride;
    const double *bx = newer.base, *by = bx + newer.stride, *bxx = by + newer.stride, *byy = bxx + newer.stride,
                 *bxy = byy + newer.stride;
    double *x = out.base, *y = x + out.stride, *xx = y + out.stride, *yy = xx + out.stride, *xy = yy + out.stride;
    EACH_ROW {
        const double dx = ax[i] - bx[i], dy = ay[i] - by[i];
        xx[i] = (axx[i] + bxx[i]) + dx * dx * weight;
        yy[i] = (ayy[i] + byy[i]) + dy * dy * weight;
        xy[i] = (axy[i] + bxy[i]) + dx * dy * weight;
        x[i] = bx[i] + dx * share;
        y[i] = by[i] + dy * share;
    }
}
