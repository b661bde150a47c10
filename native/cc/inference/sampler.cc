#include "inference/sampler.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/canonical_math.h"

namespace bitnet {
namespace {

constexpr int64_t kArgMaxBlock = 512;

// The stream "generate" of src/random/counter_rng.ts: a value is a hash of seed, stream and counter.

uint32_t mix32(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

constexpr uint32_t hash_name(const char* name) {
  uint32_t hash = 0x811c9dc5u;
  for (; *name != '\0'; ++name) hash = (hash ^ static_cast<unsigned char>(*name)) * 0x01000193u;
  return hash;
}

constexpr uint32_t kStream = hash_name("generate");

uint32_t stream_value(uint64_t seed, uint64_t counter) {
  const auto high = static_cast<uint32_t>(seed >> 32), low = static_cast<uint32_t>(seed);
  const uint32_t key0 = mix32(low ^ mix32(high + 0x9e3779b9u) ^ kStream);
  const uint32_t key1 = mix32(key0 + 0x85ebca6bu) ^ kStream;
  const auto counter_high = static_cast<uint32_t>(counter >> 32),
             counter_low = static_cast<uint32_t>(counter);
  return mix32(mix32(counter_low ^ key0) + (counter_high ^ key1) * 0x9e3779b1u + key1);
}

// Number `draw` of the seed, in [0, 1), with 53 bits.
double uniform(uint64_t seed, uint64_t draw) {
  const uint32_t high = stream_value(seed, 2 * draw) >> 5, low = stream_value(seed, 2 * draw + 1) >> 6;
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

// As in the reference, operation for operation. The build forbids contraction (-ffp-contract=off): a fused
// multiply-add here would draw other tokens.
constexpr double kSmallestExponent = -700.0;
constexpr double kLog2E = 1.4426950408889634;
constexpr double kLn2High = 0.6931471803691238;
constexpr double kLn2Low = 1.9082149292705877e-10;
constexpr double kRoundingShift = 6755399441055744.0;
constexpr double kInverseFactorials[] = {1.0,
                                         1.0,
                                         1.0 / 2,
                                         1.0 / 6,
                                         1.0 / 24,
                                         1.0 / 120,
                                         1.0 / 720,
                                         1.0 / 5040,
                                         1.0 / 40320,
                                         1.0 / 362880,
                                         1.0 / 3628800,
                                         1.0 / 39916800,
                                         1.0 / 479001600,
                                         1.0 / 6227020800.0};

// exp(x) for x <= 0; 0 below -700, and for NaN.
double sampler_exp(double x) {
  if (!(x >= kSmallestExponent)) return 0.0;
  const double n = x * kLog2E + kRoundingShift - kRoundingShift;
  const double r = x - n * kLn2High - n * kLn2Low;
  double series = kInverseFactorials[13];
  for (int k = 12; k >= 0; --k) series = series * r + kInverseFactorials[k];
  const uint64_t bits = static_cast<uint64_t>(1023 + static_cast<int64_t>(n)) << 52;  // 2^n
  double power;
  std::memcpy(&power, &bits, sizeof power);
  return series * power;
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

void Sampler::choose_candidates(const float* logits, int64_t count) {
  order_.resize(static_cast<size_t>(count));
  std::iota(order_.begin(), order_.end(), 0);
  const bool limited = settings_.top_k > 0 && settings_.top_k < count;
  if (!limited && settings_.top_p >= 1.0 && settings_.min_p <= 0.0) return;
  const auto before = [logits](int32_t a, int32_t b) {
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
  };
  if (limited) {
    std::nth_element(order_.begin(), order_.begin() + settings_.top_k, order_.end(), before);
    order_.resize(static_cast<size_t>(settings_.top_k));
  }
  std::sort(order_.begin(), order_.end(), before);
}

int32_t Sampler::sample(const float* logits, int64_t count, uint64_t draw) {
  if (settings_.temperature <= 0.0 || settings_.top_k == 1) return arg_max(logits, count);
  choose_candidates(logits, count);
  const double largest = static_cast<double>(logits[arg_max(logits, count)]);
  weights_.resize(order_.size());
  for (size_t i = 0; i < order_.size(); ++i) {
    weights_[i] = sampler_exp((static_cast<double>(logits[order_[i]]) - largest) / settings_.temperature);
  }
  double sum = 0;
  for (const double weight : weights_) sum += weight;
  size_t kept = weights_.size();
  if (settings_.top_p < 1.0) {
    const double limit = sum * settings_.top_p;
    sum = weights_[0];
    kept = 1;
    while (kept < weights_.size() && sum < limit) sum += weights_[kept++];
  }
  if (settings_.min_p > 0.0) {
    while (kept > 1 && weights_[kept - 1] < settings_.min_p) --kept;
    sum = 0;
    for (size_t i = 0; i < kept; ++i) sum += weights_[i];
  }
  const double target = uniform(settings_.seed, draw) * sum;
  double reached = 0;
  for (size_t i = 0; i < kept; ++i) {
    reached += weights_[i];
    if (target < reached) return order_[i];
  }
  return order_[kept - 1];  // only if no weight is a number: the target is below the sum
}

}  // namespace bitnet
