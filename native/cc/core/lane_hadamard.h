// The Walsh-Hadamard transform on 16 lanes. Include inside a target region, after lanes.h. The order is that
// of Kernels::hadamard_row: lane stages are shuffles, and later ones work on whole vectors, two stages at a
// time.
#pragma once

#include "core/kernels.h"
#include "core/lanes.h"

namespace bitnet {
namespace {

// Of the two lanes of a butterfly the upper one is subtracted.
template <int H>
BITNET_INLINE Part lane_signs() {
  float signs[kPartLanes];
  for (int i = 0; i < kPartLanes; ++i) signs[i] = i & H ? -1.0f : 1.0f;
  return load_part(signs);
}

// a + b and a - b of the lanes i, i + H. The product with +-1 is exact.
template <int H>
BITNET_INLINE Lanes lane_stage(Lanes v) {
  if constexpr (H < kPartLanes) {
    const Part signs = lane_signs<H>();
    each<kParts>(
        [&](auto i) BITNET_INLINE_LAMBDA { v.part[i] = fma(v.part[i], signs, swapped_lanes<H>(v.part[i])); });
  } else {
    constexpr int kStep = H / kPartLanes;
    const Lanes x = v;
    each<kParts>([&](auto i) BITNET_INLINE_LAMBDA {
      constexpr int at = i;
      constexpr int low = at & ~kStep, high = at | kStep;
      v.part[at] = at == low ? add(x.part[low], x.part[high]) : sub(x.part[low], x.part[high]);
    });
  }
  return v;
}

template <int Stages>
BITNET_INLINE Lanes lane_stages(Lanes v) {
  if constexpr (Stages > 0) v = lane_stage<1>(v);
  if constexpr (Stages > 1) v = lane_stage<2>(v);
  if constexpr (Stages > 2) v = lane_stage<4>(v);
  if constexpr (Stages > 3) v = lane_stage<8>(v);
  return v;
}

template <int Stages>
BITNET_INLINE void lane_pass(const float* x, int64_t n, float factor, float* y) {
  const Lanes scale = broadcast(factor);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, mul(lane_stages<Stages>(load(x + i)), scale));
  if (i < n) store_first(y + i, mul(lane_stages<Stages>(load_first(x + i, n - i)), scale), n - i);
}

// Stages h and 2 h.
void two_stages(int64_t n, int64_t h, float factor, float* y) {
  const Part scale = broadcast_part(factor);
  for (int64_t base = 0; base < n; base += 4 * h) {
    for (float* p = y + base; p < y + base + h; p += kPartLanes) {
      const Part a = load_part(p), b = load_part(p + h), c = load_part(p + 2 * h), d = load_part(p + 3 * h);
      const Part ab = add(a, b), cd = add(c, d), a_b = sub(a, b), c_d = sub(c, d);
      store_part(p, mul(add(ab, cd), scale));
      store_part(p + h, mul(add(a_b, c_d), scale));
      store_part(p + 2 * h, mul(sub(ab, cd), scale));
      store_part(p + 3 * h, mul(sub(a_b, c_d), scale));
    }
  }
}

void one_stage(int64_t n, int64_t h, float factor, float* y) {
  const Part scale = broadcast_part(factor);
  for (int64_t base = 0; base < n; base += 2 * h) {
    for (float* p = y + base; p < y + base + h; p += kPartLanes) {
      const Part a = load_part(p), b = load_part(p + h);
      store_part(p, mul(add(a, b), scale));
      store_part(p + h, mul(sub(a, b), scale));
    }
  }
}

void hadamard_row(const float* x, int64_t n, float* y) {
  const int64_t block = hadamard_block(n);
  const float factor = hadamard_factor(block);
  if (block == 1) return lane_pass<0>(x, n, factor, y);
  if (block == 2) return lane_pass<1>(x, n, factor, y);
  if (block == 4) return lane_pass<2>(x, n, factor, y);
  if (block == 8) return lane_pass<3>(x, n, factor, y);
  lane_pass<4>(x, n, block == kLanes ? factor : 1.0f, y);
  for (int64_t h = kLanes; h < block;) {
    const bool two = 2 * h < block;
    const int64_t next = two ? 4 * h : 2 * h;
    (two ? two_stages : one_stage)(n, h, next == block ? factor : 1.0f, y);
    h = next;
  }
}

}  // namespace
}  // namespace bitnet
