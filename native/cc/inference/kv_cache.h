// Keys and values of past positions, float32, in the layout that Kernels::attention reads.
//
// The cache is an arena of blocks of 16 positions; a sequence owns consecutive blocks. Per layer and key /
// value head:
//   keys    [blocks][head_dim][16]: key of position p at lane p % 16 of block p / 16
//   values  [blocks * 16][round_up(head_dim, 16)], zero padded
#pragma once

#include <cstdint>

#include "inference/aligned_buffer.h"
#include "inference/model_config.h"

namespace bitnet {

constexpr int64_t kCacheBlock = 16;  // positions

inline int64_t cache_blocks(int64_t positions) { return (positions + kCacheBlock - 1) / kCacheBlock; }

class KvCache {
 public:
  KvCache() = default;
  // Throws std::bad_alloc. Memory is taken as positions are written.
  KvCache(const ModelConfig& config, int64_t blocks);

  int64_t blocks() const { return blocks_; }
  uint64_t bytes() const { return memory_.size(); }

  // First key / value of the sequence that starts at `block`.
  float* keys(int64_t layer, int64_t head, int64_t block) const {
    return head_base(layer, head) + block * kCacheBlock * head_dim_;
  }
  float* values(int64_t layer, int64_t head, int64_t block) const {
    return head_base(layer, head) + blocks_ * kCacheBlock * head_dim_ + block * kCacheBlock * value_stride_;
  }
  int64_t value_stride() const { return value_stride_; }

  // Writes one position of the sequence at `block`: key and value of every head, [kv_heads][head_dim].
  void store(int64_t layer, int64_t block, int64_t position, const float* key, const float* value);
  // Copies the first `positions` positions of the sequence at block `from` to the one at block `to`, one
  // layer.
  void copy_prefix(int64_t layer, int64_t from, int64_t to, int64_t positions);

 private:
  float* head_base(int64_t layer, int64_t head) const {
    return memory_.floats() +
           (layer * kv_heads_ + head) * blocks_ * kCacheBlock * (head_dim_ + value_stride_);
  }

  int64_t blocks_ = 0;
  int64_t kv_heads_ = 0;
  int64_t head_dim_ = 0;
  int64_t value_stride_ = 0;
  AlignedBuffer memory_;
};

}  // namespace bitnet
