// The tensor types of GGUF files that this engine reads, and the names of those that it does not.
#pragma once

#include <cstdint>
#include <string>

namespace bitnet {

enum class GgmlType : uint32_t {
  f32 = 0,
  f16 = 1,
  q8_0 = 8,
  q4_k = 12,
  q6_k = 14,
  bf16 = 30,
  tq1_0 = 34,
  tq2_0 = 35,
  i2_s = 36,  // Microsoft's; upstream retired a type of this number
  q2_0 = 42   // llama.cpp's; other layouts have this number in forks and are shorter
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

// Null for a type that is not read here.
const GgmlTypeLayout* find_ggml_type(uint32_t type);
const char* ggml_type_name(GgmlType type);
// "type 13 (Q5_K), supported are ...": what a file has and what it could have.
std::string unsupported_type_text(uint32_t type);

}  // namespace bitnet
