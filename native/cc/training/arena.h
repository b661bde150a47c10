// Scratch memory of training kernels: one bump allocator per thread, kept between calls, so that a
// steady-state training step allocates nothing.
//
//   ArenaScope scope;                      // releases everything below it when it ends
//   float* row = scope.floats(cols);       // 64-byte aligned, uninitialized
//
// Scopes nest on one thread. A scope opened by the caller of parallel_for may be read by all tasks; a task
// opens its own scope for what only it uses.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitnet {

class ArenaScope {
 public:
  ArenaScope();
  ~ArenaScope();
  ArenaScope(const ArenaScope&) = delete;
  ArenaScope& operator=(const ArenaScope&) = delete;

  // Throws std::bad_alloc.
  void* bytes(int64_t count);
  float* floats(int64_t count) {
    return static_cast<float*>(bytes(count * static_cast<int64_t>(sizeof(float))));
  }
  double* doubles(int64_t count) {
    return static_cast<double*>(bytes(count * static_cast<int64_t>(sizeof(double))));
  }
  int8_t* codes(int64_t count) { return static_cast<int8_t*>(bytes(count)); }
  int32_t* ints(int64_t count) {
    return static_cast<int32_t*>(bytes(count * static_cast<int64_t>(sizeof(int32_t))));
  }

 private:
  size_t block_;
  size_t used_;
};

}  // namespace bitnet
