#include "attention.h"

#include "attention-tile.h"
#include "ggml-cpu-impl.h"
#include "ggml-impl.h"
#include "vec.h"

#include <algorithm>
#include <math.h>

namespace ruminate::kernels {

namespace {

// The query rows that share a head of K and V: all its query heads at one token, then at the next.
struct Attention {
    const ggml_tensor *q, *k, *v, *mask, *sinks, *out;
    float   scale, soft_cap;
    int64_t group;       // query heads for a head of K
    int64_t n_rows;      // query rows for a head of K
    int64_t n_positions; // of K and V
    int64_t tiles;       // of query rows, for a head of K
    int64_t n_tiles;

    explicit Attention(const ggml_tensor * op)
        : q(op->src[0]), k(op->src[1]), v(op->src[2]), mask(op->src[3]), sinks(op->src[4]), out(op),
          scale(ggml_get_op_params_f32(op, 0)), soft_cap(ggml_get_op_params_f32(op, 2)), group(q->ne[2] / k->ne[2]),
          n_rows(group * q->ne[1]), n_positions(k->ne[1]), tiles((n_rows + rows_per_tile() - 1) / rows_per_tile()),
          n_tiles(tiles * k->ne[2] * q->ne[3]) {
        if (soft_cap != 0.0f) {
            scale /= soft_cap;
        }
    }

    // Whole tokens, since a token's rows have their mask in common.
    int64_t rows_per_tile() const { return std::max<int64_t>(1, kQueryRows / group) * group; }

    // With too few tiles to go round, threads share out the positions instead, and join their results.
    bool splits_positions(int n_threads) const { return n_threads > 1 && n_tiles < 4 * n_threads; }

    // What a thread has of one query row: highest score, sum of weights, sums of V.
    int64_t partial_floats() const { return 2 + v->ne[0]; }
    size_t tile_floats() const { return GGML_PAD(AttentionTile::floats(k->ne[0], v->ne[0]), 16); }
};

struct TileOfRows {
    int64_t sequence, head, first_row, n_rows; // head: of K

    TileOfRows(const Attention & attention, int64_t i)
        : sequence(i / attention.tiles / attention.k->ne[2]), head(i / attention.tiles % attention.k->ne[2]),
          first_row(i % attention.tiles * attention.rows_per_tile()),
          n_rows(std::min(attention.rows_per_tile(), attention.n_rows - first_row)) {}

