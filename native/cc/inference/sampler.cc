#include "inference/sampler.h"

#include <algorithm>

#include "core/canonical_math.h"

namespace bitnet {
namespace {

constexpr int64_t kArgMaxBlock = 512;

// Draw `draw` of `seed`, uniform in [0, 1): two rounds of the SplitMix64 finalizer (Steele, Lea, Flood 2014).
double uniform(uint64_t seed, uint64_t draw) {
  uint64_t z = seed;
  for (int round = 0; round < 2; ++round) {
    z += (draw + 1) * 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    z ^= z >> 31;
  }
  return static_cast<double>(z >> 11) * 0x1p-53;
}

}  // namespace

int32_t arg_max(const float* logits, int64_t count) {
  // The largest value of each block in independent lanes, which compilers turn into vector instructions; then
  // the first place in the first block that has the largest of all.
  int64_t best_block = 0;
  float largest = logits[0];
  for (int64_t begin = 0; begin < count; begin += kArgMaxBlock) {
    const float* block = logits + begin;
    const int64_t size = std::min(kArgMaxBlock, count - begin);
    float lanes[kLanes];
    for (float& lane : lanes) lane = block[0];
    int64_t i = 0;
    for (; i + kLanes <= size; i += kLanes) {
      for (int l = 0; l < kLanes; ++l) lanes[l] = block[i + l] > lanes[l] ? block[i + l] : lanes[l];
    }
    for (; i < size; ++i) lanes[0] = block[i] > lanes[0] ? block[i] : lanes[0];
    for (const float lane : lanes) {
      if (lane > largest) {
        largest = lane;
        best_block = begin;
      }
    }
  }
  const float* found = std::find(logits + best_block, logits + count, largest);
  return found == logits + count
             ? 0
             : static_cast<int32_t>(found - logits);  // not found: logits[0] is not a number
}

int32_t Sampler::sample(const float* logits, int64_t count, uint64_t draw) {
  if (settings_.temperature <= 0.0f || settings_.top_k == 1) return arg_max(logits, count);

  const bool all = (settings_.top_k <= 0 || settings_.top_k >= count) && settings_.top_p >= 1.0f;
  order_.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) order_[static_cast<size_t>(i)] = static_cast<int32_t>(i);
  if (!all) {
    const auto before = [logits](int32_t a, int32_t b) {
      return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
    };
    if (settings_.top_k > 0 && settings_.top_k < count) {
      std::nth_element(order_.begin(), order_.begin() + settings_.top_k, order_.end(), before);
      order_.resize(static_cast<size_t>(settings_.top_k));
    }
    std::sort(order_.begin(), order_.end(), before);
  }

  const float largest = logits[all ? arg_max(logits, count) : order_[0]];
  const float inverse = 1.0f / settings_.temperature;
  weights_.clear();
  double sum = 0;
  for (const int32_t id : order_) {
    weights_.push_back(canonical_exp((logits[id] - largest) * inverse));
    sum += static_cast<double>(weights_.back());
  }
  if (settings_.top_p < 1.0f) {
    const double limit = sum * static_cast<double>(settings_.top_p);
    double kept = 0;
    size_t size = 0;
    while (size < weights_.size() && (size == 0 || kept < limit))
      kept += static_cast<double>(weights_[size++]);
    order_.resize(size);
    sum = kept;
  }
  const double target = uniform(settings_.seed, draw) * sum;
  double reached = 0;
  for (size_t i = 0; i < order_.size(); ++i) {
    reached += static_cast<double>(weights_[i]);
    if (target < reached) return order_[i];
  }
  return order_.back();
}

}  // namespace bitnet
