/* One step of a cell, for LANES units of one sequence, and the passes over time that are made of it.

   Names and equations are those of vanilla.py, gru.py and lstm.py. */

INLINE int NAME(has_ended)(const struct window *w, ptrdiff_t t, ptrdiff_t b) {
    return w->lengths && t >= w->lengths[b];
}

/* From U x, W h_{t-1} and the state t to the state t + 1. */
INLINE void NAME(step)(const struct window *w, const enum cell cell, ptrdiff_t t, ptrdiff_t b, ptrdiff_t j,
                       const vector *Wh) {
    const ptrdiff_t H = w->H, G = NUM_GATES[cell], row = t * w->B + b, after = w->B * H, n = H - j;
    REAL *h = (REAL *)w->h + row * H + j, *c = cell == LSTM ? (REAL *)w->c + row * H + j : NULL;
    if (NAME(has_ended)(w, t, b)) {
        NAME(store_some)(h + after, NAME(load_some)(h, n), n);
        if (cell == LSTM) NAME(store_some)(c + after, NAME(load_some)(c, n), n);
        return;
    }
    const REAL *terms = (const REAL *)w->terms + (w->ids ? w->ids[row] : row) * G * H + j, *bias = w->bias;
    REAL *gates = (REAL *)w->gates + row * G * H + j, *kept = (REAL *)w->kept + row * H + j;
    vector a[4];
    for (ptrdiff_t g = 0; g < G; g++) {
        a[g] = NAME(load_some)(terms + g * H, n);
        if (bias) a[g] += NAME(load_some)(bias + g * H + j, n);
        if (cell != GRU || g < 2) a[g] += Wh[g];
    }
    vector h_next;
    if (cell == TANH) {
        h_next = NAME(tanh)(a[0]); /* h_t = tanh(a) */
    } else if (cell == RELU) {
        h_next = (vector)((integers)a[0] & ~(integers)(a[0] <= 0)); /* h_t = max(a, 0), and NaN where a is */
    } else if (cell == GRU) {
        /* r, z = σ(a)    n = tanh(a + r ⊙ (W h + b'))    h_t = (1 - z) ⊙ n + z ⊙ h_{t-1} */
        const REAL *bias_n = w->bias_n;
        vector r = NAME(sigmoid)(a[0]), z = NAME(sigmoid)(a[1]), Wh_n = Wh[2];
        if (bias_n) Wh_n += NAME(load_some)(bias_n + j, n);
        vector new = NAME(tanh)(a[2] + r * Wh_n);
        h_next = new + z * (NAME(load_some)(h, n) - new);
        NAME(store_some)(kept, Wh_n, n);
        NAME(store_some)(gates, r, n);
        NAME(store_some)(gates + H, z, n);
        NAME(store_some)(gates + 2 * H, new, n);
    } else {
        /* i, f, o = σ(a)    g = tanh(a)    c_t = f ⊙ c_{t-1} + i ⊙ g    h_t = o ⊙ tanh(c_t) */
        vector i = NAME(sigmoid)(a[0]), f = NAME(sigmoid)(a[1]), g = NAME(tanh)(a[2]), o = NAME(sigmoid)(a[3]);
        vector c_next = f * NAME(load_some)(c, n) + i * g, tanh_c = NAME(tanh)(c_next);
        h_next = o * tanh_c;
        NAME(store_some)(c + after, c_next, n);
        NAME(store_some)(kept, tanh_c, n);
        NAME(store_some)(gates, i, n);
        NAME(store_some)(gates + H, f, n);
        NAME(store_some)(gates + 2 * H, g, n);
        NAME(store_some)(gates + 3 * H, o, n);
    }
    NAME(store_some)(h + after, h_next, n);
    if (w->sum) {
        const REAL *x = (const REAL *)w->x + row * H + j;
        NAME(store_some)((REAL *)w->sum + row * H + j, NAME(load_some)(x, n) + h_next, n);
    }
}

