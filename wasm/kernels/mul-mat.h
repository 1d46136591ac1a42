// GGML_OP_MUL_MAT with weights in panels.
#pragma once

#include "kernel.h"

struct ggml_compute_params;

namespace ruminate::kernels {

// Bytes of work memory that mul_mat needs for `op` on `n_threads` threads.
size_t mul_mat_work_bytes(const Kernel & kernel, const ggml_tensor * op, int n_threads);

// Computes this thread's share of `op`.
void mul_mat(const Kernel & kernel, const ggml_compute_params * params, ggml_tensor * op);

} // namespace ruminate::kernels
