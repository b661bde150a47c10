#include "inference/engine.h"

#include <algorithm>

#include "inference/run_spans.h"

namespace bitnet {
namespace {

// Requests are scored in waves whose sequences share one cache of about this size.
constexpr int64_t kWaveCacheBytes = int64_t{128} << 20;
constexpr int64_t kMinWavePositions = 512;
constexpr int64_t kMaxWavePositions = 4096;
// A shared prefix below this saves less than it costs to copy.
constexpr int64_t kMinSharedPrefix = 8;

int64_t common_prefix(const ScoreRequest& a, const ScoreRequest& b, int64_t limit) {
  int64_t length = 0;
  while (length < limit && a.ids[length] == b.ids[length]) ++length;
  return length;
}

}  // namespace

Engine::Engine(std::shared_ptr<const Model> model, const Kernels& kernels, const EngineOptions& options)
    : model_(std::move(model)),
      kernels_(kernels),
      workers_(options.threads),
      kv_type_(options.kv_type),
      forward_(*model_, kernels_, workers_),
      head_(*model_, kernels_, workers_, options.head) {
  const RowType stored = model_->head().row_type;
  if (options.head == HeadPrecision::int8 && stored != RowType::q8_0) {
    throw RequestError("an int8 head needs a file whose head is Q8_0 (bitnet-export --embedding-type q8_0)");
  }
  if (options.kv_type == KvType::q8 && model_->config().head_dim > kMaxQuantizedHead) {
    throw RequestError("an 8-bit key / value cache takes heads of at most " +
                       std::to_string(kMaxQuantizedHead) + " elements");
  }
}

void Engine::check_ids(const int32_t* ids, int64_t count) const {
  const int64_t vocab = model_->config().vocab_size;
  for (int64_t i = 0; i < count; ++i) {
    if (ids[i] < 0 || ids[i] >= vocab) {
      throw RequestError("token id " + std::to_string(ids[i]) + " at position " + std::to_string(i) +
                         " is not in the vocabulary of " + std::to_string(vocab));
    }
  }
}

void Engine::check_request(const ScoreRequest& request) const {
  if (request.first_target < 1 || request.first_target >= request.length) {
    throw RequestError("first scored position " + std::to_string(request.first_target) +
                       " must be from 1 to length - 1 (" + std::to_string(request.length - 1) + ")");
  }
  const int64_t limit = model_->config().context_length;
  if (request.length - 1 > limit) {
    throw RequestError("a sequence of " + std::to_string(request.length) + " ids needs " +
                       std::to_string(request.length - 1) + " positions, the model has " +
                       std::to_string(limit));
  }
  check_ids(request.ids, request.length);
}

void Engine::score(const std::vector<ScoreRequest>& requests, const ScoreOptions& options,
                   const std::atomic<bool>* abort, float* logprobs, uint8_t* greedy) {
  const AbortScope scope(&workers_, abort);
  for (const ScoreRequest& request : requests) check_request(request);
  const int64_t chunk = options.chunk > 0 ? options.chunk : kDefaultChunk;
  std::vector<Group> groups;
  for (size_t begin = 0; begin < requests.size();) {
    begin = plan_wave(requests, begin, options.share_prefixes, &groups);
    const int64_t scored = run_wave(requests, groups, chunk, logprobs, greedy);
    logprobs += scored;
    greedy += scored;
  }
}

// Groups of the next wave; returns the first request after it.
size_t Engine::plan_wave(const std::vector<ScoreRequest>& requests, size_t begin, bool share,
                         std::vector<Group>* groups) const {
  const ModelConfig& config = model_->config();
  const int64_t position_bytes = config.layers * config.kv_heads * config.head_dim * 8;
  const int64_t budget = std::clamp(kWaveCacheBytes / position_bytes, kMinWavePositions, kMaxWavePositions);
  groups->clear();
  int64_t positions = 0;
  size_t next = begin;
  for (; next < requests.size(); ++next) {
    const ScoreRequest& request = requests[next];
    positions += cache_blocks(request.length - 1) * kCacheBlock;
    if (next > begin && positions > budget) break;
    if (share && !groups->empty()) {
      Group& group = groups->back();
      const ScoreRequest& first = requests[group.begin];
      const int64_t members = static_cast<int64_t>(group.end - group.begin);
      // Rows that are scored must be run for every request.
      const int64_t limit = members == 1 ? first.first_target - 1 : group.prefix;
      const int64_t prefix = common_prefix(first, request, std::min(limit, request.first_target - 1));
      if (prefix >= kMinSharedPrefix && prefix * members >= group.prefix * (members - 1)) {
        group.end = next + 1;
        group.prefix = prefix;
        continue;
      }
    }
    groups->push_back({next, next + 1, 0});
  }
  return next;
}

int64_t Engine::run_wave(const std::vector<ScoreRequest>& requests, const std::vector<Group>& groups,
                         int64_t chunk, float* logprobs, uint8_t* greedy) {
  struct Copy {
    int64_t from, to, positions;
  };
  std::vector<Span> prefixes, spans;
  std::vector<Copy> copies;
  std::vector<int32_t> targets;
  int64_t block = 0;
  for (const Group& group : groups) {
    const int64_t home = block;
    if (group.prefix > 0)
      prefixes.push_back({home, 0, requests[group.begin].ids, group.prefix, group.prefix});
    for (size_t i = group.begin; i < group.end; ++i) {
      const ScoreRequest& r = requests[i];
      if (block != home && group.prefix > 0) copies.push_back({home, block, group.prefix});
      spans.push_back({block, group.prefix, r.ids + group.prefix, r.length - 1 - group.prefix,
                       r.first_target - 1 - group.prefix});
      targets.insert(targets.end(), r.ids + r.first_target, r.ids + r.length);
      block += cache_blocks(r.length - 1);
    }
  }
  if (block > score_cache_.blocks()) {
    score_cache_ = KvCache();  // free the old one first
    score_cache_ = KvCache(model_->config(), block, kv_type_);
  }

  run_spans(score_cache_, prefixes, chunk, [](const float*, int64_t) {});
  workers_.each(copies.empty() ? 0 : model_->config().layers, [&](int64_t layer) {
    for (const Copy& copy : copies) score_cache_.copy_prefix(layer, copy.from, copy.to, copy.positions);
  });
  int64_t scored = 0;
  run_spans(score_cache_, spans, chunk, [&](const float* hidden, int64_t count) {
    head_.score(hidden, count, targets.data() + scored, logprobs + scored, greedy + scored);
    scored += count;
  });
  return scored;
}

}  // namespace bitnet
