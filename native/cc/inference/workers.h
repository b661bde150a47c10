// Parallel loops of one engine: how many threads, and the flag that ends a run early.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <stdexcept>

#include "core/thread_pool.h"

namespace bitnet {

// The caller asked for the run to end.
class Aborted : public std::runtime_error {
 public:
  Aborted() : std::runtime_error("aborted") {}
};

class Workers {
 public:
  explicit Workers(int threads) : threads_(threads < 1 ? 1 : threads) {}

  int threads() const { return threads_; }
  // Null: cannot be aborted.
  void set_abort(const std::atomic<bool>* abort) { abort_ = abort; }
  void check_abort() const {
    if (abort_ && abort_->load(std::memory_order_relaxed)) throw Aborted();
  }

  // Runs body(begin, end) over consecutive parts of [0, units) that are multiples of `grain`. `work` is the
  // whole loop's number of multiply-adds (or of float operations): small loops stay on the calling thread,
  // and parts are small enough that an abort is noticed within milliseconds. Results must not depend on the
  // cut. Throws Aborted.
  template <typename Body>
  void split(int64_t units, int64_t grain, int64_t work, const Body& body) const {
    const int64_t grains = (units + grain - 1) / grain;
    int64_t parts = work / kLargestPart + 1;
    if (threads_ > 1)
      parts = std::max(parts, std::min<int64_t>(work / kSmallestPart, threads_ * kPartsPerThread));
    parts = std::min(parts, grains);
    if (parts <= 1) {
      check_abort();
      if (units > 0) body(int64_t{0}, units);
      return;
    }
    each(parts, [&](int64_t part) {
      const int64_t begin = part * grains / parts * grain;
      const int64_t end = std::min(units, (part + 1) * grains / parts * grain);
      if (begin < end) body(begin, end);
    });
  }

  // Runs body(task) for every task. Throws Aborted.
  template <typename Body>
  void each(int64_t tasks, const Body& body) const {
    check_abort();
    ThreadPool::global().parallel_for(threads_, tasks, [&](int64_t task) {
      if (!(abort_ && abort_->load(std::memory_order_relaxed))) body(task);
    });
    check_abort();
  }

 private:
  static constexpr int64_t kLargestPart = int64_t{1} << 25;   // about 10 ms of the slowest variant
  static constexpr int64_t kSmallestPart = int64_t{1} << 15;  // a few microseconds: the cost of a wake-up
  static constexpr int64_t kPartsPerThread = 4;

  int threads_;
  const std::atomic<bool>* abort_ = nullptr;
};

}  // namespace bitnet
