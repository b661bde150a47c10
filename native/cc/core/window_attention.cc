#include "core/window_attention.h"

#include <algorithm>

namespace bitnet {

void WindowAttention::run(const float* q, int64_t q_stride, int64_t queries, int64_t first, const float* keys,
                          const float* values, int64_t value_stride, float* scratch, float* window_space,
                          float* out, int64_t out_stride, float* log_sum) const {
  // Those that see the first key.
  const int64_t whole = window > 0 ? std::clamp<int64_t>(window - first, 0, queries) : queries;
  if (whole > 0) {
    kernels.attention(q, q_stride, whole, first, keys, values, value_stride, head_dim, scale, scratch, out,
                      out_stride, log_sum);
  }
  for (int64_t i = whole; i < queries; ++i) {
    one(q + i * q_stride, first + i, keys, values, value_stride, window_space, out + i * out_stride,
        log_sum ? log_sum + i : nullptr);
  }
}

void WindowAttention::one(const float* q, int64_t position, const float* keys, const float* values,
                          int64_t value_stride, float* space, float* out, float* log_sum) const {
  const int64_t begin = window_begin(position, window), count = position - begin + 1;
  const int64_t block_floats = head_dim * kLanes;
  float* const scores = space;
  const float* seen = keys + begin / kLanes * block_floats;
  const int64_t shift = begin % kLanes;
  if (shift != 0) {
    float* copied = space + round_up(window, kLanes);
    seen = copied;
    for (int64_t block = 0; block * kLanes < count; ++block, copied += block_floats) {
      // The lanes of two stored blocks; past the last key 0.
      const int64_t stored = begin / kLanes + block;
      const float* low = keys + stored * block_floats;
      const int64_t last = position - stored * kLanes;  // lane of the last key, counted from the first block
      const int64_t from_low = std::min<int64_t>(kLanes - shift, last - shift + 1);
      const int64_t from_high = std::clamp<int64_t>(last - kLanes + 1, 0, shift);
      for (int64_t d = 0; d < head_dim; ++d) {
        float* lanes = copied + d * kLanes;
        std::fill_n(lanes, kLanes, 0.0f);
        std::copy_n(low + d * kLanes + shift, from_low, lanes);
        if (from_high > 0) std::copy_n(low + block_floats + d * kLanes, from_high, lanes + kLanes - shift);
      }
    }
  }
  kernels.attention(q, head_dim, 1, count - 1, seen, values + begin * value_stride, value_stride, head_dim,
                    scale, scores, out, head_dim, log_sum);
}

}  // namespace bitnet
