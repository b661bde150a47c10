// Choice of the next token from logits, deterministic: the same logits, settings and draw give the same token
// on every machine (canonical exp, integer random numbers, ties to the smaller id).
#pragma once

#include <cstdint>
#include <vector>

namespace bitnet {

struct SamplerSettings {
  float temperature = 0.0f;  // 0: greedy
  int32_t top_k = 0;         // 0: all
  float top_p = 1.0f;        // keep the most probable tokens until their sum reaches this
  uint64_t seed = 0;
};

// Index of the largest logit, the first one on a tie.
int32_t arg_max(const float* logits, int64_t count);

class Sampler {
 public:
  explicit Sampler(const SamplerSettings& settings) : settings_(settings) {}

  // Draw number `draw` of the seed: a counter, so a sequence can be resumed or replayed from any place.
  int32_t sample(const float* logits, int64_t count, uint64_t draw);

 private:
  SamplerSettings settings_;
  std::vector<int32_t> order_;  // reused between draws
  std::vector<float> weights_;
};

}  // namespace bitnet
