/* What the compiled passes take: arrays as they lie in NumPy's memory, all in C order. */
#ifndef RNNLM_PASSES_H
#define RNNLM_PASSES_H

#include <stddef.h>
#include <stdint.h>

enum { WIDE = 4 }; /* the most vectors of a block of weights */

/* A part of what threads share; see team.h. */
typedef void (*part_function)(const void *, ptrdiff_t phase, ptrdiff_t part);

enum cell { TANH, RELU, GRU, LSTM, CELLS };

/* One layer and window; G gates, and real numbers of one of two types. */
struct window {
    ptrdiff_t T, B, H;
    ptrdiff_t first, last;   /* the sequences to compute: first <= b < last */
    ptrdiff_t begin, end;    /* and, in a pass forward, their units: begin <= j < end, */
    ptrdiff_t block;         /* whole blocks of so many unless end is H */
    void (*pass)(const struct window *); /* what is shared, */
    ptrdiff_t parts;                     /* and between how many threads */
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

/* Sums (C, n) of those of the rows (N, n) that have the same id. */
struct sums {
    ptrdiff_t N, n, C, parts;
    const void *rows;
    const int64_t *ids;      /* (N) */
    void *out;
};

/* θ ← θ - factor · g for n numbers. */
struct descent {
    ptrdiff_t n, parts;
    double factor;
    void *theta;
    const void *g;
};

/* Logits (N, C), which become e = exp(z + b - max), with its sum and the cross-entropy of each row. */
struct exponentials {
    ptrdiff_t N, C, parts;
    void *logits;
    const void *bias;        /* (C) or NULL */
    const int64_t *targets;  /* (N) */
    void *losses, *sums;     /* (N) */
};

/* The softmax of a few rows and its derivatives, in parts of some classes each. */
struct few {
    ptrdiff_t N, H, C;            /* at most WIDE vectors of rows */
    ptrdiff_t classes;            /* of a part */
    const void *s_by_unit;        /* s (N, H), packed with its rows as units */
    const void *s_by_row;         /* and with its columns */
    const void *V, *bias;         /* (C, H), and (C) or NULL */
    const int64_t *targets;       /* (N) */
    void *e;                      /* (C, lanes) */
    void *target_logits;          /* (N) */
    void *greatest, *sums;        /* (parts, lanes) the greatest logit of a part, and the sum of e */

    const void *factors;          /* (parts, lanes) what e is multiplied by */
    void *ds;                     /* (parts, H, lanes) what a part gives of the error of s */
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
        part_function add_up, descend, exponentials, few_forward, few_backward;
        void (*hand_on)(const struct window *);
        void (*logits)(const void *V, const void *x, void *z, ptrdiff_t K, ptrdiff_t C, ptrdiff_t B, ptrdiff_t begin,
                       ptrdiff_t end);
        void (*log_probs)(void *z, const void *bias, ptrdiff_t C, ptrdiff_t first, ptrdiff_t last);
        void (*draw)(const void *log_probs, const double *draws, double temperature, int64_t *tokens, ptrdiff_t C,
                     ptrdiff_t B);
    } *precisions[2]; /* float, double */
};

/* Single steps of layers one above the other, and of the output. */
struct steps {
    const struct functions *passes;
    const struct window *layers;  /* each reads where the one below writes the state after the step */
    ptrdiff_t num_layers, parts;
    ptrdiff_t B, H, C;
    const void *V, *bias;         /* packed, or NULL for no output; (C) or NULL */
    const void *hidden;           /* (B, H) */
    void *log_probs;              /* (B, C) */
};

/* A phase for each layer, and two for the output. */
void some_of_step(const void *steps, ptrdiff_t phase, ptrdiff_t part);

/* A pass of some sequences of a window. */
void some_sequences(const void *window, ptrdiff_t phase, ptrdiff_t part);

extern const struct passes ALL_PASSES[];
extern const int NUM_PASSES;

#endif
