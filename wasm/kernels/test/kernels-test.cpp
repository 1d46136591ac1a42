// Every way to multiply with every weight format that it can take, whatever the engine is. Instructions that an engine
// lowers otherwise are emulated.
#include "blocks.h"
#include "dot-kind.h"
#include "make-kernel.h"
#include "report.h"
#include "weights-0.h"
#include "weights-k.h"

#include <stdio.h>
#include <string>

namespace ruminate::kernels::test {

// The relaxed dot product as one of enum ruminate_dot_kind.
template <int Kind> struct EmulatedDot {
    using Activation = int8_t;
    using Weights    = v128_t;
    struct Sum {
        int32_t rows[4];
    };
    static constexpr int kHalves = 2;

    static v128_t broadcast(const int8_t * activations) { return wasm_v128_load32_splat(activations); }
    static void spread(const int8_t (&group)[kTileRows][4], v128_t (&rows)[kTileRows]) { spread_words(group, rows); }
    static Weights load(const uint32_t * weights) { return wasm_v128_load(weights); }
    static Weights widen(v128_t weights) { return weights; }
    static Sum begin(const int32_t * start) { return {{*start, *start, *start, *start}}; }
    static void dot(Sum & sum, v128_t activations, Weights weights) {
        int8_t a[16], w[16];
        wasm_v128_store(a, activations);
        wasm_v128_store(w, weights);
        const auto product = [&](int i) { return a[i] * (Kind == RUMINATE_DOT_SIGNED ? w[i] : (uint8_t) w[i]); };
        for (int i = 0; i < 16; i += 2) {
            int pair = product(i) + product(i + 1);
            if (Kind == RUMINATE_DOT_SEVEN) {
                pair = pair > 32767 ? 32767 : pair < -32768 ? -32768 : pair;
            }
            sum.rows[i / 4] += pair;
        }
    }
    static v128_t total(const Sum & sum, const int32_t *) { return wasm_v128_load(sum.rows); }
};

static constexpr int64_t kValues = 512, kRows = 3 * kPanelRows;

using Bytes = std::vector<uint8_t>;

static std::vector<float> multiply_rows(const Kernel & kernel, const Bytes & panels, const std::vector<float> & activations) {
    const int64_t m = (int64_t) activations.size() / kValues, n_blocks = kValues / kernel.block_values;
    const size_t  panel_bytes = n_blocks * kernel.block_bytes;
    std::vector<float> results(m * kRows);
    for (int64_t row = 0; row < m; row++) {
        Bytes quantized(kValues / kBlock * kernel.activation_bytes);
        for (int64_t i = 0; i < kValues / kBlock; i++) {
            kernel.quantize(&activations[row * kValues + i * kBlock], &quantized[i * kernel.activation_bytes]);
        }
        float * out = &results[row * kRows];
        for (int64_t panel = 0; panel < kRows / kPanelRows; panel++) {
            kernel.gemv(&panels[panel * panel_bytes], quantized.data(), n_blocks, out + panel * kPanelRows);
        }
    }
    return results;
}

// In two slices, so that the second adds to the first.
static std::vector<float> multiply_tiles(const Kernel & kernel, const Bytes & panels, const std::vector<float> & activations) {
    const int64_t m = (int64_t) activations.size() / kValues, n_blocks = kValues / kBlock, slice = n_blocks / 2;
    const int64_t packed = kernel.block_values / kBlock;
    std::vector<float> results(m * kRows);
    for (int64_t first = 0, n_rows; first < m; first += n_rows) {
        n_rows = m - first < kTileRows ? m - first : kTileRows;
        Bytes quantized(n_blocks * kernel.tile_bytes), unpacked(slice * kernel.unpacked_bytes);
        for (int64_t block = 0; block < n_blocks; block++) {
            const float * rows[kTileRows] = {};
            for (int64_t row = 0; row < n_rows; row++) {
                rows[row] = &activations[(first + row) * kValues + block * kBlock];
            }
            kernel.quantize_tile(rows, (int) n_rows, &quantized[block * kernel.tile_bytes]);
        }
        for (int64_t panel = 0; panel < kRows / kPanelRows; panel++) {
            for (int64_t block = 0; block < n_blocks; block += slice) {
                kernel.unpack(&panels[(panel * n_blocks + block) / packed * kernel.block_bytes], slice / packed, unpacked.data());
                float   unused[kPanelRows] = {};
                float * out[kTileRows];
                for (int64_t row = 0; row < kTileRows; row++) {
                    out[row] = row < n_rows ? &results[(first + row) * kRows + panel * kPanelRows] : unused;
                }
                kernel.tile(unpacked.data(), &quantized[block * kernel.tile_bytes], slice, out, block > 0);
            }
        }
    }
    return results;
}

struct Wrong {
    int rows, tiles, of;
};

static Wrong count_wrong(const Kernel & kernel, ggml_type type) {
    Random random;
    Wrong wrong = {};
    for (int round = 0; round < 6; round++) {
        const Bytes weights = make_weights(type, kValues, kRows, random);
        const std::vector<float> activations = make_activations(kValues, 11, random);
        const Reference reference = make_reference(type, weights, activations, kValues);
        const int64_t n_blocks = kValues / kernel.block_values;
        Bytes panels(kRows / kPanelRows * n_blocks * kernel.block_bytes);
        for (int64_t panel = 0; panel < kRows / kPanelRows; panel++) {
            kernel.pack(&weights[panel * kPanelRows * ggml_row_size(type, kValues)], n_blocks, &panels[panel * n_blocks * kernel.block_bytes]);
        }
        wrong.rows += test::count_wrong(reference, multiply_rows(kernel, panels, activations));
        wrong.tiles += test::count_wrong(reference, multiply_tiles(kernel, panels, activations));
        wrong.of += (int) reference.products.size();
    }
    return wrong;
}

static void check(const char * arithmetic, ggml_type type, const Kernel * kernel) {
    const Wrong wrong = count_wrong(*kernel, type);
    const std::string name = std::string(ggml_type_name(type)) + " times " + arithmetic;
    report(!wrong.rows, (name + ": single rows").c_str(), "%d of %d wrong", wrong.rows, wrong.of);
    report(!wrong.tiles, (name + ": tiles").c_str(), "%d of %d wrong", wrong.tiles, wrong.of);
}

void test_kernels() {
    check("16-bit factors", GGML_TYPE_Q4_0, make_kernel<WideDot, Q4_0>());
    check("16-bit factors", GGML_TYPE_Q8_0, make_kernel<WideDot, Q8_0<false>>());
    check("16-bit factors", GGML_TYPE_Q4_K, make_kernel<WideDot, Q4_K>());
    check("16-bit factors", GGML_TYPE_Q5_K, make_kernel<WideDot, Q5_K>());
    check("16-bit factors", GGML_TYPE_Q6_K, make_kernel<WideDot, Q6_K>());

    using Unsigned = EmulatedDot<RUMINATE_DOT_UNSIGNED>;
    check("emulated unsigned dot", GGML_TYPE_Q4_0, make_kernel<Unsigned, Q4_0, true>());
    check("emulated unsigned dot", GGML_TYPE_Q8_0, make_kernel<Unsigned, Q8_0<true>>());
    check("emulated unsigned dot", GGML_TYPE_Q4_K, make_kernel<Unsigned, Q4_K, true>());
    check("emulated unsigned dot", GGML_TYPE_Q5_K, make_kernel<Unsigned, Q5_K>());
    check("emulated unsigned dot", GGML_TYPE_Q6_K, make_kernel<Unsigned, Q6_K>());
    using Signed = EmulatedDot<RUMINATE_DOT_SIGNED>;
    check("emulated signed dot", GGML_TYPE_Q4_0, make_kernel<Signed, Q4_0>());
    check("emulated signed dot", GGML_TYPE_Q8_0, make_kernel<Signed, Q8_0<false>>());
    check("emulated signed dot", GGML_TYPE_Q4_K, make_kernel<Signed, Q4_K>());
    using Saturating = EmulatedDot<RUMINATE_DOT_SEVEN>;
    check("emulated saturating dot", GGML_TYPE_Q5_K, make_kernel<Saturating, Q5_K>());
    check("emulated saturating dot", GGML_TYPE_Q6_K, make_kernel<Saturating, Q6_K>());

#ifdef __wasm_relaxed_simd__
    check("the relaxed dot", GGML_TYPE_Q4_0, make_kernel<RelaxedDot, Q4_0>());
    check("the relaxed dot", GGML_TYPE_Q4_K, make_kernel<RelaxedDot, Q4_K>());
    check("the relaxed dot", GGML_TYPE_Q5_K, make_kernel<RelaxedDot, Q5_K>());
    check("the relaxed dot", GGML_TYPE_Q6_K, make_kernel<RelaxedDot, Q6_K>());
    if (ruminate_has_sound_pair_dot()) {
        check("16-bit sums", GGML_TYPE_Q4_0, make_kernel<RelaxedNibbleDot, Q4_0>());
        check("16-bit sums", GGML_TYPE_Q4_K, make_kernel<RelaxedNibbleDot, Q4_K>());
    }
    if (ruminate_dot_kind() == RUMINATE_DOT_UNSIGNED) {
        check("the relaxed dot, unsigned", GGML_TYPE_Q4_0, make_kernel<RelaxedDot, Q4_0, true>());
        check("the relaxed dot, unsigned", GGML_TYPE_Q8_0, make_kernel<RelaxedDot, Q8_0<true>>());
        check("the relaxed dot, unsigned", GGML_TYPE_Q4_K, make_kernel<RelaxedDot, Q4_K, true>());
    }
    if (ruminate_dot_kind() == RUMINATE_DOT_SIGNED) {
        check("the relaxed dot, signed", GGML_TYPE_Q8_0, make_kernel<RelaxedDot, Q8_0<false>>());
    }
#endif

    // The test must notice what the wrong choice of a kernel would do.
    const Wrong saturated = count_wrong(*make_kernel<Saturating, Q8_0<true>>(), GGML_TYPE_Q8_0);
    report(saturated.rows && saturated.tiles, "the reference notices a dot product that saturates", "%d and %d wrong", saturated.rows, saturated.tiles);
    const Wrong mixed = count_wrong(*make_kernel<Signed, Q4_0, true>(), GGML_TYPE_Q4_0);
    report(mixed.rows > 0, "the reference notices a nibble left in place on a signed engine", "%d wrong", mixed.rows);
}

} // namespace ruminate::kernels::test
