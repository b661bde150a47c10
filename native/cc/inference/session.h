// Sequences in progress, each in a slot with a cache of its own. Engine::feed and generate run them.
#pragma once

#include <cstdint>
#include <vector>

#include "inference/kv_cache.h"

namespace bitnet {

class Engine;

class Session {
 public:
  // Throws RequestError if capacity is outside [1, context_length], std::bad_alloc.
  Session(const Engine& engine, int64_t slots, int64_t capacity);

  int64_t slots() const { return static_cast<int64_t>(lengths_.size()); }
  int64_t capacity() const { return capacity_; }
  int64_t length(int64_t slot) const { return lengths_[static_cast<size_t>(slot)]; }
  uint64_t bytes() const { return cache_.bytes(); }
  // Forgets all positions of the slot from `length` on. Throws RequestError.
  void truncate(int64_t slot, int64_t length);

 private:
  friend class Engine;

  int64_t slot_block(int64_t slot) const { return slot * cache_blocks(capacity_); }

  int64_t capacity_;
  std::vector<int64_t> lengths_;
  KvCache cache_;
};

}  // namespace bitnet
