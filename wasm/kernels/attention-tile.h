// The arithmetic of attention: some query rows, by a run of positions, with a softmax that grows with every run.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct ggml_tensor;

namespace ruminate::kernels {

constexpr int kQueryRows = 64; // query rows that a tile can hold
constexpr int kPositions = 32; // positions that are converted at a time

// Work memory for a tile, and where its state is kept. Row pointers are multiples of `k_size` or `v_size` apart.
struct AttentionTile {
    int64_t k_size, v_size; // values of a row of K (and Q) and of V
    float * q;              // [row][k_size], scaled
    float * sums;           // [row][v_size]: sums of V, weighted by exp(score - highest)
    float * highest;        // [row]
    float * weights;        // [row]: sums of exp(score - highest)
    float * scores;         // [row][kPositions]
    float * rows;           // [kPositions][k_size or v_size]: K or V in single precision
    float * k_columns;      // [k_size][kPositions]

    static size_t floats(int64_t k_size, int64_t v_size);
    AttentionTile(int64_t k_size, int64_t v_size, float * memory);

    void begin(int n_rows);

    // Adds `n` positions. `mask` has a row of half-precision numbers for each `rows_per_mask` query rows, `mask_stride`
    // bytes apart, or is null; `soft_cap` is 0 for none. `k` and `v` are the first position's rows of a head.
    struct Positions {
        const ggml_tensor * k_tensor;
        const ggml_tensor * v_tensor;
        const char *        k;
        const char *        v;
        const char *        mask;
        size_t              mask_stride;
        int                 rows_per_mask;
        float               soft_cap;
    };
    void add(const Positions & positions, int n, int n_rows);
};

} // namespace ruminate::kernels
