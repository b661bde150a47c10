// Which types the tensors of one file have, where a number stands for several: 42 is Q2_0 in llama.cpp's files, and was
// that of two other layouts in the first files of forks (ggml_type.h). The one whose bytes fill the room up to the next
// tensor is meant, for all tensors of that number: of a small one, or in a file of a large alignment, padding may leave
// a choice. src/gguf/types/type_number.ts is the same for TypeScript.
#pragma once

#include <cstdint>
#include <vector>

#include "inference/gguf_file.h"

namespace bitnet {

struct NumberedTensor {
  GgufTensor tensor;
  uint32_t number = 0;  // of its type, as the file has it
};

// Sets the type and the bytes of a tensor, whose dimensions are known.
void set_layout(const GgmlTypeLayout& layout, GgufTensor* tensor);

// Does so for all tensors of a file whose numbers stand for several types; `room` is known. Throws GgufError naming the
// tensor if its room fits none of them.
void choose_types(std::vector<NumberedTensor>* tensors, uint64_t data_start, uint64_t alignment);

}  // namespace bitnet
