#include "core/thread_pool.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace bitnet {
namespace {

inline void cpu_relax() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  asm volatile("yield");
#endif
}

// Kernels of one training step follow each other faster than a futex wake-up, but an idle pool must not burn
// the cores of other processes. By the clock: a pause takes 40 cycles on one CPU and 140 on another.
constexpr std::chrono::microseconds kSpinTime{50};
constexpr int kPausesPerLook = 8;  // at the clock
constexpr int kMaxThreads = 256;

// Waits for done() until kSpinTime has passed; whether it came.
template <typename Done>
bool spin_until(const Done& done) {
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < kPausesPerLook; ++i) {
      if (done()) return true;
      cpu_relax();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

thread_local bool inside_parallel_for = false;

struct Job {
  void (*task)(const void*, int64_t) = nullptr;
  const void* context = nullptr;
  int64_t tasks = 0;
  int helpers = 0;  // workers with an index below this take part
};

struct State {
  std::mutex caller_mutex;  // one job at a time
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<std::thread> workers;
  Job job;
  std::atomic<uint64_t> generation{0};
  std::atomic<int64_t> next{0};
  std::atomic<uint64_t> open{0};  // the generation that helpers may still join; 0: none
  std::atomic<int> active{0};     // helpers that joined or are about to see that they are late

  void work_on(const Job& current) {
    inside_parallel_for = true;
    for (;;) {
      const int64_t task = next.fetch_add(1, std::memory_order_relaxed);
      if (task >= current.tasks) break;
      current.task(current.context, task);
    }
    inside_parallel_for = false;
  }

  void worker_loop(int index, uint64_t seen) {
    for (;;) {
      spin_until([&] { return generation.load(std::memory_order_acquire) != seen; });
      Job current;
      {
        std::unique_lock<std::mutex> lock(mutex);
        wake.wait(lock, [&] { return generation.load(std::memory_order_acquire) != seen; });
        seen = generation.load(std::memory_order_acquire);
        current = job;
      }
      if (index >= current.helpers) continue;
      // Announced before looking at `open`, which the caller closes before looking at `active`: either the
      // helper sees the closed door or the caller waits for it.
      active.fetch_add(1);
      if (open.load() == seen) work_on(current);
      active.fetch_sub(1);
    }
  }
};

State& state() {
  // Never destroyed: workers may still be parked when the process exits.
  static State* instance = new State;
  return *instance;
}

std::atomic<int> training_thread_setting{0};

}  // namespace

ThreadPool& ThreadPool::global() {
  static ThreadPool pool;
  return pool;
}

void ThreadPool::run(int threads, int64_t tasks, Task task, const void* context) {
  if (threads > kMaxThreads) threads = kMaxThreads;
  if (threads > tasks) threads = static_cast<int>(tasks);
  if (threads <= 1 || inside_parallel_for) {
    for (int64_t i = 0; i < tasks; ++i) task(context, i);
    return;
  }
  State& pool = state();
  std::lock_guard<std::mutex> turn(pool.caller_mutex);
  const int helpers = threads - 1;
  Job job{task, context, tasks, helpers};
  {
    std::lock_guard<std::mutex> lock(pool.mutex);
    while (static_cast<int>(pool.workers.size()) < helpers) {
      const int index = static_cast<int>(pool.workers.size());
      const uint64_t seen = pool.generation.load();
      pool.workers.emplace_back([&pool, index, seen] { pool.worker_loop(index, seen); });
      pool.workers.back().detach();
    }
    pool.job = job;
    pool.next.store(0, std::memory_order_relaxed);
    pool.open.store(pool.generation.load() + 1);
    pool.generation.fetch_add(1, std::memory_order_release);
  }
  pool.wake.notify_all();
  pool.work_on(job);
  // All tasks are taken: helpers that the system has not scheduled yet are not waited for.
  pool.open.store(0);
  const auto helpers_are_done = [&] { return pool.active.load() == 0; };
  if (!spin_until(helpers_are_done)) {
    while (!helpers_are_done()) std::this_thread::yield();
  }
}

void set_training_threads(int threads) { training_thread_setting.store(threads < 1 ? 1 : threads); }

bool training_threads_are_set() { return training_thread_setting.load() != 0; }

int training_threads() { return training_threads_are_set() ? training_thread_setting.load() : 1; }

}  // namespace bitnet