    int64_t token(const Attention & attention, int64_t row) const { return (first_row + row) / attention.group; }
    int64_t query_head(const Attention & attention, int64_t row) const { return head * attention.group + (first_row + row) % attention.group; }
};

} // namespace

bool can_attend(const ggml_tensor * op) {
    const ggml_tensor *q = op->src[0], *k = op->src[1], *v = op->src[2], *mask = op->src[3];
    const auto readable = [](const ggml_tensor * tensor) {
        return tensor->type == GGML_TYPE_F32 || ggml_get_type_traits(tensor->type)->to_float;
    };
    const bool has_slopes = ggml_get_op_params_f32(op, 1) != 0.0f;
    return !has_slopes && q->type == GGML_TYPE_F32 && readable(k) && readable(v) && k->ne[0] % 4 == 0 && v->ne[0] % 4 == 0 &&
           q->ne[2] % k->ne[2] == 0 && q->ne[2] / k->ne[2] <= kQueryRows && k->ne[2] == v->ne[2] && k->ne[3] == v->ne[3] &&
           q->ne[3] % k->ne[3] == 0 && (!mask || mask->ne[2] == 1);
}

size_t attention_work_bytes(const ggml_tensor * op, int n_threads) {
    const Attention attention(op);
    const int64_t partials = attention.splits_positions(n_threads) ? n_threads * ggml_nrows(attention.q) * attention.partial_floats() : 0;
    return (n_threads * attention.tile_floats() + partials) * sizeof(float);
}

static void load_queries(const Attention & attention, const TileOfRows & rows, AttentionTile & tile) {
    const ggml_tensor * q = attention.q;
    for (int64_t row = 0; row < rows.n_rows; row++) {
        const char * from = (const char *) q->data + rows.token(attention, row) * q->nb[1] + rows.query_head(attention, row) * q->nb[2] +
                            rows.sequence * q->nb[3];
        float * to = tile.q + row * tile.k_size;
        std::copy_n((const float *) from, tile.k_size, to);
        ggml_vec_scale_f32((int) tile.k_size, to, attention.scale);
    }
}

static void attend_positions(const Attention & attention, const TileOfRows & rows, AttentionTile & tile, int64_t first, int64_t last) {
    const ggml_tensor *k = attention.k, *v = attention.v, *mask = attention.mask;
    const int64_t stream = rows.sequence / (attention.q->ne[3] / k->ne[3]);
    load_queries(attention, rows, tile);
    tile.begin((int) rows.n_rows);
    for (int64_t position = first; position < last; position += kPositions) {
        AttentionTile::Positions positions = {};
        positions.k_tensor = k;
        positions.v_tensor = v;
        positions.k        = (const char *) k->data + position * k->nb[1] + rows.head * k->nb[2] + stream * k->nb[3];
        positions.v        = (const char *) v->data + position * v->nb[1] + rows.head * v->nb[2] + stream * v->nb[3];
        if (mask) {
            positions.mask = (const char *) mask->data + position * sizeof(ggml_fp16_t) + rows.token(attention, 0) * mask->nb[1] +
                             rows.sequence % mask->ne[3] * mask->nb[3];
            positions.mask_stride = mask->nb[1];
        }
        positions.rows_per_mask = (int) attention.group;
        positions.soft_cap      = attention.soft_cap;
        tile.add(positions, (int) std::min<int64_t>(kPositions, last - position), (int) rows.n_rows);
    }
}

static float * out_row(const Attention & attention, const TileOfRows & rows, int64_t row) {
    const ggml_tensor * out = attention.out;
    return (float *) ((char *) out->data + rows.query_head(attention, row) * out->nb[1] + rows.token(attention, row) * out->nb[2] +
                      rows.sequence * out->nb[3]);
}

// Divides by the sum of the weights, to which a head's sink adds one without a value.
static void write_row(const Attention & attention, int64_t query_head, float highest, float weight, const float * sums, float * out) {
    float shrink = 1.0f;
    if (attention.sinks) {
        const float sink = ((const float *) attention.sinks->data)[query_head], top = std::max(highest, sink);
        shrink = expf(highest - top);
        weight = weight * shrink + expf(sink - top);
    }
    const int n = (int) attention.v->ne[0];
    std::copy_n(sums, n, out);
    ggml_vec_scale_f32(n, out, weight > 0 ? shrink / weight : 0.0f);
}

static void attend_whole_tiles(const Attention & attention, const ggml_compute_params * params, AttentionTile & tile) {
    if (params->ith == 0) {
        ggml_threadpool_chunk_set(params->threadpool, params->nth);
    }
    ggml_barrier(params->threadpool);
    for (int64_t i = params->ith; i < attention.n_tiles; i = ggml_threadpool_chunk_add(params->threadpool, 1)) {
        const TileOfRows rows(attention, i);
        attend_positions(attention, rows, tile, 0, attention.n_positions);
        for (int64_t row = 0; row < rows.n_rows; row++) {
            write_row(attention, rows.query_head(attention, row), tile.highest[row], tile.weights[row], tile.sums + row * tile.v_size,
                      out_row(attention, rows, row));
        }
    }
}

static void join_row(const Attention & attention, const float * partials, int64_t stride, int n, int64_t query_head, float * out) {
    float highest = -INFINITY, weight = 0;
    for (int i = 0; i < n; i++) {
        highest = std::max(highest, partials[i * stride]);
    }
    const int size = (int) attention.v->ne[0];
    std::fill_n(out, size, 0.0f);
    for (int i = 0; i < n; i++) {
        const float * partial = partials + i * stride;
        if (partial[1] > 0) {
            const float shrink = expf(partial[0] - highest);
            weight += partial[1] * shrink;
            ggml_vec_mad_f32(size, out, partial + 2, shrink);
        }
    }
    write_row(attention, query_head, highest, weight, out, out);
}

static void attend_split_positions(const Attention & attention, const ggml_compute_params * params, AttentionTile & tile) {
    const int64_t thread = params->ith, n_threads = params->nth, size = attention.partial_floats();
    float * partials = (float *) params->wdata + n_threads * attention.tile_floats();
    const int64_t all_rows = attention.n_rows * attention.k->ne[2] * attention.q->ne[3];
    const auto partial = [&](int64_t of_thread, const TileOfRows & rows, int64_t row) {
        const int64_t at = (rows.sequence * attention.k->ne[2] + rows.head) * attention.n_rows + rows.first_row + row;
        return partials + (of_thread * all_rows + at) * size;
    };
    const int64_t runs = (attention.n_positions + kPositions - 1) / kPositions;
    const int64_t first = runs * thread / n_threads * kPositions, last = std::min(runs * (thread + 1) / n_threads * kPositions, attention.n_positions);
    for (int64_t i = 0; i < attention.n_tiles; i++) {
        const TileOfRows rows(attention, i);
        attend_positions(attention, rows, tile, first, last);
        for (int64_t row = 0; row < rows.n_rows; row++) {
            float * to = partial(thread, rows, row);
            to[0] = tile.highest[row], to[1] = tile.weights[row];
            std::copy_n(tile.sums + row * tile.v_size, tile.v_size, to + 2);
        }
    }
    ggml_barrier(params->threadpool);
    int64_t count = 0;
    for (int64_t i = 0; i < attention.n_tiles; i++) {
        const TileOfRows rows(attention, i);
        for (int64_t row = 0; row < rows.n_rows; row++, count++) {
            if (count % n_threads == thread) {
                join_row(attention, partial(0, rows, row), all_rows * size, (int) n_threads, rows.query_head(attention, row), out_row(attention, rows, row));
            }
        }
    }
}

void attend(const ggml_compute_params * params, ggml_tensor * op) {
    const Attention attention(op);
    GGML_ASSERT(attention_work_bytes(op, params->nth) <= params->wsize);
    AttentionTile tile(attention.k->ne[0], attention.v->ne[0], (float *) params->wdata + params->ith * attention.tile_floats());
    if (attention.splits_positions(params->nth)) {
        attend_split_positions(attention, params, tile);
    } else {
        attend_whole_tiles(attention, params, tile);
    }
}

} // namespace ruminate::kernels
