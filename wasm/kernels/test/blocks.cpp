#include "blocks.h"

#include <float.h>
#include <math.h>

namespace ruminate::kernels::test {

static std::vector<int> scale_places(ggml_type type) {
    switch (type) {
        case GGML_TYPE_Q4_K:
        case GGML_TYPE_Q5_K: return {0, 2};
        case GGML_TYPE_Q6_K: return {208};
        case GGML_TYPE_Q4_0:
        case GGML_TYPE_Q8_0: return {0};
        default: return {};
    }
}

static uint16_t make_scale(Random & random) {
    const uint32_t sign = random.below(2) << 15;
    switch (random.below(6)) {
        case 0: return (uint16_t) (sign | random.below(1024)); // subnormal
        case 1: return (uint16_t) sign;
        default: return (uint16_t) (sign | 0x1000 | random.below(0x2000));
    }
}

std::vector<uint8_t> make_weights(ggml_type type, int64_t k, int64_t n, Random & random) {
    std::vector<uint8_t> weights(ggml_row_size(type, k) * n);
    if (type == GGML_TYPE_F16) {
        for (size_t i = 0; i < weights.size(); i += 2) {
            const uint16_t half = random.below(16) ? ggml_fp32_to_fp16(random.between(-1, 1)) : make_scale(random);
            weights[i] = (uint8_t) half, weights[i + 1] = (uint8_t) (half >> 8);
        }
        return weights;
    }
    const size_t block = ggml_type_size(type);
    for (size_t start = 0; start < weights.size(); start += block) {
        const uint32_t kind = random.below(5);
        for (size_t i = start; i < start + block; i++) {
            const uint8_t extremes[] = {0x00, 0x7f, 0x80, 0xff};
            weights[i] = kind == 0 ? 0xff : kind == 1 ? 0 : kind == 2 ? extremes[random.below(4)] : (uint8_t) random.below(256);
        }
        for (int place : scale_places(type)) {
            const uint16_t scale = make_scale(random);
            weights[start + place] = (uint8_t) scale, weights[start + place + 1] = (uint8_t) (scale >> 8);
        }
    }
    return weights;
}

std::vector<float> make_activations(int64_t k, int64_t m, Random & random) {
    std::vector<float> activations(k * m);
    for (int64_t row = 0; row < m; row++) {
        const uint32_t kind = row == 0 ? 0 : random.below(8);
        const float size = kind == 5 ? 1e28f : kind == 6 ? 1e-39f : 2.0f;
        for (int64_t i = 0; i < k; i++) {
            float x = random.between(-size, size);
            x = kind == 1 ? size : kind == 2 ? (i % 2 ? size : -size) : kind == 3 ? 0 : x;
            activations[row * k + i] = kind == 4 && i % 32 == 5 ? 1000 : x;
        }
    }
    return activations;
}

Reference make_reference(ggml_type type, const std::vector<uint8_t> & weights, const std::vector<float> & activations, int64_t k) {
    const size_t  row_bytes = ggml_row_size(type, k);
    const int64_t n = (int64_t) (weights.size() / row_bytes), m = (int64_t) activations.size() / k;
    const bool    quantized = ggml_is_quantized(type);

    std::vector<double> values(k * m), scales(k * m);
    for (int64_t start = 0; start < k * m; start += 32) {
        float largest = 0;
        for (int64_t i = start; i < start + 32; i++) {
            largest = fmaxf(largest, fabsf(activations[i]));
        }
        const bool vanishes = largest < 128 / FLT_MAX;
        for (int64_t i = start; i < start + 32; i++) {
            values[i] = !quantized ? activations[i] : vanishes ? 0 : nearbyintf(activations[i] * (127.0f / largest));
            scales[i] = !quantized ? 1 : vanishes ? 0 : largest / 127.0f;
        }
    }

    // Two roundings of a dequantised weight, and those of single-precision sums, which grow with their length: that of a
    // quantised row has a term for a block.
    const double relative = FLT_EPSILON * (4 + (double) k / (quantized ? 128 : 8));
    Reference reference = {std::vector<double>(n * m), std::vector<double>(n * m)};
    std::vector<float> row(k);
    for (int64_t j = 0; j < n; j++) {
        ggml_get_type_traits(type)->to_float(&weights[j * row_bytes], row.data(), k);
        for (int64_t i = 0; i < m; i++) {
            double product = 0, magnitude = 0;
            for (int64_t at = 0; at < k; at++) {
                const double term = row[at] * values[i * k + at] * scales[i * k + at];
                product += term;
                magnitude += fabs(term);
            }
            reference.products[i * n + j]   = product;
            reference.tolerances[i * n + j] = magnitude * relative + FLT_MIN;
        }
    }
    return reference;
}

int count_wrong(const Reference & reference, const std::vector<float> & results) {
    int wrong = 0;
    for (size_t i = 0; i < results.size(); i++) {
        wrong += !(fabs(results[i] - reference.products[i]) <= reference.tolerances[i]);
    }
    return wrong;
}

} // namespace ruminate::kernels::test
