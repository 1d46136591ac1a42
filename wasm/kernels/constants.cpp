#include "constants.h"

namespace ruminate::kernels {

// Nibbles; bits of the fifth and sixth place; sign, exponent and fraction of a half moved to a float's places, and 2^112.
uint32_t constants[] = {0x0f0f0f0f, 0xf0f0f0f0, 0x10101010, 0x30303030, 0x8fffe000, 0x77800000};

} // namespace ruminate::kernels
