#include "nt_window.h"

#include <math.h>

static int digit_of(int64_t power_of_two) {
    int digit = 0;
    while (((int64_t)1 << digit) < power_of_two) digit++;
    return digit;
}

/* The powers of two to hold: the binary digits of the window, its highest only where values may repeat; where that is
 * not in reach of registers, the top of those that are, and above it as few as steps of two and four need. */
static int plan(nt_window *w) {
    int64_t highest = 1, wanted = w->window;
    while (highest <= w->window / 2) highest *= 2;
    if (w->fold->repeats) wanted = highest;
    int count = 0, power = NT_WINDOW_RISE;
    for (int k = 0; k < NT_WINDOW_RISE; k++)
        if (wanted >> k & 1) w->power[count++] = k;
    if (wanted >> NT_WINDOW_RISE) w->power[count++] = NT_WINDOW_RISE;
    w->top = count - 1;
    for (wanted = wanted >> NT_WINDOW_RISE >> 1 << 1 << NT_WINDOW_RISE; wanted; wanted &= wanted - 1)
        for (const int next = digit_of(wanted & -wanted); power < next;)
            w->power[count++] = power += next - power >= 2 ? 2 : 1;
    return count;
}

nt_window nt_window_carve(nt_carve *carve, int64_t window, const nt_fold *fold) {
    nt_window w = {.fold = fold, .window = window};
    w.levels = plan(&w);
    w.alone = w.levels == 1 && window == (int64_t)1 << w.power[0];
    w.joined = nt_carve_take(carve, NT_PASS * fold->fields * (int64_t)sizeof(double));
    w.values = nt_history_carve(carve, NT_WINDOW_BEHIND, fold->given);
    for (int k = 0; k < w.levels; k++) {
        const int64_t size = (int64_t)1 << w.power[k];
        const int64_t joined = fold->repeats ? window - size : window & (size - 1);
        const int64_t steps = k < w.top || k + 1 == w.levels ? 0 : w.power[k + 1] - w.power[k] == 2 ? 3 * size : size;
        w.level[k] = nt_history_carve(carve, joined > steps ? joined : steps, fold->fields);
    }
    return w;
}

static nt_span delayed(nt_span span, int64_t rows) {
    return (nt_span){span.base - rows, span.stride};
}

int64_t nt_window_room(nt_window *w, int64_t wanted) {
    for (int k = 0; k < w->levels; k++) nt_history_room(&w->level[k], wanted);
    return nt_history_room(&w->values, wanted);
}

nt_span nt_window_input(const nt_window *w) {
    return nt_history_here(&w->values);
}

int64_t nt_window_cold(const nt_window *w, int64_t m) {
    const int64_t missing = w->window - 1 - w->fed;
    return missing <= 0 ? 0 : missing < m ? missing : m;
}

/* Whatever is joined last goes to `out`, of NT_PASS rows or the stride of one field. */
static nt_span advance(nt_window *w, nt_span values, int64_t m, nt_span out) {
    const nt_fold *fold = w->fold;
    nt_span risen[NT_WINDOW_RISE + 1] = {0}, below = {0}, joined = {0};
    int64_t count = 0, size = 1;
    for (int k = 0; k <= w->top; k++) risen[w->power[k]] = nt_history_here(&w->level[k]);
    if (w->alone && m % NT_HISTORY_PAST == 0) {
        risen[w->power[0]] = out;
        fold->rise(values, risen, m, w->power[0]);
        w->fed += m;
        return out;
    }
    fold->rise(values, risen, m, w->power[w->top]);
    for (int k = 0; k < w->levels; k++) {
        const nt_span here = nt_history_here(&w->level[k]);
        if (k > w->top && w->power[k] - w->power[k - 1] == 1)
            fold->two(delayed(below, size), below, here, m, (double)size, (double)size);
        else if (k > w->top) fold->four(below, size, here, m);
        size = (int64_t)1 << w->power[k];
        if (!fold->repeats && w->window & size) {
            if (count) fold->two(delayed(here, count), joined, out, m, (double)size, (double)count);
            joined = count ? out : here;
            count += size;
        }
        below = here;
        nt_history_advance(&w->level[k], m);
    }
    w->fed += m;
    if (!fold->repeats) return joined;
    if (w->window == size) return below;
    fold->two(delayed(below, w->window - size), below, out, m, (double)size, (double)size);
    return out;
}

nt_span nt_window_advance(nt_window *w, int64_t m) {
    const nt_span values = nt_history_here(&w->values);
    nt_history_advance(&w->values, m);
    return advance(w, values, m, (nt_span){w->joined, NT_PASS});
}

nt_span nt_window_take(nt_window *w, const double *x, int64_t behind, int64_t m, double *out) {
    const nt_span values = nt_history_here(&w->values), to = {out ? out : w->joined, out ? 0 : NT_PASS};
    nt_history_advance(&w->values, m);
    if (behind < NT_WINDOW_BEHIND || m % NT_HISTORY_PAST) {
        memcpy(values.base, x, (size_t)m * sizeof(double));
        return advance(w, values, m, to);
    }
    memcpy(values.base + m - NT_WINDOW_BEHIND, x + m - NT_WINDOW_BEHIND, NT_WINDOW_BEHIND * sizeof(double));
    return advance(w, (nt_span){(double *)x, 0}, m, to);
}

void nt_window_feed(nt_window *w, const double *x, int64_t behind, int64_t n, double *out) {
    for (int64_t i = 0, m; i < n; i += m) {
        m = nt_window_room(w, n - i);
        const int64_t cold = nt_window_cold(w, m);
        const double *folded = nt_window_take(w, x + i, out == x ? 0 : behind + i, m, out + i).base;
        if (folded != out + i) memcpy(out + i, folded, (size_t)m * sizeof(double));
        for (int64_t k = 0; k < cold; k++) out[i + k] = NAN;
    }
}
