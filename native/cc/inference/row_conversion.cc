#include "inference/row_conversion.h"

#include <cmath>
#include <cstring>
#include <optional>
#include <string>

#include "core/float16.h"
#include "inference/base_3_digits.h"

namespace bitnet {
namespace {

constexpr int64_t kGroup = block_cols(RowType::q2_0);
constexpr int64_t kGroupBytes = row_bytes(RowType::q2_0, kGroup);
constexpr int64_t kMaxBlock = 256;

// Q2_0's groups of a block of `count` stored codes (level + 1) and one scale.
void write_groups(const uint8_t* codes, int64_t count, const uint8_t* scale, uint8_t* out) {
  for (int64_t base = 0; base < count; base += kGroup, out += kGroupBytes) {
    std::memcpy(out, scale, 2);
    for (int64_t byte = 0; byte < kGroup / 4; ++byte) {
      const uint8_t* four = codes + base + 4 * byte;
      out[2 + byte] = static_cast<uint8_t>(four[0] | four[1] << 2 | four[2] << 4 | four[3] << 6);
    }
  }
}

// Level + 1 of element p of a group of STQ1_0: one of the four is 0, the first of the others is +1 and two have a sign
// bit, before the group's sign.
uint8_t stq_code(int slot, int sign, int p) {
  const int zero = slot >> 2;
  if (p == zero) return 1;
  const int place = p < zero ? p : p - 1;
  const int bit = place == 0 ? 0 : slot >> (place - 1) & 1;
  return bit != sign ? 0 : 2;
}

// Codes of a block of 256: groups of four elements that are 16 apart.
void stq1_0_codes(const uint8_t* block, uint8_t* codes) {
  for (int group = 0; group < 64; ++group) {
    const int slot = block[group / 2] >> (group % 2 * 4) & 15;
    const int sign = block[32 + group / 8] >> (group % 8) & 1;
    uint8_t* first = codes + group / 16 * 64 + group % 16;
    for (int p = 0; p < 4; ++p) first[16 * p] = stq_code(slot, sign, p);
  }
}

// Codes of a block and the place of its scale, in a block of the type's layout.
const uint8_t* unpack_block(GgmlType type, const uint8_t* block, uint8_t* codes) {
  switch (type) {
    case GgmlType::q1_0:
      for (int i = 0; i < 128; ++i) codes[i] = static_cast<uint8_t>((block[2 + i / 8] >> (i % 8) & 1) * 2);
      return block;
    case GgmlType::ptq1_0:
      digit_codes(kPtq1Runs, block, codes);
      return block + 26;
    case GgmlType::tq1_0:
      digit_codes(kTq1Runs, block, codes);
      return block + 52;
    case GgmlType::tq2_0:
      for (int i = 0; i < 256; ++i) {
        codes[i] = static_cast<uint8_t>(block[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3);
      }
      return block + 64;
    default:  // stq1_0
      stq1_0_codes(block, codes);
      return block + 40;
  }
}

// A block of Q5_0 as one of Q8_0.
void q5_0_to_q8_0(const uint8_t* block, uint8_t* out) {
  std::memcpy(out, block, 2);
  for (int i = 0; i < 32; ++i) {
    const int low = block[6 + i % 16] >> (i / 16 * 4) & 15;
    const int high = block[2 + i / 8] >> (i % 8) & 1;
    out[2 + i] = static_cast<uint8_t>((low | high << 4) - 16);
  }
}

float half_at(const uint8_t* bytes) { return f16_to_f32(static_cast<uint16_t>(bytes[0] | bytes[1] << 8)); }

// A block of Q5_1 or Q4_1 as float32 values: code x d, which is exact, plus m.
void with_minimum_to_f32(GgmlType type, const uint8_t* block, uint8_t* out) {
  const bool five = type == GgmlType::q5_1;
  const float d = half_at(block), m = half_at(block + 2);
  const uint8_t* lows = block + (five ? 8 : 4);
  for (int i = 0; i < 32; ++i) {
    const int low = lows[i % 16] >> (i / 16 * 4) & 15;
    const int high = five ? block[4 + i / 8] >> (i % 8) & 1 : 0;
    const float value = std::fma(static_cast<float>(low | high << 4), d, m);
    std::memcpy(out + 4 * i, &value, 4);
  }
}

// What the rows of a type are in memory, and whether that is another layout than the stored one.
struct RowForm {
  RowType type;
  bool converted;
};

// None of i2_s, whose scale is behind the rows.
std::optional<RowForm> row_form(GgmlType type) {
  switch (type) {
    case GgmlType::f32:
      return RowForm{RowType::f32, false};
    case GgmlType::f16:
      return RowForm{RowType::f16, false};
    case GgmlType::bf16:
      return RowForm{RowType::bf16, false};
    case GgmlType::q8_0:
      return RowForm{RowType::q8_0, false};
    case GgmlType::q5_0:
      return RowForm{RowType::q8_0, true};
    case GgmlType::q5_1:
    case GgmlType::q4_1:
      return RowForm{RowType::f32, true};
    case GgmlType::q4_0:
      return RowForm{RowType::q4_0, false};
    case GgmlType::q6_k:
      return RowForm{RowType::q6_k, false};
    case GgmlType::q5_k:
      return RowForm{RowType::q5_k, false};
    case GgmlType::q4_k:
      return RowForm{RowType::q4_k, false};
    case GgmlType::q2_0:
      return RowForm{RowType::q2_0, false};
    case GgmlType::q1_0:
    case GgmlType::pq2_0:
    case GgmlType::ptq1_0:
    case GgmlType::stq1_0:
    case GgmlType::tq1_0:
    case GgmlType::tq2_0:
      return RowForm{RowType::q2_0, true};
    case GgmlType::i2_s:
      break;
  }
  return std::nullopt;
}

}  // namespace

RowType float_row_type(const GgufTensor& tensor) {
  const std::optional<RowForm> form = row_form(tensor.type);
  if (form) return form->type;
  throw GgufError("tensor \"" + tensor.name + "\" has type " + ggml_type_name(tensor.type) +
                  ", which holds the weights of quantized linear layers only");
}

bool is_converted(GgmlType type) {
  const std::optional<RowForm> form = row_form(type);
  return form && form->converted;
}

int64_t stored_row_bytes(GgmlType type, int64_t cols) {
  const GgmlTypeLayout& layout = layout_of(type);
  return cols / static_cast<int64_t>(layout.block) * static_cast<int64_t>(layout.bytes);
}

void convert_row(GgmlType type, const uint8_t* stored, int64_t cols, uint8_t* out) {
  const GgmlTypeLayout& layout = layout_of(type);
  const int64_t block = static_cast<int64_t>(layout.block);
  uint8_t codes[kMaxBlock];
  for (int64_t base = 0; base < cols; base += block, stored += layout.bytes) {
    if (type == GgmlType::q5_0) {
      q5_0_to_q8_0(stored, out);
      out += row_bytes(RowType::q8_0, block);
      continue;
    }
    if (type == GgmlType::q5_1 || type == GgmlType::q4_1) {
      with_minimum_to_f32(type, stored, out);
      out += row_bytes(RowType::f32, block);
      continue;
    }
    if (type == GgmlType::pq2_0) {
      // The same codes with the scale twice.
      for (int64_t half = 0; half < 2; ++half) {
        std::memcpy(out + half * kGroupBytes, stored, 2);
        std::memcpy(out + half * kGroupBytes + 2, stored + 2 + half * (kGroup / 4), kGroup / 4);
      }
    } else {
      const uint8_t* scale = unpack_block(type, stored, codes);
      write_groups(codes, block, scale, out);
    }
    out += block / kGroup * kGroupBytes;
  }
}

}  // namespace bitnet
