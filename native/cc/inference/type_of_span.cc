#include "inference/type_of_span.h"

#include <algorithm>
#include <map>
#include <string>

namespace bitnet {
namespace {

uint64_t elements_of(const GgufTensor& tensor) {
  uint64_t elements = 1;
  for (const uint64_t size : tensor.dimensions) elements *= size;
  return elements;
}

uint64_t bytes_of(const GgmlTypeLayout& layout, const GgufTensor& tensor) {
  return elements_of(tensor) / layout.block * layout.bytes + layout.tail;
}

bool has_whole_rows(const GgmlTypeLayout& layout, const GgufTensor& tensor) {
  return tensor.dimensions[0] % layout.block == 0;
}

bool fills(const GgmlTypeLayout& layout, const GgufTensor& tensor, uint64_t alignment) {
  const auto padded = [alignment](uint64_t bytes) { return (bytes + alignment - 1) / alignment; };
  return has_whole_rows(layout, tensor) && padded(bytes_of(layout, tensor)) == padded(tensor.room);
}

[[noreturn]] void fail(const NumberedTensor& numbered, const std::vector<TypeMeaning>& meanings,
                       uint64_t data_start) {
  const GgufTensor& tensor = numbered.tensor;
  std::string text = "tensor " + quoted(tensor.name) + ": type " + std::to_string(numbered.number) +
                     " at offset " + std::to_string(tensor.offset - data_start) + " has " +
                     std::to_string(tensor.room) + " bytes up to the next tensor, which fit none of ";
  const char* separator = "";
  for (const TypeMeaning& meaning : meanings) {
    const GgmlTypeLayout& layout = *meaning.layout;
    text += separator + std::string(meaning.name) + " with " + std::to_string(layout.bytes) + " bytes per " +
            std::to_string(layout.block) + " elements (" +
            (has_whole_rows(layout, tensor)
                 ? std::to_string(bytes_of(layout, tensor))
                 : "rows of " + std::to_string(tensor.dimensions[0]) + " are no multiple") +
            ")";
    separator = ", ";
  }
  throw GgufError(text);
}

}  // namespace

void set_layout(const GgmlTypeLayout& layout, GgufTensor* tensor) {
  tensor->type = layout.type;
  tensor->bytes = bytes_of(layout, *tensor);
}

void choose_types(std::vector<NumberedTensor>* tensors, uint64_t data_start, uint64_t alignment) {
  std::map<uint32_t, std::vector<NumberedTensor*>> by_number;
  for (NumberedTensor& numbered : *tensors) by_number[numbered.number].push_back(&numbered);
  for (const auto& [number, all] : by_number) {
    const std::vector<TypeMeaning> meanings = meanings_of_number(number);
    if (meanings.size() < 2) continue;
    const auto fits_all = [&all = all, alignment](const TypeMeaning& meaning) {
      return std::all_of(all.begin(), all.end(), [&](const NumberedTensor* numbered) {
        return fills(*meaning.layout, numbered->tensor, alignment);
      });
    };
    const auto common = std::find_if(meanings.begin(), meanings.end(), fits_all);
    for (NumberedTensor* numbered : all) {
      GgufTensor& tensor = numbered->tensor;
      const auto found =
          common != meanings.end()
              ? common
              : std::find_if(meanings.begin(), meanings.end(), [&](const TypeMeaning& meaning) {
                  return fills(*meaning.layout, tensor, alignment);
                });
      if (found == meanings.end()) fail(*numbered, meanings, data_start);
      set_layout(*found->layout, &tensor);
    }
  }
}

}  // namespace bitnet
