#include "core/variant_registry.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "core/variants.h"

namespace bitnet {
namespace {

// Function-local: registrars run before main in any order.
std::vector<VariantDefinition>& definitions() {
  static std::vector<VariantDefinition> list;
  return list;
}

using NamedLoops = std::pair<const char*, const TrainingLoops*>;
std::vector<NamedLoops>& training_loops() {
  static std::vector<NamedLoops> list;
  return list;
}

const TrainingLoops* loops_of(const char* variant) {
  for (const NamedLoops& each : training_loops()) {
    if (std::strcmp(each.first, variant) == 0) return each.second;
  }
  return nullptr;
}

std::vector<Variant> complete_variants() {
  std::vector<Variant> list;
  for (const VariantDefinition& each : definitions()) {
    const Variant variant{each.name,       each.rank,  each.runs_on(cpu_features()),
                          &each.kernels(), each.peaks, loops_of(each.name)};
    if (!variant.loops || (!variant.peaks && variant.rank > 0)) {
      throw std::logic_error("kernel variant " + std::string(each.name) + " has no " +
                             (variant.loops ? "peak" : "training") + " loops of its own");
    }
    list.push_back(variant);
  }
  std::sort(list.begin(), list.end(), [](const Variant& a, const Variant& b) { return a.rank < b.rank; });
  return list;
}

const Variant& default_variant() {
  const char* forced = std::getenv("BITNET_ISA");
  if (forced && *forced) return variant_by_name(forced);
  const Variant* best = nullptr;
  for (const Variant& variant : kernel_variants()) {
    if (variant.supported) best = &variant;
  }
  return *best;
}

std::atomic<const Variant*> selected{nullptr};

}  // namespace

bool register_variant(const VariantDefinition& definition) {
  definitions().push_back(definition);
  return true;
}

bool register_training_loops(const char* variant, const TrainingLoops* loops) {
  training_loops().emplace_back(variant, loops);
  return true;
}

const std::vector<Variant>& kernel_variants() {
  static const std::vector<Variant> variants = complete_variants();
  return variants;
}

const Kernels& active_kernels() { return *active_variant().kernels; }

const Variant& variant_by_name(const std::string& name) {
  std::string valid;
  bool known = false;
  for (const Variant& variant : kernel_variants()) {
    if (name == variant.name) {
      if (variant.supported) return variant;
      known = true;
    }
    if (variant.supported) valid += (valid.empty() ? "" : ", ") + std::string(variant.name);
  }
  throw std::invalid_argument("BITNET_ISA=" + name +
                              (known ? " is not supported by this CPU" : " is unknown") +
                              "; valid here: " + valid);
}

const Variant& active_variant() {
  const Variant* variant = selected.load(std::memory_order_relaxed);
  if (!variant) {
    variant = &default_variant();
    selected.store(variant, std::memory_order_relaxed);
  }
  return *variant;
}

void select_variant(const std::string& name) {
  selected.store(name.empty() ? &default_variant() : &variant_by_name(name), std::memory_order_relaxed);
}

const PanelTile* usable_bf16_tile(const Kernels& kernels) {
#if defined(BITNET_EMULATED_ISA)
  return kernels.bf16_tile;
#else
  return cpu_features().avx512bf16 ? kernels.bf16_tile : nullptr;
#endif
}

const PanelTile* fast_bf16_tile(const Kernels& kernels) {
  const PanelTile* tile = usable_bf16_tile(kernels);
#if defined(BITNET_X86) && !defined(BITNET_EMULATED_ISA)
  if (tile == &kAvx512Bf16Tile && cpu_features().half_rate_bf16) return nullptr;
#endif
  return tile;
}

}  // namespace bitnet
