#include "barrier.h"

#include <stdint.h>

#ifdef __wasm_atomics__

// Looks at the counter before a thread sleeps; a thousand take about a microsecond. Sleeping and waking cost some tens of
// microseconds, so that on idle cores spinning pays for longer than nearly every wait. On cores that other programs
// use, it takes away the time in which the thread that is waited for could run.
enum { SPINS_ON_IDLE_CORES = 1 << 17, SPINS_ON_BUSY_CORES = 1 << 10 };

// A sleep that lasts longer means that the other thread lost its core: the scheduler's slices are some milliseconds.
static const int64_t LONG_SLEEP_NS = 500 * 1000;

// Waits in a row without a long sleep (a token or two) after which the cores count as idle again.
enum { CALM_WAITS = 1024 };

static _Thread_local int calm_waits = CALM_WAITS;

// Threads that sleep, in any pool. A notification is a call into the engine, so nobody is notified in vain.
static int n_sleeping;

static int read_passed(const int * passed) {
    return __atomic_load_n(passed, __ATOMIC_RELAXED);
}

static void count_calm_wait(void) {
    if (calm_waits < CALM_WAITS) {
        calm_waits++;
    }
}

static void sleep_until_passed(int * passed, int seen) {
    enum { WOKEN = 0, CHANGED = 1, TIMED_OUT = 2 };
    // Counted before the engine compares *passed with `seen`: whoever changes it later sees the count.
    __atomic_fetch_add(&n_sleeping, 1, __ATOMIC_SEQ_CST);
    if (__builtin_wasm_memory_atomic_wait32(passed, seen, LONG_SLEEP_NS) == TIMED_OUT) {
        calm_waits = 0;
    } else {
        count_calm_wait();
    }
    while (read_passed(passed) == seen) {
        __builtin_wasm_memory_atomic_wait32(passed, seen, -1);
    }
    __atomic_fetch_sub(&n_sleeping, 1, __ATOMIC_SEQ_CST);
}

void ruminate_barrier_wait(int * passed, int seen) {
    const int most_spins = calm_waits < CALM_WAITS ? SPINS_ON_BUSY_CORES : SPINS_ON_IDLE_CORES;
    for (int spins = 0; spins < most_spins; spins++) {
        if (read_passed(passed) != seen) {
            count_calm_wait();
            return;
        }
    }
    sleep_until_passed(passed, seen);
}

void ruminate_barrier_wake(int * passed) {
    if (__atomic_load_n(&n_sleeping, __ATOMIC_SEQ_CST) > 0) {
        __builtin_wasm_memory_atomic_notify(passed, UINT32_MAX);
    }
}

#else

// Without threads nobody waits.
void ruminate_barrier_wait(int * passed, int seen) {
    (void) passed;
    (void) seen;
}

void ruminate_barrier_wake(int * passed) {
    (void) passed;
}

#endif
