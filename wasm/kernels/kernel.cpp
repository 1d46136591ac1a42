#include "kernel.h"

#include "dot-kind.h"
#include "gemm.h"
#include "gemv.h"
#include "ggml.h"
#include "weights-0.h"
#include "weights-k.h"

namespace ruminate::kernels {

template <class Arithmetic, class Format> static void quantize_for(const float * x, void * block) {
    constexpr WeightOffset offset = {Format::kOffset, Format::kScales == 2};
    quantize(x, offset, *(ActivationBlock<typename Arithmetic::Activation> *) block);
}

template <class Format> static void pack(const void * rows, int64_t n_blocks, void * panel) {
    auto * file  = (const typename Format::FileBlock *) rows;
    auto * block = (typename Format::Block *) panel;
    for (int64_t i = 0; i < n_blocks; i++) {
        for (int row = 0; row < kPanelRows; row++) {
            Format::pack(file[row * n_blocks + i], row, block[i]);
        }
    }
}

// Wide sums take twice the registers: those of two panels would not fit in 16.
template <class Arithmetic, class Format, bool InPlace> static constexpr Gemv two_panels() {
    if constexpr (Arithmetic::kHalves == 2) {
        return gemv<Arithmetic, Format, 2, InPlace>;
    } else {
        return nullptr;
    }
}

template <class Arithmetic, class Format, bool InPlace = false> static const Kernel * make_kernel() {
    constexpr int  kScales     = Format::kScales;
    constexpr bool kHasMinimum = Format::kHasMinimum;
    static const Kernel kernel = {
        kBlock * Format::kBlocks,
        sizeof(typename Format::FileBlock),
        sizeof(typename Format::Block),
        sizeof(Unpacked<Format>),
        sizeof(ActivationBlock<typename Arithmetic::Activation>),
        quantize_for<Arithmetic, Format>,
        pack<Format>,
        unpack<Format>,
        gemv<Arithmetic, Format, 1, InPlace>,
        two_panels<Arithmetic, Format, InPlace>(),
        {tile<Arithmetic, 1, kScales, kHasMinimum>, tile<Arithmetic, 2, kScales, kHasMinimum>,
         tile<Arithmetic, 3, kScales, kHasMinimum>, tile<Arithmetic, 4, kScales, kHasMinimum>},
    };
    return &kernel;
}

#ifdef __wasm_relaxed_simd__
static const Kernel * kernel_for_unsigned(ggml_type type) {
    switch (type) {
        case GGML_TYPE_Q4_0: return make_kernel<RelaxedDot, Q4_0, true>();
        case GGML_TYPE_Q8_0: return make_kernel<RelaxedDot, Q8_0<true>>();
        case GGML_TYPE_Q4_K: return make_kernel<RelaxedDot, Q4_K, true>();
        case GGML_TYPE_Q5_K: return make_kernel<RelaxedDot, Q5_K>();
        case GGML_TYPE_Q6_K: return make_kernel<RelaxedDot, Q6_K>();
        default: return nullptr;
    }
}

static const Kernel * kernel_for_signed(ggml_type type) {
    switch (type) {
        case GGML_TYPE_Q4_0: return make_kernel<RelaxedDot, Q4_0>();
        case GGML_TYPE_Q8_0: return make_kernel<RelaxedDot, Q8_0<false>>();
        case GGML_TYPE_Q4_K: return make_kernel<RelaxedDot, Q4_K>();
        case GGML_TYPE_Q5_K: return make_kernel<RelaxedDot, Q5_K>();
        case GGML_TYPE_Q6_K: return make_kernel<RelaxedDot, Q6_K>();
        default: return nullptr;
    }
}

static const Kernel * kernel_for_seven_bits(ggml_type type) {
    switch (type) {
        case GGML_TYPE_Q4_0: return make_kernel<RelaxedNibbleDot, Q4_0>();
        case GGML_TYPE_Q8_0: return make_kernel<WideDot, Q8_0<false>>();
        case GGML_TYPE_Q4_K: return make_kernel<RelaxedNibbleDot, Q4_K>();
        case GGML_TYPE_Q5_K: return make_kernel<RelaxedDot, Q5_K>();
        case GGML_TYPE_Q6_K: return make_kernel<RelaxedDot, Q6_K>();
        default: return nullptr;
    }
}
#else
static const Kernel * kernel_for_fixed(ggml_type type) {
    switch (type) {
        case GGML_TYPE_Q4_0: return make_kernel<WideDot, Q4_0>();
        case GGML_TYPE_Q8_0: return make_kernel<WideDot, Q8_0<false>>();
        case GGML_TYPE_Q4_K: return make_kernel<WideDot, Q4_K>();
        case GGML_TYPE_Q5_K: return make_kernel<WideDot, Q5_K>();
        case GGML_TYPE_Q6_K: return make_kernel<WideDot, Q6_K>();
        default: return nullptr;
    }
}
#endif

static const Kernel * kernel_for_type(ggml_type type) {
#ifdef __wasm_relaxed_simd__
    switch (ruminate_dot_kind()) {
        case RUMINATE_DOT_UNSIGNED: return kernel_for_unsigned(type);
        case RUMINATE_DOT_SIGNED: return kernel_for_signed(type);
        default: return kernel_for_seven_bits(type);
    }
#else
    return kernel_for_fixed(type);
#endif
}

const Kernel * kernel_for(const ggml_tensor * weights) {
    const Kernel * kernel = kernel_for_type(weights->type);
    const bool fits = kernel && ggml_is_matrix(weights) && ggml_is_contiguous(weights) && weights->ne[1] % kPanelRows == 0 &&
                      weights->ne[0] % kernel->block_values == 0;
    return fits ? kernel : nullptr;
}

} // namespace ruminate::kernels
