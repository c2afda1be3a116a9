/* What the compiled passes take: arrays as they lie in NumPy's memory, all in C order. */
#ifndef RNNLM_PASSES_H
#define RNNLM_PASSES_H

#include <stddef.h>
#include <stdint.h>

enum { WIDE = 4 }; /* the most vectors of a block of weights */

enum cell { TANH, RELU, GRU, LSTM, CELLS };

/* One layer and window; G gates, and real numbers of one of two types. */
struct window {
    ptrdiff_t T, B, H;
    ptrdiff_t first, last;   /* the sequences to compute: first <= b < last */
    const int64_t *lengths;  /* (B) steps of each sequence, or NULL where all have T */
    const void *W;           /* the weights, packed for this direction */

    const void *terms;       /* (T, B, G, H) U x, or its rows (C, G, H) that ids chooses */
    const void *U, *x;       /* packed like W, and (T · B, D): where U is not NULL, terms are computed from them */
    ptrdiff_t D;
    const int64_t *ids;      /* (T, B) or NULL */
    const void *bias;        /* (G, H) or NULL: added to U x */
    const void *bias_n;      /* (H) or NULL: the recurrent bias of the GRU's n */
    void *gates;             /* (T, B, G, H) */
    void *h, *c;             /* (T + 1, B, H), the state before the window first; c of an LSTM */
    void *kept;              /* (T, B, H) tanh(c) of an LSTM, W h + b' of a GRU's n */
    void *sum;               /* (T, B, H) or NULL: x + h, past a residual connection */

    const void *dy;          /* (T, B, H) error of the output */
    void *dh;                /* (T, B, H) error of h, through all that follows from it */
    void *delta;             /* (T, B, G, H) error of U x */
    void *recurrent;         /* (T, B, G, H) error of W h: delta itself but for a GRU */
    void *carry;             /* (B, H) error of the state that goes past the products */
};

/* The softmax of a few rows and its derivatives. */
struct few {
    ptrdiff_t N, H;               /* at most WIDE vectors of rows */
    const void *s_by_unit;        /* s (N, H), packed with its rows as units */
    const void *s_by_row;         /* and with its columns */
    const void *V, *bias;         /* (C, H), and (C) or NULL */
    const int64_t *targets;       /* (N) */
    void *e;                      /* (C, lanes) */
    void *target_logits;          /* (N) */
    void *greatest, *sums;        /* (lanes) of some classes: the greatest logit, and the sum of e */

    const void *factors;          /* (lanes) what e of these classes is multiplied by */
    void *ds;                     /* (H, lanes) what they give of the error of s */
    void *dV, *db;                /* (C, H), and (C) or NULL */
};

/* The functions of one instruction set, for float and for double. */
struct passes {
    const char *name;
    int (*is_here)(void);
    const struct functions {
        ptrdiff_t lanes;
        void (*pack)(const void *W, ptrdiff_t K, ptrdiff_t units, ptrdiff_t gates, ptrdiff_t by_k, ptrdiff_t by_unit,
                     ptrdiff_t by_gate, void *packed);
        void (*forward[CELLS])(const struct window *);
        void (*backward[CELLS])(const struct window *);
        void (*exponentials)(void *logits, const void *bias, const int64_t *targets, void *losses, void *sums,
                             ptrdiff_t C, ptrdiff_t first, ptrdiff_t last);
        void (*few_forward)(const struct few *, ptrdiff_t first, ptrdiff_t last);
        void (*few_backward)(const struct few *, ptrdiff_t first, ptrdiff_t last);
        void (*hand_on)(const struct window *);
        void (*log_probs)(const void *V, const void *bias, const void *x, void *log_probs, ptrdiff_t K, ptrdiff_t C,
                          ptrdiff_t first, ptrdiff_t last);
        void (*draw)(const void *log_probs, const double *draws, double temperature, int64_t *tokens, ptrdiff_t C,
                     ptrdiff_t B);
    } *precisions[2]; /* float, double */
};

extern const struct passes ALL_PASSES[];
extern const int NUM_PASSES;

#endif
