// Cutting sequences into forward passes; shared by scoring and sessions (private to the engine).
#pragma once

#include <algorithm>

#include "inference/engine.h"

namespace bitnet {

// Sets the abort flag of an engine's loops for one call.
class AbortScope {
 public:
  AbortScope(Workers* workers, const std::atomic<bool>* abort) : workers_(workers) {
    workers_->set_abort(abort);
  }
  ~AbortScope() { workers_->set_abort(nullptr); }
  AbortScope(const AbortScope&) = delete;
  AbortScope& operator=(const AbortScope&) = delete;

 private:
  Workers* workers_;
};

template <typename Consume>
void Engine::run_spans(const std::vector<Span>& spans, int64_t chunk, const Consume& consume) {
  size_t next = 0;
  int64_t done = 0;  // rows of spans[next] that have run
  while (next < spans.size()) {
    segments_.clear();
    wanted_.clear();
    ids_.clear();
    while (next < spans.size() && static_cast<int64_t>(ids_.size()) < chunk) {
      const Span& span = spans[next];
      const int64_t row = static_cast<int64_t>(ids_.size());
      const int64_t count = std::min(span.count - done, chunk - row);
      if (count > 0) segments_.push_back({row, span.cache, span.block, span.first + done, count});
      ids_.insert(ids_.end(), span.ids + done, span.ids + done + count);
      for (int64_t i = std::max(span.wanted_from, done); i < done + count; ++i)
        wanted_.push_back(row + i - done);
      done += count;
      if (done == span.count) {
        ++next;
        done = 0;
      }
    }
    const float* hidden = forward_.run(ids_.data(), segments_, wanted_);
    if (!wanted_.empty()) consume(hidden, static_cast<int64_t>(wanted_.size()));
  }
}

}  // namespace bitnet
