// One batch through the model and back: llama.cpp's "glm4" graph. Each thread owns a Pass and its gradient.
//
//   x = embedding[token]
//   per layer:  x += norm(attention(norm(x)));  x += norm(mlp(norm(x)))
//   logits = output norm(x), only where the loss counts
#pragma once
#include <cstring>
#include <vector>

#include "batches.h"
#include "layers.h"
#include "matmul.h"
#include "parameters.h"

// A buffer that grows when a longer batch comes and never shrinks.
template <class T>
T *grown(std::vector<T> &buffer, long size) {
  if (long(buffer.size()) < size) buffer.resize(size);
  return buffer.data();
}

template <class Real>
class Pass {
public:
  std::vector<float> gradient;  // like the weights; added to by every run
  double loss = 0, loss_weight = 0;

  // weights: f32, for norms, biases and the embedding; weights_real: the same as Real, for matrix products
  Pass(const Layout &layout, const Rope &rope, const float *weights, const Real *weights_real)
      : gradient(layout.size, 0), layout(layout), rope(rope), w(weights), wr(weights_real), state(shape.layers + 1) {}

  void run(const Batch &batch, float loss_scale) {
    B = batch.rows, T = batch.length, N = B * T;
    allocate();
    for (long i = 0; i < N; i++)
      std::copy_n(w + layout.embedding + batch.input[i] * d, d, state[0].x.data() + i * d);
    for (int l = 0; l < shape.layers; l++) {
      attention(state[l], layout.layers[l]);
      mlp(state[l], layout.layers[l], state[l + 1].x.data());
    }
    output_and_loss(batch, loss_scale);
    for (int l = shape.layers - 1; l >= 0; l--) {
      mlp_backward(state[l], layout.layers[l]);
      attention_backward(state[l], layout.layers[l]);
    }
    for (long i = 0; i < N; i++) {
      float *to = gradient.data() + layout.embedding + batch.input[i] * d;
      for (int j = 0; j < d; j++) to[j] += dx[i * d + j];
    }
  }

private:
  static constexpr int d = shape.width, f = shape.hidden, hd = shape.head_width;
  static constexpr int dq = shape.q_width(), dk = shape.kv_width(), dqkv = shape.qkv_width();
  static constexpr int H = shape.heads, KV = shape.kv_heads, G = shape.heads_per_kv();

  // What the way back needs of one layer.
  struct LayerState {
    std::vector<float> x;                 // [N, d] entering
    std::vector<float> scale[4];          // [N] of the four norms
    std::vector<Real> normed;             // [N, d]
    std::vector<Real> q, k, v;            // [B, H, T, hd], [B, KV, T, hd] twice
    std::vector<Real> probabilities;      // [B, H, T, T]
    std::vector<Real> attended;           // [N, dq]
    std::vector<float> attention_out;     // [N, d] before its norm
    std::vector<float> middle;            // [N, d] after attention
    std::vector<Real> middle_normed;      // [N, d]
    std::vector<Real> gate_up, activated; // [N, 2f], [N, f]
    std::vector<float> mlp_out;           // [N, d] before its norm
  };

  const Layout &layout;
  const Rope &rope;
  const float *w;
  const Real *wr;
  Matmul mm;
  long B = 0, T = 0, N = 0;  // rows, padded length, tokens
  std::vector<LayerState> state;
  std::vector<float> scores;           // [B, H, T, T]
  std::vector<float> dx, dmiddle;      // [N, d]
  std::vector<float> dwide;            // [N, max(d, f)]
  std::vector<float> final_scale;      // [N]
  std::vector<Real> qkv, heads_out;    // [N, dqkv], [B, H, T, hd]
  std::vector<Real> dnarrow, dbranch;  // [N, d], [N, max(2f, dqkv)]
  std::vector<Real> dheads, dq_, dk_, dv_;
  std::vector<Real> final_normed, selected, dlogits;  // [N, d], [M, d], [M, vocabulary]
  std::vector<float> logits, dselected;               // [M, vocabulary], [M, d]
  std::vector<long> counted;                          // rows with a loss

  void allocate() {
    for (LayerState &s : state) {
      grown(s.x, N * d);
      for (auto &scale : s.scale) grown(scale, N);
      grown(s.normed, N * d), grown(s.q, N * dq), grown(s.k, N * dk), grown(s.v, N * dk);
      grown(s.probabilities, B * H * T * T), grown(s.attended, N * dq);
      grown(s.attention_out, N * d), grown(s.middle, N * d), grown(s.middle_normed, N * d);
      grown(s.gate_up, N * 2 * f), grown(s.activated, N * f), grown(s.mlp_out, N * d);
      if (&s == &state[shape.layers - 1]) break;  // the last entry only holds the result, x
    }
    grown(state[shape.layers].x, N * d);
    grown(scores, B * H * T * T);
    grown(dx, N * d), grown(dmiddle, N * d), grown(dwide, N * std::max(d, f)), grown(final_scale, N);
    grown(qkv, N * dqkv), grown(heads_out, N * dq);
    grown(dnarrow, N * d), grown(dbranch, N * std::max(2 * f, dqkv));
    grown(dheads, N * dq), grown(dq_, N * dq), grown(dk_, N * dk), grown(dv_, N * dk);
    grown(final_normed, N * d);
  }

