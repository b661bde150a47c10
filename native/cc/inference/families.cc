#include "inference/families.h"

#include <iterator>

namespace bitnet {
namespace {

constexpr bool kBitnetLayers = true, kQkNorm = true, kWindows = true, kInterleaved = true;
constexpr auto kSub = NormPlacement::sub, kPre = NormPlacement::pre, kPrePost = NormPlacement::pre_post;
constexpr auto kRelu2 = HiddenAct::relu2, kSilu = HiddenAct::silu, kGelu = HiddenAct::gelu_tanh;

constexpr Family kFamilies[] = {
    {"bitnet-b1.58", kSub, kRelu2, kBitnetLayers, !kQkNorm, !kWindows, Biases::none, !kInterleaved},
    {"bitnet-25", kSub, kRelu2, kBitnetLayers, !kQkNorm, !kWindows, Biases::none, !kInterleaved},
    {"bitnet", kSub, kSilu, kBitnetLayers, !kQkNorm, !kWindows, Biases::none, !kInterleaved},
    {"llama", kPre, kSilu, !kBitnetLayers, !kQkNorm, !kWindows, Biases::any, kInterleaved},
    {"qwen2", kPre, kSilu, !kBitnetLayers, !kQkNorm, !kWindows, Biases::qkv, !kInterleaved},
    {"qwen3", kPre, kSilu, !kBitnetLayers, kQkNorm, !kWindows, Biases::any, !kInterleaved},
    {"gemma3", kPrePost, kGelu, !kBitnetLayers, kQkNorm, kWindows, Biases::none, !kInterleaved},
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
