#include "handles.h"
#include "status.h"
#include <pthread.h>

using namespace ruminate;

static ggml_threadpool * pool = nullptr;
static int32_t pool_threads = 0;

ggml_threadpool * ruminate::thread_pool() {
    require(pool, "ruminate_start comes first");
    return pool;
}

int32_t ruminate::thread_count() {
    return pool_threads;
}

int32_t ruminate_start(int32_t threads) {
    capture_messages();
    return guard(RUMINATE_INTERNAL, [&] {
        require(threads > 0 && !pool, "a module is started once, with at least one thread");
        llama_backend_init();
        ggml_threadpool_params params = ggml_threadpool_params_default(threads);
        pool = ggml_threadpool_new(&params);
        pool_threads = threads;
        if (!pool) throw failure(RUMINATE_INTERNAL, "the threads could not be started");
    });
}

void ruminate_thread_stack(void * thread, int64_t * low, int64_t * high) {
#ifdef __EMSCRIPTEN_PTHREADS__
    pthread_attr_t attributes;
    void * address = nullptr;
    size_t size = 0;
    pthread_getattr_np((pthread_t) thread, &attributes);
    pthread_attr_getstack(&attributes, &address, &size);
    *low = (int64_t) (intptr_t) address;
    *high = *low + (int64_t) size;
#endif
}