/* From the errors of y_t, and of all that came of h_t in the step after, to those of what the step began with. */
INLINE void NAME(step_back)(const struct window *w, const enum cell cell, ptrdiff_t t, ptrdiff_t b, ptrdiff_t j,
                            vector from_next) {
    const ptrdiff_t H = w->H, G = NUM_GATES[cell], row = t * w->B + b, after = w->B * H, n = H - j;
    const REAL *h = (const REAL *)w->h + row * H + j, *kept = (const REAL *)w->kept + row * H + j;
    const REAL *gates = (const REAL *)w->gates + row * G * H + j;
    REAL *dh_out = (REAL *)w->dh + row * H + j, *delta = (REAL *)w->delta + row * G * H + j;
    REAL *recurrent = (REAL *)w->recurrent + row * G * H + j, *carry = (REAL *)w->carry + b * H + j;
    vector dh = NAME(load_some)((const REAL *)w->dy + row * H + j, n) + from_next, zero = {0};
    if (t + 1 < w->T && NAME(has_ended)(w, t + 1, b)) dh += NAME(load_some)(dh_out + after, n);
    if (cell == GRU) dh += NAME(load_some)(carry, n);
    NAME(store_some)(dh_out, dh, n);
    if (NAME(has_ended)(w, t, b)) {
        for (ptrdiff_t g = 0; g < G; g++) {
            NAME(store_some)(delta + g * H, zero, n);
            NAME(store_some)(recurrent + g * H, zero, n);
        }
        return;
    }
    if (cell == TANH) {
        vector y = NAME(load_some)(h + after, n);
        NAME(store_some)(delta, dh * (1 - y * y), n); /* tanh' = 1 - tanh² */
    } else if (cell == RELU) {
        NAME(store_some)(delta, (vector)((integers)dh & (integers)(NAME(load_some)(h + after, n) > 0)), n);
    } else if (cell == GRU) {
        /* dn = dh (1 - z) (1 - n²)    dz = dh (h_{t-1} - n) z (1 - z)    dr = dn (W h + b') r (1 - r)
           W h of n has the error dn r, and h_{t-1} has dh z besides. */
        vector r = NAME(load_some)(gates, n), z = NAME(load_some)(gates + H, n);
        vector new = NAME(load_some)(gates + 2 * H, n);
        vector dn = dh * (1 - z) * (1 - new * new);
        vector dz = dh * (NAME(load_some)(h, n) - new) * z * (1 - z);
        vector dr = dn * NAME(load_some)(kept, n) * r * (1 - r);
        NAME(store_some)(delta, dr, n);
        NAME(store_some)(delta + H, dz, n);
        NAME(store_some)(delta + 2 * H, dn, n);
        NAME(store_some)(recurrent, dr, n);
        NAME(store_some)(recurrent + H, dz, n);
        NAME(store_some)(recurrent + 2 * H, dn * r, n);
        NAME(store_some)(carry, dh * z, n);
    } else {
        /* dc = carry + dh o (1 - tanh²(c))    do = dh tanh(c) o (1 - o)    di = dc g i (1 - i)
           df = dc c_{t-1} f (1 - f)    dg = dc i (1 - g²), and c_{t-1} has dc f. */
        vector i = NAME(load_some)(gates, n), f = NAME(load_some)(gates + H, n);
        vector g = NAME(load_some)(gates + 2 * H, n), o = NAME(load_some)(gates + 3 * H, n);
        vector tanh_c = NAME(load_some)(kept, n), c = NAME(load_some)((const REAL *)w->c + row * H + j, n);
        vector dc = NAME(load_some)(carry, n) + dh * o * (1 - tanh_c * tanh_c);
        NAME(store_some)(delta, dc * g * i * (1 - i), n);
        NAME(store_some)(delta + H, dc * c * f * (1 - f), n);
        NAME(store_some)(delta + 2 * H, dc * i * (1 - g * g), n);
        NAME(store_some)(delta + 3 * H, dh * tanh_c * o * (1 - o), n);
        NAME(store_some)(carry, dc * f, n);
    }
}

/* U x of one block and some rows, to where `step` finds it. */
INLINE void NAME(set_terms)(const struct window *w, ptrdiff_t row, int rows, ptrdiff_t j, ptrdiff_t G, int vectors,
                            const REAL *U) {
    const ptrdiff_t H = w->H, D = w->D;
    vector sums[ROWS][WIDE];
    NAME(multiply)(sums, rows, vectors, U, (const REAL *)w->x + row * D, D, D);
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < vectors; p++) {
            const ptrdiff_t unit = G > 1 ? j : j + p * LANES, gate = G > 1 ? p : 0;
            NAME(store_some)((REAL *)w->terms + ((row + r) * G + gate) * H + unit, sums[r][p], H - unit);
        }
}

