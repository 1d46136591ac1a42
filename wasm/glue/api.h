// The flat C interface between JavaScript and llama.cpp. src/wasm/abi.ts is its other half: whatever changes here changes
// there, and raises `ruminate_abi_version`. wasm/exports.txt lists what is exported.
//
// Every call that can fail returns a status; `ruminate_message` then says what went wrong. No call prints, exits, or lets
// an exception out. Sizes are in bytes unless said otherwise. All numbers in structures are 8 bytes wide, so that their
// layout is the same with 32-bit and with 64-bit addresses.
#pragma once
#include <cstddef>
#include <cstdint>

#define RUMINATE_API extern "C" __attribute__((visibility("default")))

enum ruminate_status : int32_t {
    RUMINATE_OK           = 0,
    RUMINATE_ARGUMENT     = 1, // a value that makes no sense here: a fault of the caller
    RUMINATE_FORMAT       = 2, // the model's file is broken, or of a kind that llama.cpp does not know
    RUMINATE_MEMORY       = 3,
    RUMINATE_CONTEXT_FULL = 4,
    RUMINATE_CANCELLED    = 5,
    RUMINATE_GRAMMAR      = 6,
    RUMINATE_UNSUPPORTED  = 7, // this model can't do that
    RUMINATE_INTERNAL     = 8,
};

struct ruminate_loader;  // a model while its weights come in
struct ruminate_model;
struct ruminate_context; // a KV cache and what computes in it
struct ruminate_sampler;

// One tensor of the model: where its bytes are, and where they go.
struct ruminate_tensor {
    int64_t shard;   // which of the headers, from 0
    int64_t offset;  // in that shard's file
    int64_t size;    // in that file
    int64_t address; // where the bytes belong as they are; 0: hand them to ruminate_loader_put
    int64_t granule; // ruminate_loader_put takes ranges whose offset and size are multiples of it
};

struct ruminate_model_info {
    int64_t vocabulary, context_trained, embedding, layers;
    int64_t can_decode;     // 0: an encoder alone
    int64_t can_rewind;     // 0: the state is recurrent, tokens can't be taken back
    int64_t bos;            // the token that a prompt begins with; -1: none
    int64_t eos, separator; // the tokens that end a text, and that stand between two; -1: none
    int64_t dot_kind;       // what the relaxed dot product does here, see kernels/dot.h; 3: there is none
};

// Negative: as the model's file says.
struct ruminate_context_options {
    int64_t size;            // tokens
    int64_t batch;           // tokens at most in one call of ruminate_evaluate
    int64_t sequences;
    int64_t type_k, type_v;  // ggml_type
    int64_t flash_attention; // -1 auto, 0 off, 1 on
    int64_t rope_type;       // llama_rope_scaling_type
    int64_t yarn_original;   // tokens; 0: as the file says
    double  rope_scale;      // 1 / factor; 0: as the file says
    int64_t pooling;         // -2: no embeddings; else llama_pooling_type, -1 as the file says
};

struct ruminate_sampling {
    double  temperature;     // 0: greedy
    int64_t top_k;           // 0: all
    double  top_p, min_p;    // 1 and 0: all
    int64_t penalty_last;    // tokens that penalties look back at
    double  repeat_penalty, frequency_penalty, presence_penalty;
    int64_t seed;            // 32 bits
};

// ---- the module
RUMINATE_API int32_t      ruminate_abi_version(void);
// Once, before all else. `threads`: of all contexts together, this one included; as many less one must be startable.
RUMINATE_API int32_t      ruminate_start(int32_t threads);
// Where the stack of a thread that was just made begins and ends.
RUMINATE_API void         ruminate_thread_stack(void * thread, int64_t * low, int64_t * high);
RUMINATE_API const char * ruminate_message(void);     // UTF-8, until the next call
RUMINATE_API int32_t *    ruminate_cancel_flag(void); // not 0: ruminate_evaluate ends soon with RUMINATE_CANCELLED

