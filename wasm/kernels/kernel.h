// One weight format's kernels, chosen for the engine that runs them.
#pragma once

#include "activations.h"

#include <stddef.h>

struct ggml_tensor;

namespace ruminate::kernels {

using Gemv = void (*)(const void * panel, const void * activations, int64_t n_blocks, float * out);
// Here n_blocks counts blocks of 32 values.
using Tile = void (*)(const void * unpacked, const void * activations, int64_t n_blocks, float * const * out, bool add);

struct Kernel {
    int    block_values;     // values of one row in a block
    size_t file_block_bytes; // of a row's block in a file
    size_t block_bytes;      // of a panel's block
    size_t unpacked_bytes;   // of 32 values of a panel, unpacked
    size_t activation_bytes; // of 32 values of a quantised activation row
    size_t tile_bytes;       // of 32 values of the quantised activation rows of a tile

    void (*quantize)(const float * x, void * block);
    void (*quantize_tile)(const float * const * rows, int n_rows, void * block);
    // 8 rows of a file to a panel.
    void (*pack)(const void * rows, int64_t n_blocks, void * panel);
    void (*unpack)(const void * panel, int64_t n_blocks, void * unpacked);
    Gemv gemv;
    Tile tile;
};

// The kernel for a weight tensor, or null if there is none for its type and shape.
const Kernel * kernel_for(const ggml_tensor * weights);

} // namespace ruminate::kernels
