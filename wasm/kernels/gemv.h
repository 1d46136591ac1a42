// One activation row times one or two panels: decoding reads every weight once, so it unpacks as it goes. Two panels
// share the broadcast of the activations.
#pragma once

#include "arithmetic.h"
#include "panel.h"

namespace ruminate::kernels {

// `InPlace`: a high nibble stays where it is, so that its sums come out 16 times too large, exactly. That takes an engine
// whose dot product has unsigned weights of 8 bits. `stride` is the number of blocks from one panel to the next; writes 8 results for each panel.
template <class Arithmetic, class Format, int Panels, bool InPlace>
void gemv(const void * panel, size_t stride, const void * activations, int64_t n_blocks, float * out) {
    using Sum = typename Arithmetic::Sum;
    constexpr int kHalves = 2 * Panels;
    auto * block = (const typename Format::Block *) panel;
    auto * a     = (const ActivationBlock<typename Arithmetic::Activation> *) activations;

    v128_t total[kHalves];
    for (v128_t & rows : total) {
        rows = wasm_f32x4_const_splat(0);
    }
    for (int64_t n = 0; n < n_blocks; n++, block++) {
        for (int i = 0; i < Format::kBlocks; i++, a++) {
            // Two sums for a half, so that additions do not wait for one another.
            Sum low[kHalves], high[kHalves];
            for (int half = 0; half < kHalves; half++) {
                low[half]  = Arithmetic::begin(&a->start[0]);
                high[half] = Arithmetic::begin(&a->start[1]);
            }
#pragma unroll
            for (int pair = 0; pair < kGroups / 2; pair++) {
                const v128_t x_low = Arithmetic::broadcast(a->values + 4 * pair), x_high = Arithmetic::broadcast(a->values + 4 * pair + 16);
#pragma unroll
                for (int half = 0; half < kHalves; half++) {
                    const Pair weights = Format::template pair<InPlace>(block[half / 2 * stride], i, pair, half % 2);
                    Arithmetic::dot(low[half], x_low, Arithmetic::widen(weights.low));
                    Arithmetic::dot(high[half], x_high, Arithmetic::widen(weights.high));
                }
            }
            const v128_t a_scale = wasm_v128_load32_splat(&a->scale);
#pragma unroll
            for (int half = 0; half < kHalves; half++) {
                const auto & panel_block = block[half / 2 * stride];
                const v128_t first = Arithmetic::total(low[half], &a->start[0]);
                v128_t last = Arithmetic::total(high[half], &a->start[1]);
                if constexpr (InPlace) {
                    last = wasm_i32x4_shr(last, 4);
                }
                const v128_t scale = wasm_f32x4_mul(a_scale, Format::scale(panel_block, i, 0, half % 2));
                if constexpr (Format::kScales == 1) {
                    total[half] = ruminate_madd(wasm_f32x4_convert_i32x4(wasm_i32x4_add(first, last)), scale, total[half]);
                } else {
                    const v128_t last_scale = wasm_f32x4_mul(a_scale, Format::scale(panel_block, i, 1, half % 2));
                    total[half] = ruminate_madd(wasm_f32x4_convert_i32x4(first), scale, total[half]);
                    total[half] = ruminate_madd(wasm_f32x4_convert_i32x4(last), last_scale, total[half]);
                }
                if constexpr (Format::kHasMinimum) {
                    total[half] = ruminate_madd(Format::minimum(panel_block, i, half % 2), wasm_v128_load32_splat(&a->minus_sum), total[half]);
                }
            }
        }
    }
    for (int half = 0; half < kHalves; half++) {
        wasm_v128_store(out + 4 * half, total[half]);
    }
}

} // namespace ruminate::kernels
