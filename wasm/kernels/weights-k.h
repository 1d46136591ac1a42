// Formats with blocks of 256 values: Q4_K and Q5_K (a scale and a minimum for 32 values), Q6_K (a scale for 16).
// The blocks' own scales are kept in single precision: they are often subnormal halves, which processors convert slowly.
#pragma once

#include "float-simd.h"
#include "panel.h"

#include <string.h>
#include <type_traits>

namespace ruminate::kernels {

static inline float half_to_float(uint16_t half) {
    const uint16_t halves[4] = {half};
    return wasm_f32x4_extract_lane(ruminate_load_f16x4(halves), 0);
}

// Scales and minimums of 8 blocks of 32 values, 6 bits each, as files pack them in 12 bytes.
struct SixBitScales {
    uint8_t bytes[12];

    uint8_t scale(int i) const {
        return i < 4 ? bytes[i] & 63 : (bytes[i + 4] & 15) | (bytes[i - 4] >> 6) << 4;
    }
    uint8_t minimum(int i) const {
        return i < 4 ? bytes[i + 4] & 63 : bytes[i + 4] >> 4 | (bytes[i] >> 6) << 4;
    }
};

// High bits of a block: bit `group` of a byte belongs to the value at that byte's place in the group.
struct alignas(16) HighBits {
    uint32_t bits[2][4];
};

template <bool FiveBits> struct Q45_K {
    struct FileBlock4 {
        uint16_t     scale, minimum;
        SixBitScales scales;
        uint8_t      nibbles[128];
    };
    struct FileBlock5 {
        uint16_t     scale, minimum;
        SixBitScales scales;
        uint8_t      high[32];
        uint8_t      nibbles[128];
    };
    struct SubBlock4 {
        uint8_t scale[kPanelRows], minimum[kPanelRows];
        Nibbles nibbles;
    };
    struct SubBlock5 {
        uint8_t  scale[kPanelRows], minimum[kPanelRows];
        Nibbles  nibbles;
        HighBits high;
    };
    using FileBlock = std::conditional_t<FiveBits, FileBlock5, FileBlock4>;
    struct Block {
        float scale[kPanelRows], minimum[kPanelRows];
        std::conditional_t<FiveBits, SubBlock5, SubBlock4> sub[8];
    };
    static constexpr int  kBlocks = 8, kScales = 1, kUnroll = FiveBits ? 4 : 1, kOffset = 0, kValueBits = FiveBits ? 5 : 4;
    static constexpr bool kHasMinimum = true;

    static void pack(const FileBlock & file, int row, Block & block) {
        block.scale[row]   = half_to_float(file.scale);
        block.minimum[row] = half_to_float(file.minimum);
        for (int i = 0; i < kBlocks; i++) {
            auto & sub       = block.sub[i];
            sub.scale[row]   = file.scales.scale(i);
            sub.minimum[row] = file.scales.minimum(i);
            // A byte of the file has nibbles of two neighbouring blocks, and bits of all eight.
            uint32_t values[kGroups];
            for (int group = 0; group < kGroups; group++) {
                memcpy(&values[group], file.nibbles + 32 * (i / 2) + 4 * group, 4);
                values[group] >>= i % 2 * 4;
            }
            store_nibbles(sub.nibbles, row, values);
            if constexpr (FiveBits) {
                uint32_t high = 0;
                for (int group = 0; group < kGroups; group++) {
                    uint32_t bits;
                    memcpy(&bits, file.high + 4 * group, 4);
                    high |= (bits >> i & 0x01010101) << group;
                }
                sub.high.bits[row / 4][row % 4] = high;
            }
        }
    }
    template <bool HighInPlace> static Pair pair(const Block & block, int i, int pair, int half, const Constants & constants) {
        const auto & sub = block.sub[i];
        if constexpr (FiveBits) {
            const Pair nibbles = nibble_pair<false>(sub.nibbles, pair, half, constants);
            const v128_t bits = wasm_v128_load(sub.high.bits[half]), bit4 = constants.bit4;
            // Bits `pair` and `pair + 4` to place 4; bits that a shift brings from the neighbouring byte are masked off.
            const v128_t low = wasm_i16x8_shl(bits, 4 - pair), high = wasm_u16x8_shr(bits, pair);
            return {wasm_v128_or(nibbles.low, wasm_v128_and(low, bit4)), wasm_v128_or(nibbles.high, wasm_v128_and(high, bit4))};
        } else {
            return nibble_pair<HighInPlace>(sub.nibbles, pair, half, constants);
        }
    }
    static Rows scales(const Block & block, int i, int, const Constants &) { return to_floats(block.sub[i].scale); }
    static Rows minimums(const Block & block, int i) { return to_floats(block.sub[i].minimum); }
};

using Q4_K = Q45_K<false>;
using Q5_K = Q45_K<true>;

struct Q6_K {
    struct FileBlock {
        uint8_t  nibbles[128];
        uint8_t  high[64];
        int8_t   scales[16];
        uint16_t scale;
    };
    struct SubBlock {
        int8_t  scale[2][kPanelRows];
        Nibbles nibbles;
        // Two bits a value: the first vector has groups 0 to 3, the second groups 4 to 7.
        alignas(16) uint32_t high[2][2][4]; // [half][groups / 4][row]
    };
    struct Block {
        float    scale[kPanelRows];
        SubBlock sub[8];
    };
    static constexpr int  kBlocks = 8, kScales = 2, kUnroll = 4, kOffset = 32, kValueBits = 6;
    static constexpr bool kHasMinimum = false;