  // --- attention ----------------------------------------------------------------------------------------------------

  // Query heads that share a KV head lie behind each other, so that a group is one product of G * T rows.
  void attention(LayerState &s, const LayerOffsets &at) {
    rms_norm(N, s.x.data(), w + at.attention_norm, s.normed.data(), s.scale[0].data());
    mm.linear(N, dqkv, d, s.normed.data(), wr + at.qkv, qkv.data());
    each_head([&](long row, long t, int head, Real *at_head) {
      float x[hd];
      const Real *from = qkv.data() + row * dqkv + head * hd;
      const float *bias = w + at.qkv_bias + head * hd;
      for (int j = 0; j < hd; j++) x[j] = to_f32(from[j]) + bias[j];
      if (head < H + KV) rope.rotate(x, t, 1);
      const float scale = head < H ? 1 / std::sqrt(float(hd)) : 1;  // scores are scaled here, at the query
      for (int j = 0; j < hd; j++) store(at_head + j, x[j] * scale);
    }, s.q.data(), s.k.data(), s.v.data());

    mm.multiply(B * KV, G * T, T, hd, {s.q.data(), G * T * hd, hd, 1}, {s.k.data(), T * hd, 1, hd},
                {scores.data(), G * T * T, T, 1});
    causal_softmax(B * H * T, T, scores.data(), s.probabilities.data());
    mm.multiply(B * KV, G * T, hd, T, {s.probabilities.data(), G * T * T, T, 1}, {s.v.data(), T * hd, hd, 1},
                {heads_out.data(), G * T * hd, hd, 1});
    for (long b = 0; b < B; b++)
      for (int h = 0; h < H; h++)
        for (long t = 0; t < T; t++)
          std::copy_n(heads_out.data() + ((b * H + h) * T + t) * hd, hd, s.attended.data() + (b * T + t) * dq + h * hd);
    mm.linear(N, d, dq, s.attended.data(), wr + at.attention_out, s.attention_out.data());
    rms_norm(N, s.attention_out.data(), w + at.post_attention_norm, s.middle.data(), s.scale[1].data(), s.x.data());
  }

  // dmiddle -> dx
  void attention_backward(LayerState &s, const LayerOffsets &at) {
    float *g = gradient.data();
    rms_norm_backward(N, s.attention_out.data(), w + at.post_attention_norm, s.scale[1].data(), dmiddle.data(),
                      dnarrow.data(), g + at.post_attention_norm);
    mm.linear_weight_gradient(N, d, dq, dnarrow.data(), s.attended.data(), g + at.attention_out);
    mm.linear_input_gradient(N, d, dq, dnarrow.data(), wr + at.attention_out, dbranch.data());
    for (long b = 0; b < B; b++)
      for (int h = 0; h < H; h++)
        for (long t = 0; t < T; t++)
          std::copy_n(dbranch.data() + (b * T + t) * dq + h * hd, hd, dheads.data() + ((b * H + h) * T + t) * hd);

    Real *p = s.probabilities.data();
    mm.multiply(B * KV, T, hd, G * T, {p, G * T * T, 1, T}, {dheads.data(), G * T * hd, hd, 1},
                {dv_.data(), T * hd, hd, 1});
    mm.multiply(B * KV, G * T, T, hd, {dheads.data(), G * T * hd, hd, 1}, {s.v.data(), T * hd, 1, hd},
                {scores.data(), G * T * T, T, 1});
    causal_softmax_backward(B * H * T, T, scores.data(), p);  // p now holds the scores' gradient
    mm.multiply(B * KV, G * T, hd, T, {p, G * T * T, T, 1}, {s.k.data(), T * hd, hd, 1},
                {dq_.data(), G * T * hd, hd, 1});
    mm.multiply(B * KV, T, hd, G * T, {p, G * T * T, 1, T}, {s.q.data(), G * T * hd, hd, 1},
                {dk_.data(), T * hd, hd, 1});

    each_head([&](long row, long t, int head, Real *at_head) {
      float x[hd];
      const float scale = head < H ? 1 / std::sqrt(float(hd)) : 1;
      for (int j = 0; j < hd; j++) x[j] = to_f32(at_head[j]) * scale;
      if (head < H + KV) rope.rotate(x, t, -1);
      float *dbias = g + at.qkv_bias + head * hd;
      Real *to = dbranch.data() + row * dqkv + head * hd;
      for (int j = 0; j < hd; j++) dbias[j] += x[j], store(to + j, x[j]);
    }, dq_.data(), dk_.data(), dv_.data());
    mm.linear_weight_gradient(N, dqkv, d, dbranch.data(), s.normed.data(), g + at.qkv);
    mm.linear_input_gradient(N, dqkv, d, dbranch.data(), wr + at.qkv, dwide.data());
    rms_norm_backward(N, s.x.data(), w + at.attention_norm, s.scale[0].data(), dwide.data(), dx.data(),
                      g + at.attention_norm, dmiddle.data());
  }

