// Cutting work for the thread pool by problem shape, never by thread count, so that results do not depend on
// it.
#pragma once

#include <cstdint>

#include "core/thread_pool.h"

namespace bitnet {

// Elements that one task should touch at least: about 10 us of memory-bound work, well above a task's
// overhead.
constexpr int64_t kElementsPerTask = 16384;

inline int64_t rows_per_task(int64_t cols) {
  const int64_t rows = kElementsPerTask / (cols > 0 ? cols : 1);
  return rows > 0 ? rows : 1;
}

// body(begin, end) over [0, count) in chunks of `chunk` (the last one may be shorter), on the training
// threads.
template <typename Body>
void parallel_chunks(int64_t count, int64_t chunk, const Body& body) {
  const int64_t tasks = (count + chunk - 1) / chunk;
  ThreadPool::global().parallel_for(training_threads(), tasks, [&](int64_t task) {
    const int64_t begin = task * chunk;
    body(begin, begin + chunk < count ? begin + chunk : count);
  });
}

}  // namespace bitnet
