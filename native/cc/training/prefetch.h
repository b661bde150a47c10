// Rows that lie far apart (one head of each token) are asked for some rows ahead: no prefetcher of the
// hardware sees where the next one is.
#pragma once

#include <cstdint>

namespace bitnet {

constexpr int64_t kRowsAhead = 8;

enum class Access { read, write };

template <Access access>
inline void prefetch_row(const float* row, int64_t count) {
#if defined(__GNUC__)
  constexpr int64_t kLine = 16;
  for (int64_t i = 0; i < count; i += kLine) __builtin_prefetch(row + i, access == Access::write ? 1 : 0);
#else
  static_cast<void>(row);
  static_cast<void>(count);
#endif
}

}  // namespace bitnet
