// One activation row times a panel: decoding reads every weight once, so it unpacks as it goes. One panel at a time, since the
// weights come from memory: two panels, which would share the broadcast of the activations, are two streams, and on the
// processor measured (AMD, with VNNI) those came half as fast as one.
#pragma once

#include "arithmetic.h"
#include "float-simd.h"
#include "panel.h"

namespace ruminate::kernels {

// `InPlace`: a high nibble stays where it is, so that its sums come out 16 times too large, exactly. That takes an engine
// whose dot product has unsigned weights of 8 bits. Writes 8 results.
template <class Arithmetic, class Format, bool InPlace>
void gemv(const void * panel, const void * activations, int64_t n_blocks, float * out) {
    using Sum = typename Arithmetic::Sum;
    static_assert(Format::kBlocks > 1 || !Format::kHasMinimum, "minimums are added where a block of several ends");
    const Constants constants;
    auto * block = (const typename Format::Block *) panel;
    auto * a     = (const ActivationBlock<typename Arithmetic::Activation> *) activations;

    const v128_t zero = wasm_f32x4_const_splat(0);
    v128_t total[2] = {zero, zero}, products[2] = {zero, zero}, minimums[2] = {zero, zero};
    for (int64_t n = 0; n < n_blocks; n++, block++) {
        for (int i = 0; i < Format::kBlocks; i++, a++) {
            // Two sums for a half, so that additions do not wait for one another.
            Sum low[2], high[2];
            for (int half = 0; half < 2; half++) {
                low[half]  = Arithmetic::begin(&a->start[0]);
                high[half] = Arithmetic::begin(&a->start[1]);
            }
#pragma clang loop unroll_count(Format::kUnroll)
            for (int pair = 0; pair < kGroups / 2; pair++) {
                const v128_t x_low = Arithmetic::broadcast(a->values + 4 * pair), x_high = Arithmetic::broadcast(a->values + 4 * pair + 16);
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    const Pair weights = Format::template pair<InPlace>(*block, i, pair, half, constants);
                    Arithmetic::dot(low[half], x_low, Arithmetic::widen(weights.low));
                    Arithmetic::dot(high[half], x_high, Arithmetic::widen(weights.high));
                }
            }
            const v128_t a_scale = wasm_v128_load32_splat(&a->scale);
            const Rows scales = Format::scales(*block, i, 0, constants);
#pragma unroll
            for (int half = 0; half < 2; half++) {
                const v128_t first = Arithmetic::total(low[half], &a->start[0]), scale = wasm_f32x4_mul(a_scale, scales.halves[half]);
                v128_t last = Arithmetic::total(high[half], &a->start[1]);
                if constexpr (InPlace) {
                    last = wasm_i32x4_shr(last, 4);
                }
                if constexpr (Format::kScales == 1) {
                    products[half] = ruminate_madd(wasm_f32x4_convert_i32x4(wasm_i32x4_add(first, last)), scale, products[half]);
                } else {
                    const v128_t last_scale = wasm_f32x4_mul(a_scale, Format::scales(*block, i, 1, constants).halves[half]);
                    products[half] = ruminate_madd(wasm_f32x4_convert_i32x4(first), scale, products[half]);
                    products[half] = ruminate_madd(wasm_f32x4_convert_i32x4(last), last_scale, products[half]);
                }
                if constexpr (Format::kHasMinimum) {
                    minimums[half] = ruminate_madd(Format::minimums(*block, i).halves[half], wasm_v128_load32_splat(&a->minus_sum), minimums[half]);
                }
            }
        }
        for (int half = 0; half < 2; half++) {
            if constexpr (Format::kBlocks > 1) {
                total[half]    = ruminate_madd(products[half], wasm_v128_load(block->scale + 4 * half), total[half]);
                products[half] = zero;
            }
            if constexpr (Format::kHasMinimum) {
                total[half]    = ruminate_madd(minimums[half], wasm_v128_load(block->minimum + 4 * half), total[half]);
                minimums[half] = zero;
            }
        }
    }
    for (int half = 0; half < 2; half++) {
        wasm_v128_store(out + 4 * half, Format::kBlocks > 1 ? total[half] : products[half]);
    }
}

} // namespace ruminate::kernels
