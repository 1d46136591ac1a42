// The ways to multiply 16 weights (4 rows by 4 values) with 4 activations. A kernel takes one of them as a parameter:
//   Activation  type of a quantised activation
//   Weights     16 weights, as the dot product wants them
//   Sum         running sums of 4 rows
//   kHalves     halves of a panel (4 rows each) whose sums a tile can hold in 16 registers
// `broadcast` has 4 activations of one row four times; `spread` does it for every row of a tile.
// `begin` and `total` both get where the sum starts: it costs a register until one of them uses it.
#pragma once

#include "activations.h"
#include "float-simd.h"

#include <wasm_simd128.h>

namespace ruminate::kernels {

static inline void spread_words(const int8_t (&group)[kTileRows][4], v128_t (&rows)[kTileRows]) {
    const v128_t words = wasm_v128_load(group);
#pragma unroll
    for (int row = 0; row < kTileRows; row++) {
        rows[row] = ruminate_spread(words, row);
    }
}

#ifdef __wasm_relaxed_simd__

// One instruction for 16 products.
struct RelaxedDot {
    using Activation = int8_t;
    using Weights    = v128_t;
    struct Sum {
        v128_t rows;
    };
    static constexpr int kHalves = 2;

    static v128_t broadcast(const int8_t * activations) { return wasm_v128_load32_splat(activations); }
    static void spread(const int8_t (&group)[kTileRows][4], v128_t (&rows)[kTileRows]) { spread_words(group, rows); }
    static Weights load(const uint32_t * weights) { return wasm_v128_load(weights); }
    static Weights widen(v128_t weights) { return weights; }
    static Sum begin(const int32_t * start) { return {wasm_v128_load32_splat(start)}; }
    static void dot(Sum & sum, v128_t activations, Weights weights) {
        sum.rows = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(activations, weights, sum.rows);
    }
    static v128_t total(const Sum & sum, const int32_t *) { return sum.rows; }
};

// For engines where the instruction above is three: 16-bit sums of products, widened once a block. For weights of 0 to
// 15 only: 8 times 2 products of at most 15 * 127 are 30480.
struct RelaxedNibbleDot {
    using Activation = int8_t;
    using Weights    = v128_t;
    struct Sum {
        v128_t pairs;
    };
    static constexpr int kHalves = 2;

    static v128_t broadcast(const int8_t * activations) { return wasm_v128_load32_splat(activations); }
    static void spread(const int8_t (&group)[kTileRows][4], v128_t (&rows)[kTileRows]) { spread_words(group, rows); }
    static Weights load(const uint32_t * weights) { return wasm_v128_load(weights); }
    static Weights widen(v128_t weights) { return weights; }
    static Sum begin(const int32_t *) { return {wasm_i32x4_const_splat(0)}; }
    static void dot(Sum & sum, v128_t activations, Weights weights) {
        sum.pairs = wasm_i16x8_add(sum.pairs, wasm_i16x8_relaxed_dot_i8x16_i7x16(activations, weights));
    }
    static v128_t total(const Sum & sum, const int32_t * start) {
        return wasm_i32x4_add(wasm_v128_load32_splat(start), wasm_i32x4_dot_i16x8(sum.pairs, wasm_i16x8_const_splat(1)));
    }
};

#endif

// Fixed SIMD: 16-bit factors, so that weights may have all 8 bits, signed.
struct WideDot {
    using Activation = int16_t;
    struct Weights {
        v128_t rows01, rows23;
    };
    struct Sum {
        v128_t rows01, rows23; // lanes: the first row's even and odd pairs, then the second's
    };
    static constexpr int kHalves = 1;

    static v128_t broadcast(const int16_t * activations) { return wasm_v128_load64_splat(activations); }
    static void spread(const int16_t (&group)[kTileRows][4], v128_t (&rows)[kTileRows]) {
        const v128_t rows01 = wasm_v128_load(group[0]), rows23 = wasm_v128_load(group[2]);
        rows[0] = wasm_i64x2_shuffle(rows01, rows01, 0, 0);
        rows[1] = wasm_i64x2_shuffle(rows01, rows01, 1, 1);
        rows[2] = wasm_i64x2_shuffle(rows23, rows23, 0, 0);
        rows[3] = wasm_i64x2_shuffle(rows23, rows23, 1, 1);
    }
    static Weights load(const uint32_t * weights) {
        return {wasm_i16x8_load8x8(weights), wasm_i16x8_load8x8(weights + 2)};
    }
    static Weights widen(v128_t weights) {
        return {wasm_i16x8_extend_low_i8x16(weights), wasm_i16x8_extend_high_i8x16(weights)};
    }
    static Sum begin(const int32_t *) { return {wasm_i32x4_const_splat(0), wasm_i32x4_const_splat(0)}; }
    static void dot(Sum & sum, v128_t activations, Weights weights) {
        sum.rows01 = wasm_i32x4_add(sum.rows01, wasm_i32x4_dot_i16x8(weights.rows01, activations));
        sum.rows23 = wasm_i32x4_add(sum.rows23, wasm_i32x4_dot_i16x8(weights.rows23, activations));
    }
    static v128_t total(const Sum & sum, const int32_t * start) {
        const v128_t even = wasm_i32x4_shuffle(sum.rows01, sum.rows23, 0, 2, 4, 6);
        const v128_t odd  = wasm_i32x4_shuffle(sum.rows01, sum.rows23, 1, 3, 5, 7);
        return wasm_i32x4_add(wasm_v128_load32_splat(start), wasm_i32x4_add(even, odd));
    }
};

} // namespace ruminate::kernels
