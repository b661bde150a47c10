// Memory that the system must keep resident: pages of weights are neither swapped out nor dropped from the
// cache.
#pragma once

#include <cstddef>

namespace bitnet {

class MemoryLock {
 public:
  MemoryLock() = default;
  // Reads the pages in and locks them. Throws std::runtime_error with the size, the system's reason and its
  // limit.
  MemoryLock(const void* address, size_t bytes);
  ~MemoryLock();
  MemoryLock(MemoryLock&& other) noexcept;
  MemoryLock& operator=(MemoryLock&&) = delete;
  MemoryLock(const MemoryLock&) = delete;

 private:
  void* address_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace bitnet
