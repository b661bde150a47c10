// Keys and values of past positions, in the layout that Kernels::attention reads, as float32 (canonical),
// float16 or int8 codes with a scale per position and head. Only float32 keeps the law; the others keep every
// other promise: what a position stores depends on that position alone, so chunks, batches and threads change
// no bit.
//
// The cache is an arena of blocks of 16 positions; a sequence owns consecutive blocks. Per layer and key /
// value head:
//   keys    [blocks][head_dim][16]: key of position p at lane p % 16 of block p / 16
//   values  [blocks * 16][round_up(head_dim, 16)], zero padded
//   scales  [2][blocks * 16]: of keys, of values (q8 only)
#pragma once

#include <cstdint>

#include "core/kernels.h"
#include "inference/aligned_buffer.h"
#include "inference/model_config.h"

namespace bitnet {

constexpr int64_t kCacheBlock = 16;  // positions

enum class KvType : int { f32 = 0, f16 = 1, q8 = 2 };

constexpr int64_t kMaxQuantizedHead = 1024;  // elements of a head of a q8 cache

inline int64_t cache_blocks(int64_t positions) { return (positions + kCacheBlock - 1) / kCacheBlock; }

class KvCache {
 public:
  KvCache() = default;
  // Throws std::bad_alloc. Memory is taken as positions are written.
  KvCache(const ModelConfig& config, int64_t blocks, KvType type = KvType::f32);

  int64_t blocks() const { return blocks_; }
  uint64_t bytes() const { return memory_.size(); }
  bool is_float32() const { return type_ == KvType::f32; }

  // float32 only: first key / value of the sequence that starts at `block`.
  const float* keys(int64_t layer, int64_t head, int64_t block) const {
    return reinterpret_cast<const float*>(key_bytes(layer, head, block));
  }
  const float* values(int64_t layer, int64_t head, int64_t block) const {
    return reinterpret_cast<const float*>(value_bytes(layer, head, block));
  }
  int64_t value_stride() const { return value_stride_; }

  // Floats of the first `positions` positions as decode writes them.
  int64_t decoded_keys(int64_t positions) const { return cache_blocks(positions) * kCacheBlock * head_dim_; }
  int64_t decoded_values(int64_t positions) const { return positions * value_stride_; }
  // The first `positions` positions of the sequence at `block`, as float32 in the same layout.
  void decode(const Kernels& kernels, int64_t layer, int64_t head, int64_t block, int64_t positions,
              float* keys, float* values) const;

  // Writes one position of the sequence at `block`: key and value of every head, [kv_heads][head_dim].
  void store(const Kernels& kernels, int64_t layer, int64_t block, int64_t position, const float* key,
             const float* value);
  // Copies the first `positions` positions of the sequence at block `from` to the one at block `to`, one
  // layer.
  void copy_prefix(int64_t layer, int64_t from, int64_t to, int64_t positions);

 private:
  int64_t positions() const { return blocks_ * kCacheBlock; }
  int64_t head_bytes() const {
    const int64_t scales = type_ == KvType::q8 ? 2 * static_cast<int64_t>(sizeof(float)) : 0;
    return positions() * ((head_dim_ + value_stride_) * element_bytes_ + scales);
  }
  uint8_t* head_base(int64_t layer, int64_t head) const {
    return memory_.data() + (layer * kv_heads_ + head) * head_bytes();
  }
  uint8_t* key_bytes(int64_t layer, int64_t head, int64_t block) const {
    return head_base(layer, head) + block * kCacheBlock * head_dim_ * element_bytes_;
  }
  uint8_t* value_bytes(int64_t layer, int64_t head, int64_t block) const {
    return head_base(layer, head) +
           (positions() * head_dim_ + block * kCacheBlock * value_stride_) * element_bytes_;
  }
  // q8: the scale of the key of the sequence's first position; those of values follow `positions()` later.
  float* scales(int64_t layer, int64_t head, int64_t block) const {
    uint8_t* base = head_base(layer, head) + positions() * (head_dim_ + value_stride_) * element_bytes_;
    return reinterpret_cast<float*>(base) + block * kCacheBlock;
  }

  KvType type_ = KvType::f32;
  int64_t element_bytes_ = 4;
  int64_t blocks_ = 0;
  int64_t kv_heads_ = 0;
  int64_t head_dim_ = 0;
  int64_t value_stride_ = 0;
  AlignedBuffer memory_;
};

}  // namespace bitnet
