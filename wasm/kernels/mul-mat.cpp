#include "mul-mat.h"

#include "ggml-cpu-impl.h"
#include "ggml-impl.h"
#include "panel.h"

#include <algorithm>

namespace ruminate::kernels {

// Values of a panel that are unpacked at a time: with its activations, a slice of 8 rows stays in the first-level cache.
constexpr int64_t kSlice = 2048;

// Every chunk of panels costs a shared counter's increment; a few chunks a thread even out the threads' speeds.
constexpr int64_t kChunksPerThread = 4, kMostPanelsPerChunk = 64, kMostUnpackedPerChunk = 4;

namespace {

struct Product {
    const Kernel &       kernel;
    const ggml_tensor *  weights;
    const ggml_tensor *  x;
    const ggml_tensor *  out;
    int64_t              n_rows;   // activation rows
    int64_t              n_blocks; // blocks of 32 values in a row
    int64_t              n_panels;
    size_t               panel_bytes;
    char *               activations; // of one row, or of groups of the rows of a tile

    Product(const Kernel & kernel, const ggml_tensor * op, void * work)
        : kernel(kernel), weights(op->src[0]), x(op->src[1]), out(op), n_rows(ggml_nrows(op->src[1])),
          n_blocks(weights->ne[0] / kBlock), n_panels(weights->ne[1] / kPanelRows),
          panel_bytes(weights->ne[0] / kernel.block_values * kernel.block_bytes), activations((char *) work) {}

    // In whole cache lines, since the threads' own memory comes after.
    size_t activations_bytes() const { return GGML_PAD(n_units() * unit_bytes(), 64); }
    size_t unpacked_bytes() const { return is_vector() ? 0 : std::min(kSlice / kBlock, n_blocks) * kernel.unpacked_bytes; }
    int64_t n_groups() const { return (n_rows + kTileRows - 1) / kTileRows; }
    int rows_in_group(int64_t group) const { return (int) std::min<int64_t>(kTileRows, n_rows - group * kTileRows); }

    bool is_vector() const { return n_rows == 1; }
    // A unit is what is quantised at a time: 32 values of a row, or of the rows of a tile.
    int64_t n_units() const { return n_groups() * n_blocks; }
    size_t unit_bytes() const { return is_vector() ? kernel.activation_bytes : kernel.tile_bytes; }
    char * activation(int64_t group, int64_t block) const { return activations + (group * n_blocks + block) * unit_bytes(); }
    const char * panel(int64_t i) const { return (const char *) weights->data + i * panel_bytes; }

    static float * row(const ggml_tensor * tensor, int64_t i) {
        const int64_t i1 = i % tensor->ne[1], i2 = i / tensor->ne[1] % tensor->ne[2], i3 = i / tensor->ne[1] / tensor->ne[2];
        return (float *) ((char *) tensor->data + i1 * tensor->nb[1] + i2 * tensor->nb[2] + i3 * tensor->nb[3]);
    }
};

} // namespace

static void quantize_units(const Product & product, int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i++) {
        const int64_t group = i / product.n_blocks, block = i % product.n_blocks;
        if (product.is_vector()) {
            product.kernel.quantize(Product::row(product.x, 0) + block * kBlock, product.activation(0, block));
            continue;
        }
        const float * rows[kTileRows] = {};
        const int n_rows = product.rows_in_group(group);
        for (int row = 0; row < n_rows; row++) {
            rows[row] = Product::row(product.x, group * kTileRows + row) + block * kBlock;
        }
        product.kernel.quantize_tile(rows, n_rows, product.activation(group, block));
    }
}

static void multiply_vector(const Product & product, int64_t first, int64_t last) {
    const Kernel & kernel   = product.kernel;
    const int64_t  n_blocks = product.weights->ne[0] / kernel.block_values;
    float *        out      = Product::row(product.out, 0);
    for (int64_t panel = first; panel < last; panel++) {
        kernel.gemv(product.panel(panel), product.activations, n_blocks, out + panel * kPanelRows);
    }
}

static void multiply_panels(const Product & product, int64_t first, int64_t last, void * unpacked) {
    const Kernel & kernel       = product.kernel;
    const int64_t  slice_blocks = kSlice / kBlock;
    for (int64_t panel = first; panel < last; panel++) {
        for (int64_t block = 0; block < product.n_blocks; block += slice_blocks) {
            const int64_t n_blocks = std::min(slice_blocks, product.n_blocks - block), packed = kernel.block_values / kBlock;
            kernel.unpack(product.panel(panel) + block / packed * kernel.block_bytes, n_blocks / packed, unpacked);
            for (int64_t group = 0; group < product.n_groups(); group++) {
                const int n_rows = product.rows_in_group(group);
                float     unused[kPanelRows] = {};
                float *   rows[kTileRows];
                for (int row = 0; row < kTileRows; row++) {
                    rows[row] = row < n_rows ? Product::row(product.out, group * kTileRows + row) + panel * kPanelRows : unused;
                }
                kernel.tile(unpacked, product.activation(group, block), n_blocks, rows, block > 0);
            }
        }
    }
}

size_t mul_mat_work_bytes(const Kernel & kernel, const ggml_tensor * op, int n_threads) {
    const Product product(kernel, op, nullptr);
    return product.activations_bytes() + n_threads * product.unpacked_bytes();
}

void mul_mat(const Kernel & kernel, const ggml_compute_params * params, ggml_tensor * op) {
    const Product product(kernel, op, params->wdata);
    const int64_t thread = params->ith, n_threads = params->nth;
    GGML_ASSERT(mul_mat_work_bytes(kernel, op, params->nth) <= params->wsize);

    const int64_t n_units = product.n_units();
    quantize_units(product, n_units * thread / n_threads, n_units * (thread + 1) / n_threads);
    if (thread == 0) {
        ggml_threadpool_chunk_set(params->threadpool, params->nth);
    }
    ggml_barrier(params->threadpool);

    const bool    is_vector = product.is_vector();
    const int64_t most      = is_vector ? kMostPanelsPerChunk : kMostUnpackedPerChunk;
    const int64_t share     = product.n_panels / (n_threads * kChunksPerThread);
    const int64_t per_chunk = std::clamp<int64_t>(share, 1, most);
    char * unpacked = (char *) params->wdata + product.activations_bytes() + thread * product.unpacked_bytes();
    for (int64_t chunk = thread; chunk * per_chunk < product.n_panels; chunk = ggml_threadpool_chunk_add(params->threadpool, 1)) {
        const int64_t first = chunk * per_chunk, last = std::min(first + per_chunk, product.n_panels);
        if (is_vector) {
            multiply_vector(product, first, last);
        } else {
            multiply_panels(product, first, last, unpacked);
        }
    }
}

} // namespace ruminate::kernels
