// Decoding of K-quants on vector parts: one body for every ISA. Include inside a target region, after
// lanes.h.
//
// A super-block becomes 256 int8 codes by byte loops that the compiler vectorizes, then floats part by part.
#pragma once

#include "core/k_quants.h"
#include "core/kernels.h"
#include "core/lanes.h"

namespace bitnet {
namespace {

constexpr bool is_k_quant(RowType type) {
  return type == RowType::q6_k || type == RowType::q5_k || type == RowType::q4_k;
}

struct SuperBlock {
  alignas(64) int8_t codes[kSuperBlock];
  RunScales runs;
};

BITNET_INLINE void unpack_q6_k(const uint8_t* BITNET_RESTRICT block, int8_t* BITNET_RESTRICT codes) {
  for (int half = 0; half < 2; ++half, codes += 128) {
    const uint8_t* ql = block + half * 64;
    const uint8_t* qh = block + 128 + half * 32;
    for (int m = 0; m < 32; ++m) codes[m] = static_cast<int8_t>(((ql[m] & 15) | (qh[m] & 3) << 4) - 32);
    for (int m = 0; m < 32; ++m)
      codes[32 + m] = static_cast<int8_t>(((ql[32 + m] & 15) | (qh[m] >> 2 & 3) << 4) - 32);
    for (int m = 0; m < 32; ++m)
      codes[64 + m] = static_cast<int8_t>((ql[m] >> 4 | (qh[m] >> 4 & 3) << 4) - 32);
    for (int m = 0; m < 32; ++m)
      codes[96 + m] = static_cast<int8_t>((ql[32 + m] >> 4 | (qh[m] >> 6) << 4) - 32);
  }
}

BITNET_INLINE void unpack_q4_k(const uint8_t* BITNET_RESTRICT block, int8_t* BITNET_RESTRICT codes) {
  const uint8_t* qs = block + 16;
  for (int pair = 0; pair < 4; ++pair, codes += 64, qs += 32) {
    for (int m = 0; m < 32; ++m) codes[m] = static_cast<int8_t>(qs[m] & 15);
    for (int m = 0; m < 32; ++m) codes[32 + m] = static_cast<int8_t>(qs[m] >> 4);
  }
}

BITNET_INLINE void unpack_q5_k(const uint8_t* BITNET_RESTRICT block, int8_t* BITNET_RESTRICT codes) {
  const uint8_t* qh = block + 16;
  const uint8_t* qs = block + 48;
  for (int pair = 0; pair < 4; ++pair, codes += 64, qs += 32) {
    for (int m = 0; m < 32; ++m)
      codes[m] = static_cast<int8_t>((qs[m] & 15) | (qh[m] >> (2 * pair) & 1) << 4);
    for (int m = 0; m < 32; ++m)
      codes[32 + m] = static_cast<int8_t>(qs[m] >> 4 | (qh[m] >> (2 * pair + 1) & 1) << 4);
  }
}

template <RowType Type>
BITNET_INLINE void unpack(const uint8_t* stored, SuperBlock* block) {
  if (Type == RowType::q6_k) {
    const Part d = broadcast_part_f16(stored + 208);
    BITNET_UNROLL
    for (int j = 0; j < kParts; ++j) {
      const Part scale = load_part_i8(stored + 192 + j * kPartLanes);
      store_part(block->runs.scale + j * kPartLanes, mul(d, scale));
    }
    unpack_q6_k(stored, block->codes);
  } else {
    q4_k_scales(stored, &block->runs);
    if (Type == RowType::q5_k) {
      unpack_q5_k(stored, block->codes);
    } else {
      unpack_q4_k(stored, block->codes);
    }
  }
}

// Part j of run `run`.
template <RowType Type>
BITNET_INLINE Part load_run(const SuperBlock& block, int64_t run, int j) {
  const Part code = load_part_i8(block.codes + run * kScaleRun + j * kPartLanes);
  const Part value = mul(code, broadcast_part(block.runs.scale[run]));
  return Type == RowType::q6_k ? value : sub(value, broadcast_part(block.runs.minimum[run]));
}

}  // namespace
}  // namespace bitnet
