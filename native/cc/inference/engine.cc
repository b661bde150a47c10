#include "inference/engine.h"

#include <algorithm>
#include <numeric>

#include "inference/run_spans.h"

namespace bitnet {
namespace {

// Requests are scored in waves whose sequences share one cache of about this size.
constexpr int64_t kWaveCacheBytes = int64_t{256} << 20;
constexpr int64_t kMinWavePositions = 512;
constexpr int64_t kMaxWavePositions = 4096;

}  // namespace

Engine::Engine(std::shared_ptr<const Model> model, const Kernels& kernels, const EngineOptions& options)
    : model_(std::move(model)),
      kernels_(kernels),
      workers_(options.threads),
      kv_type_(options.kv_type),
      forward_(*model_, kernels_, workers_),
      head_(*model_, kernels_, workers_, options.head) {
  const RowType stored = model_->head().type;
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
                   const std::atomic<bool>* abort, float* logprobs, uint8_t* greedy, TopTokens top) {
  if (top.count < 0 || top.count > model_->config().vocab_size) {
    throw RequestError("the likeliest " + std::to_string(top.count) + " tokens of a vocabulary of " +
                       std::to_string(model_->config().vocab_size) + " do not exist");
  }
  const AbortScope scope(&workers_, abort);
  for (const ScoreRequest& request : requests) check_request(request);
  const int64_t chunk = options.chunk > 0 ? options.chunk : kDefaultChunk;
  const ModelConfig& config = model_->config();
  const int64_t position_bytes = config.layers * config.kv_heads * config.head_dim * 8;
  const int64_t budget = std::clamp(kWaveCacheBytes / position_bytes, kMinWavePositions, kMaxWavePositions);
  ScorePlan plan;
  for (size_t begin = 0; begin < requests.size();) {
    const size_t end = plan_wave(requests, begin, options.share_prefixes, trunk_, budget, &plan);
    if (plan.blocks > score_cache_.blocks()) {
      score_cache_ = KvCache();  // free the old one first
      score_cache_ = KvCache(config, std::max(plan.blocks, cache_blocks(budget)), kv_type_);
      if (plan.trunk > 0) {
        // It went with the old cache: plan without it.
        trunk_.clear();
        continue;
      }
    }
    run_wave(plan, chunk, logprobs, greedy, top);
    logprobs += plan.targets.size();
    greedy += plan.targets.size();
    if (top.count > 0) {
      top.ids += static_cast<int64_t>(plan.targets.size()) * top.count;
      top.logprobs += static_cast<int64_t>(plan.targets.size()) * top.count;
    }
    begin = end;
  }
}

void Engine::copy_prefixes(const std::vector<PrefixCopy>& copies) {
  workers_.each(copies.empty() ? 0 : model_->config().layers, [&](int64_t layer) {
    for (const PrefixCopy& copy : copies) score_cache_.copy_prefix(layer, copy.from, copy.to, copy.positions);
  });
}

// Writes the results of the plan's targets, in their order.
void Engine::run_wave(const ScorePlan& plan, int64_t chunk, float* logprobs, uint8_t* greedy,
                      const TopTokens& top) {
  // Whatever ends this early leaves no trunk behind.
  std::vector<int32_t> trunk;
  trunk.swap(trunk_);
  if (plan.trunk > 0 && trunk_block_ != 0) copy_prefixes({{trunk_block_, 0, plan.trunk}});

  const std::vector<ScorePlan::Sequence>& sequences = plan.sequences;
  std::vector<size_t> order(sequences.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sequences[a].depth < sequences[b].depth; });

  // Targets of every row that goes through the head, in the order in which the rows come.
  std::vector<int64_t> first_row(sequences.size());
  int64_t rows = 0;
  for (const size_t i : order) {
    first_row[i] = rows - sequences[i].wanted_from;
    rows += sequences[i].length - sequences[i].wanted_from;
  }
  const auto row_of = [&](const ScorePlan::Target& target) {
    return static_cast<size_t>(first_row[static_cast<size_t>(target.sequence)] + target.position);
  };
  std::vector<int64_t> first(static_cast<size_t>(rows) + 1, 0);
  for (const ScorePlan::Target& target : plan.targets) ++first[row_of(target) + 1];
  std::partial_sum(first.begin(), first.end(), first.begin());
  std::vector<Head::Target> targets(plan.targets.size());
  std::vector<int64_t> next(first.begin(), first.end() - 1);
  for (size_t i = 0; i < plan.targets.size(); ++i) {
    targets[static_cast<size_t>(next[row_of(plan.targets[i])]++)] = {plan.targets[i].id,
                                                                     static_cast<int64_t>(i)};
  }

  std::vector<Span> spans;
  std::vector<PrefixCopy> copies;
  int64_t row = 0;
  for (size_t begin = 0; begin < order.size();) {
    const int64_t depth = sequences[order[begin]].depth;
    spans.clear();
    copies.clear();
    for (; begin < order.size() && sequences[order[begin]].depth == depth; ++begin) {
      const ScorePlan::Sequence& s = sequences[order[begin]];
      // The trunk lies where the first sequence does.
      const int64_t from = s.source >= 0 ? sequences[static_cast<size_t>(s.source)].block : 0;
      if (s.start > 0 && s.block != from) copies.push_back({from, s.block, s.start});
      spans.push_back(
          {&score_cache_, s.block, s.start, s.ids + s.start, s.length - s.start, s.wanted_from - s.start});
    }
    copy_prefixes(copies);
    run_spans(spans, chunk, [&](const float* hidden, int64_t count) {
      head_.score(hidden, count, first.data() + row, targets.data(), logprobs, greedy, top);
      row += count;
    });
  }
  const ScorePlan::Sequence& last = sequences.back();
  trunk.assign(last.ids, last.ids + last.length);
  trunk_.swap(trunk);
  trunk_block_ = last.block;
}

}  // namespace bitnet
