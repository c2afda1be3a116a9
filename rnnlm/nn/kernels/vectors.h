/* Vectors of `LANES` numbers of the type `REAL`, and functions of each of their elements. */

typedef REAL vector __attribute__((vector_size(BYTES), aligned(sizeof(REAL)), may_alias));
typedef INT integers __attribute__((vector_size(BYTES)));

INLINE vector NAME(load)(const REAL *from) { return *(const vector *)from; }

INLINE void NAME(store)(REAL *to, vector x) { *(vector *)to = x; }

/* At the end of a row there may be fewer than LANES numbers. */
INLINE vector NAME(load_some)(const REAL *from, ptrdiff_t n) {
    if (n >= LANES) return NAME(load)(from);
    vector x = {0};
    for (ptrdiff_t i = 0; i < n; i++) x[i] = from[i];
    return x;
}

INLINE void NAME(store_some)(REAL *to, vector x, ptrdiff_t n) {
    if (n >= LANES) NAME(store)(to, x);
    else for (ptrdiff_t i = 0; i < n; i++) to[i] = x[i];
}

INLINE vector NAME(same)(REAL x) { return x - (vector){0}; }

INLINE vector NAME(clamp)(vector x, REAL least, REAL most) {
    return MAX(NAME(same)(least), MIN(NAME(same)(most), x));
}

/* e^x = 2^n e^r with |r| <= ln(2)/2: the series of e^r, and n added to the exponent. A number as large as ROUNDER
   has no places after the point, so that the sum rounds, and n stands in its lowest bits. */
INLINE vector NAME(exp)(vector x) {
    static const REAL series[] = SERIES;
    x = NAME(clamp)(x, -LARGEST_EXPONENT, LARGEST_EXPONENT);
    vector rounded = x * (REAL)1.4426950408889634 + ROUNDER;
    vector n = rounded - ROUNDER;
    vector r = x - n * LN2_HIGH - n * LN2_LOW;
    vector p = NAME(same)(series[0]);
    UNROLL for (size_t k = 1; k < sizeof series / sizeof *series; k++) p = p * r + series[k];
    integers power = ((integers)rounded + EXPONENT_BIAS) << MANTISSA_BITS;
    return p * (vector)power;
}

INLINE vector NAME(tanh)(vector x) {
#if SINGLE
    /* A quotient of polynomials, of which the largest error is 1.4e-7 (the coefficients are Eigen's). */
    x = NAME(clamp)(x, -7.90531110763549805f, 7.90531110763549805f);
    vector s = x * x;
    vector p = NAME(same)(-2.76076847742355e-16f);
    p = p * s + 2.00018790482477e-13f;
    p = p * s - 8.60467152213735e-11f;
    p = p * s + 5.12229709037114e-08f;
    p = p * s + 1.48572235717979e-05f;
    p = p * s + 6.37261928875436e-04f;
    p = p * s + 4.89352455891786e-03f;
    vector q = NAME(same)(1.19825839466702e-06f);
    q = q * s + 1.18534705686654e-04f;
    q = q * s + 2.26843463243900e-03f;
    q = q * s + 4.89352518554385e-03f;
    return x * p / q;
#else
    return 1 - 2 / (NAME(exp)(2 * x) + 1);
#endif
}

INLINE vector NAME(sigmoid)(vector x) { return NAME(tanh)(x * (REAL)0.5) * (REAL)0.5 + (REAL)0.5; }
