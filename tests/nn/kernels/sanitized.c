/* Every pass of every instruction set of this machine, over many shapes, in buffers of exactly the right size: the
   sanitizers with which this is compiled end it at whatever is read or written past an end. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "passes.h"

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
        .T = T, .B = B, .H = H, .lengths = has_lengths ? lengths : NULL, .terms = terms, .ids = by_row ? rows : NULL,
        .bias = has_bias ? bias : NULL, .bias_n = has_bias ? bias_n : NULL, .gates = gates, .h = h, .c = c,
        .kept = kept, .dy = dy, .dh = dh, .delta = delta, .recurrent = recurrent, .carry = carry,
    };
    for (int share = 0; share < 2; share++) {
        w.first = B * share / 2, w.last = B * (share + 1) / 2;
        w.W = forward;
        passes->forward[cell](&w);
        w.W = backward;
        passes->backward[cell](&w);
    }
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
    passes->exponentials(logits, N % 2 ? bias : NULL, targets, losses, sums, C, 0, N);
    void *all[] = {logits, bias, losses, sums, targets};
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
    struct window w = {
        .T = 1, .B = B, .H = H, .D = D, .W = packed_W, .U = packed_U, .x = x, .terms = gates, .gates = gates, .h = h,
        .c = c, .kept = kept, .sum = sum,
    };
    for (int share = 0; share < 2; share++) {
        w.first = B * share / 2, w.last = B * (share + 1) / 2;
        passes->forward[cell](&w);
        passes->hand_on(&w);
        passes->log_probs(packed_V, NULL, h, log_probs, H, C, w.first, w.last);
    }
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
            const double odd[] = {0, 1e30, -1e30, INFINITY, -INFINITY, NAN};
            for (ptrdiff_t C = 1; C <= 100; C++)
                for (int k = 0; k < 6; k++) exponentials(passes, 1 + k, C, odd[k], is_double);
        }
        puts(ALL_PASSES[set].name);
    }
    return 0;
}
