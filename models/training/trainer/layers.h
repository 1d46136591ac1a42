// What lies between the matrix products, forward and backward: norms, rotary positions, softmax, SwiGLU, the loss.
// n counts rows (tokens); every function works on whole rows.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "real.h"
#include "shape.h"

// --- RMS norm -------------------------------------------------------------------------------------------------------

// y = x * scale * weight (+ residual), scale = 1 / rms(x), kept for the way back
template <class In, class Out>
void rms_norm(long n, const In *x, const float *weight, Out *y, float *scale, const float *residual = nullptr) {
  constexpr int d = shape.width;
  for (long i = 0; i < n; i++, x += d, y += d) {
    float squares = 0;
    for (int j = 0; j < d; j++) squares += to_f32(x[j]) * to_f32(x[j]);
    const float s = scale[i] = 1 / std::sqrt(squares / d + shape.norm_epsilon);
    if (residual) {
      const float *r = residual + i * d;
      for (int j = 0; j < d; j++) store(y + j, to_f32(x[j]) * s * weight[j] + r[j]);
    } else {
      for (int j = 0; j < d; j++) store(y + j, to_f32(x[j]) * s * weight[j]);
    }
  }
}

// dx = weight * scale * dy - x * scale^3 / width * sum(dy * weight * x) (+ residual's dx), dweight += dy * x * scale
template <class In, class Out>
void rms_norm_backward(long n, const In *x, const float *weight, const float *scale, const float *dy, Out *dx,
                       float *dweight, const float *add = nullptr) {
  constexpr int d = shape.width;
  for (long i = 0; i < n; i++, x += d, dy += d, dx += d) {
    const float s = scale[i];
    float sum = 0;
    for (int j = 0; j < d; j++) {
      float t = dy[j] * to_f32(x[j]);
      sum += t * weight[j];
      dweight[j] += t * s;
    }
    const float k = -sum * s * s * s / d;
    if (add) {
      const float *a = add + i * d;
      for (int j = 0; j < d; j++) store(dx + j, to_f32(x[j]) * k + dy[j] * weight[j] * s + a[j]);
    } else {
      for (int j = 0; j < d; j++) store(dx + j, to_f32(x[j]) * k + dy[j] * weight[j] * s);
    }
  }
}

// --- rotary positions -----------------------------------------------------------------------------------------------

// cos and sin of position * frequency, [positions, rotary / 2]; with yarn > 1 as llama.cpp computes them (ext_factor 1)
struct Rope {
  std::vector<float> cosine, sine;

  Rope(long positions, float yarn) {
    const int half = shape.rotary / 2;
    // the dimension that turns `turns` times within the trained context
    auto dimension = [](double turns) {
      return shape.rotary * std::log(shape.context / (turns * 2 * M_PI)) / (2 * std::log(shape.rope_base));
    };
    const double low = std::max(0.0, std::floor(dimension(32)));
    const double high = std::min(shape.rotary - 1.0, std::ceil(dimension(1)));
    const double magnitude = yarn > 1 ? 1 + 0.1 * std::log(yarn) : 1;
    cosine.resize(positions * half);
    sine.resize(positions * half);
    for (int i = 0; i < half; i++) {
      double frequency = std::pow(shape.rope_base, -2.0 * i / shape.rotary);
      if (yarn > 1) {  // fast dimensions stay, slow ones are stretched, those between are mixed
        double stay = 1 - std::min(1.0, std::max(0.0, (i - low) / std::max(0.001, high - low)));
        frequency = frequency / yarn * (1 - stay) + frequency * stay;
      }
      for (long t = 0; t < positions; t++) {
        cosine[t * half + i] = float(std::cos(t * frequency) * magnitude);
        sine[t * half + i] = float(std::sin(t * frequency) * magnitude);
      }
    }
  }

