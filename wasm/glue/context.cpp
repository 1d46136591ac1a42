#include "handles.h"
#include "status.h"
#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

using namespace ruminate;

static std::atomic<int32_t> cancelled = 0;

int32_t * ruminate_cancel_flag(void) {
    return (int32_t *) &cancelled;
}

static bool is_cancelled(void *) {
    return cancelled.load(std::memory_order_relaxed) != 0;
}

int32_t ruminate_context_open(ruminate_model * handle, const ruminate_context_options * options, ruminate_context ** out) {
    return guard(RUMINATE_MEMORY, [&] {
        const ruminate_context_options & o = *options;
        require(o.size > 0 && o.size <= INT32_MAX && o.batch > 0 && o.sequences > 0, "sizes are at least 1");
        llama_context_params params = llama_context_default_params();
        params.n_ctx = o.size;
        params.n_batch = params.n_ubatch = std::min(o.batch, o.size);
        params.n_threads = params.n_threads_batch = thread_count();
        params.n_seq_max = o.sequences;
        // One pool of cells for all sequences: a copy shares what it has in common.
        params.kv_unified = true;
        params.n_outputs_max = 1;
        params.type_k = (ggml_type) o.type_k;
        params.type_v = (ggml_type) o.type_v;
        params.flash_attn_type = (llama_flash_attn_type) o.flash_attention;
        params.rope_scaling_type = (llama_rope_scaling_type) o.rope_type;
        params.rope_freq_scale = o.rope_scale;
        params.yarn_orig_ctx = o.yarn_original;
        params.abort_callback = is_cancelled;
        if (o.pooling >= -1) {
            params.embeddings = true;
            params.n_outputs_max = 0;
            params.pooling_type = (enum llama_pooling_type) o.pooling;
        }
        llama_context * context = llama_init_from_model(handle->model, params);
        if (!context) throw failure(RUMINATE_MEMORY, "the context could not be made");
        llama_attach_threadpool(context, thread_pool(), thread_pool());
        *out = new ruminate_context { context, (int32_t) o.sequences, false };
    });
}

void ruminate_context_free(ruminate_context * context) {
    delete context;
}

int32_t ruminate_evaluate(ruminate_context * context, int32_t sequence, int32_t position, const int32_t * tokens, int32_t count) {
    return guard(RUMINATE_INTERNAL, [&] {
        require(count > 0 && count <= (int32_t) llama_n_batch(context->context), "a batch has at least one token, and at most as many as the context takes");
        require(sequence >= 0 && sequence < context->sequences && position >= 0, "there is no such place");
        const int32_t known = llama_vocab_n_tokens(context->vocabulary());
        for (int32_t i = 0; i < count; i++) require(tokens[i] >= 0 && tokens[i] < known, "there is no such token");
        llama_batch batch = llama_batch_init(count, 0, 1);
        std::unique_ptr<llama_batch, void (*)(llama_batch *)> owner(&batch, [](llama_batch * b) { llama_batch_free(*b); });
        batch.n_tokens = count;
        for (int32_t i = 0; i < count; i++) {
            batch.token[i] = tokens[i];
            batch.pos[i] = position + i;
            batch.n_seq_id[i] = 1;
            batch.seq_id[i][0] = sequence;
            batch.logits[i] = i == count - 1;
        }
        context->has_logits = false;
        const int32_t result = llama_decode(context->context, batch);
        if (result == 1) throw failure(RUMINATE_CONTEXT_FULL, "the KV cache has no room for the batch");
        if (result == 2) throw failure(RUMINATE_CANCELLED, "it was cancelled");
        if (result != 0) throw failure(RUMINATE_INTERNAL, "the batch could not be evaluated");
        context->has_logits = true;
    });
}

int32_t ruminate_sequence_remove(ruminate_context * context, int32_t sequence, int32_t from, int32_t to) {
    return guard(RUMINATE_INTERNAL, [&] {
        context->has_logits = false;
        if (!llama_memory_seq_rm(context->memory(), sequence, from, to)) throw failure(RUMINATE_UNSUPPORTED, "this model can't forget a part of what it has read");
    });
}

int32_t ruminate_sequence_copy(ruminate_context * context, int32_t source, int32_t target, int32_t to) {
    return guard(RUMINATE_INTERNAL, [&] {
        require(source != target && source >= 0 && target >= 0 && source < context->sequences && target < context->sequences, "there is no such sequence");
        llama_memory_seq_rm(context->memory(), target, -1, -1);
        llama_memory_seq_cp(context->memory(), source, target, 0, to);
    });
}

int32_t ruminate_sequence_shift(ruminate_context * context, int32_t sequence, int32_t from, int32_t delta) {
    return guard(RUMINATE_INTERNAL, [&] {
        if (!llama_memory_can_shift(context->memory())) throw failure(RUMINATE_UNSUPPORTED, "this model can't move what it has read");
        llama_memory_seq_add(context->memory(), sequence, from, -1, delta);
    });
}

int32_t ruminate_state_size(ruminate_context * context, int32_t sequence, int64_t * size) {
    return guard(RUMINATE_INTERNAL, [&] { *size = llama_state_seq_get_size(context->context, sequence); });
}

int32_t ruminate_state_save(ruminate_context * context, int32_t sequence, uint8_t * bytes, int64_t size) {
    return guard(RUMINATE_INTERNAL, [&] {
        if ((int64_t) llama_state_seq_get_data(context->context, bytes, size, sequence) != size) throw failure(RUMINATE_INTERNAL, "the state is not as large as it was said to be");
    });
}

int32_t ruminate_state_restore(ruminate_context * context, int32_t sequence, const uint8_t * bytes, int64_t size) {
    return guard(RUMINATE_FORMAT, [&] {
        context->has_logits = false;
        llama_memory_seq_rm(context->memory(), sequence, -1, -1);
        if ((int64_t) llama_state_seq_set_data(context->context, bytes, size, sequence) == size) return;
        llama_memory_seq_rm(context->memory(), sequence, -1, -1);
        throw failure(RUMINATE_FORMAT, "the state is broken, or of another context");
    });
}

int32_t ruminate_embed(ruminate_context * context, const int32_t * tokens, int32_t count, float * out, int64_t * size) {
    return guard(RUMINATE_INTERNAL, [&] {
        const enum llama_pooling_type pooling = llama_pooling_type(context->context);
        if (pooling == LLAMA_POOLING_TYPE_NONE) throw failure(RUMINATE_UNSUPPORTED, "the context does not pool embeddings");
        require(count > 0 && count <= (int32_t) llama_n_batch(context->context), "a text has at least one token, and at most as many as the context takes");
        if (context->memory()) llama_memory_clear(context->memory(), true);
        std::vector<llama_token> copy(tokens, tokens + count);
        if (llama_decode(context->context, llama_batch_get_one(copy.data(), count)) != 0) throw failure(RUMINATE_INTERNAL, "the text could not be evaluated");
        const llama_model * model = llama_get_model(context->context);
        const int64_t dimensions = pooling == LLAMA_POOLING_TYPE_RANK ? llama_model_n_cls_out(model) : llama_model_n_embd_out(model);
        require(*size >= dimensions, "there is no room for the embedding");
        const float * values = llama_get_embeddings_seq(context->context, 0);
        if (!values) throw failure(RUMINATE_UNSUPPORTED, "this model gives no embeddings");
        std::copy(values, values + dimensions, out);
        *size = dimensions;
    });
}
