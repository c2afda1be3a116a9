/* Every pass of every instruction set of this machine, over many shapes, in buffers of exactly the right size: the
   sanitizers with which this is compiled end it at whatever is read or written past an end, or by two threads. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "passes.h"
#include "team.h"

static const ptrdiff_t GATES[CELLS] = {1, 1, 3, 4};
static const ptrdiff_t SIZES[] = {1, 2, 3, 5, 8, 13, 16, 17, 31, 33, 64, 70};
enum { NUM_SIZES = sizeof SIZES / sizeof *SIZES };

/* Numbers between -1 and 1, or none: a buffer of no elements is an address that must not be read. */
static void *numbers(ptrdiff_t count, int is_double) {
    void *buffer = malloc((size_t)count * (is_double ? sizeof(double) : sizeof(float)));
    for (ptrdiff_t k = 0; k < count; k++) {
        const double value = (double)rand() / RAND_MAX * 2 - 1;
        if (is_double) ((double *)buffer)[k] = value;
        else ((float *)buffer)[k] = (float)value;
    }
    return buffer;
}

static int64_t *ids(ptrdiff_t count, int64_t most) {
    int64_t *buffer = malloc((size_t)count * sizeof *buffer);
    for (ptrdiff_t k = 0; k < count; k++) buffer[k] = rand() % (most + 1);
    return buffer;
}

static void *packed(const struct functions *passes, const void *W, ptrdiff_t K, ptrdiff_t H, ptrdiff_t G,
                    ptrdiff_t by_k, ptrdiff_t by_unit, int is_double) {
    void *to = numbers(K * G * ((H + passes->lanes - 1) / passes->lanes) * passes->lanes, is_double);
    passes->pack(W, K, H, G, by_k, by_unit, H * H, to);
    return to;
}

static void pass(const struct functions *passes, enum cell cell, ptrdiff_t T, ptrdiff_t B, ptrdiff_t H, int by_row,
                 int has_lengths, int has_bias, int is_double) {
    const ptrdiff_t G = GATES[cell], units = T * B * H, C = 3;
    void *W = numbers(G * H * H, is_double), *forward = packed(passes, W, H, H, G, 1, H, is_double);
    void *backward = packed(passes, W, G * H, H, 1, H, 1, is_double);
    int64_t *lengths = ids(B, T), *rows = ids(T * B, C - 1);
    void *terms = numbers((by_row ? C : T * B) * G * H, is_double);
    void *bias = numbers(G * H, is_double), *bias_n = numbers(H, is_double), *gates = numbers(G * units, is_double);
    void *h = numbers(units + B * H, is_double), *c = numbers(units + B * H, is_double);
    void *kept = numbers(units, is_double), *dy = numbers(units, is_double), *dh = numbers(units, is_double);
    void *delta = numbers(G * units, is_double), *recurrent = cell == GRU ? numbers(G * units, is_double) : delta;
    void *carry = numbers(B * H, is_double);
    struct window w = {
        .T = T, .B = B, .H = H, .end = H, .parts = 2, .lengths = has_lengths ? lengths : NULL, .terms = terms, .ids = by_row ? rows : NULL,
        .bias = has_bias ? bias : NULL, .bias_n = has_bias ? bias_n : NULL, .gates = gates, .h = h, .c = c,
        .kept = kept, .dy = dy, .dh = dh, .delta = delta, .recurrent = recurrent, .carry = carry,
    };
    w.W = forward, w.pass = passes->forward[cell];
    share(some_sequences, &w, 1, 2, 2);
    w.W = backward, w.pass = passes->backward[cell];
    share(some_sequences, &w, 1, 2, 2);
    void *all[] = {W, forward, backward, lengths, rows, terms, bias, bias_n, gates, h, c, kept, dy, dh, delta, carry};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) free(all[k]);
    if (recurrent != delta) free(recurrent);
}

static void exponentials(const struct functions *passes, ptrdiff_t N, ptrdiff_t C, double first, int is_double) {
    void *logits = numbers(N * C, is_double), *bias = numbers(C, is_double);
    void *losses = numbers(N, is_double), *sums = numbers(N, is_double);
    int64_t *targets = ids(N, C - 1);
    if (is_double) ((double *)logits)[0] = first;
    else ((float *)logits)[0] = (float)first;
    const struct exponentials work = {
        .N = N, .C = C, .parts = 2, .logits = logits, .bias = N % 2 ? bias : NULL, .targets = targets, .losses = losses,
        .sums = sums,
    };
    share(passes->exponentials, &work, 1, work.parts, 2);
    void *all[] = {logits, bias, losses, sums, targets};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) free(all[k]);
}

/* Sums of rows, and a step of gradient descent. */
static void numbers_in_parts(const struct functions *passes, ptrdiff_t N, ptrdiff_t n, int is_double) {
    void *rows = numbers(N * n, is_double), *out = numbers(3 * n, is_double);
    int64_t *chosen = ids(N, 2);
    const struct sums sums = {.N = N, .n = n, .C = 3, .parts = 3, .rows = rows, .ids = chosen, .out = out};
    const struct descent descent = {.n = 3 * n, .parts = 4, .factor = 0.5, .theta = out, .g = rows};
    share(passes->add_up, &sums, 1, sums.parts, 2);
    if (N >= 3) share(passes->descend, &descent, 1, descent.parts, 2);
    free(rows), free(out), free(chosen);
}

