// The loops that measured_peaks.cc times, one table per ISA variant, one file each.
#pragma once

#include <cstdint>

#include "core/variants.h"

namespace bitnet {

constexpr int kPeakChains = 12;  // independent instructions: enough to hide the latency of two pipes

struct PeakLoops {
  // Run kPeakChains instructions on registers `rounds` times; the value only keeps them from being left out.
  float (*fma)(int64_t rounds);
  float (*int8)(int64_t rounds);
  // Multiplications and additions of one round.
  double fma_operations;
  double int8_operations;
  // Exclusive or of all of memory; null: the plain loop is as fast.
  uint64_t (*read)(const uint8_t* data, int64_t bytes);
  // As the first two, of bfloat16 products; null: the variant has none. Only where usable_bf16_tile is.
  float (*bf16)(int64_t rounds) = nullptr;
  double bf16_operations = 0;
};

#if defined(BITNET_X86)
extern const PeakLoops kAvx2PeakLoops;
extern const PeakLoops kAvxVnniPeakLoops;
extern const PeakLoops kAvx512VnniPeakLoops;
extern const PeakLoops kAmxPeakLoops;
#elif defined(BITNET_ARM64)
extern const PeakLoops kNeonDotPeakLoops;
#endif

}  // namespace bitnet
