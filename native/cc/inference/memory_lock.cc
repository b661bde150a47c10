#include "inference/memory_lock.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#if defined(_WIN32)
#define NOMINMAX
#include <windows.h>
#else
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#endif

namespace bitnet {
namespace {

std::string megabytes(uint64_t bytes) { return std::to_string((bytes + 999999) / 1000000) + " MB"; }

#if defined(_WIN32)

bool lock(void* address, size_t bytes, std::string* reason) {
  if (VirtualLock(address, bytes)) return true;
  // The working set's minimum is the limit of what may be locked.
  SIZE_T least = 0, most = 0;
  if (GetProcessWorkingSetSize(GetCurrentProcess(), &least, &most) &&
      SetProcessWorkingSetSize(GetCurrentProcess(), least + bytes, most + bytes) &&
      VirtualLock(address, bytes)) {
    return true;
  }
  *reason = "Windows error " + std::to_string(GetLastError());
  return false;
}

void unlock(void* address, size_t bytes) { VirtualUnlock(address, bytes); }

#else

// mlock wants the start of a page on some systems; the pages at both ends are locked whole anyway.
void whole_pages(void** address, size_t* bytes) {
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(*address) / page * page;
  *bytes += reinterpret_cast<uintptr_t>(*address) - begin;
  *address = reinterpret_cast<void*>(begin);
}

bool lock(void* address, size_t bytes, std::string* reason) {
  if (mlock(address, bytes) == 0) return true;
  *reason = std::strerror(errno);
  rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    *reason += "; the limit of locked memory is " + megabytes(limit.rlim_cur) + ", see ulimit -l";
  }
  return false;
}

void unlock(void* address, size_t bytes) { munlock(address, bytes); }

#endif

}  // namespace

MemoryLock::MemoryLock(const void* address, size_t bytes)
    : address_(const_cast<void*>(address)), bytes_(bytes) {
  if (bytes_ == 0) return;
#if !defined(_WIN32)
  whole_pages(&address_, &bytes_);
#endif
  std::string reason;
  if (!lock(address_, bytes_, &reason)) {
    throw std::runtime_error("cannot lock " + megabytes(bytes) + " of weights in memory: " + reason);
  }
}

MemoryLock::MemoryLock(MemoryLock&& other) noexcept
    : address_(other.address_), bytes_(std::exchange(other.bytes_, 0)) {}

MemoryLock::~MemoryLock() {
  if (bytes_ > 0) unlock(address_, bytes_);
}

}  // namespace bitnet
