#include "team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

enum { LOOK_OUT = 100000 /* nanoseconds */, LOOKS = 32 /* between two looks at the clock */ };

/* The job, which others may read while they are counted as members and it is open. */
static void (*compute)(const void *, ptrdiff_t, ptrdiff_t);
static const void *work;
static ptrdiff_t parts, all_parts;
static atomic_ptrdiff_t taken, complete;
static int most_members;
static atomic_int is_open, members;

static atomic_flag is_in_use = ATOMIC_FLAG_INIT;
static int num_others;

static atomic_uint number; /* of jobs so far */
static atomic_int asleep;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* What is waited for here takes no time, unless the thread that does it has lost its core to another program. */
static void wait_a_little(unsigned looks) {
    if (looks < 100 * LOOKS) relax();
    else sched_yield();
}

static void await_parts(ptrdiff_t needed) {
    for (unsigned looks = 0; atomic_load_explicit(&complete, memory_order_acquire) < needed; looks++) wait_a_little(looks);
}

static void take_parts(void) {
    ptrdiff_t k;
    while ((k = atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed)) < all_parts) {
        await_parts(k / parts * parts);
        compute(work, k / parts, k % parts);
        atomic_fetch_add_explicit(&complete, 1, memory_order_release);
    }
}

/* Return the number of the newest job as soon as it is another than the last. */
static unsigned await_news(unsigned last) {
    const long long end = now() + LOOK_OUT;
    unsigned newest;
    do
        for (int look = 0; look < LOOKS; look++) {
            if ((newest = atomic_load(&number)) != last) return newest;
            relax();
        }
    while (now() < end);
    pthread_mutex_lock(&lock);
    atomic_fetch_add(&asleep, 1);
    while ((newest = atomic_load(&number)) == last) pthread_cond_wait(&news, &lock);
    atomic_fetch_sub(&asleep, 1);
    pthread_mutex_unlock(&lock);
    return newest;
}

static void *other_thread(void *begin) {
    unsigned last = (unsigned)(size_t)begin;
    for (;;) {
        last = await_news(last);
        const int others = atomic_fetch_add(&members, 1);
        if (atomic_load(&is_open) && others < most_members) take_parts();
        atomic_fetch_sub(&members, 1);
    }
    return NULL;
}

/* A process that was forked has none of the other threads. */
static void forget_others(void) {
    num_others = 0;
    atomic_store(&asleep, 0);
    atomic_store(&members, 0);
    atomic_store(&is_open, 0);
    atomic_flag_clear(&is_in_use);
    pthread_mutex_init(&lock, NULL);
    pthread_cond_init(&news, NULL);
}

static void call_others(int threads) {
    static int is_registered;
    if (!is_registered) is_registered = !pthread_atfork(NULL, NULL, forget_others);
    for (pthread_t other; num_others < threads - 1; num_others++) {
        if (pthread_create(&other, NULL, other_thread, (void *)(size_t)atomic_load(&number))) break;
        pthread_detach(other);
    }
    atomic_fetch_add(&number, 1);
    if (atomic_load(&asleep) == 0) return;
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
}

void share(void (*compute_part)(const void *, ptrdiff_t, ptrdiff_t), const void *its_work, ptrdiff_t phases,
           ptrdiff_t its_parts, int threads) {
    if (threads < 2 || its_parts < 2 || atomic_flag_test_and_set(&is_in_use)) { /* by another thread of the program */
        for (ptrdiff_t phase = 0; phase < phases; phase++)
            for (ptrdiff_t part = 0; part < its_parts; part++) compute_part(its_work, phase, part);
        return;
    }
    compute = compute_part;
    work = its_work;
    parts = its_parts;
    all_parts = phases * parts;
    most_members = threads - 1;
    atomic_store(&taken, 0);
    atomic_store(&complete, 0);
    atomic_store(&is_open, 1);
    call_others(threads);
    take_parts();
    await_parts(all_parts);
    atomic_store(&is_open, 0);
    for (unsigned looks = 0; atomic_load(&members) > 0; looks++) wait_a_little(looks);
    atomic_flag_clear(&is_in_use);
}