/* The softmax of a few rows. */
static void few(const struct functions *passes, ptrdiff_t N, ptrdiff_t H, ptrdiff_t C, int is_double) {
    const ptrdiff_t lanes = (N + passes->lanes - 1) / passes->lanes * passes->lanes, classes = 7, parts = (C + 6) / 7;
    void *s = numbers(N * H, is_double), *by_unit = packed(passes, s, H, N, 1, 1, H, is_double);
    void *by_row = packed(passes, s, N, H, 1, H, 1, is_double), *V = numbers(C * H, is_double);
    void *e = numbers(C * lanes, is_double), *target_logits = numbers(N, is_double), *bias = numbers(C, is_double);
    void *greatest = numbers(parts * lanes, is_double), *sums = numbers(parts * lanes, is_double);
    void *ds = numbers(parts * H * lanes, is_double), *dV = numbers(C * H, is_double), *db = numbers(C, is_double);
    int64_t *targets = ids(N, C - 1);
    const struct few work = {
        .N = N, .H = H, .C = C, .classes = classes, .s_by_unit = by_unit, .s_by_row = by_row, .V = V,
        .bias = N % 2 ? bias : NULL, .targets = targets, .e = e, .target_logits = target_logits, .greatest = greatest,
        .sums = sums, .factors = greatest, .ds = ds, .dV = dV, .db = N % 2 ? db : NULL,
    };
    share(passes->few_forward, &work, 1, parts, 2);
    share(passes->few_backward, &work, 1, parts, 2);
    void *all[] = {s, by_unit, by_row, V, e, target_logits, bias, greatest, sums, ds, dV, db, targets};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) free(all[k]);
}

/* A step of a layer that multiplies its input too, and of the output, from which tokens are drawn. */
static void step(const struct functions *passes, enum cell cell, ptrdiff_t B, ptrdiff_t D, ptrdiff_t H, ptrdiff_t C,
                 int is_double) {
    const ptrdiff_t G = GATES[cell];
    void *W = numbers(G * H * H, is_double), *U = numbers(G * H * D, is_double), *V = numbers(C * H, is_double);
    void *packed_W = packed(passes, W, H, H, G, 1, H, is_double), *packed_V = packed(passes, V, H, C, 1, 1, H, is_double);
    void *packed_U = numbers(D * G * ((H + passes->lanes - 1) / passes->lanes) * passes->lanes, is_double);
    passes->pack(U, D, H, G, 1, D, H * D, packed_U);
    void *gates = numbers(B * G * H, is_double), *kept = numbers(B * H, is_double), *x = numbers(B * D, is_double);
    void *h = numbers(2 * B * H, is_double), *c = cell == LSTM ? numbers(2 * B * H, is_double) : h;
    void *sum = D == H ? numbers(B * H, is_double) : NULL, *log_probs = numbers(B * C, is_double);
    double *draws = numbers(B, 1);
    int64_t *tokens = ids(B, 0);
    const struct window w = {
        .T = 1, .B = B, .H = H, .D = D, .W = packed_W, .U = packed_U, .x = x, .terms = gates, .gates = gates, .h = h,
        .c = c, .kept = kept, .sum = sum, .last = B, .block = passes->lanes * (G > 1 ? 1 : WIDE),
        .pass = passes->forward[cell],
    };
    const struct steps steps = {
        .passes = passes, .layers = &w, .num_layers = 1, .parts = 3, .B = B, .H = H, .C = C, .V = packed_V,
        .hidden = (char *)h + B * H * (is_double ? sizeof(double) : sizeof(float)), .log_probs = log_probs,
    };
    share(some_of_step, &steps, 3, steps.parts, 2);
    passes->draw(log_probs, draws, 0.5, tokens, C, B);
    void *all[] = {W, U, V, packed_W, packed_U, packed_V, gates, kept, x, h, sum, log_probs, draws, tokens};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) free(all[k]);
    if (c != h) free(c);
}

int main(void) {
    for (int set = 0; set < NUM_PASSES; set++) {
        if (!ALL_PASSES[set].is_here()) continue;
        for (int is_double = 0; is_double < 2; is_double++) {
            const struct functions *passes = ALL_PASSES[set].precisions[is_double];
            for (int kind = 0; kind < 8; kind++)
                for (int cell = 0; cell < CELLS; cell++)
                    for (int H = 0; H < NUM_SIZES; H++)
                        for (ptrdiff_t B = 0; B <= 14; B += B < 8 ? 1 : 3)
                            pass(passes, cell, 2 + kind % 2, B, SIZES[H], kind & 1, kind & 2, kind & 4, is_double);
            for (int cell = 0; cell < CELLS; cell++) pass(passes, cell, 0, 3, 5, 0, 0, 1, is_double);
            for (int cell = 0; cell < CELLS; cell++)
                for (int H = 0; H < NUM_SIZES; H++)
                    for (ptrdiff_t B = 1; B <= 14; B += B < 8 ? 1 : 3)
                        step(passes, cell, B, SIZES[(H + B % 2) % NUM_SIZES], SIZES[H], 3 * B, is_double);
            for (ptrdiff_t N = 1; N <= WIDE * passes->lanes; N += 3)
                for (int H = 0; H < NUM_SIZES; H++) few(passes, N, SIZES[H], 1 + 5 * H % 30, is_double);
            for (ptrdiff_t N = 1; N < 9; N++)
                for (int n = 0; n < NUM_SIZES; n++) numbers_in_parts(passes, N, SIZES[n], is_double);
            const double odd[] = {0, 1e30, -1e30, INFINITY, -INFINITY, NAN};
            for (ptrdiff_t C = 1; C <= 100; C++)
                for (int k = 0; k < 6; k++) exponentials(passes, 1 + k, C, odd[k], is_double);
        }
        puts(ALL_PASSES[set].name);
    }
    return 0;
}
