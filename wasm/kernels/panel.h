// The layout of weights in memory: panels of 8 rows. A panel's block holds the same values of all 8 rows, interleaved by
// groups of 4 values, so that a vector has 4 rows by 4 values and one group of activations, broadcast, meets 4 rows at
// once: no widening of bytes, no sums across a vector.
#pragma once

#include "activations.h"
#include "constants.h"

namespace ruminate::kernels {

constexpr int kPanelRows = 8;
constexpr int kGroups    = kBlock / 4; // groups of 4 values in a block

// 4 values of one row as the bytes of a word; a vector is 4 rows of them, and a panel's group has two: [half][row of 4].
using Group = uint32_t[2][4];

// Nibbles of a block. The low ones are groups 0 to 3, the high ones groups 4 to 7.
struct alignas(16) Nibbles {
    Group pairs[kGroups / 2];
};

// Weights of groups i and i + 4, for 4 rows. `high` is 16 times too large if kept in place.
struct Pair {
    v128_t low, high;
};

template <bool HighInPlace>
static inline Pair nibble_pair(const Nibbles & nibbles, int pair, int half, const Constants & constants) {
    const v128_t bytes = wasm_v128_load(nibbles.pairs[pair][half]), low = wasm_v128_and(bytes, constants.low_nibbles);
    if constexpr (HighInPlace) {
        return {low, wasm_v128_and(bytes, constants.high_nibbles)};
    } else {
        return {low, wasm_v128_and(wasm_u16x8_shr(bytes, 4), constants.low_nibbles)};
    }
}

// Puts the low 4 bits of a row's 32 values (8 words of 4) into a panel's block.
static inline void store_nibbles(Nibbles & nibbles, int row, const uint32_t (&values)[kGroups]) {
    for (int i = 0; i < kGroups / 2; i++) {
        nibbles.pairs[i][row / 4][row % 4] = (values[i] & 0x0f0f0f0f) | (values[i + 4] & 0x0f0f0f0f) << 4;
    }
}

// A number for each row of a panel.
struct Rows {
    v128_t halves[2];
};

static inline Rows to_floats(const uint8_t (&bytes)[kPanelRows]) {
    const v128_t words = wasm_u16x8_load8x8(bytes);
    return {wasm_f32x4_convert_i32x4(wasm_u32x4_extend_low_u16x8(words)), wasm_f32x4_convert_i32x4(wasm_u32x4_extend_high_u16x8(words))};
}

static inline Rows to_floats(const int8_t (&bytes)[kPanelRows]) {
    const v128_t words = wasm_i16x8_load8x8(bytes);
    return {wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(words)), wasm_f32x4_convert_i32x4(wasm_i32x4_extend_high_i16x8(words))};
}

// A weight format is a struct with
//   FileBlock, Block       a row's block as files have it, and a panel's block
//   kBlocks                blocks of 32 values in one of those; where there are several, it has scale[] and, if kHasMinimum,
//                          minimum[], which the scales and minimums of all of them are to be multiplied with
//   kUnroll                how often a loop over pairs is unrolled: 4 where a pair's shifts have to be known, else 1, which
//                          keeps the compiler from making one long chain of all sums
//   kScales                scales for 32 values, 1 or 2
//   kHasMinimum            weights are scale * value - minimum
//   kOffset                what was added to the values to make them unsigned
//   kValueBits             bits of a value, the offset included
//   pack(file, row, block) puts one row's file block into a panel's block
//   pair(block, i, pair, half, constants)   weights of the i-th 32 values
//   scales(block, i, part, constants)
//   minimums(block, i)

} // namespace ruminate::kernels
