// Weights that are not quantised: F16, and their products in single precision.
#pragma once

#include "float-simd.h"
#include "kernel.h"
#include "panel.h"

#include <string.h>

namespace ruminate::kernels {

// [value][row]: one value of 8 rows after another, to be multiplied with one broadcast activation.
struct HalfBlock {
    alignas(16) uint16_t values[kBlock][kPanelRows];
};
struct FloatBlock {
    alignas(16) float values[kBlock][kPanelRows];
};

// Activations stay what they are; those of a tile: [value][row].
struct FloatActivations {
    float values[kBlock];
};
struct FloatTile {
    alignas(16) float values[kBlock][kTileRows];
};

inline void copy_activations(const float * x, void * block) {
    memcpy(block, x, sizeof(FloatActivations));
}

inline void copy_tile(const float * const * rows, int n_rows, void * block) {
    auto & tile = *(FloatTile *) block;
    for (int row = 0; row < kTileRows; row++) {
        for (int value = 0; value < kBlock; value++) {
            tile.values[value][row] = row < n_rows ? rows[row][value] : 0.0f;
        }
    }
}

inline void pack_halves(const void * rows, int64_t n_blocks, void * panel) {
    auto * numbers = (const uint16_t *) rows;
    auto * block   = (HalfBlock *) panel;
    for (int64_t i = 0; i < n_blocks; i++) {
        for (int row = 0; row < kPanelRows; row++) {
            for (int value = 0; value < kBlock; value++) {
                block[i].values[value][row] = numbers[(row * n_blocks + i) * kBlock + value];
            }
        }
    }
}

inline void unpack_halves(const void * panel, int64_t n_blocks, void * unpacked) {
    auto * halves = (const uint16_t *) panel;
    auto * out    = (float *) unpacked;
    const Constants constants;
    for (int64_t i = 0; i < n_blocks * kBlock * kPanelRows; i += 4) {
        wasm_v128_store(out + i, constants.load_half(halves + i));
    }
}

inline void gemv_halves(const void * panel, const void * activations, int64_t n_blocks, float * out) {
    constexpr int kSums = 4; // for a half, so that additions do not wait for one another
    const Constants constants;
    auto * block = (const HalfBlock *) panel;
    auto * x     = (const float *) activations;
    v128_t total[kSums][2];
    for (auto & sums : total) {
        for (v128_t & sum : sums) {
            sum = wasm_f32x4_const_splat(0);
        }
    }
    for (int64_t n = 0; n < n_blocks; n++, block++, x += kBlock) {
#pragma clang loop unroll(disable)
        for (int value = 0; value < kBlock; value += kSums) {
#pragma unroll
            for (int i = 0; i < kSums; i++) {
                const v128_t activation = wasm_v128_load32_splat(x + value + i);
                for (int half = 0; half < 2; half++) {
                    const v128_t weights = constants.load_half(block->values[value + i] + 4 * half);
                    total[i][half] = ruminate_madd(weights, activation, total[i][half]);
                }
            }
        }
    }
    for (int half = 0; half < 2; half++) {
        const v128_t first = wasm_f32x4_add(total[0][half], total[1][half]), last = wasm_f32x4_add(total[2][half], total[3][half]);
        wasm_v128_store(out + 4 * half, wasm_f32x4_add(first, last));
    }
}

inline void tile_floats(const void * unpacked, const void * activations, int64_t n_blocks, float * const * out, bool add) {
    auto * w = (const FloatBlock *) unpacked;
    auto * a = (const FloatTile *) activations;
    v128_t total[kTileRows][2];
    for (int row = 0; row < kTileRows; row++) {
        for (int half = 0; half < 2; half++) {
            total[row][half] = add ? wasm_v128_load(out[row] + 4 * half) : wasm_f32x4_const_splat(0);
        }
    }
    for (int64_t n = 0; n < n_blocks; n++, w++, a++) {
#pragma clang loop unroll(disable)
        for (int value = 0; value < kBlock; value++) {
            const v128_t weights[2] = {wasm_v128_load(w->values[value]), wasm_v128_load(w->values[value] + 4)};
            const v128_t rows = wasm_v128_load(a->values[value]);
#pragma unroll
            for (int row = 0; row < kTileRows; row++) {
                const v128_t activation = ruminate_spread(rows, row);
                total[row][0] = ruminate_madd(weights[0], activation, total[row][0]);
                total[row][1] = ruminate_madd(weights[1], activation, total[row][1]);
            }
        }
    }
    for (int row = 0; row < kTileRows; row++) {
        wasm_v128_store(out[row], total[row][0]);
        wasm_v128_store(out[row] + 4, total[row][1]);
    }
}

inline const Kernel * make_half_kernel() {
    static const Kernel kernel = {
        kBlock,
        sizeof(uint16_t) * kBlock,
        sizeof(HalfBlock),
        sizeof(FloatBlock),
        sizeof(FloatActivations),
        sizeof(FloatTile),
        copy_activations,
        copy_tile,
        pack_halves,
        unpack_halves,
        gemv_halves,
        tile_floats,
    };
    return &kernel;
}

} // namespace ruminate::kernels
