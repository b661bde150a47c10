// A pool of persistent worker threads for data-parallel loops.
//
// Results never depend on it: a task computes the same bits whichever thread runs it, and tasks are cut by
// problem shape, not by thread count.
#pragma once

#include <cstdint>
#include <type_traits>

namespace bitnet {

class ThreadPool {
 public:
  // The process-wide pool. Workers start on first use and grow to the largest `threads` asked for.
  static ThreadPool& global();

  // Runs body(task) for task = 0 .. tasks-1 on up to `threads` threads (the caller is one of them) and
  // returns when all are done. Calls from several threads take turns; a nested call runs inline. The body
  // must not throw.
  template <typename Body>
  void parallel_for(int threads, int64_t tasks, const Body& body) {
    run(
        threads, tasks, [](const void* context, int64_t task) { (*static_cast<const Body*>(context))(task); },
        &body);
  }

 private:
  using Task = void (*)(const void* context, int64_t task);
  void run(int threads, int64_t tasks, Task task, const void* context);
};

// Process-wide setting used by training ops, threads >= 1; one thread until it is made. How many the machine allows is
// not asked here: src/machine/threads.ts knows.
void set_training_threads(int threads);
bool training_threads_are_set();
int training_threads();

}  // namespace bitnet
