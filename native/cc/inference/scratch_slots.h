// One piece of scratch memory per thread of a parallel loop, claimed by whichever task runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/canonical_math.h"
#include "inference/aligned_buffer.h"

namespace bitnet {

class ScratchSlots {
 public:
  // At most `slots` tasks run at a time.
  explicit ScratchSlots(int slots)
      : count_(slots), taken_(new std::atomic<bool>[static_cast<size_t>(slots)]) {
    for (int i = 0; i < slots; ++i) taken_[static_cast<size_t>(i)] = false;
  }

  // Makes every slot at least `floats` long. Not during a parallel loop.
  void reserve(int64_t floats) {
    if (floats <= floats_) return;
    floats_ = round_up(floats, kLanes);
    memory_ = AlignedBuffer(static_cast<size_t>(floats_ * count_) * sizeof(float));
  }

  // A slot for the life of this object.
  class Claim {
   public:
    explicit Claim(ScratchSlots& slots) : slots_(slots) {
      while (slots.taken_[static_cast<size_t>(index_)].exchange(true, std::memory_order_acquire)) {
        index_ = (index_ + 1) % slots.count_;
      }
    }
    ~Claim() { slots_.taken_[static_cast<size_t>(index_)].store(false, std::memory_order_release); }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    float* data() const { return slots_.memory_.floats() + index_ * slots_.floats_; }

   private:
    ScratchSlots& slots_;
    int index_ = 0;
  };

 private:
  int count_;
  int64_t floats_ = 0;
  AlignedBuffer memory_;
  std::unique_ptr<std::atomic<bool>[]> taken_;
};

}  // namespace bitnet
