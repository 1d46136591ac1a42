// A buffer type of ggml's CPU backend that keeps weights (Q4_0, Q8_0, Q4_K, Q5_K, Q6_K, F16) in the panels that our kernels multiply.
#pragma once

#include "dot-kind.h"
#include "ggml-backend.h"

#ifdef __cplusplus
extern "C" {
#endif

ggml_backend_buffer_type_t ruminate_panel_buffer_type(void);

// Bytes, in the file's layout, that ggml_backend_tensor_set takes at a time: 8 rows, for a tensor in a panel buffer, whose
// offset and size must be multiples of it. 0 for any other tensor.
size_t ruminate_panel_granule(const struct ggml_tensor * tensor);

#ifdef __cplusplus
}
#endif
