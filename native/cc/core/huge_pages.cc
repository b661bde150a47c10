#include "core/huge_pages.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace bitnet {

void advise_huge_pages(void* start, size_t bytes) {
#if defined(__linux__)
  uint8_t* const first = aligned_start(start, kHugePage);
  const size_t skipped = static_cast<size_t>(first - static_cast<uint8_t*>(start));
  if (bytes >= skipped + kHugePage) madvise(first, (bytes - skipped) / kHugePage * kHugePage, MADV_HUGEPAGE);
#else
  static_cast<void>(start);
  static_cast<void>(bytes);
#endif
}

}  // namespace bitnet
