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

// ---- unrolling ----
//
// An array of vectors stays in registers only if every index is a constant before the compiler decides where
// the array lives. GCC unrolls loops after that, so loops over such arrays are written as
//   each<N>([&](auto i) BITNET_INLINE_LAMBDA { ... v[i] ... });

template <int I>
struct Index {
  BITNET_INLINE constexpr operator int() const { return I; }
};

template <int N, int I = 0, typename Body>
BITNET_INLINE void each(const Body& body) {
  if constexpr (I < N) {
    body(Index<I>{});
    each<N, I + 1>(body);
  }
}

#if defined(_MSC_VER) && !defined(__clang__)
#define BITNET_INLINE_LAMBDA
#else
#define BITNET_INLINE_LAMBDA __attribute__((always_inline))
#endif

// ---- 16 lanes ----

struct Lanes {
  Part part[kParts];
};

#define BITNET_LANES_1(name)                                                         \
  BITNET_INLINE Lanes name(Lanes a) {                                                \
    each<kParts>([&](auto i) BITNET_INLINE_LAMBDA { a.part[i] = name(a.part[i]); }); \
    return a;                                                                        \
  }
#define BITNET_LANES_2(name)                                                                    \
  BITNET_INLINE Lanes name(Lanes a, Lanes b) {                                                  \
    each<kParts>([&](auto i) BITNET_INLINE_LAMBDA { a.part[i] = name(a.part[i], b.part[i]); }); \
    return a;                                                                                   \
  }
#define BITNET_LANES_3(name)                                                                               \
  BITNET_INLINE Lanes name(Lanes a, Lanes b, Lanes c) {                                                    \
    each<kParts>([&](auto i) BITNET_INLINE_LAMBDA { a.part[i] = name(a.part[i], b.part[i], c.part[i]); }); \
    return a;                                                                                              \
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
  each<kParts>([&](auto i) BITNET_INLINE_LAMBDA { v.part[i] = broadcast_part(value); });
  return v;
}

BITNET_INLINE Lanes load(const float* p) {
  Lanes v;
  each<kParts>([&](auto i) BITNET_INLINE_LAMBDA { v.part[i] = load_part(p + i * kPartLanes); });
  return v;
}

BITNET_INLINE void store(float* p, Lanes v) {
  each<kParts>([&](auto i) BITNET_INLINE_LAMBDA { store_part(p + i * kPartLanes, v.part[i]); });
}

// The first `count` lanes (1 .. 16) from memory, the others 0.
BITNET_INLINE Lanes load_first(const float* p, int64_t count) {
  Lanes v;
  each<kParts>([&](auto i) BITNET_INLINE_LAMBDA {
    v.part[i] = load_part_first(p + i * kPartLanes, static_cast<int>(count) - i * kPartLanes);
  });
  return v;
}

BITNET_INLINE void store_first(float* p, Lanes v, int64_t count) {
  each<kParts>([&](auto i) BITNET_INLINE_LAMBDA {
    store_part_first(p + i * kPartLanes, v.part[i], static_cast<int>(count) - i * kPartLanes);
  });
}

// Lane i < count: a, else b.
BITNET_INLINE Lanes select_first(int64_t count, Lanes a, Lanes b) {
  each<kParts>([&](auto i) BITNET_INLINE_LAMBDA {
    a.part[i] = select_first(static_cast<int>(count) - i * kPartLanes, a.part[i], b.part[i]);
  });
  return a;
}

// The parts of v folded into one: the first steps of the fixed tree.
template <int Width = kParts / 2>
BITNET_INLINE Part fold_parts(Lanes v) {
  if constexpr (Width == 0) {
    return v.part[0];
  } else {
    each<Width>([&](auto i) BITNET_INLINE_LAMBDA { v.part[i] = add(v.part[i], v.part[i + Width]); });
    return fold_parts<Width / 2>(v);
  }
}

// Fixed tree 16 -> 8 -> 4 -> 2 -> 1, as reduce_lanes.
BITNET_INLINE float sum(Lanes v) { return sum_part(fold_parts(v)); }

// Lane i: sum of the 16 lanes at p + 16 i, with shared shuffles. One part of sums.
BITNET_INLINE Part sum_each(const float* p) {
  Part folded[kPartLanes];
  each<kPartLanes>([&](auto i) BITNET_INLINE_LAMBDA { folded[i] = fold_parts(load(p + i * kLanes)); });
  return sum_each_part(folded);
}

BITNET_INLINE float max_lane(Lanes v) {
  each<kParts - 1>([&](auto i) BITNET_INLINE_LAMBDA { v.part[0] = larger(v.part[0], v.part[i + 1]); });
  return max_part(v.part[0]);
}

// canonical_exp, operation by operation.
BITNET_INLINE Lanes exp(Lanes v) {
  const Lanes x = at_most(v, broadcast(kExpMax));
  const Lanes n = round(mul(x, broadcast(kLog2E)));
  Lanes r = fma(n, broadcast(-kLn2High), x);
  r = fma(n, broadcast(-kLn2Low), r);
  Lanes p = broadcast(kExpCoefficients[0]);
  each<5>([&](auto i) BITNET_INLINE_LAMBDA { p = fma(p, r, broadcast(kExpCoefficients[i + 1])); });
  const Lanes y = add(fma(p, mul(r, r), r), broadcast(1.0f));
  return zero_below(mul(y, power_of_two(n)), v, broadcast(kExpMin));
}

}  // namespace
}  // namespace bitnet
