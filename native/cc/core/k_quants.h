// K-quants: super-blocks of 256 weights in groups that share a scale, as llama.cpp stores embeddings and
// heads.
//
//   Q6_K, 210 bytes: ql[128], qh[64], int8 scales[16], float16 d.   Groups of 16.
//     value = (d * scale) * (code - 32), code of 6 bits
//   Q5_K, 176 bytes: float16 d, float16 dmin, scales[12], qh[32], qs[128].  As Q4_K, code of 5 bits.
//   Q4_K, 144 bytes: float16 d, float16 dmin, scales[12], qs[128].  Groups of 32, 6-bit scale and minimum.
//     value = (d * scale) * code - dmin * minimum, code of 4 bits
//
// In this order each value has one rounding at most: d * scale, and in Q5_K and Q4_K both products, are exact in
// float32. Codes lie in runs of 32 bytes, so that 16 consecutive weights are 16 consecutive bytes under one
// shift.
//
// Source: ggml's ggml-quants; values equal those of the gguf package (test/golden/gguf/k_quants.json).
#pragma once

#include <cstdint>
#include <cstring>

#include "core/float16.h"

namespace bitnet {

constexpr int64_t kSuperBlock = 256;  // weights
constexpr int64_t kQ6KBytes = 210;
constexpr int64_t kQ5KBytes = 176;
constexpr int64_t kQ4KBytes = 144;
constexpr int64_t kScaleRun = 16;  // weights; every run of them shares a scale in all of them

// Scales and minima of the 16 runs of a super-block: value = scale * code - minimum.
struct RunScales {
  float scale[kSuperBlock / kScaleRun];
  float minimum[kSuperBlock / kScaleRun];  // 0 in Q6_K
};

inline float stored_f16(const uint8_t* bytes) {
  uint16_t half;
  std::memcpy(&half, bytes, sizeof half);
  return f16_to_f32(half);
}

inline void q6_k_scales(const uint8_t* block, RunScales* runs) {
  const float d = stored_f16(block + 208);
  for (int i = 0; i < 16; ++i) {
    runs->scale[i] = d * static_cast<float>(static_cast<int8_t>(block[192 + i]));
    runs->minimum[i] = 0.0f;
  }
}

// The 12 bytes hold eight 6-bit scales and eight 6-bit minima: those of groups 0 .. 3 in the low bits of
// bytes 0 .. 3 and 4 .. 7; those of groups 4 .. 7 in the nibbles of bytes 8 .. 11, topped by the bits left
// over. Q5_K begins alike.
inline void q4_k_scales(const uint8_t* block, RunScales* runs) {
  const float d = stored_f16(block), dmin = stored_f16(block + 2);
  const uint8_t* packed = block + 4;
  for (int group = 0; group < 8; ++group) {
    const int j = group % 4;
    const bool low = group < 4;
    const int scale = low ? packed[j] & 63 : (packed[8 + j] & 15) | (packed[j] >> 6) << 4;
    const int minimum = low ? packed[4 + j] & 63 : packed[8 + j] >> 4 | (packed[4 + j] >> 6) << 4;
    for (int run = 2 * group; run < 2 * group + 2; ++run) {
      runs->scale[run] = d * static_cast<float>(scale);
      runs->minimum[run] = dmin * static_cast<float>(minimum);
    }
  }
}

// Code of weight i, from -32 on.
inline int q6_k_code(const uint8_t* block, int64_t i) {
  const int64_t half = i / 128, quarter = i % 128 / 32, m = i % 32;
  const int low = block[half * 64 + quarter % 2 * 32 + m] >> (quarter / 2 * 4) & 15;
  const int high = block[128 + half * 32 + m] >> (quarter * 2) & 3;
  return (low | high << 4) - 32;
}

// Code of weight i, from 0 on.
inline int q5_k_code(const uint8_t* block, int64_t i) {
  const int low = block[48 + i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 15;
  return low | (block[16 + i % 32] >> (i / 32) & 1) << 4;
}

// Code of weight i, from 0 on.
inline int q4_k_code(const uint8_t* block, int64_t i) {
  return block[16 + i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 15;
}

}  // namespace bitnet
