// Pages of 2 MB for memory that is used from end to end again and again: far fewer misses of the address
// translation, which rows some kilobytes apart meet in every row.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitnet {

constexpr size_t kHugePage = size_t{2} << 20;

// How memory of that size should be aligned: to such a page once it holds one, else to a cache line.
constexpr size_t page_alignment(size_t bytes) { return bytes >= kHugePage ? kHugePage : 64; }

// The first address of `memory` at such an alignment.
inline uint8_t* aligned_start(void* memory, size_t alignment) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(memory);
  return static_cast<uint8_t*>(memory) + (alignment - address % alignment) % alignment;
}

// Asks the system for them behind the whole pages of that size in [start, start + bytes). A wish: it may not
// be granted.
void advise_huge_pages(void* start, size_t bytes);

}  // namespace bitnet
