// Floating-point vectors that both ggml's C files and our C++ use: fused multiply-add, half precision, exp.
#pragma once

#include <stdint.h>
#include <wasm_simd128.h>

// a * b + c, rounded once where the engine has a fused instruction.
static inline v128_t ruminate_madd(v128_t a, v128_t b, v128_t c) {
#ifdef __wasm_relaxed_simd__
    return wasm_f32x4_relaxed_madd(a, b, c);
#else
    return wasm_f32x4_add(wasm_f32x4_mul(a, b), c);
#endif
}

// One of four numbers, four times. `lane` has to be known when it is compiled.
static inline v128_t ruminate_spread(v128_t v, int lane) {
    switch (lane) {
        case 0: return wasm_i32x4_shuffle(v, v, 0, 0, 0, 0);
        case 1: return wasm_i32x4_shuffle(v, v, 1, 1, 1, 1);
        case 2: return wasm_i32x4_shuffle(v, v, 2, 2, 2, 2);
        default: return wasm_i32x4_shuffle(v, v, 3, 3, 3, 3);
    }
}

static inline float ruminate_sum(v128_t v) {
    v = wasm_f32x4_add(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
    return wasm_f32x4_extract_lane(v, 0) + wasm_f32x4_extract_lane(v, 1);
}

// Four finite half-precision numbers to single precision. The exponent moves by a multiplication, which subnormal
// halves survive; infinities and NaNs come out as numbers above 65504.
static inline v128_t ruminate_load_finite_f16x4(const void * halves) {
    const v128_t bits = wasm_i32x4_shl(wasm_i32x4_load16x4(halves), 13);
    return wasm_f32x4_mul(wasm_v128_and(bits, wasm_i32x4_const_splat((int32_t) 0x8fffe000)), wasm_f32x4_const_splat(0x1p112f));
}

// The same for every half-precision number.
static inline v128_t ruminate_load_f16x4(const void * halves) {
    const v128_t finite  = ruminate_load_finite_f16x4(halves);
    const v128_t special = wasm_f32x4_ge(wasm_f32x4_abs(finite), wasm_f32x4_const_splat(65536.0f));
    return wasm_v128_or(finite, wasm_v128_and(special, wasm_i32x4_const_splat(0x7f800000)));
}

// Four numbers to half precision, to nearest, ties to even. Every NaN becomes a quiet one.
static inline void ruminate_store_f16x4(void * halves, v128_t x) {
    const v128_t sign      = wasm_v128_and(x, wasm_i32x4_const_splat((int32_t) 0x80000000));
    const v128_t magnitude = wasm_v128_xor(x, sign);
    // Normal halves: move the exponent and round by adding half of the last place, less one if that place is even.
    const v128_t odd     = wasm_v128_and(wasm_u32x4_shr(magnitude, 13), wasm_i32x4_const_splat(1));
    const v128_t rounded = wasm_i32x4_add(wasm_i32x4_add(magnitude, wasm_i32x4_const_splat((int32_t) 0xc8000fff)), odd);
    const v128_t normal  = wasm_u32x4_shr(rounded, 13);
    // Subnormal halves: at 0.5 the last place of single precision is that of a subnormal half, so an addition rounds.
    const v128_t subnormal = wasm_i32x4_sub(wasm_f32x4_add(magnitude, wasm_f32x4_const_splat(0.5f)), wasm_i32x4_const_splat(0x3f000000));
    const v128_t is_nan    = wasm_i32x4_gt(magnitude, wasm_i32x4_const_splat(0x7f800000));
    const v128_t special   = wasm_v128_or(wasm_i32x4_const_splat(0x7c00), wasm_v128_and(is_nan, wasm_i32x4_const_splat(0x200)));

    const v128_t is_small = wasm_i32x4_lt(magnitude, wasm_i32x4_const_splat(113 << 23));
    const v128_t is_large = wasm_i32x4_gt(magnitude, wasm_i32x4_const_splat(0x477fffff));
    v128_t half = wasm_v128_bitselect(subnormal, normal, is_small);
    half = wasm_v128_or(wasm_v128_bitselect(special, half, is_large), wasm_u32x4_shr(sign, 16));
    half = wasm_i8x16_shuffle(half, half, 0, 1, 4, 5, 8, 9, 12, 13, 0, 1, 4, 5, 8, 9, 12, 13);
    wasm_v128_store64_lane(halves, half, 0);
}

// e^x to about one unit in the last place: 0 below -87.3, infinity above 88.7, NaN for NaN.
static inline v128_t ruminate_exp(v128_t x) {
    const v128_t lowest = wasm_f32x4_const_splat(-87.3f), highest = wasm_f32x4_const_splat(88.7f);
    // pmin and pmax keep a NaN in their first operand, and are single instructions where min and max are not.
    const v128_t bounded = wasm_f32x4_pmin(wasm_f32x4_pmax(x, lowest), highest);
    // x = n ln 2 + r, with ln 2 in two parts so that r keeps its last bits.
    const v128_t n = wasm_f32x4_nearest(wasm_f32x4_mul(bounded, wasm_f32x4_const_splat(1.44269504f)));
    v128_t r = ruminate_madd(n, wasm_f32x4_const_splat(-0.693359375f), bounded);
    r = ruminate_madd(n, wasm_f32x4_const_splat(2.12194440e-4f), r);
    // Taylor's terms, fitted to |r| <= ln 2 / 2.
    v128_t p = ruminate_madd(r, wasm_f32x4_const_splat(1.9875691500e-4f), wasm_f32x4_const_splat(1.3981999507e-3f));
    p = ruminate_madd(p, r, wasm_f32x4_const_splat(8.3334519073e-3f));
    p = ruminate_madd(p, r, wasm_f32x4_const_splat(4.1665795894e-2f));
    p = ruminate_madd(p, r, wasm_f32x4_const_splat(1.6666665459e-1f));
    p = ruminate_madd(p, r, wasm_f32x4_const_splat(5.0000001201e-1f));
    p = wasm_f32x4_add(ruminate_madd(p, wasm_f32x4_mul(r, r), r), wasm_f32x4_const_splat(1.0f));
    // 2^n in two factors, since n may be 128, which no single exponent holds.
    const v128_t exponent = wasm_i32x4_trunc_sat_f32x4(n), part = wasm_i32x4_shr(exponent, 1), bias = wasm_i32x4_const_splat(127);
    const v128_t factor1 = wasm_i32x4_shl(wasm_i32x4_add(part, bias), 23);
    const v128_t factor2 = wasm_i32x4_shl(wasm_i32x4_add(wasm_i32x4_sub(exponent, part), bias), 23);
    const v128_t result  = wasm_f32x4_mul(wasm_f32x4_mul(p, factor1), factor2);
    const v128_t finite  = wasm_v128_bitselect(wasm_f32x4_const_splat(__builtin_inff()), result, wasm_f32x4_gt(x, highest));
    return wasm_v128_andnot(finite, wasm_f32x4_lt(x, lowest));
}

// x / (1 + e^-x)
static inline v128_t ruminate_silu(v128_t x) {
    return wasm_f32x4_div(x, wasm_f32x4_add(wasm_f32x4_const_splat(1.0f), ruminate_exp(wasm_f32x4_neg(x))));
}
