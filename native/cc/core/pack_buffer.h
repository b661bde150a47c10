// Packing memory of a matrix product: grows and stays, since a training step asks for the same shapes again
// and again. 64-byte aligned.
#pragma once

#include <cstdint>
#include <memory>

namespace bitnet {

class PackBuffer {
 public:
  uint8_t* bytes(int64_t count) {
    if (count > size_) {
      storage_.reset(new uint8_t[static_cast<size_t>(count) + kAlignment]);
      size_ = count;
    }
    const uintptr_t address = reinterpret_cast<uintptr_t>(storage_.get());
    return reinterpret_cast<uint8_t*>((address + kAlignment - 1) / kAlignment * kAlignment);
  }
  float* floats(int64_t count) {
    return reinterpret_cast<float*>(bytes(count * static_cast<int64_t>(sizeof(float))));
  }

 private:
  static constexpr uintptr_t kAlignment = 64;
  std::unique_ptr<uint8_t[]> storage_;
  int64_t size_ = 0;
};

}  // namespace bitnet
