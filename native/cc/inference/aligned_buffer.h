// Zero-filled memory, aligned for vector loads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace bitnet {

class AlignedBuffer {
 public:
  enum class Pages {
    system,  // as the system likes
    huge,    // asks for 2 MB pages: faster streams, for memory that is filled from end to end
  };

  AlignedBuffer() = default;
  // Throws std::bad_alloc. Pages of a large buffer take memory only once they are touched.
  explicit AlignedBuffer(size_t bytes, Pages pages = Pages::system);
  ~AlignedBuffer();
  AlignedBuffer(AlignedBuffer&& other) noexcept { swap(other); }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  float* floats() const { return reinterpret_cast<float*>(data_); }

 private:
  void swap(AlignedBuffer& other) noexcept {
    std::swap(allocation_, other.allocation_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  void* allocation_ = nullptr;
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace bitnet
