#include "inference/ggml_type.h"

#include <iterator>

namespace bitnet {
namespace {

// After the codes of an I2_S tensor: its float32 scale, and padding.
constexpr GgmlTypeLayout kLayouts[] = {
    {GgmlType::f32, "F32", 1, 4, 0},          {GgmlType::f16, "F16", 1, 2, 0},
    {GgmlType::bf16, "BF16", 1, 2, 0},        {GgmlType::q8_0, "Q8_0", 32, 34, 0},
    {GgmlType::q2_0, "Q2_0", 64, 18, 0},      {GgmlType::q6_k, "Q6_K", 256, 210, 0},
    {GgmlType::q5_k, "Q5_K", 256, 176, 0},    {GgmlType::q4_k, "Q4_K", 256, 144, 0},
    {GgmlType::q5_0, "Q5_0", 32, 22, 0},      {GgmlType::q4_0, "Q4_0", 32, 18, 0},
    {GgmlType::tq1_0, "TQ1_0", 256, 54, 0},   {GgmlType::tq2_0, "TQ2_0", 256, 66, 0},
    {GgmlType::i2_s, "I2_S", 128, 32, 32},    {GgmlType::q1_0, "Q1_0", 128, 18, 0},
    {GgmlType::pq2_0, "PQ2_0", 128, 34, 0},   {GgmlType::ptq1_0, "PTQ1_0", 128, 28, 0},
    {GgmlType::stq1_0, "STQ1_0", 256, 42, 0}, {GgmlType::q5_1, "Q5_1", 32, 24, 0},
    {GgmlType::q4_1, "Q4_1", 32, 20, 0},
};

// Numbers that have further meanings, which are told by the bytes.
struct Alias {
  uint32_t number;
  GgmlType type;
  const char* name;
};
constexpr Alias kAliases[] = {
    {42, GgmlType::pq2_0, "Q2_0 of PrismML's fork"},
    {42, GgmlType::stq1_0, "STQ1_0 of AngelSlim's first files"},
};

struct OtherType {
  uint32_t type;
  const char* name;
};

// llama.cpp's numbers, and from 36 on those of bitnet.cpp.
constexpr OtherType kOthers[] = {
    {10, "Q2_K"},  {11, "Q3_K"},   {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"},
    {19, "IQ1_S"}, {20, "IQ4_NL"}, {21, "IQ3_S"},   {22, "IQ2_S"},  {23, "IQ4_XS"},
    {29, "IQ1_M"}, {38, "TL1"},    {39, "TL2"},
};

}  // namespace

GgmlTypes ggml_types() { return {std::begin(kLayouts), std::end(kLayouts)}; }

const GgmlTypeLayout& layout_of(GgmlType type) {
  const GgmlTypeLayout* layout = kLayouts;
  while (layout->type != type) ++layout;
  return *layout;
}

const char* ggml_type_name(GgmlType type) { return layout_of(type).name; }

std::vector<TypeMeaning> meanings_of_number(uint32_t number) {
  std::vector<TypeMeaning> meanings;
  for (const GgmlTypeLayout& layout : kLayouts) {
    if (static_cast<uint32_t>(layout.type) == number) meanings.push_back({&layout, layout.name});
  }
  for (const Alias& alias : kAliases) {
    if (alias.number == number) meanings.push_back({&layout_of(alias.type), alias.name});
  }
  return meanings;
}

std::string unsupported_type_text(uint32_t type) {
  std::string text = "type " + std::to_string(type);
  for (const OtherType& other : kOthers) {
    if (other.type == type) text += std::string(" (") + other.name + ")";
  }
  if (type == 38 || type == 39) {
    return text + ", a layout made for the kernels of one machine and shape: convert the model to I2_S";
  }
  text += ", supported are ";
  const char* separator = "";
  for (const GgmlTypeLayout& layout : kLayouts) {
    text += separator + std::string(layout.name);
    separator = ", ";
  }
  return text;
}

}  // namespace bitnet
