// The tensor types of GGUF files that this engine reads, and the names of those that it does not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitnet {

enum class GgmlType : uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q4_k = 12,
  q5_k = 13,
  q6_k = 14,
  bf16 = 30,
  tq1_0 = 34,
  tq2_0 = 35,
  i2_s = 36,  // Microsoft's; upstream retired a type of this number
  q1_0 = 41,
  q2_0 = 42,    // llama.cpp's
  stq1_0 = 43,  // AngelSlim's
  pq2_0 = 142,  // PrismML's, as the next
  ptq1_0 = 143
};

struct GgmlTypeLayout {
  GgmlType type;
  const char* name;
  uint64_t block;  // elements; a row is a whole number of blocks
  uint64_t bytes;  // of a block
  uint64_t tail;   // bytes after the last row
};

// The types that are read here.
struct GgmlTypes {
  const GgmlTypeLayout* first;
  const GgmlTypeLayout* last;  // one past it
  const GgmlTypeLayout* begin() const { return first; }
  const GgmlTypeLayout* end() const { return last; }
};
GgmlTypes ggml_types();

const GgmlTypeLayout& layout_of(GgmlType type);
const char* ggml_type_name(GgmlType type);

// What a number in a file can stand for.
struct TypeMeaning {
  const GgmlTypeLayout* layout;
  const char* name;  // in files where the number has this meaning
};
// The meanings that are read here, the likeliest first: forks gave Q2_0's number to layouts of their own, and the bytes
// of a tensor tell which it is. Empty for a type that is not read.
std::vector<TypeMeaning> meanings_of_number(uint32_t number);

// "type 10 (Q2_K), supported are ...": what a file has and what it could have.
std::string unsupported_type_text(uint32_t type);

}  // namespace bitnet
