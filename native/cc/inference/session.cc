#include "inference/session.h"

#include <string>

#include "inference/engine.h"

namespace bitnet {

Session::Session(const Engine& engine, int64_t slots, int64_t capacity) : capacity_(capacity) {
  const int64_t limit = engine.model().config().context_length;
  if (capacity < 1 || capacity > limit) {
    throw RequestError("session capacity " + std::to_string(capacity) + " must be from 1 to the model's " +
                       std::to_string(limit) + " positions");
  }
  if (slots < 1 || slots > kMaxSlots) {
    throw RequestError("a session has 1 to " + std::to_string(kMaxSlots) + " slots, not " +
                       std::to_string(slots));
  }
  lengths_.assign(static_cast<size_t>(slots), 0);
  cache_ = KvCache(engine.model().config(), slots * cache_blocks(capacity), engine.kv_type_);
}

void Session::truncate(int64_t slot, int64_t length) {
  if (slot < 0 || slot >= slots()) throw RequestError("there is no slot " + std::to_string(slot));
  int64_t& current = lengths_[static_cast<size_t>(slot)];
  if (length < 0 || length > current) {
    throw RequestError("cannot truncate " + std::to_string(current) + " positions to " +
                       std::to_string(length));
  }
  current = length;
}

}  // namespace bitnet