    static void pack(const FileBlock & file, int row, Block & block) {
        block.scale[row] = half_to_float(file.scale);
        for (int i = 0; i < kBlocks; i++) {
            SubBlock & sub    = block.sub[i];
            sub.scale[0][row] = file.scales[2 * i];
            sub.scale[1][row] = file.scales[2 * i + 1];
            // Each half of a file's block has four blocks of 32: low nibbles of 64 bytes, then the high ones; the two
            // bits above are the four pairs of 32 bytes.
            const uint8_t * nibbles = file.nibbles + 64 * (i / 4) + 32 * (i % 2), * bits = file.high + 32 * (i / 4);
            uint32_t values[kGroups], high[2] = {};
            for (int group = 0; group < kGroups; group++) {
                uint32_t above;
                memcpy(&values[group], nibbles + 4 * group, 4);
                memcpy(&above, bits + 4 * group, 4);
                values[group] >>= i % 4 / 2 * 4;
                high[group / 4] |= (above >> i % 4 * 2 & 0x03030303) << group % 4 * 2;
            }
            store_nibbles(sub.nibbles, row, values);
            sub.high[row / 4][0][row % 4] = high[0];
            sub.high[row / 4][1][row % 4] = high[1];
        }
    }
    template <bool> static Pair pair(const Block & block, int i, int pair, int half, const Constants & constants) {
        const SubBlock & sub = block.sub[i];
        const Pair nibbles = nibble_pair<false>(sub.nibbles, pair, half, constants);
        const v128_t low  = wasm_v128_and(move_bits(wasm_v128_load(sub.high[half][0]), pair), constants.bits45);
        const v128_t high = wasm_v128_and(move_bits(wasm_v128_load(sub.high[half][1]), pair), constants.bits45);
        return {wasm_v128_or(nibbles.low, low), wasm_v128_or(nibbles.high, high)};
    }
    static Rows scales(const Block & block, int i, int part, const Constants &) { return to_floats(block.sub[i].scale[part]); }

  private:
    // Bits 2 * group and above, moved to places 4 and above.
    static v128_t move_bits(v128_t bits, int group) {
        return group < 2 ? wasm_i16x8_shl(bits, 4 - 2 * group) : wasm_u16x8_shr(bits, 2 * group - 4);
    }
};

static_assert(sizeof(Q4_K::FileBlock) == 144 && sizeof(Q4_K::Block) == 64 + 8 * 144);
static_assert(sizeof(Q5_K::FileBlock) == 176 && sizeof(Q5_K::Block) == 64 + 8 * 176);
static_assert(sizeof(Q6_K::FileBlock) == 210 && sizeof(Q6_K::Block) == 32 + 8 * 208);

} // namespace ruminate::kernels
