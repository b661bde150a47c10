// Scoring and generation with one model.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "inference/engine_options.h"
#include "inference/forward_pass.h"
#include "inference/head.h"
#include "inference/kv_cache.h"
#include "inference/model.h"
#include "inference/sampler.h"
#include "inference/score_plan.h"
#include "inference/workers.h"

namespace bitnet {

// A request that the model cannot serve: an id outside the vocabulary, too many positions, a wrong slot.
class RequestError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Rows of one forward pass unless a caller asks for fewer.
constexpr int64_t kDefaultChunk = 256;
// Sequences of one session.
constexpr int64_t kMaxSlots = 1024;

struct ScoreOptions {
  int64_t chunk = 0;  // most rows of one forward pass; 0: kDefaultChunk. Never changes a bit of the result.
  bool share_prefixes = true;  // run what consecutive requests (of this call and the one before) share once
};

class Session;

// Ids to append to a sequence in progress.
struct Feed {
  Session* session;
  int64_t slot;  // each slot of a session at most once per call
  const int32_t* ids;
  int64_t count;  // >= 1
};

struct Generation {
  Feed prompt;
  SamplerSettings sampler;
  uint64_t first_draw;  // number of tokens drawn before with this seed
};

// Not thread-safe: one call at a time, sessions included.
class Engine {
 public:
  // Uses the kernel variant `kernels`. Throws RequestError if the model does not allow the options.
  Engine(std::shared_ptr<const Model> model, const Kernels& kernels, const EngineOptions& options);

  const Model& model() const { return *model_; }
  const Kernels& kernels() const { return kernels_; }
  int threads() const { return workers_.threads(); }

  // Writes the log-probabilities of all requests, one after the other, whether each target was the first
  // arg max, and the likeliest ids at its place. Throws RequestError, Aborted (when *abort becomes true), std::bad_alloc.
  void score(const std::vector<ScoreRequest>& requests, const ScoreOptions& options,
             const std::atomic<bool>* abort, float* logprobs, uint8_t* greedy, TopTokens top = {});

  // Appends ids to sequences of any sessions; writes the logits after the last id of each,
  // [feeds][vocab_size] (null: none). Throws RequestError, Aborted: the slots then keep the length that they
  // had.
  void feed(const std::vector<Feed>& feeds, const std::atomic<bool>* abort, float* logits);

  // Feeds each prompt and draws up to `steps` tokens, all sequences together; a sequence ends after one of
  // `end_ids`, which is the last of its tokens. The last token drawn is not fed. Returns the tokens of each.
  // Throws RequestError before anything has changed, Aborted: the slots then have unspecified lengths not
  // below those that they had.
  std::vector<std::vector<int32_t>> generate(const std::vector<Generation>& generations, int64_t steps,
                                             const std::vector<int32_t>& end_ids,
                                             const std::atomic<bool>* abort);

 private:
  friend class Session;

  // Consecutive positions of one sequence to run; hidden states are needed from row `wanted_from` on.
  struct Span {
    KvCache* cache;
    int64_t block;  // where the sequence starts in it
    int64_t first;  // position of ids[0]
    const int32_t* ids;
    int64_t count;
    int64_t wanted_from;
  };

  void check_ids(const int32_t* ids, int64_t count) const;
  void check_request(const ScoreRequest& request) const;
  void run_wave(const ScorePlan& plan, int64_t chunk, float* logprobs, uint8_t* greedy, const TopTokens& top);
  // Copies prefixes within the score cache, all layers.
  struct PrefixCopy {
    int64_t from, to, positions;
  };
  void copy_prefixes(const std::vector<PrefixCopy>& copies);
  // Runs spans in forward passes of at most `chunk` rows; consume(hidden, count) receives the wanted rows in
  // order.
  template <typename Consume>
  void run_spans(const std::vector<Span>& spans, int64_t chunk, const Consume& consume);
  void check_feeds(const std::vector<Feed>& feeds, int64_t more) const;
  void run_feeds(const std::vector<Feed>& feeds, float* logits);

  std::shared_ptr<const Model> model_;
  const Kernels& kernels_;
  Workers workers_;
  KvType kv_type_;
  ForwardPass forward_;
  Head head_;
  KvCache score_cache_;
  // What the last wave left in the score cache, and where; empty: nothing.
  std::vector<int32_t> trunk_;
  int64_t trunk_block_ = 0;
  // Of the current batch; reused so that decoding does not allocate.
  std::vector<Span> spans_;
  std::vector<Segment> segments_;
  std::vector<int64_t> wanted_;
  std::vector<int32_t> ids_;
};

}  // namespace bitnet
