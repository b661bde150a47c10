#include "inference/families.h"

#include <iterator>

namespace bitnet {
namespace {

constexpr bool kBitnetLayers = true, kQkNorm = true, kInterleaved = true;

constexpr Family kFamilies[] = {
    {"bitnet-b1.58", NormPlacement::sub, HiddenAct::relu2, kBitnetLayers, !kQkNorm, Biases::none,
     !kInterleaved},
    {"bitnet-25", NormPlacement::sub, HiddenAct::relu2, kBitnetLayers, !kQkNorm, Biases::none, !kInterleaved},
    {"bitnet", NormPlacement::sub, HiddenAct::silu, kBitnetLayers, !kQkNorm, Biases::none, !kInterleaved},
    {"llama", NormPlacement::pre, HiddenAct::silu, !kBitnetLayers, !kQkNorm, Biases::any, kInterleaved},
    {"qwen2", NormPlacement::pre, HiddenAct::silu, !kBitnetLayers, !kQkNorm, Biases::qkv, !kInterleaved},
    {"qwen3", NormPlacement::pre, HiddenAct::silu, !kBitnetLayers, kQkNorm, Biases::any, !kInterleaved},
};

}  // namespace

FamilyList families() { return {std::begin(kFamilies), std::end(kFamilies)}; }

const Family& family_of(const std::string& architecture) {
  std::string known;
  for (const Family& family : families()) {
    if (architecture == family.architecture) return family;
    known += std::string(family.architecture) + ", ";
  }
  throw GgufError("metadata \"general.architecture\" is " + quoted(architecture) +
                  ", which is not supported (" + known + "and " + kOwnArchitecture + " are)");
}

}  // namespace bitnet
