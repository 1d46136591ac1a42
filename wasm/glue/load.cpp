// A model from its headers, and its weights range by range: the file itself stays in JavaScript.
#include "handles.h"
#include "status.h"
#include "ggml-backend.h"
#include "gguf.h"
#include "panel-buffer.h"
#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace ruminate;

namespace {

struct place {
    int64_t shard;
    int64_t offset;
    int64_t size;
};

struct gguf_deleter {
    void operator()(gguf_context * context) const { gguf_free(context); }
};
using gguf_handle = std::unique_ptr<gguf_context, gguf_deleter>;

// gguf_add_tensor copies a tensor's shape and name; nothing else of it is read.
ggml_tensor described(const gguf_context * header, int64_t index) {
    ggml_tensor tensor = {};
    tensor.type = gguf_get_tensor_type(header, index);
    const int64_t * ne = gguf_get_tensor_ne(header, index);
    for (int i = 0; i < GGML_MAX_DIMS; i++) {
        tensor.ne[i] = ne[i];
        tensor.nb[i] = i == 0 ? ggml_type_size(tensor.type) : i == 1 ? ggml_row_size(tensor.type, ne[0]) : tensor.nb[i - 1] * ne[i - 1];
    }
    ggml_set_name(&tensor, gguf_get_tensor_name(header, index));
    return tensor;
}

} // namespace

struct ruminate_loader {
    gguf_handle header;
    int64_t shards = 0;
    std::map<std::string, place> places;
    llama_model * model = nullptr;
    std::vector<ggml_tensor *> tensors;

    ~ruminate_loader() {
        if (model) llama_model_free(model);
    }

    void add(gguf_handle shard) {
        const int64_t base = gguf_get_data_offset(shard.get());
        for (int64_t i = 0; i < gguf_get_n_tensors(shard.get()); i++) {
            const std::string name = gguf_get_tensor_name(shard.get(), i);
            const place at = { shards, base + (int64_t) gguf_get_tensor_offset(shard.get(), i), (int64_t) gguf_get_tensor_size(shard.get(), i) };
            if (!places.emplace(name, at).second) throw failure(RUMINATE_FORMAT, "tensor " + name + " is there twice");
            if (shards > 0) {
                const ggml_tensor tensor = described(shard.get(), i);
                gguf_add_tensor(header.get(), &tensor);
            }
        }
        if (shards++ == 0) header = std::move(shard);
    }
};

int32_t ruminate_loader_open(ruminate_loader ** out) {
    return guard(RUMINATE_INTERNAL, [&] { *out = new ruminate_loader; });
}

int32_t ruminate_loader_header(ruminate_loader * loader, const uint8_t * bytes, size_t size) {
    return guard(RUMINATE_FORMAT, [&] {
        require(!loader->model, "the model is built already");
        gguf_handle shard(gguf_init_from_buffer(bytes, size, { /*no_alloc*/ true, /*ctx*/ nullptr }));
        if (!shard) throw failure(RUMINATE_FORMAT, "it is no GGUF header");
        loader->add(std::move(shard));
    });
}

int32_t ruminate_loader_build(ruminate_loader * loader, int64_t * tensors) {
    return guard(RUMINATE_FORMAT, [&] {
        require(loader->header && !loader->model, "a model is built once, after its headers");
        llama_model_params params = llama_model_default_params();
        params.n_gpu_layers = 0;
        params.lazy_mode = LLAMA_LAZY_MODE_OFF;
        params.use_extra_bufts = true;
        params.load_mtp = false;
        const auto collect = [](ggml_tensor * tensor, void * list) { ((std::vector<ggml_tensor *> *) list)->push_back(tensor); };
        loader->model = llama_model_init_from_user(loader->header.get(), collect, &loader->tensors, params);
        if (!loader->model) throw failure(RUMINATE_FORMAT, "llama.cpp refuses the model");
        *tensors = loader->tensors.size();
    });
}

int32_t ruminate_loader_tensor(ruminate_loader * loader, int64_t index, ruminate_tensor * out) {
    return guard(RUMINATE_FORMAT, [&] {
        require(index >= 0 && index < (int64_t) loader->tensors.size(), "there is no such tensor");
        const ggml_tensor * tensor = loader->tensors[index];
        const auto found = loader->places.find(tensor->name);
        if (found == loader->places.end()) throw failure(RUMINATE_FORMAT, std::string("tensor ") + tensor->name + " is not in the file");
        const place & at = found->second;
        if (at.size != (int64_t) ggml_nbytes(tensor)) throw failure(RUMINATE_FORMAT, std::string("tensor ") + tensor->name + " has another size than its model wants");
        const int64_t granule = ruminate_panel_granule(tensor);
        *out = { at.shard, at.offset, at.size, granule ? 0 : (int64_t) (intptr_t) tensor->data, granule ? granule : 1 };
    });
}

int32_t ruminate_loader_put(ruminate_loader * loader, int64_t index, const uint8_t * bytes, int64_t offset, int64_t size) {
    return guard(RUMINATE_INTERNAL, [&] {
        require(index >= 0 && index < (int64_t) loader->tensors.size(), "there is no such tensor");
        ggml_tensor * tensor = loader->tensors[index];
        const int64_t granule = ruminate_panel_granule(tensor);
        require(offset >= 0 && size >= 0 && offset + size <= (int64_t) ggml_nbytes(tensor), "the range is not within the tensor");
        require(granule == 0 || (offset % granule == 0 && size % granule == 0), "the range is not made of whole panels");
        ggml_backend_tensor_set(tensor, bytes, offset, size);
    });
}

int32_t ruminate_loader_finish(ruminate_loader * loader, ruminate_model ** out) {
    return guard(RUMINATE_INTERNAL, [&] {
        require(loader->model, "the model is not built yet");
        *out = new ruminate_model { loader->model };
        loader->model = nullptr;
        delete loader;
    });
}

void ruminate_loader_free(ruminate_loader * loader) {
    delete loader;
}