  // Calls visit(token, position, head, place) for all heads: queries, then keys, then values.
  template <class Visit>
  void each_head(Visit visit, Real *q, Real *k, Real *v) {
    for (long b = 0; b < B; b++)
      for (long t = 0; t < T; t++)
        for (int h = 0; h < H + 2 * KV; h++) {
          Real *place = h < H        ? q + ((b * H + h) * T + t) * hd
                        : h < H + KV ? k + ((b * KV + h - H) * T + t) * hd
                                     : v + ((b * KV + h - H - KV) * T + t) * hd;
          visit(b * T + t, t, h, place);
        }
  }

  // --- feed-forward -------------------------------------------------------------------------------------------------

  void mlp(LayerState &s, const LayerOffsets &at, float *out) {
    rms_norm(N, s.middle.data(), w + at.mlp_norm, s.middle_normed.data(), s.scale[2].data());
    mm.linear(N, 2 * f, d, s.middle_normed.data(), wr + at.gate_up, s.gate_up.data());
    swiglu(N, s.gate_up.data(), s.activated.data());
    mm.linear(N, d, f, s.activated.data(), wr + at.down, s.mlp_out.data());
    rms_norm(N, s.mlp_out.data(), w + at.post_mlp_norm, out, s.scale[3].data(), s.middle.data());
  }

  // dx -> dmiddle
  void mlp_backward(LayerState &s, const LayerOffsets &at) {
    float *g = gradient.data();
    rms_norm_backward(N, s.mlp_out.data(), w + at.post_mlp_norm, s.scale[3].data(), dx.data(), dnarrow.data(),
                      g + at.post_mlp_norm);
    mm.linear_weight_gradient(N, d, f, dnarrow.data(), s.activated.data(), g + at.down);
    mm.linear_input_gradient(N, d, f, dnarrow.data(), wr + at.down, dwide.data());
    swiglu_backward(N, s.gate_up.data(), dwide.data(), dbranch.data());
    mm.linear_weight_gradient(N, 2 * f, d, dbranch.data(), s.middle_normed.data(), g + at.gate_up);
    mm.linear_input_gradient(N, 2 * f, d, dbranch.data(), wr + at.gate_up, dwide.data());
    rms_norm_backward(N, s.middle.data(), w + at.mlp_norm, s.scale[2].data(), dwide.data(), dmiddle.data(),
                      g + at.mlp_norm, dx.data());
  }

  // --- output -------------------------------------------------------------------------------------------------------

  // Logits only for tokens with a loss: about a third of all, which saves the largest product of the model.
  void output_and_loss(const Batch &batch, float loss_scale) {
    const float *x = state[shape.layers].x.data();
    rms_norm(N, x, w + layout.final_norm, final_normed.data(), final_scale.data());
    counted.clear();
    for (long i = 0; i < N; i++)
      if (batch.weight[i] > 0) counted.push_back(i);
    const long used = long(counted.size()), M = (used + 63) / 64 * 64;  // rounded up: fewer shapes to compile
    grown(selected, M * d), grown(logits, M * shape.vocabulary), grown(dlogits, M * shape.vocabulary);
    grown(dselected, M * d);
    std::fill_n(selected.begin(), M * d, Real{});
    for (long i = 0; i < used; i++) std::copy_n(final_normed.data() + counted[i] * d, d, selected.data() + i * d);
    mm.linear(M, shape.vocabulary, d, selected.data(), wr + layout.output, logits.data());
    std::fill_n(dlogits.begin(), M * shape.vocabulary, Real{});
    for (long i = 0; i < used; i++) {
      const float weight = batch.weight[counted[i]];
      loss += weight * cross_entropy(logits.data() + i * shape.vocabulary, batch.target[counted[i]],
                                     weight * loss_scale, dlogits.data() + i * shape.vocabulary);
      loss_weight += weight;
    }

    float *g = gradient.data();
    mm.linear_weight_gradient(M, shape.vocabulary, d, dlogits.data(), selected.data(), g + layout.output);
    mm.linear_input_gradient(M, shape.vocabulary, d, dlogits.data(), wr + layout.output, dselected.data());
    std::fill_n(dmiddle.begin(), N * d, 0.f);
    for (long i = 0; i < used; i++) std::copy_n(dselected.data() + i * d, d, dmiddle.data() + counted[i] * d);
    rms_norm_backward(N, x, w + layout.final_norm, final_scale.data(), dmiddle.data(), dx.data(),
                      g + layout.final_norm);
  }
};
