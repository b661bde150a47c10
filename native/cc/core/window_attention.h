// Attention of one query whose window does not reach back to the first key: Kernels::attention over the keys of the window
// alone, as if the first of them had index 0. So its sums, lanes included, are counted from there, and every variant, way
// of cutting a batch and caller has the same bits.
#pragma once

#include <cstdint>

#include "core/kernels.h"

namespace bitnet {

// The first key that the query at `position` sees; window 0: all of them.
inline int64_t window_begin(int64_t position, int64_t window) {
  return window > 0 && position >= window ? position - window + 1 : 0;
}

// Floats of scratch: scores, and keys that begin inside a block of 16.
inline int64_t window_scratch(int64_t window, int64_t head_dim) {
  return window > 0 ? round_up(window, kLanes) * (1 + head_dim) : 0;
}

// Queries `queries`, the first at position `first`, as Kernels::attention with `window` positions seen by each (0: all).
// scratch: what Kernels::attention takes; window_space: window_scratch floats, used where a window begins after the first
// key.
struct WindowAttention {
  const Kernels& kernels;
  int64_t head_dim;
  int64_t window;
  float scale;

  void run(const float* q, int64_t q_stride, int64_t queries, int64_t first, const float* keys,
           const float* values, int64_t value_stride, float* scratch, float* window_space, float* out,
           int64_t out_stride, float* log_sum) const;

 private:
  void one(const float* q, int64_t position, const float* keys, const float* values, int64_t value_stride,
           float* space, float* out, float* log_sum) const;
};

}  // namespace bitnet
