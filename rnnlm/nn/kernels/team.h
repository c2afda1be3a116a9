/* Threads that share a computation and, for a short while after it, look out for the next.

   To wake a thread takes some 50 µs, as long as many of the computations take. */
#ifndef RNNLM_TEAM_H
#define RNNLM_TEAM_H

#include <stddef.h>

/* Compute the parts of all phases, on at most so many threads. Parts of a phase depend on none of each other, and a
   phase begins when the one before is complete. A thread takes the next part there is, so that the caller alone gets
   through all of them if no other thread comes. */
void share(void (*compute)(const void *work, ptrdiff_t phase, ptrdiff_t part), const void *work, ptrdiff_t phases,
           ptrdiff_t parts, int threads);

#endif
