#include "inference/kv_cache.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/canonical_math.h"

namespace bitnet {

KvCache::KvCache(const ModelConfig& config, int64_t blocks)
    : blocks_(blocks),
      kv_heads_(config.kv_heads),
      head_dim_(config.head_dim),
      value_stride_(round_up(config.head_dim, kLanes)) {
  const double bytes = 4.0 * static_cast<double>(config.layers) * static_cast<double>(kv_heads_) *
                       static_cast<double>(blocks * kCacheBlock) *
                       static_cast<double>(head_dim_ + value_stride_);
  if (bytes > 1e15) throw std::bad_alloc();
  memory_ = AlignedBuffer(static_cast<size_t>(bytes));
}

void KvCache::store(int64_t layer, int64_t block, int64_t position, const float* key, const float* value) {
  const int64_t lane = position % kCacheBlock;
  for (int64_t head = 0; head < kv_heads_; ++head) {
    float* keys = this->keys(layer, head, block + position / kCacheBlock) + lane;
    for (int64_t d = 0; d < head_dim_; ++d) keys[d * kCacheBlock] = key[head * head_dim_ + d];
    float* values = this->values(layer, head, block) + position * value_stride_;
    std::copy_n(value + head * head_dim_, head_dim_, values);
  }
}

void KvCache::copy_prefix(int64_t layer, int64_t from, int64_t to, int64_t positions) {
  const int64_t rounded = cache_blocks(positions) * kCacheBlock;
  for (int64_t head = 0; head < kv_heads_; ++head) {
    // The two may overlap.
    std::memmove(keys(layer, head, to), keys(layer, head, from),
                 static_cast<size_t>(rounded * head_dim_) * sizeof(float));
    std::memmove(values(layer, head, to), values(layer, head, from),
                 static_cast<size_t>(positions * value_stride_) * sizeof(float));
  }
}

}  // namespace bitnet
