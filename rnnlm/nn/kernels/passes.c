/* The compiled passes, for every instruction set that this kind of processor may have. */

#include "passes.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline)) TARGET
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#define JOIN(name, instructions, type) JOINED(name, instructions, type)
#define JOINED(name, instructions, type) name##_##instructions##_##type
enum { CLASSES = 64 }; /* of a softmax whose products are taken together */
#define FIRST(number, part, parts) ((number) * (part) / (parts)) /* of a part, where so many are cut into equal ones */
#define FIRST_OF(group) (first + FIRST(last - first, group, groups))
#define LEAST(a, b) ((a) < (b) ? (a) : (b))

/* The first unit of a part, in whole blocks. */
static ptrdiff_t first_unit(ptrdiff_t units, ptrdiff_t block, ptrdiff_t part, ptrdiff_t parts) {
    const ptrdiff_t blocks = (units + block - 1) / block;
    return LEAST(units, FIRST(blocks, part, parts) * block);
}

static const ptrdiff_t NUM_GATES[CELLS] = {[TANH] = 1, [RELU] = 1, [GRU] = 3, [LSTM] = 4};

/* ROWS of the sums are in registers, beside the weights: 6 · 4 of 32, or 3 · 4 of 16. MIN and MAX give the second of
   their numbers where that is NaN, so that a loss that overflows is seen. */

#if defined(__x86_64__)

#include <immintrin.h>

#define INSTRUCTIONS avx512
#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#define BYTES 64
#define ROWS 6
#define MIN_SINGLE(a, b) (vector) _mm512_min_ps((__m512)(a), (__m512)(b))
#define MAX_SINGLE(a, b) (vector) _mm512_max_ps((__m512)(a), (__m512)(b))
#define MIN_DOUBLE(a, b) (vector) _mm512_min_pd((__m512d)(a), (__m512d)(b))
#define MAX_DOUBLE(a, b) (vector) _mm512_max_pd((__m512d)(a), (__m512d)(b))
#include "precisions.h"
static int has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
}

#include "forget.h"
#define INSTRUCTIONS avx2
#define TARGET __attribute__((target("avx2,fma")))
#define BYTES 32
#define ROWS 3
#define MIN_SINGLE(a, b) (vector) _mm256_min_ps((__m256)(a), (__m256)(b))
#define MAX_SINGLE(a, b) (vector) _mm256_max_ps((__m256)(a), (__m256)(b))
#define MIN_DOUBLE(a, b) (vector) _mm256_min_pd((__m256d)(a), (__m256d)(b))
#define MAX_DOUBLE(a, b) (vector) _mm256_max_pd((__m256d)(a), (__m256d)(b))
#include "precisions.h"
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

#include "forget.h"
#define INSTRUCTIONS x86_64
#define TARGET
#define BYTES 16
#define ROWS 3
#define MIN_SINGLE(a, b) (vector) _mm_min_ps((__m128)(a), (__m128)(b))
#define MAX_SINGLE(a, b) (vector) _mm_max_ps((__m128)(a), (__m128)(b))
#define MIN_DOUBLE(a, b) (vector) _mm_min_pd((__m128d)(a), (__m128d)(b))
#define MAX_DOUBLE(a, b) (vector) _mm_max_pd((__m128d)(a), (__m128d)(b))
#include "precisions.h"
static int has_x86_64(void) { return 1; }

const struct passes ALL_PASSES[] = {
    {"AVX-512", has_avx512, {&functions_avx512_single, &functions_avx512_double}},
    {"AVX2", has_avx2, {&functions_avx2_single, &functions_avx2_double}},
    {"x86-64", has_x86_64, {&functions_x86_64_single, &functions_x86_64_double}},
};

#elif defined(__aarch64__)

#include <arm_neon.h>

#define INSTRUCTIONS neon
#define TARGET
#define BYTES 16
#define ROWS 6
#define MIN_SINGLE(a, b) (vector) vminq_f32((float32x4_t)(a), (float32x4_t)(b))
#define MAX_SINGLE(a, b) (vector) vmaxq_f32((float32x4_t)(a), (float32x4_t)(b))
#define MIN_DOUBLE(a, b) (vector) vminq_f64((float64x2_t)(a), (float64x2_t)(b))
#define MAX_DOUBLE(a, b) (vector) vmaxq_f64((float64x2_t)(a), (float64x2_t)(b))
#include "precisions.h"
static int has_neon(void) { return 1; }

const struct passes ALL_PASSES[] = {{"NEON", has_neon, {&functions_neon_single, &functions_neon_double}}};

#else
#error "There are no passes for this kind of processor; NumPy's are used."
#endif

const int NUM_PASSES = sizeof ALL_PASSES / sizeof *ALL_PASSES;

void some_sequences(const void *window, ptrdiff_t phase, ptrdiff_t part) {
    struct window w = *(const struct window *)window;
    (void)phase;
    w.first = FIRST(w.B, part, w.parts), w.last = FIRST(w.B, part + 1, w.parts);
    w.pass(&w);
}

static struct window units_of_layer(const struct steps *s, ptrdiff_t layer, ptrdiff_t part) {
    struct window w = s->layers[layer];
    w.begin = first_unit(w.H, w.block, part, s->parts), w.end = first_unit(w.H, w.block, part + 1, s->parts);
    return w;
}

void some_of_step(const void *steps, ptrdiff_t phase, ptrdiff_t part) {
    const struct steps *s = steps;
    const ptrdiff_t block = WIDE * s->passes->lanes;
    if (phase > 0 && phase <= s->num_layers) { /* none reads the state before the step any more */
        const struct window w = units_of_layer(s, phase - 1, part);
        s->passes->hand_on(&w);
    }
    if (phase < s->num_layers) {
        const struct window w = units_of_layer(s, phase, part);
        w.pass(&w);
    } else if (s->V && phase == s->num_layers) {
        const ptrdiff_t begin = first_unit(s->C, block, part, s->parts), end = first_unit(s->C, block, part + 1, s->parts);
        s->passes->logits(s->V, s->hidden, s->log_probs, s->H, s->C, s->B, begin, end);
    } else if (s->V) {
        const ptrdiff_t first = FIRST(s->B, part, s->parts), last = FIRST(s->B, part + 1, s->parts);
        s->passes->log_probs(s->log_probs, s->bias, s->C, first, last);
    }
}
