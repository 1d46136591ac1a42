#include "handles.h"
#include "status.h"
#include "panel-buffer.h"
#include <climits>

using namespace ruminate;

void ruminate_model_free(ruminate_model * model) {
    delete model;
}

int32_t ruminate_model_info_get(ruminate_model * handle, ruminate_model_info * out) {
    return guard(RUMINATE_INTERNAL, [&] {
        const llama_model * model = handle->model;
        const bool recurrent = llama_model_is_recurrent(model) || llama_model_is_hybrid(model);
        const llama_vocab * vocabulary = handle->vocabulary();
        const llama_token separator = llama_vocab_sep(vocabulary);
        // Some vocabularies have but one token for both.
        const llama_token eos = llama_vocab_eos(vocabulary) == LLAMA_TOKEN_NULL ? separator : llama_vocab_eos(vocabulary);
        *out = {
            llama_vocab_n_tokens(vocabulary), llama_model_n_ctx_train(model), llama_model_n_embd_out(model), llama_model_n_layer(model),
            llama_model_has_decoder(model), !recurrent,
            llama_vocab_get_add_bos(vocabulary) ? llama_vocab_bos(vocabulary) : -1,
            llama_vocab_get_add_eos(vocabulary) ? eos : -1,
            llama_vocab_get_add_sep(vocabulary) ? separator : -1,
            ruminate_dot_kind(),
        };
    });
}

int32_t ruminate_tokenize(ruminate_model * model, const char * text, size_t size, int32_t control, int32_t whole, int32_t * tokens, int64_t * count) {
    return guard(RUMINATE_INTERNAL, [&] {
        require(size <= INT32_MAX && *count <= INT32_MAX, "the text is too long");
        const int32_t found = llama_tokenize(model->vocabulary(), text, size, tokens, *count, whole != 0, control != 0);
        require(found != INT32_MIN, "the text is too long");
        *count = found < 0 ? -(int64_t) found : found;
    });
}

int32_t ruminate_detokenize(ruminate_model * model, const int32_t * tokens, int64_t count, int32_t control, char * text, int64_t * size) {
    return guard(RUMINATE_INTERNAL, [&] {
        require(count <= INT32_MAX && *size <= INT32_MAX, "there are too many tokens");
        const llama_vocab * vocabulary = model->vocabulary();
        const int32_t known = llama_vocab_n_tokens(vocabulary);
        for (int64_t i = 0; i < count; i++) require(tokens[i] >= 0 && tokens[i] < known, "there is no such token");
        // Piece by piece: llama_detokenize would take a space away that a piece of a reply begins with.
        int64_t used = 0;
        for (int64_t i = 0; i < count; i++) {
            const int64_t room = used < *size ? *size - used : 0;
            const int32_t length = llama_token_to_piece(vocabulary, tokens[i], text + (room ? used : 0), room, 0, control != 0);
            used += length < 0 ? -length : length;
        }
        *size = used;
    });
}

int32_t ruminate_token_ends(ruminate_model * model, int32_t token) {
    return token >= 0 && token < llama_vocab_n_tokens(model->vocabulary()) && llama_vocab_is_eog(model->vocabulary(), token);
}
