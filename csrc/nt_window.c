#include "nt_window.h"

#include <math.h>

static int digit_of(int64_t power_of_two) {
    int digit = 0;
    while (((int64_t)1 << digit) < power_of_two) digit++;
    return digit;
}

/* The powers of two to hold: the binary digits of the window, its highest only where values may repeat, and between
 * them as few as steps of two and four need. */
static int plan(nt_window *w) {
    int64_t top = 1, wanted = w->window;
    while (top <= w->window / 2) top *= 2;
    if (w->fold->repeats) wanted = top;
    int count = 0, power = 0;
    w->power[count++] = 0;
    for (wanted &= ~(int64_t)1; wanted; wanted &= wanted - 1)
        for (const int next = digit_of(wanted & -wanted); power < next;)
            w->power[count++] = power += next - power >= 2 ? 2 : 1;
    return count;
}

nt_window nt_window_carve(nt_carve *carve, int64_t window, const nt_fold *fold) {
    nt_window w = {.fold = fold, .window = window};
    w.levels = plan(&w);
    w.filled = window % 2 == 1 || w.power[1] == 1;
    w.joined = nt_carve_take(carve, NT_PASS * fold->fields * (int64_t)sizeof(double));
    for (int k = 0; k < w.levels; k++) {
        const int64_t size = (int64_t)1 << w.power[k];
        const int by_four = k + 1 < w.levels && w.power[k + 1] - w.power[k] == 2;
        w.level[k] = nt_history_carve(carve, by_four ? 3 * size : size, fold->fields);
    }
    return w;
}

static nt_span delayed(nt_span span, int64_t rows) {
    return (nt_span){span.base - rows, span.stride};
}

int64_t nt_window_room(nt_window *w, int64_t wanted) {
    int64_t room = wanted;
    for (int k = 0; k < w->levels; k++) room = nt_history_room(&w->level[k], wanted);
    return room;
}

nt_span nt_window_input(const nt_window *w) {
    return nt_history_here(&w->level[0]);
}

int64_t nt_window_cold(const nt_window *w, int64_t m) {
    const int64_t missing = w->window - 1 - w->fed;
    return missing <= 0 ? 0 : missing < m ? missing : m;
}

/* Whatever is joined last goes to `out`, of NT_PASS rows or the stride of one field. */
static nt_span advance(nt_window *w, int64_t m, nt_span out) {
    const nt_fold *fold = w->fold;
    nt_span below = {0}, joined = {0};
    int64_t count = 0, size = 1;
    for (int k = 0; k < w->levels; k++) {
        const nt_span here = nt_history_here(&w->level[k]);
        if (k == 0 && w->filled && fold->fill) fold->fill(here, m);
        else if (k > 0 && w->power[k] - w->power[k - 1] == 1)
            fold->two(delayed(below, size), below, here, m, (double)size, (double)size);
        else if (k == 1) fold->first(below, here, m);
        else if (k > 1) fold->four(below, size, here, m);
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
    return advance(w, m, (nt_span){w->joined, NT_PASS});
}

void nt_window_feed(nt_window *w, const double *x, int64_t n, double *out) {
    for (int64_t i = 0, m; i < n; i += m) {
        m = nt_window_room(w, n - i);
        const int64_t cold = nt_window_cold(w, m);
        memcpy(nt_window_input(w).base, x + i, (size_t)m * sizeof(double));
        const double *folded = advance(w, m, (nt_span){out + i, 0}).base;
        if (folded != out + i) memcpy(out + i, folded, (size_t)m * sizeof(double));
        for (int64_t k = 0; k < cold; k++) out[i + k] = NAN;
    }
}
