#include "core/thread_pool.h"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

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

// About 20 us: kernels of one training step follow each other faster than a futex wake-up, but an idle
// pool must not burn the cores of other processes.
constexpr int kSpinIterations = 2000;

thread_local bool inside_parallel_for = false;

struct Job {
  void (*task)(const void*, int64_t) = nullptr;
  const void* context = nullptr;
  int64_t tasks = 0;
};

// One job at a time. A job opens as many places as it wants workers; a worker joins by taking a place, and
// the caller closes the places that are left when the tasks have run out. So nobody waits for a worker that
// the system has not scheduled yet: on a busy machine the caller simply does more of the work.
struct State {
  std::mutex caller_mutex;
  Job job;  // written while no place is open and no worker is inside
  std::atomic<int> open_places{0};
  std::atomic<int64_t> next{0};
  std::atomic<int> left{0};  // workers that joined this job and are done with it

  std::mutex sleep_mutex;
  std::condition_variable wake;
  std::atomic<int> sleepers{0};
  int workers = 0;

  void work() {
    inside_parallel_for = true;
    for (;;) {
      const int64_t index = next.fetch_add(1, std::memory_order_relaxed);
      if (index >= job.tasks) break;
      job.task(job.context, index);
    }
    inside_parallel_for = false;
  }

  bool join() {
    int places = open_places.load(std::memory_order_relaxed);
    while (places > 0) {
      if (open_places.compare_exchange_weak(places, places - 1, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  void worker_loop() {
    for (;;) {
      bool joined = false;
      for (int i = 0; i < kSpinIterations && !(joined = join()); ++i) cpu_relax();
      if (!joined) {
        std::unique_lock<std::mutex> lock(sleep_mutex);
        // Sequentially consistent against the caller, who opens places and then looks for sleepers.
        sleepers.fetch_add(1);
        wake.wait(lock, [this] { return open_places.load() > 0; });
        sleepers.fetch_sub(1);
        continue;
      }
      work();
      left.fetch_add(1, std::memory_order_release);
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
  if (threads > tasks) threads = static_cast<int>(tasks);
  if (threads <= 1 || inside_parallel_for) {
    for (int64_t i = 0; i < tasks; ++i) task(context, i);
    return;
  }
  State& pool = state();
  std::lock_guard<std::mutex> turn(pool.caller_mutex);
  const int helpers = threads - 1;
  for (; pool.workers < helpers; ++pool.workers) {
    std::thread([&pool] { pool.worker_loop(); }).detach();
  }
  pool.job = Job{task, context, tasks};
  pool.next.store(0, std::memory_order_relaxed);
  pool.left.store(0, std::memory_order_relaxed);
  pool.open_places.store(helpers);
  if (pool.sleepers.load() > 0) {
    // The lock orders this wake-up after the sleeper's check of its condition.
    { std::lock_guard<std::mutex> lock(pool.sleep_mutex); }
    pool.wake.notify_all();
  }
  pool.work();
  const int joined = helpers - pool.open_places.exchange(0, std::memory_order_acq_rel);
  for (int spins = 0; pool.left.load(std::memory_order_acquire) < joined; ++spins) {
    // A joined worker that lost its core gets this one back sooner if we give it up.
    if (spins < kSpinIterations)
      cpu_relax();
    else
      std::this_thread::yield();
  }
}

int default_threads() {
  if (const char* text = std::getenv("BITNET_THREADS")) {
    const int asked = std::atoi(text);
    if (asked >= 1) return asked;
  }
  const unsigned count = std::thread::hardware_concurrency();
  return count ? static_cast<int>(count) : 1;
}

void set_training_threads(int threads) { training_thread_setting.store(threads < 1 ? 1 : threads); }

int training_threads() {
  const int threads = training_thread_setting.load();
  return threads ? threads : default_threads();
}

}  // namespace bitnet
