// Muon for the matrices of the layers, Adam for embedding, output, norms and biases.
#pragma once
#include <cmath>
#include <vector>

#include "matmul.h"
#include "parameters.h"

// Momentum whose singular values are all made about 1 (five Newton-Schulz steps), so that every direction of a matrix
// is learned at the same pace. https://kellerjordan.github.io/posts/muon/
template <class Real>
class Muon {  // one a thread: it owns buffers
public:
  static constexpr float momentum_decay = 0.95f, weight_decay = 0.05f;

  void update(const Parameter &p, const float *gradient, float *momentum, float *weights, float rate) {
    const long rows = p.rows, columns = p.columns, n = p.size();
    const bool tall = rows > columns;
    const long m = std::min(rows, columns), k = std::max(rows, columns);
    x.resize(n), a.resize(m * m), b.resize(m * m), wide.resize(std::max(n, m * m));

    double squares = 0;
    for (long i = 0; i < n; i++) {
      momentum[i] = momentum_decay * momentum[i] + gradient[i];
      wide[i] = gradient[i] + momentum_decay * momentum[i];  // Nesterov
      squares += double(wide[i]) * wide[i];
    }
    const float normalize = float(1 / (std::sqrt(squares) + 1e-12));
    for (long i = 0; i < n; i++) store(&x[i], wide[i] * normalize);

    const long s0 = tall ? 1 : columns, s1 = tall ? columns : 1;  // strides of X seen as [m, k], m <= k
    for (int step = 0; step < 5; step++) {  // X <- (3.4445 I - 4.7750 A + 2.0315 A A) X, A = X X^T
      mm.multiply(1, m, m, k, {x.data(), 0, s0, s1}, {x.data(), 0, s1, s0}, {a.data(), 0, m, 1});
      mm.multiply(1, m, m, m, {a.data(), 0, m, 1}, {a.data(), 0, m, 1}, {wide.data(), 0, m, 1});
      for (long i = 0; i < m * m; i++) {
        float identity = i % (m + 1) == 0 ? 3.4445f : 0.f;
        store(&b[i], identity - 4.7750f * to_f32(a[i]) + 2.0315f * wide[i]);
      }
      if (tall)  // B is symmetric: (B X^T)^T = X B
        mm.multiply(1, rows, columns, m, {x.data(), 0, columns, 1}, {b.data(), 0, m, 1}, {wide.data(), 0, columns, 1});
      else
        mm.multiply(1, m, k, m, {b.data(), 0, m, 1}, {x.data(), 0, columns, 1}, {wide.data(), 0, columns, 1});
      convert(wide.data(), x.data(), n);
    }
    const float step_size = rate * std::sqrt(std::max(1.f, float(rows) / columns)), keep = 1 - rate * weight_decay;
    for (long i = 0; i < n; i++) weights[i] = weights[i] * keep - step_size * wide[i];
  }

private:
  Matmul mm;
  std::vector<Real> x, a, b;  // [m, k] in the parameter's layout, [m, m], [m, m]
  std::vector<float> wide;    // f32 of whichever product was last
};

// step counts from 1
inline void adam_update(long n, const float *gradient, float gradient_scale, float *mean, float *square, float *weights,
                        float rate, long step) {
  const float beta1 = 0.9f, beta2 = 0.98f;
  const float unbias1 = 1 / (1 - std::pow(beta1, float(step))), unbias2 = 1 / (1 - std::pow(beta2, float(step)));
  for (long i = 0; i < n; i++) {
    float g = gradient[i] * gradient_scale;
    mean[i] = beta1 * mean[i] + (1 - beta1) * g;
    square[i] = beta2 * square[i] + (1 - beta2) * g * g;
    weights[i] -= rate * mean[i] * unbias1 / (std::sqrt(square[i] * unbias2) + 1e-9f);
  }
}
