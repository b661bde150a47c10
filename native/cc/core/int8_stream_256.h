// What the int8 streams of 256-bit instruction sets share (int8_stream.h says what each is). Include inside a target
// region, after <immintrin.h> and <cstring> and before the parts that differ.
#pragma once

#include "core/int8_rows.h"
#include "core/target_region.h"

namespace bitnet {
namespace {

using Sums = __m256i;
constexpr int kSumLanes = 8;

BITNET_INLINE Sums zero_sums() { return _mm256_setzero_si256(); }
BITNET_INLINE Sums add_sums(Sums a, Sums b) { return _mm256_add_epi32(a, b); }
BITNET_INLINE void store_outputs(Sums sums, float act_scale, const float* scales, int64_t rows, float* y) {
  const __m256 scale = _mm256_mul_ps(_mm256_set1_ps(act_scale), _mm256_loadu_ps(scales));
  float all[kSumLanes];
  _mm256_storeu_ps(all, _mm256_mul_ps(_mm256_cvtepi32_ps(sums), scale));
  std::memcpy(y, all, static_cast<size_t>(rows) * sizeof(float));
}

}  // namespace
}  // namespace bitnet
