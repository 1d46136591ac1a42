#include "activations.h"

#include <float.h>
#include <string.h>
#include <wasm_simd128.h>

namespace ruminate::kernels {

static float largest_magnitude(const v128_t (&x)[8]) {
    v128_t largest = wasm_f32x4_abs(x[0]);
    for (int i = 1; i < 8; i++) {
        largest = wasm_f32x4_max(largest, wasm_f32x4_abs(x[i])); // keeps a NaN
    }
    largest = wasm_f32x4_max(largest, wasm_i32x4_shuffle(largest, largest, 2, 3, 0, 1));
    largest = wasm_f32x4_max(largest, wasm_i32x4_shuffle(largest, largest, 1, 0, 3, 2));
    return wasm_f32x4_extract_lane(largest, 0);
}

static int32_t sum(v128_t v) {
    v = wasm_i32x4_add(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
    return wasm_i32x4_extract_lane(v, 0) + wasm_i32x4_extract_lane(v, 1);
}

template <class Value> void quantize(const float * x, WeightOffset offset, ActivationBlock<Value> & block) {
    v128_t values[8];
    for (int i = 0; i < 8; i++) {
        values[i] = wasm_v128_load(x + 4 * i);
    }
    const float largest = largest_magnitude(values);
    // Below 127 / FLT_MAX the inverse would overflow: such a block counts as zeros.
    const float inverse = largest < 128 / FLT_MAX ? 0.0f : 127.0f / largest;
    const v128_t factor = wasm_f32x4_splat(inverse);

    int32_t sums[2];
    for (int half = 0; half < 2; half++) {
        v128_t total = wasm_i32x4_const_splat(0);
        v128_t whole[4];
        for (int i = 0; i < 4; i++) {
            whole[i] = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(wasm_f32x4_mul(values[4 * half + i], factor)));
            total    = wasm_i32x4_add(total, whole[i]);
        }
        sums[half] = sum(total);
        const v128_t low = wasm_i16x8_narrow_i32x4(whole[0], whole[1]), high = wasm_i16x8_narrow_i32x4(whole[2], whole[3]);
        if constexpr (sizeof(Value) == 1) {
            wasm_v128_store(block.values + 16 * half, wasm_i8x16_narrow_i16x8(low, high));
        } else {
            wasm_v128_store(block.values + 16 * half, low);
            wasm_v128_store(block.values + 16 * half + 8, high);
        }
    }
    block.scale     = inverse == 0.0f && largest < 1.0f ? 0.0f : largest / 127.0f; // an infinity or NaN stays one
    block.minus_sum = -block.scale * (float) (sums[0] + sums[1]);
    block.start[0]  = -offset.offset * (offset.halves ? sums[0] : sums[0] + sums[1]);
    block.start[1]  = offset.halves ? -offset.offset * sums[1] : 0;
}

template <class Value> void quantize(const float * const * rows, int n_rows, WeightOffset offset, ActivationTile<Value> & tile) {
    for (int row = 0; row < kTileRows; row++) {
        ActivationBlock<Value> block = {};
        if (row < n_rows) {
            quantize(rows[row], offset, block);
        }
        for (int group = 0; group < kBlock / 4; group++) {
            memcpy(tile.values[group][row], block.values + 4 * group, sizeof tile.values[group][row]);
        }
        tile.scale[row]     = block.scale;
        tile.minus_sum[row] = block.minus_sum;
        tile.start[0][row]  = block.start[0];
        tile.start[1][row]  = block.start[1];
    }
}

template void quantize(const float *, WeightOffset, ActivationBlock<int8_t> &);
template void quantize(const float *, WeightOffset, ActivationBlock<int16_t> &);
template void quantize(const float * const *, int, WeightOffset, ActivationTile<int8_t> &);
template void quantize(const float * const *, int, WeightOffset, ActivationTile<int16_t> &);

} // namespace ruminate::kernels
