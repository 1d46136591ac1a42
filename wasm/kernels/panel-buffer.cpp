#include "panel-buffer.h"

#include "attention.h"
#include "ggml-cpu.h"
#include "ggml-impl.h"
#include "mul-mat.h"
#include "panel.h"
#include "traits.h"

namespace ruminate::kernels {

static bool is_panel_tensor(const ggml_tensor * tensor) {
    // Views are left out: their offset is one in the file's layout.
    return tensor && tensor->buffer && tensor->buffer->buft == ruminate_panel_buffer_type() && !tensor->view_src;
}

static size_t panel_bytes(const ggml_tensor * tensor, const Kernel & kernel) {
    return tensor->ne[0] / kernel.block_values * kernel.block_bytes;
}

namespace {

class PanelTraits : public ggml::cpu::tensor_traits {
    bool work_size(int n_threads, const ggml_tensor * op, size_t & size) override {
        size = mul_mat_work_bytes(kernel_of(op), op, n_threads);
        return true;
    }
    bool compute_forward(ggml_compute_params * params, ggml_tensor * op) override {
        mul_mat(kernel_of(op), params, op);
        return true;
    }
    static const Kernel & kernel_of(const ggml_tensor * op) {
        return *(const Kernel *) op->src[0]->extra;
    }
};

class AttentionTraits : public ggml::cpu::tensor_traits {
    bool work_size(int n_threads, const ggml_tensor * op, size_t & size) override {
        size = attention_work_bytes(op, n_threads);
        return true;
    }
    bool compute_forward(ggml_compute_params * params, ggml_tensor * op) override {
        attend(params, op);
        return true;
    }
};

class PanelBufferType : public ggml::cpu::extra_buffer_type {
    bool supports_op(ggml_backend_dev_t, const ggml_tensor * op) override {
        if (op->op != GGML_OP_MUL_MAT || !is_panel_tensor(op->src[0]) || !kernel_for(op->src[0])) {
            return false;
        }
        const ggml_tensor * x = op->src[1];
        const bool readable = !x->buffer || ggml_backend_buft_is_host(x->buffer->buft);
        return readable && x->type == GGML_TYPE_F32 && x->nb[0] == sizeof(float) && op->type == GGML_TYPE_F32;
    }
    // ggml asks this for every operation, so attention, which has no tensors in our buffers, needs no patch.
    ggml::cpu::tensor_traits * get_tensor_traits(const ggml_tensor * op) override {
        if (op->op == GGML_OP_MUL_MAT && is_panel_tensor(op->src[0]) && op->src[0]->extra) {
            return &panel_traits;
        }
        return op->op == GGML_OP_FLASH_ATTN_EXT && can_attend(op) ? &attention_traits : nullptr;
    }
    PanelTraits     panel_traits;
    AttentionTraits attention_traits;
};

} // namespace

static ggml_status init_tensor(ggml_backend_buffer_t, ggml_tensor * tensor) {
    tensor->extra = tensor->view_src ? nullptr : (void *) kernel_for(tensor);
    return GGML_STATUS_SUCCESS;
}

static void set_tensor(ggml_backend_buffer_t, ggml_tensor * tensor, const void * data, size_t offset, size_t size) {
    GGML_ASSERT(tensor->extra && "only weights that the kernels know belong in a panel buffer");
    const Kernel & kernel  = *(const Kernel *) tensor->extra;
    const size_t   granule = ruminate_panel_granule(tensor), bytes = panel_bytes(tensor, kernel);
    GGML_ASSERT(offset % granule == 0 && size % granule == 0 && "weights are set in whole panels");
    char * panel = (char *) tensor->data + offset / granule * bytes;
    for (size_t at = 0; at < size; at += granule, panel += bytes) {
        kernel.pack((const char *) data + at, tensor->ne[0] / kernel.block_values, panel);
    }
}

static const char * get_name(ggml_backend_buffer_type_t) {
    return "CPU_PANELS";
}

static size_t get_alignment(ggml_backend_buffer_type_t) {
    return 64;
}

static size_t get_alloc_size(ggml_backend_buffer_type_t, const ggml_tensor * tensor) {
    const Kernel * kernel = kernel_for(tensor);
    return kernel ? tensor->ne[1] / kPanelRows * panel_bytes(tensor, *kernel) : ggml_nbytes(tensor);
}

static ggml_backend_buffer_t alloc_buffer(ggml_backend_buffer_type_t type, size_t size) {
    ggml_backend_buffer_t buffer = ggml_backend_buft_alloc_buffer(ggml_backend_cpu_buffer_type(), size);
    if (buffer) {
        buffer->buft                = type;
        buffer->iface.init_tensor   = init_tensor;
        buffer->iface.set_tensor    = set_tensor;
        buffer->iface.memset_tensor = nullptr;
        buffer->iface.get_tensor    = nullptr;
        buffer->iface.cpy_tensor    = nullptr;
    }
    return buffer;
}

} // namespace ruminate::kernels

ggml_backend_buffer_type_t ruminate_panel_buffer_type(void) {
    using namespace ruminate::kernels;
    static PanelBufferType context;
    static ggml_backend_buffer_type type = {
        {get_name, alloc_buffer, get_alignment, nullptr, get_alloc_size, nullptr},
        ggml_backend_reg_dev_get(ggml_backend_cpu_reg(), 0),
        &context,
    };
    return &type;
}

size_t ruminate_panel_granule(const ggml_tensor * tensor) {
    using namespace ruminate::kernels;
    return is_panel_tensor(tensor) ? kPanelRows * ggml_row_size(tensor->type, tensor->ne[0]) : 0;
}
