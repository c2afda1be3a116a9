#include "product.h"

enum { ROW_MAJOR = 101, AS_IT_IS = 111, TRANSPOSED = 112 }; /* as CBLAS has them */

#define GEMM(REAL) void (*)(int, int, int, int64_t, int64_t, int64_t, REAL, const REAL *, int64_t, const REAL *, \
                            int64_t, REAL, REAL *, int64_t)

/* Where a matrix goes on after some of its rows or of its columns. */
static void *from(const struct matrix *m, int64_t rows, int64_t columns, int is_double) {
    const int64_t place = m->is_transposed ? columns * m->stride + rows : rows * m->stride + columns;
    return (char *)m->at + place * (is_double ? sizeof(double) : sizeof(float));
}

void some_of_product(const void *product, ptrdiff_t phase, ptrdiff_t part) {
    const struct product *p = product;
    const int by_rows = p->M >= p->N, d = p->is_double;
    const int64_t size = by_rows ? p->M : p->N;
    const int64_t first = size * part / p->parts, number = size * (part + 1) / p->parts - first;
    const int64_t row = by_rows ? first : 0, column = by_rows ? 0 : first;
    const int64_t M = by_rows ? number : p->M, N = by_rows ? p->N : number, K = p->K;
    const int op_a = p->a.is_transposed ? TRANSPOSED : AS_IT_IS, op_b = p->b.is_transposed ? TRANSPOSED : AS_IT_IS;
    void *a = from(&p->a, row, 0, d), *b = from(&p->b, 0, column, d), *out = from(&p->out, row, column, d);
    (void)phase;
    if (d)
        ((GEMM(double))p->gemm)(ROW_MAJOR, op_a, op_b, M, N, K, 1, a, p->a.stride, b, p->b.stride, 0, out, p->out.stride);
    else
        ((GEMM(float))p->gemm)(ROW_MAJOR, op_a, op_b, M, N, K, 1, a, p->a.stride, b, p->b.stride, 0, out, p->out.stride);
}
