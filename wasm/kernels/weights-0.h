// Formats with one scale for 32 values: Q4_0 and Q8_0.
#pragma once

#include "panel.h"

#include <string.h>

namespace ruminate::kernels {

struct Q4_0 {
    struct FileBlock {
        uint16_t scale;
        uint8_t  nibbles[16];
    };
    struct Block {
        uint16_t scale[kPanelRows];
        Nibbles  nibbles;
    };
    static constexpr int  kBlocks = 1, kScales = 1, kUnroll = 1, kOffset = 8, kValueBits = 4;
    static constexpr bool kHasMinimum = false;

    static void pack(const FileBlock & file, int row, Block & block) {
        block.scale[row] = file.scale;
        // Files pair values as nibbles the way panels do.
        for (int i = 0; i < kGroups / 2; i++) {
            memcpy(&block.nibbles.pairs[i][row / 4][row % 4], file.nibbles + 4 * i, 4);
        }
    }
    template <bool HighInPlace> static Pair pair(const Block & block, int, int pair, int half, const Constants & constants) {
        return nibble_pair<HighInPlace>(block.nibbles, pair, half, constants);
    }
    static Rows scales(const Block & block, int, int, const Constants & constants) {
        return {constants.load_half(block.scale), constants.load_half(block.scale + 4)};
    }
};

// `Unsigned`: values are kept with 128 added, for engines whose dot product takes weights so.
template <bool Unsigned> struct Q8_0 {
    struct FileBlock {
        uint16_t scale;
        int8_t   values[32];
    };
    struct Block {
        uint16_t scale[kPanelRows];
        alignas(16) Group groups[kGroups];
    };
    static constexpr int  kBlocks = 1, kScales = 1, kUnroll = 1, kOffset = Unsigned ? 128 : 0, kValueBits = 8;
    static constexpr bool kHasMinimum = false;

    static void pack(const FileBlock & file, int row, Block & block) {
        block.scale[row] = file.scale;
        for (int i = 0; i < kGroups; i++) {
            uint32_t values;
            memcpy(&values, file.values + 4 * i, 4);
            block.groups[i][row / 4][row % 4] = Unsigned ? values ^ 0x80808080 : values;
        }
    }
    template <bool> static Pair pair(const Block & block, int, int pair, int half, const Constants &) {
        return {wasm_v128_load(block.groups[pair][half]), wasm_v128_load(block.groups[pair + 4][half])};
    }
    static Rows scales(const Block & block, int, int, const Constants & constants) {
        return {constants.load_half(block.scale), constants.load_half(block.scale + 4)};
    }
};

static_assert(sizeof(Q4_0::FileBlock) == 18 && sizeof(Q4_0::Block) == 8 * 18);
static_assert(sizeof(Q8_0<true>::FileBlock) == 34 && sizeof(Q8_0<true>::Block) == 8 * 34);

} // namespace ruminate::kernels
