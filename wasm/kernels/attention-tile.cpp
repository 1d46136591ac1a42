#include "attention-tile.h"

#include "ggml-cpu.h"
#include "ggml-impl.h"
#include "simd-gemm.h"
#include "vec.h"

#include <algorithm>
#include <math.h>
#include <utility>

namespace ruminate::kernels {

size_t AttentionTile::floats(int64_t k_size, int64_t v_size) {
    const int64_t rows = kPositions * std::max(k_size, v_size);
    return (size_t) (kQueryRows * (k_size + v_size + 2 + kPositions) + rows + kPositions * k_size);
}

AttentionTile::AttentionTile(int64_t k_size, int64_t v_size, float * memory) : k_size(k_size), v_size(v_size) {
    const auto take = [&](int64_t n) { return std::exchange(memory, memory + n); };
    q         = take(kQueryRows * k_size);
    sums      = take(kQueryRows * v_size);
    highest   = take(kQueryRows);
    weights   = take(kQueryRows);
    scores    = take(kQueryRows * kPositions);
    rows      = take(kPositions * std::max(k_size, v_size));
    k_columns = take(kPositions * k_size);
}

void AttentionTile::begin(int n_rows) {
    std::fill_n(sums, n_rows * v_size, 0.0f);
    std::fill_n(highest, n_rows, -INFINITY);
    std::fill_n(weights, n_rows, 0.0f);
}

static void to_floats(const ggml_tensor * tensor, const char * data, int n, int64_t size, float * rows) {
    for (int i = 0; i < n; i++, data += tensor->nb[1], rows += size) {
        if (tensor->type == GGML_TYPE_F16) {
            ggml_cpu_fp16_to_fp32((const ggml_fp16_t *) data, rows, size);
        } else if (tensor->type == GGML_TYPE_F32) {
            std::copy_n((const float *) data, size, rows);
        } else {
            ggml_get_type_traits(tensor->type)->to_float(data, rows, size);
        }
    }
}

// [kPositions][size] to [size][kPositions], 4 by 4.
static void transpose(const float * rows, int64_t size, float * columns) {
    for (int position = 0; position < kPositions; position += 4) {
        const float * at = rows + position * size;
        for (int64_t i = 0; i < size; i += 4) {
            const v128_t a = wasm_v128_load(at + i), b = wasm_v128_load(at + size + i);
            const v128_t c = wasm_v128_load(at + 2 * size + i), d = wasm_v128_load(at + 3 * size + i);
            const v128_t ab_low = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), ab_high = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7);
            const v128_t cd_low = wasm_i32x4_shuffle(c, d, 0, 4, 1, 5), cd_high = wasm_i32x4_shuffle(c, d, 2, 6, 3, 7);
            float * out = columns + i * kPositions + position;
            wasm_v128_store(out, wasm_i64x2_shuffle(ab_low, cd_low, 0, 2));
            wasm_v128_store(out + kPositions, wasm_i64x2_shuffle(ab_low, cd_low, 1, 3));
            wasm_v128_store(out + 2 * kPositions, wasm_i64x2_shuffle(ab_high, cd_high, 0, 2));
            wasm_v128_store(out + 3 * kPositions, wasm_i64x2_shuffle(ab_high, cd_high, 1, 3));
        }
    }
}

static bool is_masked(const AttentionTile::Positions & positions, int n, int n_rows) {
    constexpr uint16_t kMinusInfinity = 0xfc00;
    for (int row = 0; positions.mask && row < n_rows; row += positions.rows_per_mask) {
        const uint16_t * mask = (const uint16_t *) (positions.mask + row / positions.rows_per_mask * positions.mask_stride);
        if (!std::all_of(mask, mask + n, [](uint16_t half) { return half == kMinusInfinity; })) {
            return false;
        }
    }
    return positions.mask != nullptr;
}

static void add_mask(const AttentionTile::Positions & positions, int n, int n_rows, float * scores) {
    float mask[kPositions];
    for (int row = 0; row < n_rows; row++, scores += kPositions) {
        if (positions.mask && row % positions.rows_per_mask == 0) {
            ggml_cpu_fp16_to_fp32((const ggml_fp16_t *) (positions.mask + row / positions.rows_per_mask * positions.mask_stride), mask, n);
        }
        if (positions.mask) {
            ggml_vec_add_f32(n, scores, scores, mask);
        }
        std::fill(scores + n, scores + kPositions, -INFINITY);
    }
}

void AttentionTile::add(const Positions & positions, int n, int n_rows) {
    if (is_masked(positions, n, n_rows)) {
        return;
    }
    to_floats(positions.k_tensor, positions.k, n, k_size, rows);
    std::fill(rows + n * k_size, rows + kPositions * k_size, 0.0f);
    transpose(rows, k_size, k_columns);
    std::fill_n(scores, n_rows * kPositions, 0.0f);
    simd_gemm(scores, q, k_columns, n_rows, (int) k_size, kPositions);
    if (positions.soft_cap != 0.0f) {
        ggml_vec_tanh_f32(n_rows * kPositions, scores, scores);
        ggml_vec_scale_f32(n_rows * kPositions, scores, positions.soft_cap);
    }
    add_mask(positions, n, n_rows, scores);

    for (int row = 0; row < n_rows; row++) {
        float * score = scores + row * kPositions, run_highest;
        ggml_vec_max_f32(kPositions, &run_highest, score);
        if (run_highest == -INFINITY) {
            std::fill_n(score, kPositions, 0.0f);
            continue;
        }
        if (run_highest > highest[row]) {
            const float shrink = expf(highest[row] - run_highest);
            ggml_vec_scale_f32((int) v_size, sums + row * v_size, shrink);
            weights[row] *= shrink;
            highest[row] = run_highest;
        }
        weights[row] += (float) ggml_vec_soft_max_f32(kPositions, score, score, highest[row]);
    }

    to_floats(positions.v_tensor, positions.v, n, v_size, rows);
    std::fill(rows + n * v_size, rows + kPositions * v_size, 0.0f);
    simd_gemm(sums, scores, rows, n_rows, kPositions, (int) v_size);
}

} // namespace ruminate::kernels
