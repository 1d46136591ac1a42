// float-simd.h, and the parts of ggml that patches make use it.
#include "float-simd.h"
#include "ggml-cpu.h"
#include "ggml.h"
#include "random.h"
#include "report.h"
#include "vec.h"

#include <algorithm>
#include <float.h>
#include <math.h>
#include <string.h>
#include <vector>

namespace ruminate::kernels::test {

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}

static float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static double half_to_double(uint16_t half) {
    const int exponent = half >> 10 & 31, mantissa = half & 1023;
    const double magnitude = exponent == 31 ? (mantissa ? NAN : INFINITY) : exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
    return half >> 15 ? -magnitude : magnitude;
}

static void test_half_to_float() {
    int wrong = 0, wrong_finite = 0, wrong_ggml = 0;
    for (int first = 0; first < 65536; first += 4) {
        uint16_t halves[4];
        float all[4], finite[4], ggml[4];
        for (int i = 0; i < 4; i++) {
            halves[i] = (uint16_t) (first + i);
        }
        wasm_v128_store(all, ruminate_load_f16x4(halves));
        wasm_v128_store(finite, ruminate_load_finite_f16x4(halves));
        ggml_cpu_fp16_to_fp32(halves, ggml, 4);
        for (int i = 0; i < 4; i++) {
            const double expected = half_to_double(halves[i]);
            const bool is_nan = isnan(expected);
            const auto differs = [&](float x) { return is_nan ? !isnan(x) : bits_of(x) != bits_of((float) expected); };
            wrong += differs(all[i]);
            wrong_ggml += differs(ggml[i]);
            wrong_finite += isfinite(expected) && differs(finite[i]);
        }
    }
    report(!wrong, "ruminate_load_f16x4() gives all 65536 halves", "%d wrong", wrong);
    report(!wrong_finite, "ruminate_load_finite_f16x4() gives all finite halves", "%d wrong", wrong_finite);
    report(!wrong_ggml, "ggml_cpu_fp16_to_fp32() gives all 65536 halves", "%d wrong", wrong_ggml);
}

// The nearest half, by comparing with its neighbours.
static bool is_nearest(float x, uint16_t half) {
    if (isnan(x)) {
        return isnan(half_to_double(half));
    }
    const uint16_t sign = (uint16_t) (signbit(x) ? 0x8000 : 0), magnitude = half & 0x7fff;
    if ((half & 0x8000) != sign || magnitude > 0x7c00) {
        return false;
    }
    // For rounding, infinity is where the next half would be.
    const auto place = [](int m) { return m == 0x7c00 ? 65536.0 : half_to_double((uint16_t) m); };
    const double error = fabs(fabs((double) x) - place(magnitude));
    if (fabs(x) >= 65520) {
        return magnitude == 0x7c00;
    }
    for (int neighbour : {magnitude - 1, magnitude + 1}) {
        if (neighbour < 0 || neighbour > 0x7c00) {
            continue;
        }
        const double other = fabs(fabs((double) x) - place(neighbour));
        if (other < error || (other == error && magnitude % 2)) {
            return false;
        }
    }
    return true;
}

static void test_float_to_half() {
    std::vector<float> inputs = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, FLT_MAX, FLT_MIN, FLT_TRUE_MIN, 65504.0f, 65519.996f, 65520.0f, 65536.0f};
    for (int half = 0; half < 0x7c00; half++) {
        // The half, the middle to the next one, and both sides of the middle.
        const float exact = (float) half_to_double((uint16_t) half);
        const float middle = half == 0x7bff ? 65520.0f : (exact + (float) half_to_double((uint16_t) (half + 1))) / 2;
        for (float x : {exact, middle, nextafterf(middle, 0), nextafterf(middle, INFINITY)}) {
            inputs.push_back(x);
            inputs.push_back(-x);
        }
    }
    Random random;
    for (int i = 0; i < 1000000; i++) {
        inputs.push_back(from_bits(random.bits()));
    }
    inputs.resize(inputs.size() / 4 * 4);
    std::vector<uint16_t> halves(inputs.size());
    int wrong = 0, wrong_ggml = 0;
    for (size_t i = 0; i < inputs.size(); i += 4) {
        ruminate_store_f16x4(&halves[i], wasm_v128_load(&inputs[i]));
    }
    for (size_t i = 0; i < inputs.size(); i++) {
        wrong += !is_nearest(inputs[i], halves[i]);
    }
    ggml_cpu_fp32_to_fp16(inputs.data(), halves.data(), (int64_t) inputs.size());
    for (size_t i = 0; i < inputs.size(); i++) {
        wrong_ggml += !is_nearest(inputs[i], halves[i]);
    }
    report(!wrong, "ruminate_store_f16x4() rounds to nearest, ties to even", "%d of %zu wrong", wrong, inputs.size());
    report(!wrong_ggml, "ggml_cpu_fp32_to_fp16() rounds to nearest, ties to even", "%d of %zu wrong", wrong_ggml, inputs.size());
}

