#include "handles.h"
#include "status.h"
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

using namespace ruminate;

struct ruminate_sampler {
    struct deleter {
        void operator()(llama_sampler * sampler) const { llama_sampler_free(sampler); }
    };
    using handle = std::unique_ptr<llama_sampler, deleter>;

    handle chain;
    handle grammar; // null: none
    std::vector<llama_token_data> candidates;

    void fill(const float * logits, int32_t count) {
        candidates.resize(count);
        for (int32_t i = 0; i < count; i++) candidates[i] = { i, logits[i], 0 };
    }

    llama_token choose() {
        llama_token_data_array all = { candidates.data(), candidates.size(), -1, false };
        llama_sampler_apply(chain.get(), &all);
        if (all.selected < 0 || all.selected >= (int64_t) all.size) throw failure(RUMINATE_INTERNAL, "no token could be chosen");
        return all.data[all.selected].id;
    }

    bool allows(llama_token token) {
        llama_token_data one = { token, 1, 0 };
        llama_token_data_array array = { &one, 1, -1, false };
        llama_sampler_apply(grammar.get(), &array);
        return one.logit != -INFINITY;
    }
};

static const float * last_logits(ruminate_context * context) {
    if (!context->has_logits) throw failure(RUMINATE_ARGUMENT, "nothing was evaluated since the last change");
    const float * logits = llama_get_logits_ith(context->context, -1);
    if (!logits) throw failure(RUMINATE_UNSUPPORTED, "this model gives no logits");
    return logits;
}

int32_t ruminate_sampler_open(ruminate_model * model, const ruminate_sampling * sampling, const char * grammar, const int32_t * bias_tokens, const float * bias_values, int32_t biases, ruminate_sampler ** out) {
    return guard(RUMINATE_GRAMMAR, [&] {
        const ruminate_sampling & s = *sampling;
        const llama_vocab * vocabulary = model->vocabulary();
        const int32_t tokens = llama_vocab_n_tokens(vocabulary);
        auto sampler = std::make_unique<ruminate_sampler>();
        if (grammar) {
            sampler->grammar.reset(llama_sampler_init_grammar(vocabulary, grammar, "root"));
            if (!sampler->grammar) throw failure(RUMINATE_GRAMMAR, "the grammar has no rule root, or can't be read");
        }
        sampler->chain.reset(llama_sampler_chain_init(llama_sampler_chain_default_params()));
        const auto add = [&](llama_sampler * next) { llama_sampler_chain_add(sampler->chain.get(), next); };
        std::vector<llama_logit_bias> bias;
        for (int32_t i = 0; i < biases; i++) {
            require(bias_tokens[i] >= 0 && bias_tokens[i] < tokens, "a bias is on a token that does not exist");
            bias.push_back({ bias_tokens[i], bias_values[i] });
        }
        // In the order of llama.cpp's own programs, so that the same settings mean the same.
        if (!bias.empty()) add(llama_sampler_init_logit_bias(tokens, bias.size(), bias.data()));
        if (s.repeat_penalty != 1 || s.frequency_penalty != 0 || s.presence_penalty != 0) {
            add(llama_sampler_init_penalties(tokens, s.penalty_last, s.repeat_penalty, s.frequency_penalty, s.presence_penalty));
        }
        if (s.temperature <= 0) {
            add(llama_sampler_init_greedy());
        } else {
            if (s.top_k > 0) add(llama_sampler_init_top_k(s.top_k));
            if (s.top_p < 1) add(llama_sampler_init_top_p(s.top_p, 1));
            if (s.min_p > 0) add(llama_sampler_init_min_p(s.min_p, 1));
            add(llama_sampler_init_temp(s.temperature));
            add(llama_sampler_init_dist((uint32_t) s.seed));
        }
        *out = sampler.release();
    });
}

void ruminate_sampler_free(ruminate_sampler * sampler) {
    delete sampler;
}

int32_t ruminate_sampler_see(ruminate_sampler * sampler, const int32_t * tokens, int32_t count) {
    return guard(RUMINATE_INTERNAL, [&] {
        for (int32_t i = 0; i < count; i++) llama_sampler_accept(sampler->chain.get(), tokens[i]);
    });
}

int32_t ruminate_sample(ruminate_sampler * sampler, ruminate_context * context, int32_t * token) {
    return guard(RUMINATE_GRAMMAR, [&] {
        const float * logits = last_logits(context);
        const int32_t count = llama_vocab_n_tokens(context->vocabulary());
        sampler->fill(logits, count);
        llama_token chosen = sampler->choose();
        // To hold the whole vocabulary against a grammar takes long, and mostly the first choice fits.
        if (sampler->grammar && !sampler->allows(chosen)) {
            sampler->fill(logits, count);
            llama_token_data_array all = { sampler->candidates.data(), sampler->candidates.size(), -1, false };
            llama_sampler_apply(sampler->grammar.get(), &all);
            if (std::none_of(all.data, all.data + all.size, [](const llama_token_data & c) { return c.logit != -INFINITY; })) throw failure(RUMINATE_GRAMMAR, "no token fits the grammar here");
            chosen = sampler->choose();
        }
        llama_sampler_accept(sampler->chain.get(), chosen);
        if (sampler->grammar) llama_sampler_accept(sampler->grammar.get(), chosen);
        *token = chosen;
    });
}

int32_t ruminate_logprobs(ruminate_context * context, int32_t token, int32_t count, int32_t * tokens, float * values) {
    return guard(RUMINATE_INTERNAL, [&] {
        const float * logits = last_logits(context);
        const int32_t known = llama_vocab_n_tokens(context->vocabulary());
        require(token >= 0 && token < known && count >= 0 && count <= known, "there is no such token");
        const float most = *std::max_element(logits, logits + known);
        double sum = 0;
        for (int32_t i = 0; i < known; i++) sum += std::exp((double) logits[i] - most);
        const double base = most + std::log(sum);
        std::vector<int32_t> order(known);
        for (int32_t i = 0; i < known; i++) order[i] = i;
        std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int32_t a, int32_t b) { return logits[a] > logits[b]; });
        tokens[0] = token;
        std::copy(order.begin(), order.begin() + count, tokens + 1);
        for (int32_t i = 0; i <= count; i++) values[i] = logits[tokens[i]] - base;
    });
}

const float * ruminate_logits(ruminate_context * context) {
    return context->has_logits ? llama_get_logits_ith(context->context, -1) : nullptr;
}
