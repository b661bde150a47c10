// What the kernel benchmark is made of, besides the kernels: its clock, its values and the fields of its
// lines.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/measured_peaks.h"

namespace bitnet {

// Best time of one run of `body`, repeated for about `seconds`.
template <typename Body>
double best_time(double seconds, const Body& body) {
  body();
  double best = 1e30;
  const double end = steady_seconds() + seconds;
  do {
    const double start = steady_seconds();
    body();
    best = std::min(best, steady_seconds() - start);
  } while (steady_seconds() < end);
  return best;
}

// Small pseudo-random values: speed does not depend on them, but denormals would spoil it.
inline std::vector<float> bench_floats(int64_t count) {
  std::vector<float> list(static_cast<size_t>(count));
  uint32_t state = 12345;
  for (float& v : list)
    v = static_cast<float>((state = state * 1664525u + 1013904223u) >> 8) / 8388608.0f - 1.0f;
  return list;
}

// The first 64-byte boundary from p on.
inline uint8_t* aligned_64(uint8_t* p) { return p + (64 - reinterpret_cast<uintptr_t>(p) % 64) % 64; }

// "rows":2560,"cols":2560
inline std::string json_fields(const std::vector<std::pair<const char*, int64_t>>& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    text += (text.empty() ? "\"" : ",\"") + std::string(name) + "\":" + std::to_string(value);
  }
  return text;
}

}  // namespace bitnet
