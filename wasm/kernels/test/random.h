// Numbers that are the same in every run.
#pragma once

#include <stdint.h>

namespace ruminate::kernels::test {

class Random {
    uint64_t state = 0x9e3779b97f4a7c15;

  public:
    uint32_t bits() {
        state = state * 6364136223846793005 + 1442695040888963407;
        return (uint32_t) (state >> 33) * 2 + (uint32_t) (state >> 62 & 1);
    }
    uint32_t below(uint32_t limit) { return (uint32_t) ((uint64_t) bits() * limit >> 32); }
    float between(float low, float high) { return low + (high - low) * (float) (bits() >> 8) / 16777216.0f; }
};

} // namespace ruminate::kernels::test
