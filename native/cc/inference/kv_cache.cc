#include "inference/kv_cache.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/canonical_math.h"
#include "core/float16.h"

namespace bitnet {
namespace {

constexpr int64_t kElementBytes[] = {4, 2, 1};  // by KvType

}  // namespace

KvCache::KvCache(const ModelConfig& config, int64_t blocks, KvType type)
    : type_(type),
      element_bytes_(kElementBytes[static_cast<int>(type)]),
      blocks_(blocks),
      kv_heads_(config.kv_heads),
      head_dim_(config.head_dim),
      value_stride_(round_up(config.head_dim, kLanes)) {
  const double bytes = 4.0 * static_cast<double>(config.layers) * static_cast<double>(kv_heads_) *
                       static_cast<double>(positions()) * static_cast<double>(head_dim_ + value_stride_ + 2);
  if (bytes > 1e15) throw std::bad_alloc();
  memory_ = AlignedBuffer(static_cast<size_t>(config.layers * kv_heads_ * head_bytes()));
}

void KvCache::store(const Kernels& kernels, int64_t layer, int64_t block, int64_t position, const float* key,
                    const float* value) {
  const int64_t key_block = block + position / kCacheBlock, lane = position % kCacheBlock;
  // Keys lie transposed in blocks of 16 positions.
  const auto scatter = [&](auto* to, const auto* from, const auto& convert) {
    for (int64_t d = 0; d < head_dim_; ++d) to[d * kCacheBlock + lane] = convert(from[d]);
  };
  for (int64_t head = 0; head < kv_heads_; ++head, key += head_dim_, value += head_dim_) {
    uint8_t* keys = key_bytes(layer, head, key_block);
    uint8_t* values = value_bytes(layer, head, block) + position * value_stride_ * element_bytes_;
    if (type_ == KvType::f32) {
      scatter(reinterpret_cast<float*>(keys), key, [](float x) { return x; });
      std::copy_n(value, head_dim_, reinterpret_cast<float*>(values));
    } else if (type_ == KvType::f16) {
      scatter(reinterpret_cast<uint16_t*>(keys), key, f32_to_f16);
      std::transform(value, value + head_dim_, reinterpret_cast<uint16_t*>(values), f32_to_f16);
    } else {
      alignas(64) int8_t codes[kMaxQuantizedHead];
      float* scale = scales(layer, head, block) + position;
      int32_t code_sum;
      kernels.quantize_row(key, head_dim_, codes, scale, &code_sum);
      scatter(reinterpret_cast<int8_t*>(keys), codes, [](int8_t x) { return x; });
      kernels.quantize_row(value, head_dim_, codes, scale + positions(), &code_sum);
      std::copy_n(codes, head_dim_, reinterpret_cast<int8_t*>(values));
    }
  }
}

void KvCache::decode(const Kernels& kernels, int64_t layer, int64_t head, int64_t block, int64_t positions,
                     float* keys, float* values) const {
  const uint8_t* stored_keys = key_bytes(layer, head, block);
  const uint8_t* stored_values = value_bytes(layer, head, block);
  if (type_ == KvType::f16) {
    kernels.decode_row(stored_keys, RowType::f16, decoded_keys(positions), keys);
    kernels.decode_row(stored_values, RowType::f16, decoded_values(positions), values);
    return;
  }
  const float* scale = scales(layer, head, block);
  const int8_t* key_codes = reinterpret_cast<const int8_t*>(stored_keys);
  for (int64_t base = 0; base < positions; base += kCacheBlock) {
    for (int64_t d = 0; d < head_dim_; ++d, key_codes += kCacheBlock, keys += kCacheBlock) {
      for (int64_t lane = 0; lane < kCacheBlock; ++lane) {
        keys[lane] = static_cast<float>(key_codes[lane]) * scale[base + lane];
      }
    }
  }
  const float* value_scale = scale + this->positions();
  const int8_t* value_codes = reinterpret_cast<const int8_t*>(stored_values);
  for (int64_t p = 0; p < positions; ++p, value_codes += value_stride_, values += value_stride_) {
    for (int64_t d = 0; d < value_stride_; ++d)
      values[d] = static_cast<float>(value_codes[d]) * value_scale[p];
  }
}

void KvCache::copy_prefix(int64_t layer, int64_t from, int64_t to, int64_t positions) {
  const int64_t rounded = cache_blocks(positions) * kCacheBlock;
  for (int64_t head = 0; head < kv_heads_; ++head) {
    // The two may overlap.
    std::memmove(key_bytes(layer, head, to), key_bytes(layer, head, from),
                 static_cast<size_t>(rounded * head_dim_ * element_bytes_));
    std::memmove(value_bytes(layer, head, to), value_bytes(layer, head, from),
                 static_cast<size_t>(positions * value_stride_ * element_bytes_));
    if (type_ != KvType::q8) continue;
    float* source = scales(layer, head, from);
    float* target = scales(layer, head, to);
    std::memmove(target, source, static_cast<size_t>(positions) * sizeof(float));
    std::memmove(target + this->positions(), source + this->positions(),
                 static_cast<size_t>(positions) * sizeof(float));
  }
}

}  // namespace bitnet
