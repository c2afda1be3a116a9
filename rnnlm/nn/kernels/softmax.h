/* The element-wise steps of the softmax and its cross-entropy, and the whole of the output for single steps. */

/* Add b, where there is one, to the logits z, and return the largest. */
INLINE REAL NAME(greatest)(REAL *z, const REAL *b, ptrdiff_t C) {
    REAL greatest = -INFINITY;
    vector most = NAME(same)(-INFINITY);
    for (ptrdiff_t c = 0; c < C; c += LANES) {
        vector x = NAME(load_some)(z + c, C - c);
        if (b) NAME(store_some)(z + c, x += NAME(load_some)(b + c, C - c), C - c);
        if (C - c >= LANES) most = MAX(most, x);
        else for (ptrdiff_t i = 0; i < C - c; i++) greatest = x[i] > greatest ? x[i] : greatest;
    }
    for (ptrdiff_t i = 0; i < LANES; i++) greatest = most[i] > greatest ? most[i] : greatest;
    return greatest;
}

/* The sum of e = exp(z - greatest), which replaces the logits z if it is kept. */
INLINE REAL NAME(sum_of_exponentials)(REAL *z, REAL greatest, ptrdiff_t C, const int is_kept) {
    REAL sum = 0;
    vector total = {0};
    for (ptrdiff_t c = 0; c < C; c += LANES) {
        vector e = NAME(exp)(NAME(load_some)(z + c, C - c) - greatest);
        if (is_kept) NAME(store_some)(z + c, e, C - c);
        if (C - c >= LANES) total += e;
        else for (ptrdiff_t i = 0; i < C - c; i++) sum += e[i];
    }
    for (ptrdiff_t i = 0; i < LANES; i++) sum += total[i];
    return sum;
}

/* e = exp(z + b - max) in place of the logits z, its sum, and the cross-entropy log(sum) - (z_y + b_y - max), for
   some rows. */
static TARGET void NAME(exponentials)(const void *work, ptrdiff_t phase, ptrdiff_t part) {
    const struct exponentials *w = work;
    const ptrdiff_t C = w->C, end = FIRST(w->N, part + 1, w->parts);
    (void)phase;
    for (ptrdiff_t row = FIRST(w->N, part, w->parts); row < end; row++) {
        REAL *z = (REAL *)w->logits + row * C, greatest = NAME(greatest)(z, w->bias, C);
        const REAL target = z[w->targets[row]] - greatest, sum = NAME(sum_of_exponentials)(z, greatest, C, 1);
        ((REAL *)w->sums)[row] = sum;
        ((REAL *)w->losses)[row] = LOG(sum) - target;
    }
}

/* z = V x    for the classes from `begin`, where a block of V begins, to `end`; V is packed. */
static TARGET void NAME(logits)(const void *V, const void *x, void *z, ptrdiff_t K, ptrdiff_t C, ptrdiff_t B,
                                ptrdiff_t begin, ptrdiff_t end) {
    const ptrdiff_t first = 0, last = B, groups = (B + ROWS - 1) / ROWS;
    const REAL *W = (const REAL *)V + begin * K;
    vector sums[ROWS][WIDE];
    for (ptrdiff_t j = begin; j < end; j += WIDE * LANES) {
        const ptrdiff_t vectors = NAME(vectors_from)(j, C);
        for (ptrdiff_t group = 0; group < groups; group++) {
            const ptrdiff_t b = FIRST_OF(group), rows = FIRST_OF(group + 1) - b;
            NAME(multiply)(sums, rows, vectors, W, (const REAL *)x + b * K, K, K);
            for (ptrdiff_t r = 0; r < rows; r++)
                for (ptrdiff_t p = 0, c = j; p < vectors; p++, c += LANES)
                    NAME(store_some)((REAL *)z + (b + r) * C + c, sums[r][p], C - c);
        }
        W += K * vectors * LANES;
    }
}

/* log ŷ = z + b - max - log Σ exp(z + b - max)    for the rows from `first` to `last`. */
static TARGET void NAME(log_probs)(void *logits, const void *bias, ptrdiff_t C, ptrdiff_t first, ptrdiff_t last) {
    for (ptrdiff_t row = first; row < last; row++) {
        REAL *z = (REAL *)logits + row * C, greatest = NAME(greatest)(z, bias, C);
        const REAL log_sum = LOG(NAME(sum_of_exponentials)(z, greatest, C, 0));
        for (ptrdiff_t c = 0; c < C; c++) z[c] = z[c] - greatest - log_sum;
    }
}

/* The next vector of weights e^((log p - max) / temperature), whose growing sum says what is drawn. */
INLINE vector NAME(weights)(const REAL *log_probs, REAL greatest, REAL temperature, ptrdiff_t n) {
    vector x = (NAME(load_some)(log_probs, n) - greatest) / temperature;
    return (vector)((integers)NAME(exp)(x) & (x > -LARGEST_EXPONENT)); /* what is ruled out, log p = -inf, weighs nothing */
}

/* The sum of a row's weights, up to the first token `at` with which it is above `end`. */
INLINE double NAME(sum_up_to)(const REAL *row, REAL greatest, REAL temperature, ptrdiff_t C, double end, int64_t *at) {
    double sum = 0;
    for (ptrdiff_t c = 0; c < C; c += LANES) {
        vector e = NAME(weights)(row + c, greatest, temperature, C - c);
        for (ptrdiff_t i = 0; i < LANES && c + i < C; i++)
            if ((sum += e[i]) > end) {
                *at = c + i;
                return sum;
            }
    }
    return sum;
}

/* A token for each row of log-probabilities (B, C), where so much of the sum of weights as was drawn is passed. */
static TARGET void NAME(draw)(const void *log_probs, const double *draws, double temperature, int64_t *tokens,
                              ptrdiff_t C, ptrdiff_t B) {
    for (ptrdiff_t b = 0; b < B; b++) {
        const REAL *row = (const REAL *)log_probs + b * C, greatest = NAME(greatest)((REAL *)row, NULL, C);
        tokens[b] = 0;
        const double whole = NAME(sum_up_to)(row, greatest, temperature, C, INFINITY, tokens + b);
        NAME(sum_up_to)(row, greatest, temperature, C, draws[b] * whole, tokens + b);
    }
}
