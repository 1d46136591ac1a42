// Several activation rows times a panel. The panel's weights are unpacked to bytes once, for all activation rows; what
// the tiles then read is the same for every format.
#pragma once

#include "arithmetic.h"
#include "float-simd.h"
#include "panel.h"

#include <type_traits>

namespace ruminate::kernels {

struct Minimums {
    float minimum[kPanelRows];
};
struct NoMinimums {};

template <int Scales, bool HasMinimum> struct UnpackedBlock : std::conditional_t<HasMinimum, Minimums, NoMinimums> {
    alignas(16) Group groups[kGroups];
    float scale[Scales][kPanelRows];
};

template <class Format> using Unpacked = UnpackedBlock<Format::kScales, Format::kHasMinimum>;

template <class Format> void unpack(const void * panel, int64_t n_blocks, void * unpacked) {
    const Constants constants;
    auto * block = (const typename Format::Block *) panel;
    auto * out   = (Unpacked<Format> *) unpacked;
    for (int64_t n = 0; n < n_blocks; n++, block++) {
        for (int i = 0; i < Format::kBlocks; i++, out++) {
#pragma unroll
            for (int pair = 0; pair < kGroups / 2; pair++) {
                for (int half = 0; half < 2; half++) {
                    const Pair weights = Format::template pair<false>(*block, i, pair, half, constants);
                    wasm_v128_store(out->groups[pair][half], weights.low);
                    wasm_v128_store(out->groups[pair + 4][half], weights.high);
                }
            }
            for (int part = 0; part < Format::kScales; part++) {
                const Rows scales = Format::scales(*block, i, part, constants);
                for (int half = 0; half < 2; half++) {
                    v128_t scale = scales.halves[half];
                    if constexpr (Format::kBlocks > 1) {
                        scale = wasm_f32x4_mul(scale, wasm_v128_load(block->scale + 4 * half));
                    }
                    wasm_v128_store(out->scale[part] + 4 * half, scale);
                }
            }
            if constexpr (Format::kHasMinimum) {
                const Rows minimums = Format::minimums(*block, i);
                for (int half = 0; half < 2; half++) {
                    wasm_v128_store(out->minimum + 4 * half, wasm_f32x4_mul(minimums.halves[half], wasm_v128_load(block->minimum + 4 * half)));
                }
            }
        }
    }
}

// The activation rows of a tile by the 8 rows of an unpacked panel. `out` has a pointer for each activation row; results are
// added to what is there if `add`.
//
// The loop over groups stays a loop: unrolled, the compiler turns it into one chain of products after another, whose weights
// all wait on the stack. There a vector may lie across two cache lines, which makes it slow in every other call or so.
template <class Arithmetic, int Scales, bool HasMinimum>
void tile(const void * unpacked, const void * activations, int64_t n_blocks, float * const * out, bool add) {
    using Sum = typename Arithmetic::Sum;
    constexpr int kHalves = Arithmetic::kHalves;
    for (int first_half = 0; first_half < 2; first_half += kHalves) {
        auto * w = (const UnpackedBlock<Scales, HasMinimum> *) unpacked;
        auto * a = (const ActivationTile<typename Arithmetic::Activation> *) activations;
        v128_t total[kTileRows][kHalves];
        for (int row = 0; row < kTileRows; row++) {
            for (int half = 0; half < kHalves; half++) {
                total[row][half] = add ? wasm_v128_load(out[row] + 4 * (first_half + half)) : wasm_f32x4_const_splat(0);
            }
        }
        for (int64_t n = 0; n < n_blocks; n++, w++, a++) {
#pragma unroll
            for (int part = 0; part < Scales; part++) {
                Sum sum[kTileRows][kHalves];
                for (int row = 0; row < kTileRows; row++) {
                    for (int half = 0; half < kHalves; half++) {
                        sum[row][half] = Arithmetic::begin(&a->start[part][row]);
                    }
                }
#pragma clang loop unroll(disable)
                for (int i = 0; i < kGroups / Scales; i++) {
                    const int group = part * (kGroups / Scales) + i;
                    typename Arithmetic::Weights weights[kHalves];
                    for (int half = 0; half < kHalves; half++) {
                        weights[half] = Arithmetic::load(w->groups[group][first_half + half]);
                    }
                    v128_t x[kTileRows];
                    Arithmetic::spread(a->values[group], x);
#pragma unroll
                    for (int row = 0; row < kTileRows; row++) {
                        for (int half = 0; half < kHalves; half++) {
                            Arithmetic::dot(sum[row][half], x[row], weights[half]);
                        }
                    }
                }
                v128_t scale[kHalves];
                for (int half = 0; half < kHalves; half++) {
                    scale[half] = wasm_v128_load(w->scale[part] + 4 * (first_half + half));
                }
                const v128_t a_scales = wasm_v128_load(a->scale);
#pragma unroll
                for (int row = 0; row < kTileRows; row++) {
                    const v128_t a_scale = ruminate_spread(a_scales, row);
                    for (int half = 0; half < kHalves; half++) {
                        const v128_t products = wasm_f32x4_convert_i32x4(Arithmetic::total(sum[row][half], &a->start[part][row]));
                        total[row][half] = ruminate_madd(products, wasm_f32x4_mul(scale[half], a_scale), total[row][half]);
                    }
                }
            }
            if constexpr (HasMinimum) {
                v128_t minimum[kHalves];
                for (int half = 0; half < kHalves; half++) {
                    minimum[half] = wasm_v128_load(w->minimum + 4 * (first_half + half));
                }
                const v128_t minus_sums = wasm_v128_load(a->minus_sum);
#pragma unroll
                for (int row = 0; row < kTileRows; row++) {
                    const v128_t minus_sum = ruminate_spread(minus_sums, row);
                    for (int half = 0; half < kHalves; half++) {
                        total[row][half] = ruminate_madd(minimum[half], minus_sum, total[row][half]);
                    }
                }
            }
        }
        for (int row = 0; row < kTileRows; row++) {
            for (int half = 0; half < kHalves; half++) {
                wasm_v128_store(out[row] + 4 * (first_half + half), total[row][half]);
            }
        }
    }
}

} // namespace ruminate::kernels
