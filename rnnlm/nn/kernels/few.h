/* The softmax of a few rows s (N, H), for which packing V would cost as much as multiplying by it.

   Rows are the lanes: logits are (C, lanes), all rows in at most WIDE vectors, and V is read as it lies. */

/* z = V s + b and e = exp(z - max) for the classes of a part, with max and Σe of each row over these, and the logits
   of the targets that are among them. */
static TARGET void NAME(few_forward)(const void *work, ptrdiff_t phase, ptrdiff_t part) {
    const struct few *w = work;
    const ptrdiff_t H = w->H, vectors = (w->N + LANES - 1) / LANES, lanes = vectors * LANES;
    const ptrdiff_t first = part * w->classes, last = LEAST(first + w->classes, w->C);
    const REAL *V = w->V, *b = w->bias;
    (void)phase;
    REAL *z = w->e;
    vector products[ROWS][WIDE], most[WIDE], total[WIDE] = {{0}};
    for (ptrdiff_t p = 0; p < vectors; p++) most[p] = NAME(same)(-INFINITY);
    for (ptrdiff_t c = first; c < last; c += ROWS) {
        const ptrdiff_t rows = last - c < ROWS ? last - c : ROWS;
        NAME(multiply)(products, rows, vectors, w->s_by_unit, V + c * H, H, H);
        for (ptrdiff_t r = 0; r < rows; r++)
            for (ptrdiff_t p = 0; p < vectors; p++) {
                vector x = products[r][p] + (b ? b[c + r] : 0);
                NAME(store)(z + (c + r) * lanes + p * LANES, x);
                most[p] = MAX(most[p], x);
            }
    }
    for (ptrdiff_t n = 0; n < w->N; n++)
        if (first <= w->targets[n] && w->targets[n] < last)
            ((REAL *)w->target_logits)[n] = z[w->targets[n] * lanes + n];
    for (ptrdiff_t c = first; c < last; c++)
        for (ptrdiff_t p = 0; p < vectors; p++) {
            REAL *at = z + c * lanes + p * LANES;
            vector e = NAME(exp)(NAME(load)(at) - most[p]);
            NAME(store)(at, e);
            total[p] += e;
        }
    for (ptrdiff_t p = 0; p < vectors; p++) {
        NAME(store)((REAL *)w->greatest + part * lanes + p * LANES, most[p]);
        NAME(store)((REAL *)w->sums + part * lanes + p * LANES, total[p]);
    }
}

/* With g = e f, of a factor f for each row: dV = g s, db = Σ g, and ds (H, lanes) = Vᵀ g, all of a part's classes. */
static TARGET void NAME(few_backward)(const void *work, ptrdiff_t phase, ptrdiff_t part) {
    const struct few *w = work;
    const ptrdiff_t H = w->H, N = w->N, vectors = (N + LANES - 1) / LANES, lanes = vectors * LANES;
    const ptrdiff_t first = part * w->classes, last = LEAST(first + w->classes, w->C);
    const REAL *factors = (const REAL *)w->factors + part * lanes;
    REAL *ds = (REAL *)w->ds + part * H * lanes;
    vector products[ROWS][WIDE];
    (void)phase;
    memset(ds, 0, H * lanes * sizeof(REAL));
    for (ptrdiff_t block = first; block < last; block += CLASSES) { /* so few that they stay in the nearest cache */
        const ptrdiff_t end = last - block < CLASSES ? last : block + CLASSES;
        const REAL *V = (const REAL *)w->V + block * H, *s = w->s_by_row;
        REAL *g = (REAL *)w->e + block * lanes;
        for (ptrdiff_t c = block; c < end; c++) {
            REAL sum = 0;
            for (ptrdiff_t p = 0; p < vectors; p++) {
                REAL *at = g + (c - block) * lanes + p * LANES;
                vector x = NAME(load)(at) * NAME(load)(factors + p * LANES);
                NAME(store)(at, x);
                for (ptrdiff_t i = 0; w->db && i < LANES; i++) sum += x[i];
            }
            if (w->db) ((REAL *)w->db)[c] = sum;
        }
        for (ptrdiff_t j = 0; j < H; j += WIDE * LANES) {
            const ptrdiff_t wide = NAME(vectors_from)(j, H);
            for (ptrdiff_t c = block; c < end; c += ROWS) {
                const ptrdiff_t rows = end - c < ROWS ? end - c : ROWS;
                NAME(multiply)(products, rows, wide, s, g + (c - block) * lanes, lanes, N);
                for (ptrdiff_t r = 0; r < rows; r++)
                    for (ptrdiff_t p = 0, k = j; p < wide; p++, k += LANES)
                        NAME(store_some)((REAL *)w->dV + (c + r) * H + k, products[r][p], H - k);
            }
            s += N * wide * LANES;
        }
        for (ptrdiff_t k = 0; k < H; k += ROWS) {
            const ptrdiff_t rows = H - k < ROWS ? H - k : ROWS;
            NAME(multiply_columns)(products, rows, vectors, g, V + k, H, end - block);
            for (ptrdiff_t r = 0; r < rows; r++)
                for (ptrdiff_t p = 0; p < vectors; p++) {
                    REAL *at = ds + (k + r) * lanes + p * LANES;
                    NAME(store)(at, NAME(load)(at) + products[r][p]);
                }
        }
    }
}
