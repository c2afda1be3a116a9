/* All functions of one instruction set, for float and for double. */

#define SINGLE 1
#define REAL float
#define INT int32_t
#define SERIES {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1, 1}
#define LARGEST_EXPONENT 87.0f
#define ROUNDER 12582912.0f /* 1.5 · 2^23 */
#define LN2_HIGH 0.693359375f
#define LN2_LOW -2.12194440e-4f
#define EXPONENT_BIAS 127
#define MANTISSA_BITS 23
#define LOG logf
#define MIN MIN_SINGLE
#define MAX MAX_SINGLE
#define NAME(name) JOIN(name, INSTRUCTIONS, single)
#include "functions.h"

#define SINGLE 0
#define REAL double
#define INT int64_t
#define SERIES {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, \
                1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1}
#define LARGEST_EXPONENT 708.0
#define ROUNDER 6755399441055744.0 /* 1.5 · 2^52 */
#define LN2_HIGH 0.693147180369123816490
#define LN2_LOW 1.90821492927058770002e-10
#define EXPONENT_BIAS 1023
#define MANTISSA_BITS 52
#define LOG log
#define MIN MIN_DOUBLE
#define MAX MAX_DOUBLE
#define NAME(name) JOIN(name, INSTRUCTIONS, double)
#include "functions.h"
