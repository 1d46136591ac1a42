// Activations as the kernels read them: blocks of 32 quantised values, rounded to nearest, with a scale of their own.
#pragma once

#include <stdint.h>

namespace ruminate::kernels {

constexpr int kBlock = 32;  // values in a block of activations
constexpr int kTileRows = 4; // activation rows that one tile takes

template <class Value> struct ActivationBlock {
    alignas(16) Value values[kBlock]; // -127 to 127
    float scale;
    float minus_sum;  // -scale * the sum of the values: what a weight format's minimum is multiplied by
    int32_t start[2]; // where the sums of the first and the last 16 products start, to undo the weights' offset
};

// The same of the rows of a tile, in the order in which it takes them: a vector has 4 values of every row, or one number of
// each, so that there is one access of memory for all. Engines that check accesses in software pay for each.
template <class Value> struct ActivationTile {
    alignas(16) Value values[kBlock / 4][kTileRows][4];
    float scale[kTileRows];
    float minus_sum[kTileRows];
    int32_t start[2][kTileRows];
};

// `offset` is what the panel adds to each weight; the starts are minus `offset` times the sum of the values, for both
// halves, or, if not `halves`, for the whole block in the first.
struct WeightOffset {
    int offset;
    bool halves;
};

template <class Value> void quantize(const float * x, WeightOffset offset, ActivationBlock<Value> & block);

// Of fewer rows than a tile has, the others count as zeros.
template <class Value> void quantize(const float * const * rows, int n_rows, WeightOffset offset, ActivationTile<Value> & tile);

} // namespace ruminate::kernels
