// Stochastic rounding of the int8 backward pass. A value v becomes floor(v + u) with u uniform in [0, 1): its
// mean is v. u comes from a counter-based generator keyed by (seed, step, micro-step, product, operand) and
// the element, so that neither order nor threads matter. The generator is the 32-bit mixer `lowbias32` of
// Chris Wellons' hash prospector (public domain); its upper 24 bits make u.
#pragma once

#include <cstdint>

namespace bitnet {

// `key` identifies the product (see src/ops/backward_pass.ts); operands draw from streams of their own.
enum class RoundedOperand : uint32_t { rows = 0x2545f491u, columns = 0x9e3779b9u };

inline uint32_t operand_key(uint32_t key, RoundedOperand operand) {
  uint32_t h = key ^ static_cast<uint32_t>(operand);
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) * 0x846ca68bu;
  return h ^ (h >> 16);
}

}  // namespace bitnet
