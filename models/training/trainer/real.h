// The two number formats of activations: bf16 (fast on CPUs with AMX) and f32 (any CPU). All is computed in f32; Real
// is only how it is stored. Plain loops: the compiler vectorises them.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

struct bf16 {
  uint16_t bits;
};

inline float to_f32(float x) { return x; }
inline float to_f32(bf16 x) { return std::bit_cast<float>(uint32_t(x.bits) << 16); }

inline void store(float *to, float x) { *to = x; }
inline void store(bf16 *to, float x) {  // rounds to nearest, ties to even
  uint32_t bits = std::bit_cast<uint32_t>(x);
  to->bits = uint16_t((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

template <class Real>
void convert(const float *from, Real *to, long n) {
  for (long i = 0; i < n; i++) store(to + i, from[i]);
}

// e^x to about 1e-7, by x = n ln2 + r and a polynomial for e^r. std::exp is a call, which would stop vectorisation
// where the C library has no vector version.
inline float fast_exp(float x) {
  x = std::fmin(std::fmax(x, -87.f), 88.f);
  float n = std::nearbyint(x * 1.44269504f);
  float r = x - n * 0.693359375f + n * 2.12194440e-4f;  // ln2 in two parts, so that r keeps its last bits
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.f;
  return p * std::bit_cast<float>(uint32_t(int(n) + 127) << 23);
}