// ---- loading: one header per shard, then build, then every tensor's bytes, then finish
RUMINATE_API int32_t ruminate_loader_open(ruminate_loader ** out);
RUMINATE_API int32_t ruminate_loader_header(ruminate_loader *, const uint8_t * bytes, size_t size);
RUMINATE_API int32_t ruminate_loader_build(ruminate_loader *, int64_t * tensors);
RUMINATE_API int32_t ruminate_loader_tensor(ruminate_loader *, int64_t index, ruminate_tensor * out);
RUMINATE_API int32_t ruminate_loader_put(ruminate_loader *, int64_t index, const uint8_t * bytes, int64_t offset, int64_t size);
RUMINATE_API int32_t ruminate_loader_finish(ruminate_loader *, ruminate_model ** out); // frees the loader if it succeeds
RUMINATE_API void    ruminate_loader_free(ruminate_loader *);

// ---- models and their vocabulary
RUMINATE_API void    ruminate_model_free(ruminate_model *);
RUMINATE_API int32_t ruminate_model_info_get(ruminate_model *, ruminate_model_info * out);
// `control`: special tokens are found in the text. `whole`: with the tokens that this vocabulary puts before and after a
// text. `count`: room in `tokens`, then how many there are, or would be.
RUMINATE_API int32_t ruminate_tokenize(ruminate_model *, const char * text, size_t size, int32_t control, int32_t whole, int32_t * tokens, int64_t * count);
// `control`: control tokens have a text. `size`: room in `text`, then the bytes that there are, or would be.
RUMINATE_API int32_t ruminate_detokenize(ruminate_model *, const int32_t * tokens, int64_t count, int32_t control, char * text, int64_t * size);
RUMINATE_API int32_t ruminate_token_ends(ruminate_model *, int32_t token); // 1: generation ends here

// ---- contexts
RUMINATE_API int32_t ruminate_context_open(ruminate_model *, const ruminate_context_options *, ruminate_context ** out);
RUMINATE_API void    ruminate_context_free(ruminate_context *);
// Evaluates tokens at a position of a sequence. The logits of the last are kept.
RUMINATE_API int32_t ruminate_evaluate(ruminate_context *, int32_t sequence, int32_t position, const int32_t * tokens, int32_t count);
// Positions [from, to); `to` < 0: to the end. `delta`: what is added to positions that stay.
RUMINATE_API int32_t ruminate_sequence_remove(ruminate_context *, int32_t sequence, int32_t from, int32_t to);
RUMINATE_API int32_t ruminate_sequence_copy(ruminate_context *, int32_t source, int32_t target, int32_t to);
RUMINATE_API int32_t ruminate_sequence_shift(ruminate_context *, int32_t sequence, int32_t from, int32_t delta);
RUMINATE_API int32_t ruminate_state_size(ruminate_context *, int32_t sequence, int64_t * size);
RUMINATE_API int32_t ruminate_state_save(ruminate_context *, int32_t sequence, uint8_t * bytes, int64_t size);
RUMINATE_API int32_t ruminate_state_restore(ruminate_context *, int32_t sequence, const uint8_t * bytes, int64_t size);
// Of tokens evaluated as one sequence by themselves, in a context with pooling: `size` floats, room and then how many.
RUMINATE_API int32_t ruminate_embed(ruminate_context *, const int32_t * tokens, int32_t count, float * out, int64_t * size);

// ---- sampling
// Logit biases: `biases` pairs of a token and a value. `grammar`: GBNF or null.
RUMINATE_API int32_t ruminate_sampler_open(ruminate_model *, const ruminate_sampling *, const char * grammar, const int32_t * bias_tokens, const float * bias_values, int32_t biases, ruminate_sampler ** out);
RUMINATE_API void    ruminate_sampler_free(ruminate_sampler *);
RUMINATE_API int32_t ruminate_sampler_see(ruminate_sampler *, const int32_t * tokens, int32_t count); // for penalties: what was said before
RUMINATE_API int32_t ruminate_sample(ruminate_sampler *, ruminate_context *, int32_t * token);
// Logarithms of probability before sampling: of `token`, then of the `count` likeliest. Both arrays hold count + 1.
RUMINATE_API int32_t ruminate_logprobs(ruminate_context *, int32_t token, int32_t count, int32_t * tokens, float * values);
RUMINATE_API const float * ruminate_logits(ruminate_context *); // of the last token, one a vocabulary entry; null: none
// The GBNF grammar of a JSON schema is then in ruminate_message.
RUMINATE_API int32_t ruminate_schema_to_grammar(const char * schema, size_t size);
