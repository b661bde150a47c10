// The half of Engine that advances sequences in progress: feeding ids, drawing tokens.
#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "inference/engine.h"
#include "inference/run_spans.h"
#include "inference/session.h"

namespace bitnet {

void Engine::check_feeds(const std::vector<Feed>& feeds, int64_t more) const {
  std::set<std::pair<const Session*, int64_t>> seen;
  for (const Feed& feed : feeds) {
    const Session& session = *feed.session;
    if (feed.slot < 0 || feed.slot >= session.slots()) {
      throw RequestError("there is no slot " + std::to_string(feed.slot));
    }
    if (!seen.insert({&session, feed.slot}).second) {
      throw RequestError("slot " + std::to_string(feed.slot) + " is fed twice in one call");
    }
    if (feed.count < 1) throw RequestError("no token ids to feed to slot " + std::to_string(feed.slot));
    const int64_t used = session.length(feed.slot);
    if (feed.count + more > session.capacity() - used) {
      throw RequestError("context overflow: " + std::to_string(used) + " positions used, " +
                         std::to_string(feed.count + more) + " more do not fit in " +
                         std::to_string(session.capacity()));
    }
    check_ids(feed.ids, feed.count);
  }
}

void Engine::run_feeds(const std::vector<Feed>& feeds, float* logits) {
  spans_.clear();
  for (const Feed& feed : feeds) {
    const int64_t wanted_from = logits ? feed.count - 1 : feed.count;
    Session& session = *feed.session;
    spans_.push_back({&session.cache_, session.slot_block(feed.slot), session.length(feed.slot), feed.ids,
                      feed.count, wanted_from});
  }
  run_spans(spans_, kDefaultChunk, [&](const float* hidden, int64_t count) {
    head_.logits(hidden, count, logits);
    logits += count * model_->config().vocab_size;
  });
  for (const Feed& feed : feeds) feed.session->lengths_[static_cast<size_t>(feed.slot)] += feed.count;
}

void Engine::feed(const std::vector<Feed>& feeds, const std::atomic<bool>* abort, float* logits) {
  check_feeds(feeds, 0);
  const AbortScope scope(&workers_, abort);
  run_feeds(feeds, logits);
}

std::vector<std::vector<int32_t>> Engine::generate(const std::vector<Generation>& generations, int64_t steps,
                                                   const std::vector<int32_t>& end_ids,
                                                   const std::atomic<bool>* abort) {
  if (steps < 1) throw RequestError("at least one token must be generated, not " + std::to_string(steps));
  std::vector<Feed> feeds;
  std::vector<Sampler> samplers;
  std::vector<size_t> active;  // the generation of each feed
  for (size_t i = 0; i < generations.size(); ++i) {
    feeds.push_back(generations[i].prompt);
    samplers.emplace_back(generations[i].sampler);
    active.push_back(i);
  }
  check_feeds(feeds, steps - 1);
  const AbortScope scope(&workers_, abort);

  const int64_t vocab = model_->config().vocab_size;
  AlignedBuffer logits(feeds.size() * static_cast<size_t>(vocab) * sizeof(float));
  std::vector<std::vector<int32_t>> tokens(generations.size());
  for (auto& list : tokens) list.reserve(static_cast<size_t>(steps));  // feeds point into it
  for (int64_t step = 0; step < steps && !feeds.empty(); ++step) {
    run_feeds(feeds, logits.floats());
    size_t kept = 0;
    for (size_t n = 0; n < feeds.size(); ++n) {
      const size_t i = active[n];
      const uint64_t draw = generations[i].first_draw + static_cast<uint64_t>(step);
      tokens[i].push_back(samplers[i].sample(logits.floats() + static_cast<int64_t>(n) * vocab, vocab, draw));
      if (std::find(end_ids.begin(), end_ids.end(), tokens[i].back()) != end_ids.end()) continue;
      feeds[kept] = {feeds[n].session, feeds[n].slot, &tokens[i].back(), 1};
      active[kept++] = i;
    }
    feeds.resize(kept);
    active.resize(kept);
  }
  return tokens;
}

}  // namespace bitnet
