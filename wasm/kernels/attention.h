// GGML_OP_FLASH_ATTN_EXT. The query heads that share a head of K and V are computed together, so that K and V are
// converted to single precision once for all of them; sums are in single precision, which WebAssembly has arithmetic for.
#pragma once

#include <stddef.h>

struct ggml_compute_params;
struct ggml_tensor;

namespace ruminate::kernels {

// False: ggml's own code has to do it.
bool can_attend(const ggml_tensor * op);

size_t attention_work_bytes(const ggml_tensor * op, int n_threads);

// Computes this thread's share of `op`.
void attend(const ggml_compute_params * params, ggml_tensor * op);

} // namespace ruminate::kernels
