#include "core/kernels.h"

#include <atomic>
#include <cstdlib>
#include <stdexcept>

#include "core/cpu_features.h"
#include "core/variants.h"

namespace bitnet {

const std::vector<Variant>& kernel_variants() {
  static const std::vector<Variant> variants = [] {
    std::vector<Variant> list{{&kScalarKernels, true}};
    const CpuFeatures& cpu = cpu_features();
#if defined(BITNET_X86)
    const bool avx2 = cpu.avx2 && cpu.fma && cpu.f16c;
    list.push_back({&kAvx2Kernels, avx2});
#if defined(BITNET_EMULATED_ISA)
    // The build emulates the AVX-512 intrinsics on AVX2 hardware (see avx512_intrinsics.h).
    list.push_back({&kAvx512VnniKernels, avx2});
#else
    list.push_back({&kAvx512VnniKernels, avx2 && cpu.avx512vnni});
#endif
#elif defined(BITNET_ARM64)
    list.push_back({&kNeonDotKernels, cpu.neon_dot});
#else
    static_cast<void>(cpu);
#endif
    return list;
  }();
  return variants;
}

const Bf16Tile* usable_bf16_tile(const Kernels& kernels) {
#if defined(BITNET_EMULATED_ISA)
  return kernels.bf16_tile;
#else
  return cpu_features().avx512bf16 ? kernels.bf16_tile : nullptr;
#endif
}

const Kernels& kernels_by_name(const std::string& name) {
  std::string valid;
  bool known = false;
  for (const Variant& variant : kernel_variants()) {
    if (name == variant.kernels->name) {
      if (variant.supported) return *variant.kernels;
      known = true;
    }
    if (variant.supported) valid += (valid.empty() ? "" : ", ") + std::string(variant.kernels->name);
  }
  throw std::invalid_argument("BITNET_ISA=" + name +
                              (known ? " is not supported by this CPU" : " is unknown") +
                              "; valid here: " + valid);
}

namespace {

const Kernels* default_kernels() {
  const char* forced = std::getenv("BITNET_ISA");
  if (forced && *forced) return &kernels_by_name(forced);
  const Kernels* best = nullptr;
  for (const Variant& variant : kernel_variants()) {
    if (variant.supported) best = variant.kernels;
  }
  return best;
}

std::atomic<const Kernels*> selected{nullptr};

}  // namespace

const Kernels& active_kernels() {
  const Kernels* kernels = selected.load(std::memory_order_relaxed);
  if (!kernels) {
    kernels = default_kernels();
    selected.store(kernels, std::memory_order_relaxed);
  }
  return *kernels;
}

void select_kernels(const std::string& name) {
  selected.store(name.empty() ? default_kernels() : &kernels_by_name(name), std::memory_order_relaxed);
}

}  // namespace bitnet