static void test_exp() {
    double worst = 0, worst_silu = 0;
    float at = 0, at_silu = 0;
    for (float x = -87.2f; x < 88.7f; x += 0.00037f) {
        const double exact = exp((double) x), ulp = ldexp(1, ilogb(exact) - 23);
        const double error = fabs(wasm_f32x4_extract_lane(ruminate_exp(wasm_f32x4_splat(x)), 0) - exact) / ulp;
        if (!(error <= worst)) {
            worst = error, at = x;
        }
        const double silu = x / (1 + exp(-(double) x));
        const double silu_error = fabs(wasm_f32x4_extract_lane(ruminate_silu(wasm_f32x4_splat(x)), 0) - silu) / std::max(fabs(silu), 1e-37);
        if (!(silu_error <= worst_silu)) {
            worst_silu = silu_error, at_silu = x;
        }
    }
    report(worst < 1.5, "ruminate_exp() is within 1.5 units in the last place", "%.2f at %g", worst, at);
    report(worst_silu < 5e-7, "ruminate_silu() is within 5e-7 of the value", "%.2e at %g", worst_silu, at_silu);
    const float edges[4] = {-INFINITY, INFINITY, NAN, 0.0f};
    float results[4];
    wasm_v128_store(results, ruminate_exp(wasm_v128_load(edges)));
    report(results[0] == 0 && results[1] == INFINITY && isnan(results[2]) && results[3] == 1, "ruminate_exp() at infinities, NaN and 0",
           "%g %g %g %g", results[0], results[1], results[2], results[3]);
}

static void test_ggml_vectors() {
    constexpr int n = 103; // not a multiple of 4
    Random random;
    float x[n], gate[n], silu[n], swiglu[n], soft_max[n];
    for (int i = 0; i < n; i++) {
        x[i] = random.between(-20, 20), gate[i] = random.between(-2, 2);
    }
    x[7] = -INFINITY;
    ggml_vec_silu_f32(n - 8, silu, x + 8);
    ggml_vec_swiglu_f32(n - 8, swiglu, x + 8, gate);
    const double sum = ggml_vec_soft_max_f32(n, soft_max, x, 20);
    double worst = 0, expected_sum = 0;
    for (int i = 0; i < n; i++) {
        expected_sum += exp(x[i] - 20.0);
        worst = std::max(worst, fabs(soft_max[i] - exp(x[i] - 20.0)));
        if (i < n - 8) {
            const double exact = x[i + 8] / (1 + exp(-(double) x[i + 8]));
            worst = std::max({worst, fabs(silu[i] - exact) / 20, fabs(swiglu[i] - exact * gate[i]) / 40});
        }
    }
    report(worst < 2e-7, "ggml's silu, swiglu and softmax keep single precision", "%.2e", worst);
    report(fabs(sum / expected_sum - 1) < 1e-6, "ggml_vec_soft_max_f32() returns the sum", "%.9g, expected %.9g", sum, expected_sum);
    report(soft_max[7] == 0, "ggml_vec_soft_max_f32() gives 0 for a masked score", "%g", soft_max[7]);
}

void test_float_vectors() {
    test_half_to_float();
    test_float_to_half();
    test_exp();
    test_ggml_vectors();
}

} // namespace ruminate::kernels::test