  // Turns pairs (2i, 2i+1) of one head by the angle of position t; direction -1 turns back.
  void rotate(float *head, long t, float direction) const {
    constexpr int half = shape.rotary / 2;
    const float *c = &cosine[t * half], *s = &sine[t * half];
    for (int i = 0; i < half; i++) {
      float x0 = head[2 * i], x1 = head[2 * i + 1], si = s[i] * direction;
      head[2 * i] = x0 * c[i] - x1 * si;
      head[2 * i + 1] = x1 * c[i] + x0 * si;
    }
  }
};

// --- causal softmax -------------------------------------------------------------------------------------------------

// probabilities[rows, length] of scores[rows, length]; row i belongs to position i % length and sees up to itself
template <class Real>
void causal_softmax(long rows, long length, float *scores, Real *probabilities) {
  for (long i = 0; i < rows; i++) {
    const long seen = i % length + 1;
    float *s = scores + i * length;
    Real *p = probabilities + i * length;
    float highest = -1e30f, sum = 0;
    for (long j = 0; j < seen; j++) highest = std::max(highest, s[j]);
    for (long j = 0; j < seen; j++) sum += s[j] = fast_exp(s[j] - highest);
    const float scale = 1 / sum;
    for (long j = 0; j < seen; j++) store(p + j, s[j] * scale);
    std::fill(p + seen, p + length, Real{});
  }
}

// Turns probabilities into the scores' gradient: p * (dp - sum(dp * p)), in place; unseen places stay 0.
template <class Real>
void causal_softmax_backward(long rows, long length, const float *dprobabilities, Real *probabilities) {
  for (long i = 0; i < rows; i++) {
    const long seen = i % length + 1;
    const float *d = dprobabilities + i * length;
    Real *p = probabilities + i * length;
    float sum = 0;
    for (long j = 0; j < seen; j++) sum += d[j] * to_f32(p[j]);
    for (long j = 0; j < seen; j++) store(p + j, to_f32(p[j]) * (d[j] - sum));
  }
}

// --- SwiGLU ---------------------------------------------------------------------------------------------------------

// y[n, hidden] = silu(gate) * up, gate and up side by side in gate_up[n, 2 * hidden]
template <class Real>
void swiglu(long n, const Real *gate_up, Real *y) {
  constexpr int f = shape.hidden;
  for (long i = 0; i < n; i++, gate_up += 2 * f, y += f)
    for (int j = 0; j < f; j++) {
      float gate = to_f32(gate_up[j]);
      store(y + j, gate / (1 + fast_exp(-gate)) * to_f32(gate_up[f + j]));
    }
}

template <class Real>
void swiglu_backward(long n, const Real *gate_up, const float *dy, Real *dgate_up) {
  constexpr int f = shape.hidden;
  for (long i = 0; i < n; i++, gate_up += 2 * f, dgate_up += 2 * f, dy += f)
    for (int j = 0; j < f; j++) {
      float gate = to_f32(gate_up[j]), sigmoid = 1 / (1 + fast_exp(-gate)), silu = gate * sigmoid;
      store(dgate_up + f + j, dy[j] * silu);
      store(dgate_up + j, dy[j] * to_f32(gate_up[f + j]) * (sigmoid + silu * (1 - sigmoid)));
    }
}

// --- loss -----------------------------------------------------------------------------------------------------------

// Cross entropy of one row of logits (overwritten); dlogits gets its gradient times gradient_scale.
template <class Real>
float cross_entropy(float *logits, int target, float gradient_scale, Real *dlogits) {
  constexpr int v = shape.vocabulary;
  float highest = -1e30f, sum = 0;
  for (int j = 0; j < v; j++) highest = std::max(highest, logits[j]);
  const float of_target = logits[target] - highest;
  for (int j = 0; j < v; j++) sum += logits[j] = fast_exp(logits[j] - highest);
  const float scale = gradient_scale / sum;
  logits[target] -= sum;
  for (int j = 0; j < v; j++) store(dlogits + j, logits[j] * scale);
  return std::log(sum) - of_target;
}
