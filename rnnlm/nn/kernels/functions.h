/* All functions for one type of numbers and one instruction set; what says which is forgotten at the end. */

#define LANES ((ptrdiff_t)(BYTES / sizeof(REAL)))
#define vector NAME(vector)
#define integers NAME(integers)

#include "vectors.h"
#include "products.h"
#include "cells.h"
#include "softmax.h"
#include "few.h"

static const struct functions NAME(functions) = {
    LANES,
    NAME(pack),
    {NAME(forward_TANH), NAME(forward_RELU), NAME(forward_GRU), NAME(forward_LSTM)},
    {NAME(backward_TANH), NAME(backward_RELU), NAME(backward_GRU), NAME(backward_LSTM)},
    NAME(add_up),
    NAME(descend),
    NAME(exponentials),
    NAME(few_forward),
    NAME(few_backward),
    NAME(hand_on),
    NAME(logits),
    NAME(log_probs),
    NAME(draw),
};

#undef LANES
#undef vector
#undef integers
#undef SINGLE
#undef REAL
#undef INT
#undef SERIES
#undef LARGEST_EXPONENT
#undef ROUNDER
#undef LN2_HIGH
#undef LN2_LOW
#undef EXPONENT_BIAS
#undef MANTISSA_BITS
#undef LOG
#undef MIN
#undef MAX
#undef NAME
