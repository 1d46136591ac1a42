// The buffer type, through ggml's own graphs.
#include "panel-buffer.h"

#include "blocks.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "report.h"

#include <algorithm>
#include <string>

namespace ruminate::kernels::test {

namespace {

// A context whose tensors get their memory later.
struct Context {
    ggml_context * context = ggml_init({ggml_tensor_overhead() * 16 + ggml_graph_overhead(), nullptr, true});
    ~Context() { ggml_free(context); }
    operator ggml_context *() const { return context; }
};

struct Buffer {
    ggml_backend_buffer_t buffer;
    ~Buffer() { ggml_backend_buffer_free(buffer); }
};

} // namespace

// Sets pieces of one to three panels, in any order.
static void set_in_pieces(ggml_tensor * tensor, const std::vector<uint8_t> & data, Random & random) {
    const size_t granule = ruminate_panel_granule(tensor);
    std::vector<std::pair<size_t, size_t>> pieces;
    for (size_t at = 0, size; at < data.size(); at += size) {
        size = std::min(granule * (1 + random.below(3)), data.size() - at);
        pieces.insert(pieces.begin() + random.below((uint32_t) pieces.size() + 1), {at, size});
    }
    for (const auto & [at, size] : pieces) {
        ggml_backend_tensor_set(tensor, &data[at], at, size);
    }
}

static void test_product(ggml_type type, int64_t k, int64_t n, ggml_backend_t backend) {
    Random random;
    std::string wrong_at;
    for (int64_t m = 1; m <= 9; m++) {
        Context of_weights, of_graph;
        ggml_tensor * weights = ggml_new_tensor_2d(of_weights, type, k, n);
        const Buffer memory = {ggml_backend_alloc_ctx_tensors_from_buft(of_weights, ruminate_panel_buffer_type())};
        ggml_tensor * x = ggml_new_tensor_2d(of_graph, GGML_TYPE_F32, k, m), * product = ggml_mul_mat(of_graph, weights, x);
        const Buffer graph_memory = {ggml_backend_alloc_ctx_tensors_from_buft(of_graph, ggml_backend_cpu_buffer_type())};

        const std::vector<uint8_t> data = make_weights(type, k, n, random);
        const std::vector<float> activations = make_activations(k, m, random);
        set_in_pieces(weights, data, random);
        ggml_backend_tensor_set(x, activations.data(), 0, activations.size() * sizeof(float));
        ggml_cgraph * graph = ggml_new_graph(of_graph);
        ggml_build_forward_expand(graph, product);
        ggml_backend_graph_compute(backend, graph);

        std::vector<float> results(n * m);
        ggml_backend_tensor_get(product, results.data(), 0, results.size() * sizeof(float));
        const int wrong = count_wrong(make_reference(type, data, activations, k), results);
        if (wrong) {
            wrong_at += " " + std::to_string(wrong) + " of " + std::to_string(n * m) + " at M=" + std::to_string(m);
        }
    }
    const std::string name = std::string("MUL_MAT ") + ggml_type_name(type) + " K=" + std::to_string(k) + " N=" + std::to_string(n) + ", M 1 to 9";
    report(wrong_at.empty(), name.c_str(), "wrong:%s", wrong_at.c_str());
}

// What the model loader asks: an operation with weights whose buffer is empty.
static bool is_supported(ggml_type type, int64_t k, int64_t n, int64_t n_experts, ggml_op op, ggml_type activations = GGML_TYPE_F32) {
    Context context;
    ggml_tensor * weights = ggml_new_tensor_3d(context, type, k, n, n_experts), * node = nullptr;
    if (op == GGML_OP_GET_ROWS) {
        node = ggml_get_rows(context, weights, ggml_new_tensor_1d(context, GGML_TYPE_I32, 4));
    } else if (op == GGML_OP_MUL_MAT_ID) {
        node = ggml_mul_mat_id(context, weights, ggml_new_tensor_3d(context, GGML_TYPE_F32, k, 1, 4), ggml_new_tensor_2d(context, GGML_TYPE_I32, 1, 4));
    } else {
        node = ggml_mul_mat(context, weights, ggml_new_tensor_3d(context, activations, k, 4, n_experts));
    }
    const Buffer empty = {ggml_backend_buft_alloc_buffer(ruminate_panel_buffer_type(), 0)};
    weights->buffer = empty.buffer;
    return ggml_backend_dev_supports_op(ggml_backend_reg_dev_get(ggml_backend_cpu_reg(), 0), node);
}

static void test_support() {
    const auto expect = [](bool supported, bool expected, const char * name) { report(supported == expected, name, "the answer was %d", supported); };
    expect(is_supported(GGML_TYPE_Q4_K, 256, 16, 1, GGML_OP_MUL_MAT), true, "panels take a matrix");
    expect(is_supported(GGML_TYPE_Q4_K, 256, 20, 1, GGML_OP_MUL_MAT), false, "panels refuse 20 rows");
    expect(is_supported(GGML_TYPE_Q4_K, 256, 16, 2, GGML_OP_MUL_MAT), false, "panels refuse three dimensions");
    expect(is_supported(GGML_TYPE_Q4_K, 256, 16, 4, GGML_OP_MUL_MAT_ID), false, "panels refuse experts");
    expect(is_supported(GGML_TYPE_Q4_K, 256, 16, 1, GGML_OP_GET_ROWS), false, "panels refuse an embedding table");
    expect(is_supported(GGML_TYPE_Q4_0, 256, 16, 1, GGML_OP_MUL_MAT, GGML_TYPE_Q8_0), false, "panels refuse quantised activations");
    expect(is_supported(GGML_TYPE_Q3_K, 256, 16, 1, GGML_OP_MUL_MAT), false, "panels refuse an unknown type");
}

static void test_granule() {
    Context panels, plain;
    ggml_tensor * weights = ggml_new_tensor_2d(panels, GGML_TYPE_Q5_K, 512, 24), * other = ggml_new_tensor_2d(plain, GGML_TYPE_Q5_K, 512, 24);
    const Buffer memory = {ggml_backend_alloc_ctx_tensors_from_buft(panels, ruminate_panel_buffer_type())};
    const Buffer plain_memory = {ggml_backend_alloc_ctx_tensors_from_buft(plain, ggml_backend_cpu_buffer_type())};
    report(ruminate_panel_granule(weights) == 8 * 2 * 176, "ruminate_panel_granule() is 8 rows", "%zu", ruminate_panel_granule(weights));
    report(ruminate_panel_granule(other) == 0, "ruminate_panel_granule() is 0 in another buffer", "%zu", ruminate_panel_granule(other));
}

void test_panel_buffer(int n_threads) {
    ggml_backend_t backend = ggml_backend_cpu_init();
    ggml_backend_cpu_set_n_threads(backend, n_threads);
    for (ggml_type type : {GGML_TYPE_Q4_0, GGML_TYPE_Q8_0, GGML_TYPE_Q4_K, GGML_TYPE_Q5_K, GGML_TYPE_Q6_K}) {
        test_product(type, ggml_blck_size(type), 8, backend);
        test_product(type, 256, 40, backend);
        test_product(type, 2048 + 512, 56, backend);
    }
    test_product(GGML_TYPE_F16, 32, 8, backend);
    test_product(GGML_TYPE_F16, 2048 + 96, 40, backend);
    ggml_backend_free(backend);
    test_support();
    test_granule();
}

} // namespace ruminate::kernels::test
