// Parallel loops of one engine: how many threads, and the flag that ends a run early.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
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

  // Runs body(begin, end) over consecutive slices of [0, units) that are multiples of `grain`. `work` is the
  // whole loop's number of multiply-adds (or of float operations): small loops stay on the calling thread.
  // An abort is noticed after a grain or kSliceSeconds, whichever is longer. Results must not depend on the
  // cut. Throws Aborted.
  template <typename Body>
  void split(int64_t units, int64_t grain, int64_t work, const Body& body) const {
    const int64_t grains = (units + grain - 1) / grain;
    const int64_t wanted =
        threads_ > 1 ? std::min<int64_t>(work / kSmallestPart, threads_ * kPartsPerThread) : 1;
    const int64_t parts = std::min(wanted, grains);
    if (parts <= 1) {
      check_abort();
      run_slices(0, units, grain, body);
      check_abort();
      return;
    }
    each(parts, [&](int64_t part) {
      run_slices(part * grains / parts * grain, std::min(units, (part + 1) * grains / parts * grain), grain,
                 body);
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
  static constexpr int64_t kSmallestPart = int64_t{1} << 15;  // a few microseconds: the cost of a wake-up
  // Enough to even out threads that are not equally fast.
  static constexpr int64_t kPartsPerThread = 8;
  static constexpr double kSliceSeconds = 1e-3;

  // Slices grow until one takes the time in which an abort should be noticed: how many operations that are
  // depends on the variant and the machine.
  template <typename Body>
  void run_slices(int64_t begin, int64_t end, int64_t grain, const Body& body) const {
    using Clock = std::chrono::steady_clock;
    if (begin >= end) return;
    if (!abort_) return body(begin, end);
    auto start = Clock::now();
    for (int64_t step = grain; begin < end && !abort_->load(std::memory_order_relaxed);) {
      const int64_t next = std::min(end, begin + step);
      body(begin, next);
      begin = next;
      const auto now = Clock::now();
      if (std::chrono::duration<double>(now - start).count() < kSliceSeconds / 2) step *= 2;
      start = now;
    }
  }

  int threads_;
  const std::atomic<bool>* abort_ = nullptr;
};

}  // namespace bitnet
