// Packing memory of a matrix product: grows and stays, since a training step asks for the same shapes again
// and again. 64-byte aligned.
#pragma once

#include <cstdint>
#include <memory>

#include "core/huge_pages.h"

namespace bitnet {

class PackBuffer {
 public:
  uint8_t* bytes(int64_t count) {
    const size_t wanted = static_cast<size_t>(count);
    if (wanted > size_) {
      const size_t alignment = page_alignment(wanted);
      storage_.reset(new uint8_t[wanted + alignment]);
      start_ = aligned_start(storage_.get(), alignment);
      size_ = wanted;
      if (alignment >= kHugePage) advise_huge_pages(start_, wanted);
    }
    return start_;
  }
  float* floats(int64_t count) {
    return reinterpret_cast<float*>(bytes(count * static_cast<int64_t>(sizeof(float))));
  }

 private:
  std::unique_ptr<uint8_t[]> storage_;
  uint8_t* start_ = nullptr;
  size_t size_ = 0;
};

}  // namespace bitnet