/* All steps of the sequences from `first` to `last`. The rows of a sequence are computed alike whichever rows are
   computed with them, so that nothing depends on how sequences are divided between threads. */
INLINE void NAME(forward)(const struct window *w, const enum cell cell) {
    const ptrdiff_t H = w->H, G = NUM_GATES[cell], first = w->first, last = w->last,
                    groups = (last - first + ROWS - 1) / ROWS;
    const int wide = G == 1;
    vector sums[ROWS][WIDE];
    for (ptrdiff_t t = 0; t < w->T; t++) {
        const REAL *W = (const REAL *)w->W + w->begin * G * H, *U = w->U, *h = (const REAL *)w->h + t * w->B * H;
        if (U) U += w->begin * G * w->D;
        for (ptrdiff_t j = w->begin; j < w->end; j += wide ? WIDE * LANES : LANES) {
            const ptrdiff_t vectors = wide ? NAME(vectors_from)(j, H) : G;
            for (ptrdiff_t group = 0; group < groups; group++) {
                const ptrdiff_t b = FIRST_OF(group), rows = FIRST_OF(group + 1) - b;
                if (U) NAME(set_terms)(w, t * w->B + b, rows, j, G, vectors, U);
                NAME(multiply)(sums, rows, vectors, W, h + b * H, H, H);
                for (ptrdiff_t r = 0; r < rows; r++) {
                    if (!wide) NAME(step)(w, cell, t, b + r, j, sums[r]);
                    else for (ptrdiff_t p = 0; p < vectors; p++) NAME(step)(w, cell, t, b + r, j + p * LANES, sums[r] + p);
                }
            }
            W += H * vectors * LANES;
            if (U) U += w->D * vectors * LANES;
        }
    }
}

/* After a single step the state that it led to is the one before the next. */
static TARGET void NAME(hand_on)(const struct window *w) {
    const ptrdiff_t H = w->H, after = w->B * H;
    const size_t size = (w->end - w->begin) * sizeof(REAL);
    for (ptrdiff_t b = w->first; b < w->last; b++) {
        REAL *h = (REAL *)w->h + b * H + w->begin, *c = (REAL *)w->c + b * H + w->begin;
        memcpy(h, h + after, size);
        if (c != h) memcpy(c, c + after, size);
    }
}

INLINE void NAME(backward)(const struct window *w, const enum cell cell) {
    const ptrdiff_t H = w->H, K = NUM_GATES[cell] * H, first = w->first, last = w->last,
                    groups = (last - first + ROWS - 1) / ROWS;
    vector sums[ROWS][WIDE] = {{{0}}};
    for (ptrdiff_t t = w->T - 1; t >= 0; t--) {
        const REAL *W = w->W, *next = (const REAL *)w->recurrent + (t + 1) * w->B * K;
        for (ptrdiff_t j = 0; j < H; j += WIDE * LANES) {
            const ptrdiff_t vectors = NAME(vectors_from)(j, H);
            for (ptrdiff_t group = 0; group < groups; group++) {
                const ptrdiff_t b = FIRST_OF(group), rows = FIRST_OF(group + 1) - b;
                if (t + 1 < w->T) NAME(multiply)(sums, rows, vectors, W, next + b * K, K, K);
                for (ptrdiff_t r = 0; r < rows; r++)
                    for (ptrdiff_t p = 0; p < vectors; p++) NAME(step_back)(w, cell, t, b + r, j + p * LANES, sums[r][p]);
            }
            W += K * vectors * LANES;
        }
    }
}

#define OF_CELL(CELL) \
    static TARGET void NAME(forward_##CELL)(const struct window *w) { NAME(forward)(w, CELL); } \
    static TARGET void NAME(backward_##CELL)(const struct window *w) { NAME(backward)(w, CELL); }
OF_CELL(TANH) OF_CELL(RELU) OF_CELL(GRU) OF_CELL(LSTM)
#undef OF_CELL
