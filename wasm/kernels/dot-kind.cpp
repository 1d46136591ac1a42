#include "dot-kind.h"

#include <stdint.h>
#include <wasm_simd128.h>

#ifdef __wasm_relaxed_simd__
static v128_t dot(int8_t first, int8_t second) {
    return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_i8x16_splat(first), wasm_i8x16_splat(second), wasm_i32x4_const_splat(0));
}

static bool is_splat(v128_t v, int32_t expected) {
    return wasm_i32x4_all_true(wasm_i32x4_eq(v, wasm_i32x4_splat(expected)));
}

static int probe() {
    // Read at run time: the compiler may fold the instruction, and differently from the engine.
    static volatile int8_t large = 100, all_bits = -1, lowest = -128;
    const v128_t product = dot(large, all_bits), extreme = dot(lowest, lowest);
    if (is_splat(product, 4 * 100 * -1) && is_splat(extreme, 4 * 128 * 128)) {
        return RUMINATE_DOT_SIGNED;
    }
    if (is_splat(product, 4 * 100 * 255) && is_splat(extreme, 4 * -128 * 128)) {
        return RUMINATE_DOT_UNSIGNED;
    }
    return RUMINATE_DOT_SEVEN;
}

static bool is_madd_fused() {
    // (1 + 2^-12)^2 is 1 + 2^-11 + 2^-24, whose last bit a rounded product loses.
    static volatile float factor = 1 + 0x1p-12f, addend = -(1 + 0x1p-11f);
    const v128_t square = wasm_f32x4_relaxed_madd(wasm_f32x4_splat(factor), wasm_f32x4_splat(factor), wasm_f32x4_splat(addend));
    return wasm_f32x4_extract_lane(square, 0) == 0x1p-24f;
}
#endif

extern "C" int ruminate_dot_kind(void) {
#ifdef __wasm_relaxed_simd__
    static const int kind = probe();
    return kind;
#else
    return RUMINATE_DOT_NONE;
#endif
}

extern "C" int ruminate_has_sound_pair_dot(void) {
#ifdef __wasm_relaxed_simd__
    static const bool sound = is_madd_fused();
    return sound;
#else
    return 0;
#endif
}
