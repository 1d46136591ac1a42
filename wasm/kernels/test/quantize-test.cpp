// Rows of activations: ggml's own formats, and our blocks.
#include "activations.h"
#define GGML_COMMON_DECL_CPP
#include "ggml-common.h"
#include "ggml-quants.h"
#include "quants.h"
#include "random.h"
#include "report.h"

#include <math.h>
#include <string.h>
#include <vector>

namespace ruminate::kernels::test {

static std::vector<float> random_row(int n) {
    Random random;
    std::vector<float> row(n);
    for (float & x : row) {
        x = random.between(-3, 3);
    }
    return row;
}

// The reference rounds ties away from zero, ours to even: no random value is one.
template <class Block> static void compare(const char * name, void (*ours)(const float *, void *, int64_t), void (*reference)(const float *, Block *, int64_t)) {
    constexpr int n = 256 * 64, per_block = sizeof(Block::qs);
    const std::vector<float> row = random_row(n);
    std::vector<Block> blocks(n / per_block), expected(n / per_block);
    ours(row.data(), blocks.data(), n);
    reference(row.data(), expected.data(), n);
    int wrong = 0, by_more = 0;
    for (int i = 0; i < n; i++) {
        const int difference = abs(blocks[i / per_block].qs[i % per_block] - expected[i / per_block].qs[i % per_block]);
        wrong += difference > 0;
        by_more += difference > 1;
    }
    // Products with 1 / scale may differ in the last place, which moves a value that is nearly a tie.
    report(wrong <= n / 2000 && !by_more, name, "%d of %d values differ, %d by more than 1", wrong, n, by_more);
}

template <class Value> static void test_block(const char * name) {
    const std::vector<float> row = random_row(32 * 500);
    int wrong = 0;
    for (size_t i = 0; i < row.size(); i += 32) {
        ActivationBlock<Value> block;
        quantize(&row[i], {8, true}, block);
        float largest = 0;
        int sums[2] = {};
        for (int k = 0; k < 32; k++) {
            largest = fmaxf(largest, fabsf(row[i + k]));
        }
        for (int k = 0; k < 32; k++) {
            const int value = (int) nearbyintf(row[i + k] * (127.0f / largest));
            wrong += block.values[k] != value;
            sums[k / 16] += value;
        }
        wrong += block.scale != largest / 127 || block.start[0] != -8 * sums[0] || block.start[1] != -8 * sums[1];
        wrong += fabsf(block.minus_sum + block.scale * (float) (sums[0] + sums[1])) > 1e-6f;
    }
    report(!wrong, name, "%d wrong", wrong);
}

static void test_edges() {
    float x[32] = {};
    ActivationBlock<int8_t> block;
    quantize(x, {8, false}, block);
    report(block.scale == 0 && block.start[0] == 0, "quantize() of zeros", "scale %g", block.scale);
    x[3] = 1e-40f;
    quantize(x, {8, false}, block);
    report(block.scale == 0 && block.values[3] == 0, "quantize() takes a subnormal for zero", "scale %g", block.scale);
    x[4] = -3e38f;
    quantize(x, {8, false}, block);
    report(block.values[4] == -127 && fabsf(block.scale * -127 / x[4] - 1) < 1e-6f, "quantize() of a huge value", "%d * %g", block.values[4], block.scale);
    x[5] = NAN;
    quantize(x, {8, false}, block);
    report(isnan(block.scale), "quantize() passes a NaN on", "scale %g", block.scale);
    x[5] = INFINITY;
    quantize(x, {8, false}, block);
    report(isinf(block.scale), "quantize() passes an infinity on", "scale %g", block.scale);
}

void test_quantized_rows() {
    compare<block_q8_0>("quantize_row_q8_0() rounds to nearest", quantize_row_q8_0, quantize_row_q8_0_ref);
    compare<block_q8_1>("quantize_row_q8_1() rounds to nearest", quantize_row_q8_1, quantize_row_q8_1_ref);
    compare<block_q8_K>("quantize_row_q8_K() rounds to nearest", quantize_row_q8_K, quantize_row_q8_K_ref);
    test_block<int8_t>("quantize() to bytes is exact");
    test_block<int16_t>("quantize() to 16 bits is exact");
    test_edges();
}

} // namespace ruminate::kernels::test
