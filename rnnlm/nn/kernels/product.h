/* Large products of matrices, divided between threads; the BLAS that NumPy has computes each part on one. */
#ifndef RNNLM_PRODUCT_H
#define RNNLM_PRODUCT_H

#include <stddef.h>
#include <stdint.h>

/* A matrix whose rows lie `stride` apart, or its transpose. */
struct matrix {
    void *at;
    int64_t stride;
    int is_transposed;
};

/* out (M, N) = a (M, K) b (K, N) */
struct product {
    void *gemm;    /* the cblas_sgemm or cblas_dgemm of a BLAS whose integers have 64 bits */
    int is_double;
    int64_t M, N, K;
    struct matrix a, b, out;
    ptrdiff_t parts;
};

/* Some rows of the product, or some columns where there are more of these. */
void some_of_product(const void *product, ptrdiff_t phase, ptrdiff_t part);

#endif
