/* Products of packed weights with the rows of a few sequences. */

/* Vectors of the block that begins with unit j, where a block is of one gate. */
INLINE ptrdiff_t NAME(vectors_from)(ptrdiff_t j, ptrdiff_t units) {
    const ptrdiff_t left = (units - j + LANES - 1) / LANES;
    return left < WIDE ? left : WIDE;
}

/* Lay weights out block by block, each as (k, vector, lane): a block is the same LANES units of every gate or, where
   there is one gate, up to WIDE times LANES units. Units that do not exist weigh nothing. */
static TARGET void NAME(pack)(const void *weights, ptrdiff_t K, ptrdiff_t units, ptrdiff_t gates, ptrdiff_t by_k,
                              ptrdiff_t by_unit, ptrdiff_t by_gate, void *packed) {
    const REAL *W = weights;
    REAL *to = packed;
    for (ptrdiff_t j = 0; j < units; j += gates > 1 ? LANES : WIDE * LANES) {
        const ptrdiff_t vectors = gates > 1 ? gates : NAME(vectors_from)(j, units);
        for (ptrdiff_t p = 0; p < vectors; p++) {
            const ptrdiff_t unit = gates > 1 ? j : j + p * LANES, n = units - unit < LANES ? units - unit : LANES;
            const REAL *from = W + unit * by_unit + (gates > 1 ? p * by_gate : 0);
            for (ptrdiff_t k = 0; k < K; k++) {
                REAL *lanes = to + (k * vectors + p) * LANES;
                for (ptrdiff_t i = 0; i < n; i++) lanes[i] = from[k * by_k + i * by_unit];
                for (ptrdiff_t i = n; i < LANES; i++) lanes[i] = 0;
            }
        }
        to += K * vectors * LANES;
    }
}

/* sums[r] = W x_r of one block and some rows x, each sum in a register until it is complete. */
INLINE void NAME(sum_up)(vector (*sums)[WIDE], const int rows, const int vectors, const REAL *W, const REAL *x,
                         ptrdiff_t by_row, ptrdiff_t by_k, ptrdiff_t K) {
    vector s[ROWS][WIDE], w[WIDE];
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int p = 0; p < vectors; p++) s[r][p] = (vector){0};
    for (ptrdiff_t k = 0; k < K; k++, W += vectors * LANES) {
        UNROLL for (int p = 0; p < vectors; p++) w[p] = NAME(load)(W + p * LANES);
        UNROLL for (int r = 0; r < rows; r++)
            UNROLL for (int p = 0; p < vectors; p++) s[r][p] += w[p] * x[r * by_row + k * by_k];
    }
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int p = 0; p < vectors; p++) sums[r][p] = s[r][p];
}

#define CASE(R, V) case (R) * WIDE + (V): NAME(sum_up)(sums, R, V, W, x, BY_ROW, BY_K, K); break;
#define CASES(R) CASE(R, 1) CASE(R, 2) CASE(R, 3) CASE(R, 4)
#if ROWS > 3
#define ALL_CASES CASES(1) CASES(2) CASES(3) CASES(4) CASES(5) CASES(6)
#else
#define ALL_CASES CASES(1) CASES(2) CASES(3)
#endif

/* The rows x of a matrix whose rows are `stride` apart. */
static TARGET void NAME(multiply)(vector (*sums)[WIDE], int rows, int vectors, const REAL *W, const REAL *x,
                                  ptrdiff_t stride, ptrdiff_t K) {
#define BY_ROW stride
#define BY_K 1
    switch (rows * WIDE + vectors) { ALL_CASES }
#undef BY_ROW
#undef BY_K
}

/* The columns x of such a matrix. */
static TARGET void NAME(multiply_columns)(vector (*sums)[WIDE], int rows, int vectors, const REAL *W, const REAL *x,
                                          ptrdiff_t stride, ptrdiff_t K) {
#define BY_ROW 1
#define BY_K stride
    switch (rows * WIDE + vectors) { ALL_CASES }
#undef BY_ROW
#undef BY_K
}
#undef ALL_CASES
#undef CASES
#undef CASE

/* Some columns of the sums of rows. */
static TARGET void NAME(add_up)(const void *work, ptrdiff_t phase, ptrdiff_t part) {
    const struct sums *w = work;
    const ptrdiff_t begin = first_unit(w->n, LANES, part, w->parts), end = first_unit(w->n, LANES, part + 1, w->parts);
    (void)phase;
    for (ptrdiff_t c = 0; c < w->C; c++) memset((REAL *)w->out + c * w->n + begin, 0, (end - begin) * sizeof(REAL));
    for (ptrdiff_t row = 0; row < w->N; row++) {
        const REAL *from = (const REAL *)w->rows + row * w->n;
        REAL *to = (REAL *)w->out + w->ids[row] * w->n;
        for (ptrdiff_t j = begin; j < end; j += LANES)
            NAME(store_some)(to + j, NAME(load_some)(to + j, end - j) + NAME(load_some)(from + j, end - j), end - j);
    }
}

/* A step of gradient descent for some numbers. */
static TARGET void NAME(descend)(const void *work, ptrdiff_t phase, ptrdiff_t part) {
    const struct descent *w = work;
    const ptrdiff_t begin = first_unit(w->n, LANES, part, w->parts), end = first_unit(w->n, LANES, part + 1, w->parts);
    const REAL factor = (REAL)w->factor, *g = w->g;
    REAL *theta = w->theta;
    (void)phase;
    for (ptrdiff_t k = begin; k < end; k += LANES)
        NAME(store_some)(theta + k, NAME(load_some)(theta + k, end - k) - factor * NAME(load_some)(g + k, end - k), end - k);
}
