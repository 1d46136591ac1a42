// Attention, through ggml's own graphs, beside a sum in double precision.
#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "random.h"
#include "report.h"

#include <algorithm>
#include <math.h>
#include <string>
#include <vector>

namespace ruminate::kernels::test {

namespace {

struct Case {
    const char * name;
    int64_t      k_size, v_size, heads, k_heads, tokens, positions;
    ggml_type    type = GGML_TYPE_F16;
    float        soft_cap = 0;
    bool         masked = true, sinks = false;
    int64_t      sequences = 1;
};

} // namespace

static std::vector<float> random_floats(int64_t n, Random & random) {
    std::vector<float> values(n);
    for (float & x : values) {
        x = random.between(-2, 2);
    }
    return values;
}

// Sets a tensor of any type to random values, and returns what it then holds.
static std::vector<float> fill(ggml_tensor * tensor, Random & random) {
    std::vector<float> values = random_floats(ggml_nelements(tensor), random);
    if (tensor->type == GGML_TYPE_F32) {
        ggml_backend_tensor_set(tensor, values.data(), 0, ggml_nbytes(tensor));
        return values;
    }
    std::vector<uint8_t> data(ggml_nbytes(tensor));
    ggml_quantize_chunk(tensor->type, values.data(), data.data(), 0, ggml_nrows(tensor), tensor->ne[0], nullptr);
    ggml_backend_tensor_set(tensor, data.data(), 0, data.size());
    ggml_get_type_traits(tensor->type)->to_float(data.data(), values.data(), (int64_t) values.size());
    return values;
}

static void test_case(const Case & c, ggml_backend_t backend) {
    Random random;
    ggml_context * context = ggml_init({ggml_tensor_overhead() * 16 + ggml_graph_overhead(), nullptr, true});
    ggml_tensor * q = ggml_new_tensor_4d(context, GGML_TYPE_F32, c.k_size, c.tokens, c.heads, c.sequences);
    ggml_tensor * k = ggml_new_tensor_4d(context, c.type, c.k_size, c.positions, c.k_heads, c.sequences);
    ggml_tensor * v = ggml_new_tensor_4d(context, c.type, c.v_size, c.positions, c.k_heads, c.sequences);
    ggml_tensor * mask = ggml_new_tensor_4d(context, GGML_TYPE_F16, c.positions, c.tokens, 1, c.sequences);
    ggml_tensor * sinks = ggml_new_tensor_1d(context, GGML_TYPE_F32, c.heads);
    const float scale = 1 / sqrtf((float) c.k_size);
    ggml_tensor * out = ggml_flash_attn_ext(context, q, k, v, c.masked ? mask : nullptr, scale, 0, c.soft_cap);
    if (c.sinks) {
        ggml_flash_attn_ext_add_sinks(out, sinks);
    }
    ggml_backend_buffer_t buffer = ggml_backend_alloc_ctx_tensors_from_buft(context, ggml_backend_cpu_buffer_type());
    const std::vector<float> qs = fill(q, random), ks = fill(k, random), vs = fill(v, random), of_sinks = fill(sinks, random);
    // Causal at the end of the positions, with holes; the first 40 positions are hidden from everyone.
    std::vector<ggml_fp16_t> masks(ggml_nelements(mask));
    for (size_t i = 0; i < masks.size(); i++) {
        const int64_t position = (int64_t) i % c.positions, token = (int64_t) i / c.positions % c.tokens;
        const bool hidden = position > c.positions - c.tokens + token || (c.positions > 80 && position < 40) || random.below(10) == 0;
        masks[i] = hidden && position ? 0xfc00 : 0;
        masks[i] = c.positions > 80 && position == 0 ? 0xfc00 : masks[i];
    }
    ggml_backend_tensor_set(mask, masks.data(), 0, masks.size() * sizeof(ggml_fp16_t));
    ggml_cgraph * graph = ggml_new_graph(context);
    ggml_build_forward_expand(graph, out);
    ggml_backend_graph_compute(backend, graph);
    std::vector<float> results(ggml_nelements(out));
    ggml_backend_tensor_get(out, results.data(), 0, results.size() * sizeof(float));

    double worst = 0;
    for (int64_t s = 0; s < c.sequences; s++) {
        for (int64_t t = 0; t < c.tokens; t++) {
            for (int64_t h = 0; h < c.heads; h++) {
                const int64_t head = s * c.k_heads + h / (c.heads / c.k_heads);
                std::vector<double> sums(c.v_size);
                double weights = c.sinks ? exp((double) of_sinks[h]) : 0;
                for (int64_t p = 0; p < c.positions; p++) {
                    if (c.masked && masks[(s * c.tokens + t) * c.positions + p]) {
                        continue;
                    }
                    double score = 0;
                    for (int64_t i = 0; i < c.k_size; i++) {
                        score += (double) qs[((s * c.heads + h) * c.tokens + t) * c.k_size + i] * ks[(head * c.positions + p) * c.k_size + i];
                    }
                    score *= scale;
                    const double weight = exp(c.soft_cap ? c.soft_cap * tanh(score / c.soft_cap) : score);
                    weights += weight;
                    for (int64_t i = 0; i < c.v_size; i++) {
                        sums[i] += weight * vs[(head * c.positions + p) * c.v_size + i];
                    }
                }
                for (int64_t i = 0; i < c.v_size; i++) {
                    const double error = fabs(results[((s * c.tokens + t) * c.heads + h) * c.v_size + i] - (weights > 0 ? sums[i] / weights : 0));
                    worst = error <= worst ? worst : error;
                }
            }
        }
    }
    report(worst < 1e-5, c.name, "differs by %.2e", worst);
    ggml_backend_buffer_free(buffer);
    ggml_free(context);
}

void test_attention(int n_threads) {
    ggml_backend_t backend = ggml_backend_cpu_init();
    ggml_backend_cpu_set_n_threads(backend, n_threads);
    const Case cases[] = {
        {"attention of one token, 16 heads to one of K", 128, 128, 32, 2, 1, 300},
        {"attention of one token, no grouping, few positions", 64, 64, 5, 5, 1, 7},
        {"attention of a prompt, across tiles", 64, 64, 6, 2, 70, 150},
        {"attention of 3 tokens without a mask", 64, 64, 8, 2, 3, 65, GGML_TYPE_F16, 0, false},
        {"attention with K and V of different sizes", 96, 64, 4, 2, 5, 33},
        {"attention over single precision", 64, 64, 4, 2, 2, 100, GGML_TYPE_F32},
        {"attention over Q8_0", 64, 64, 4, 2, 2, 100, GGML_TYPE_Q8_0},
        {"attention with a soft cap", 64, 64, 4, 2, 2, 100, GGML_TYPE_F16, 5},
        {"attention with sinks", 64, 64, 16, 2, 2, 100, GGML_TYPE_F16, 0, true, true},
        {"attention of two sequences", 64, 64, 4, 2, 3, 90, GGML_TYPE_F16, 0, true, false, 2},
    };
    for (const Case & c : cases) {
        test_case(c, backend);
    }
    ggml_backend_free(backend);
}

} // namespace ruminate::kernels::test
