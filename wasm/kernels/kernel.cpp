#include "kernel.h"

#include "dot-kind.h"
#include "ggml.h"
#include "make-kernel.h"
#include "weights-0.h"
#include "weights-f16.h"
#include "weights-k.h"

namespace ruminate::kernels {

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
    const bool sums_pairs = ruminate_has_sound_pair_dot();
    switch (type) {
        case GGML_TYPE_Q4_0: return sums_pairs ? make_kernel<RelaxedNibbleDot, Q4_0>() : make_kernel<RelaxedDot, Q4_0>();
        case GGML_TYPE_Q8_0: return make_kernel<WideDot, Q8_0<false>>();
        case GGML_TYPE_Q4_K: return sums_pairs ? make_kernel<RelaxedNibbleDot, Q4_K>() : make_kernel<RelaxedDot, Q4_K>();
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
    if (type == GGML_TYPE_F16) {
        return make_half_kernel();
    }
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
