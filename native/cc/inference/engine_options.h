// How an engine runs its model. The defaults keep the law: the bits of the training forward. The others trade
// a measured distance for memory or speed.
#pragma once

#include "inference/kv_cache.h"

namespace bitnet {

enum class HeadPrecision {
  canonical,  // float32 hidden state, weights decoded exactly
  int8,       // hidden state quantized to int8 like a BitLinear's input; needs a Q8_0 head
};

struct EngineOptions {
  int threads = 1;  // >= 1
  HeadPrecision head = HeadPrecision::canonical;
  KvType kv_type = KvType::f32;
};

}  // namespace bitnet
