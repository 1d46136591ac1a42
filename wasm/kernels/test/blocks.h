// Weights and activations, random and as bad as they can be.
#pragma once

#include "ggml.h"
#include "random.h"

#include <vector>

namespace ruminate::kernels::test {

// `n` rows of `k` weights in the file's layout, each block of one of several kinds: random bytes, all bits set, none,
// only extreme bytes; with scales that are ordinary, negative, subnormal or zero.
std::vector<uint8_t> make_weights(ggml_type type, int64_t k, int64_t n, Random & random);

// Rows of `k` activations, each of one of several kinds: random, constant, alternating, zero, huge, subnormal, one outlier.
std::vector<float> make_activations(int64_t k, int64_t m, Random & random);

// The products in double precision, over dequantised weights and activations quantised to nearest in blocks of 32.
struct Reference {
    std::vector<double> products, tolerances; // [m][n]
};
Reference make_reference(ggml_type type, const std::vector<uint8_t> & weights, const std::vector<float> & activations, int64_t k);

// How many results are too far from the reference.
int count_wrong(const Reference & reference, const std::vector<float> & results);

} // namespace ruminate::kernels::test
