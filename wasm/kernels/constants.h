// Constants that a kernel keeps in registers. They are read from memory, where neither the compiler nor the engine knows
// them: V8 makes a constant that it knows anew at every use, in three instructions.
#pragma once

#include <stdint.h>
#include <wasm_simd128.h>

namespace ruminate::kernels {

extern uint32_t constants[]; // in the order below

struct Constants {
    v128_t low_nibbles  = wasm_v128_load32_splat(&constants[0]);
    v128_t high_nibbles = wasm_v128_load32_splat(&constants[1]);
    v128_t bit4         = wasm_v128_load32_splat(&constants[2]);
    v128_t bits45       = wasm_v128_load32_splat(&constants[3]);
    v128_t half_bits    = wasm_v128_load32_splat(&constants[4]);
    v128_t half_factor  = wasm_v128_load32_splat(&constants[5]);

    // As ruminate_load_finite_f16x4() does it.
    v128_t load_half(const void * halves) const {
        return wasm_f32x4_mul(wasm_v128_and(wasm_i32x4_shl(wasm_i32x4_load16x4(halves), 13), half_bits), half_factor);
    }
};

} // namespace ruminate::kernels
