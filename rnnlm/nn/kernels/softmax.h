/* The element-wise steps of the softmax and its cross-entropy. */

/* e = exp(z + b - max) in place of the logits z, its sum, and the cross-entropy log(sum) - (z_y + b_y - max), for the
   rows from `first` to `last`. */
static TARGET void NAME(exponentials)(void *logits, const void *bias, const int64_t *targets, void *losses, void *sums,
                                      ptrdiff_t C, ptrdiff_t first, ptrdiff_t last) {
    const REAL *b = bias;
    for (ptrdiff_t row = first; row < last; row++) {
        REAL *z = (REAL *)logits + row * C, greatest = -INFINITY, sum = 0;
        vector most = NAME(same)(-INFINITY), total = {0};
        for (ptrdiff_t c = 0; c < C; c += LANES) {
            vector x = NAME(load_some)(z + c, C - c);
            if (b) NAME(store_some)(z + c, x += NAME(load_some)(b + c, C - c), C - c);
            if (C - c >= LANES) most = MAX(most, x);
            else for (ptrdiff_t i = 0; i < C - c; i++) greatest = x[i] > greatest ? x[i] : greatest;
        }
        for (ptrdiff_t i = 0; i < LANES; i++) greatest = most[i] > greatest ? most[i] : greatest;
        const REAL target = z[targets[row]] - greatest;
        for (ptrdiff_t c = 0; c < C; c += LANES) {
            vector e = NAME(exp)(NAME(load_some)(z + c, C - c) - greatest);
            NAME(store_some)(z + c, e, C - c);
            if (C - c >= LANES) total += e;
            else for (ptrdiff_t i = 0; i < C - c; i++) sum += e[i];
        }
        for (ptrdiff_t i = 0; i < LANES; i++) sum += total[i];
        ((REAL *)sums)[row] = sum;
        ((REAL *)losses)[row] = LOG(sum) - target;
    }
}
