#pragma once
#include "api.h"
#include "ggml-cpu.h"
#include "llama.h"

struct ruminate_model {
    llama_model * model;

    const llama_vocab * vocabulary() const { return llama_model_get_vocab(model); }
    ~ruminate_model() { llama_model_free(model); }
};

struct ruminate_context {
    llama_context * context;
    int32_t sequences;
    bool has_logits;

    const llama_vocab * vocabulary() const { return llama_model_get_vocab(llama_get_model(context)); }
    llama_memory_t memory() const { return llama_get_memory(context); }
    ~ruminate_context() { llama_free(context); }
};

namespace ruminate {

// All contexts compute in the same threads: only one does at a time.
ggml_threadpool * thread_pool();
int32_t thread_count();

} // namespace ruminate
