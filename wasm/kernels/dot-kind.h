// What the engine makes of the instruction that the standard leaves open: i32x4.relaxed_dot_i8x16_i7x16_add.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

enum ruminate_dot_kind {
    RUMINATE_DOT_SIGNED   = 0, // all 8 bits of the second operand count, as a signed number (Arm's sdot)
    RUMINATE_DOT_UNSIGNED = 1, // all 8 bits count, as an unsigned number (x86's vpdpbusd)
    RUMINATE_DOT_SEVEN    = 2, // only 7 bits are exact, through saturating 16-bit sums (x86's pmaddubsw)
    RUMINATE_DOT_NONE     = 3, // built without relaxed SIMD
};

// One of enum ruminate_dot_kind.
int ruminate_dot_kind(void);

// Whether i16x8.relaxed_dot_i8x16_i7x16 can be trusted: V8 compiles it wrongly for processors without AVX (Node 24 with
// --no-enable-avx multiplies nibbles wrongly). Those have no fused multiply-add either, which shows in its rounding.
int ruminate_has_sound_pair_dot(void);

#ifdef __cplusplus
}
#endif
