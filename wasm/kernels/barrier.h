// How ggml's threads wait for one another: they spin while the cores are theirs, and sleep when they are not.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// Returns once *passed is no longer `seen`.
void ruminate_barrier_wait(int * passed, int seen);

// Call after *passed was changed.
void ruminate_barrier_wake(int * passed);

#ifdef __cplusplus
}
#endif
