#include "inference/aligned_buffer.h"

#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace bitnet {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;

}  // namespace

AlignedBuffer::AlignedBuffer(size_t bytes, Pages pages) : size_(bytes) {
  if (bytes == 0) return;
  const bool huge = pages == Pages::huge && bytes >= 2 * kHugePage;
  const size_t alignment = huge ? kHugePage : kCacheLine;
  if (bytes > SIZE_MAX - alignment) throw std::bad_alloc();
  // calloc: a large block is fresh zero pages from the system, not touched until used.
  allocation_ = std::calloc(bytes + alignment, 1);
  if (!allocation_) throw std::bad_alloc();
  const uintptr_t address = reinterpret_cast<uintptr_t>(allocation_);
  data_ = reinterpret_cast<uint8_t*>((address + alignment - 1) / alignment * alignment);
#if defined(__linux__)
  if (huge) madvise(data_, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
}

AlignedBuffer::~AlignedBuffer() { std::free(allocation_); }

}  // namespace bitnet
