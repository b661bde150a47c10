// 16 canonical lanes as an array of vector parts, for any ISA, and the canonical exp on them.
//
// Include inside a target region, after lanes_<isa>.h and the standard headers. Element i of a canonical sum
// sits in lane i mod 16, so code written on Lanes keeps the canonical order of canonical_math.h by
// construction.
#pragma once

#include "core/canonical_math.h"
#include "core/target_region.h"

namespace bitnet {
namespace {

constexpr int kParts = kLanes / kPartLanes;

struct Lanes {
  Part part[kParts];
};

#define BITNET_LANES_1(name)                                      \
  BITNET_INLINE Lanes name(Lanes a) {                             \
    BITNET_UNROLL                                                 \
    for (int i = 0; i < kParts; ++i) a.part[i] = name(a.part[i]); \
    return a;                                                     \
  }
#define BITNET_LANES_2(name)                                                 \
  BITNET_INLINE Lanes name(Lanes a, Lanes b) {                               \
    BITNET_UNROLL                                                            \
    for (int i = 0; i < kParts; ++i) a.part[i] = name(a.part[i], b.part[i]); \
    return a;                                                                \
  }
#define BITNET_LANES_3(name)                                                            \
  BITNET_INLINE Lanes name(Lanes a, Lanes b, Lanes c) {                                 \
    BITNET_UNROLL                                                                       \
    for (int i = 0; i < kParts; ++i) a.part[i] = name(a.part[i], b.part[i], c.part[i]); \
    return a;                                                                           \
  }
BITNET_LANES_1(neg)
BITNET_LANES_1(abs)
BITNET_LANES_1(round)
BITNET_LANES_1(power_of_two)
BITNET_LANES_2(add)
BITNET_LANES_2(sub)
BITNET_LANES_2(mul)
BITNET_LANES_2(div)
BITNET_LANES_2(larger)
BITNET_LANES_2(at_most)
BITNET_LANES_3(fma)
BITNET_LANES_3(fms)
BITNET_LANES_3(zero_below)
#undef BITNET_LANES_1
#undef BITNET_LANES_2
#undef BITNET_LANES_3

BITNET_INLINE Lanes broadcast(float value) {
  Lanes v;
  BITNET_UNROLL
  for (int i = 0; i < kParts; ++i) v.part[i] = broadcast_part(value);
  return v;
}

BITNET_INLINE Lanes load(const float* p) {
  Lanes v;
  BITNET_UNROLL
  for (int i = 0; i < kParts; ++i) v.part[i] = load_part(p + i * kPartLanes);
  return v;
}

BITNET_INLINE void store(float* p, Lanes v) {
  BITNET_UNROLL
  for (int i = 0; i < kParts; ++i) store_part(p + i * kPartLanes, v.part[i]);
}

// The first `count` lanes (1 .. 16) from memory, the others 0.
BITNET_INLINE Lanes load_first(const float* p, int64_t count) {
  Lanes v;
  BITNET_UNROLL
  for (int i = 0; i < kParts; ++i) {
    v.part[i] = load_part_first(p + i * kPartLanes, static_cast<int>(count) - i * kPartLanes);
  }
  return v;
}

BITNET_INLINE void store_first(float* p, Lanes v, int64_t count) {
  BITNET_UNROLL
  for (int i = 0; i < kParts; ++i) {
    store_part_first(p + i * kPartLanes, v.part[i], static_cast<int>(count) - i * kPartLanes);
  }
}

// Lane i < count: a, else b.
BITNET_INLINE Lanes select_first(int64_t count, Lanes a, Lanes b) {
  BITNET_UNROLL
  for (int i = 0; i < kParts; ++i) {
    a.part[i] = select_first(static_cast<int>(count) - i * kPartLanes, a.part[i], b.part[i]);
  }
  return a;
}

// The parts of v folded into one: the first steps of the fixed tree.
BITNET_INLINE Part fold_parts(Lanes v) {
  BITNET_UNROLL
  for (int width = kParts / 2; width > 0; width /= 2) {
    BITNET_UNROLL
    for (int i = 0; i < width; ++i) v.part[i] = add(v.part[i], v.part[i + width]);
  }
  return v.part[0];
}

// Fixed tree 16 -> 8 -> 4 -> 2 -> 1, as reduce_lanes.
BITNET_INLINE float sum(Lanes v) { return sum_part(fold_parts(v)); }

// out[i] = sum(v[i]) for i = 0 .. 3, with shared shuffles.
BITNET_INLINE void sum_four(const Lanes* v, float* out) {
  sum_four_parts(fold_parts(v[0]), fold_parts(v[1]), fold_parts(v[2]), fold_parts(v[3]), out);
}

BITNET_INLINE float max_lane(Lanes v) {
  BITNET_UNROLL
  for (int i = 1; i < kParts; ++i) v.part[0] = larger(v.part[0], v.part[i]);
  return max_part(v.part[0]);
}

// canonical_exp, operation by operation.
BITNET_INLINE Lanes exp(Lanes v) {
  const Lanes x = at_most(v, broadcast(kExpMax));
  const Lanes n = round(mul(x, broadcast(kLog2E)));
  Lanes r = fma(n, broadcast(-kLn2High), x);
  r = fma(n, broadcast(-kLn2Low), r);
  Lanes p = broadcast(kExpCoefficients[0]);
  BITNET_UNROLL
  for (int i = 1; i < 6; ++i) p = fma(p, r, broadcast(kExpCoefficients[i]));
  const Lanes y = add(fma(p, mul(r, r), r), broadcast(1.0f));
  return zero_below(mul(y, power_of_two(n)), v, broadcast(kExpMin));
}

}  // namespace
}  // namespace bitnet
