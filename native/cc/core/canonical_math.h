// Canonical transcendental functions and reductions: the scalar definition of every float32 operation order
// that training and inference share. SIMD variants compute the same operations on 16 lanes.
//
// exp: Cody-Waite reduction by ln 2 and the degree-5 minimax polynomial of Cephes expf, all in fused
//      multiply-adds. Error below 2 units in the last place on [-87, 88].
// log: Cephes logf, likewise fused. Only for positive normal arguments; infinity and NaN are returned as they
// are. No libm function is used except fma, sqrt and rint, which IEEE 754 defines to the last bit.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/float16.h"

namespace bitnet {

// Every canonical sum runs in 16 lanes: element i belongs to lane i mod 16, in order of i.
constexpr int kLanes = 16;

constexpr float kExpMax = 88.0f;   // exp(88) is finite; larger arguments are clamped here
constexpr float kExpMin = -87.0f;  // below, the result is 0 (exp(-87) is still normal)
constexpr float kLog2E = 1.44269504088896341f;
constexpr float kLn2High = 0.693359375f;  // exact in 9 bits, so n * kLn2High is exact
constexpr float kLn2Low = -2.12194440e-4f;
constexpr float kExpCoefficients[6] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                                       4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};

inline float canonical_exp(float x) {
  if (!(x >= kExpMin)) return x != x ? x : 0.0f;
  if (x > kExpMax) x = kExpMax;
  const float n = std::rint(x * kLog2E);
  float r = std::fma(n, -kLn2High, x);
  r = std::fma(n, -kLn2Low, r);
  float p = kExpCoefficients[0];
  for (int i = 1; i < 6; ++i) p = std::fma(p, r, kExpCoefficients[i]);
  const float y = std::fma(p, r * r, r) + 1.0f;
  return y * bits_float(static_cast<uint32_t>(static_cast<int32_t>(n) + 127) << 23);
}

// 2 sqrt(2 / pi), and that times 0.044715: of the GELU by tanh.
constexpr float kGeluLinear = 1.5957691216f;
constexpr float kGeluCubic = 0.0713548163f;

constexpr float kLogCoefficients[9] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
                                       -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
                                       2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};

inline float canonical_log(float x) {
  if (!(x <= 3.40282346638528859812e+38f)) return x;
  const uint32_t bits = float_bits(x);
  int32_t exponent = static_cast<int32_t>(bits >> 23) - 126;
  float m = bits_float((bits & 0x007fffffu) | 0x3f000000u);  // in [0.5, 1)
  if (m < 0.707106781186547524f) {
    exponent -= 1;
    m = m + m;
  }
  const float r = m - 1.0f;
  const float z = r * r;
  float p = kLogCoefficients[0];
  for (int i = 1; i < 9; ++i) p = std::fma(p, r, kLogCoefficients[i]);
  const float e = static_cast<float>(exponent);
  float y = (p * r) * z;
  y = std::fma(e, kLn2Low, y);
  y = std::fma(-0.5f, z, y);
  return std::fma(e, kLn2High, r + y);
}

// Fixed tree over 16 lanes: halves are folded, 16 -> 8 -> 4 -> 2 -> 1.
inline float reduce_lanes(const float* lanes) {
  float t[kLanes];
  for (int i = 0; i < kLanes; ++i) t[i] = lanes[i];
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) t[i] = t[i] + t[i + width];
  }
  return t[0];
}

inline double reduce_lanes(const double* lanes) {
  double t[kLanes];
  for (int i = 0; i < kLanes; ++i) t[i] = lanes[i];
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) t[i] = t[i] + t[i + width];
  }
  return t[0];
}

inline int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace bitnet
