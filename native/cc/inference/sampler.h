// Choice of the next token from logits, deterministic: the same logits, settings and draw give the same token
// on every machine, and the token of the reference, src/language_model/sampling.ts, which says what is
// computed.
#pragma once

#include <cstdint>
#include <vector>

namespace bitnet {

struct SamplerSettings {
  double temperature = 0.0;  // 0: greedy
  int32_t top_k = 0;         // 0: all
  double top_p = 1.0;        // keep the most probable tokens until their sum reaches this
  double min_p = 0.0;        // keep tokens at least this many times as probable as the likeliest
  uint64_t seed = 0;         // below 2^53
};

// Index of the largest logit, the first one on a tie.
int32_t arg_max(const float* logits, int64_t count);

class Sampler {
 public:
  explicit Sampler(const SamplerSettings& settings) : settings_(settings) {}

  // Draw number `draw` of the seed: a counter, so a sequence can be resumed or replayed from any place.
  int32_t sample(const float* logits, int64_t count, uint64_t draw);

 private:
  // Fills order_: all ids, or from the largest logit down where some are left out.
  void choose_candidates(const float* logits, int64_t count);

  SamplerSettings settings_;
  std::vector<int32_t> order_;  // reused between draws
  std::vector<double> weights_;
};

}  // namespace bitnet
