#include "inference/ternary_tensor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/float16.h"
#include "inference/base_3_digits.h"
#include "inference/row_conversion.h"

namespace bitnet {
namespace {

constexpr int64_t kTqBlock = 256;
constexpr int64_t kTq2Bytes = 66;
constexpr int64_t kTq1Bytes = 54;
constexpr int64_t kQ2Block = 64;
constexpr int64_t kQ2Bytes = 18;
constexpr int64_t kI2sBlock = 128;
constexpr int64_t kI2sBytes = 32;

float load_f16(const uint8_t* bytes) {
  uint16_t half;
  std::memcpy(&half, bytes, sizeof half);
  return f16_to_f32(half);
}

bool any_nonzero(const int8_t* ternary, int64_t count) {
  int seen = 0;
  for (int64_t i = 0; i < count; ++i) seen |= ternary[i];
  return seen != 0;
}

// The code in two bits of a byte, minus 1.
int8_t two_bits(uint8_t byte, int shift) { return static_cast<int8_t>(((byte >> shift) & 3) - 1); }

// Blocks that are read as Q2_0's, each with one scale.
bool becomes_q2_0(GgmlType type) {
  return type == GgmlType::q1_0 || type == GgmlType::pq2_0 || type == GgmlType::ptq1_0 ||
         type == GgmlType::stq1_0;
}

// Columns of a stored block with a scale of its own; 0 where there is none.
int64_t block_cols_of(GgmlType type) {
  const bool blocks =
      becomes_q2_0(type) || type == GgmlType::q2_0 || type == GgmlType::tq2_0 || type == GgmlType::tq1_0;
  return blocks ? static_cast<int64_t>(layout_of(type).block) : 0;
}

}  // namespace

TernaryTensor::TernaryTensor(const GgufFile& file, const GgufTensor& tensor, int64_t group,
                             const Kernels& kernels)
    : tensor_(tensor),
      data_(file.tensor_data(tensor)),
      kernels_(kernels),
      cols_(static_cast<int64_t>(tensor.dimensions[0])),
      unit_cols_(block_cols_of(tensor.type) ? block_cols_of(tensor.type)
                 : group                    ? group
                                            : cols_),
      row_bytes_(stored_row_bytes(tensor.type, cols_)) {
  if (tensor.type == GgmlType::i2_s) {
    unit_cols_ = cols_;
    std::memcpy(&i2s_scale_, data_ + row_bytes_ * static_cast<int64_t>(tensor.dimensions[1]),
                sizeof i2s_scale_);
  }
}

bool TernaryTensor::packs_rows() const {
  return tensor_.type == GgmlType::tq2_0 || tensor_.type == GgmlType::q2_0 || becomes_q2_0(tensor_.type);
}

// `body` gets the row as blocks of Q2_0 and room for their scales; what it makes of those of a stored block, which
// are equal or 0, becomes one.
template <typename Body>
void TernaryTensor::as_q2_0(int64_t row, float* scales, const Body& body) const {
  std::vector<uint8_t> blocks(static_cast<size_t>(row_bytes(RowType::q2_0, cols_)));
  std::vector<float> each(static_cast<size_t>(cols_ / kQ2Block));
  convert_row(tensor_.type, data_ + row * row_bytes_, cols_, blocks.data());
  body(blocks.data(), each.data());
  std::fill_n(scales, units(), 0.0f);
  for (size_t i = 0; i < each.size(); ++i) {
    if (each[i] != 0.0f) scales[static_cast<int64_t>(i) * kQ2Block / unit_cols_] = each[i];
  }
}

void TernaryTensor::decode_row(int64_t row, int8_t* ternary, float* scales, float* values) const {
  const uint8_t* stored = data_ + row * row_bytes_;
  if (becomes_q2_0(tensor_.type)) {
    return as_q2_0(row, scales,
                   [&](const uint8_t* blocks, float* each) { decode_q2_0(blocks, row, ternary, each); });
  }
  switch (tensor_.type) {
    case GgmlType::tq2_0:
      return decode_tq2_0(stored, row, ternary, scales);
    case GgmlType::tq1_0:
      return decode_tq1_0(stored, row, ternary, scales);
    case GgmlType::q2_0:
      return decode_q2_0(stored, row, ternary, scales);
    case GgmlType::i2_s:
      return decode_i2_s(stored, row, ternary, scales);
    default:
      return decode_float(stored, row, ternary, scales, values);
  }
}

void TernaryTensor::decode_tq2_0(const uint8_t* blocks, int64_t row, int8_t* ternary, float* scales) const {
  for (int64_t base = 0; base < cols_; base += kTqBlock, blocks += kTq2Bytes) {
    int8_t* block = ternary + base;
    unsigned invalid = 0;
    for (int64_t m = 0; m < 64; ++m) invalid |= blocks[m] & (blocks[m] >> 1) & 0x55u;  // code 3
    for (int64_t half = 0; half < 2; ++half) {
      for (int n = 0; n < 4; ++n) {
        int8_t* out = block + half * 128 + n * 32;
        for (int64_t m = 0; m < 32; ++m) out[m] = two_bits(blocks[half * 32 + m], 2 * n);
      }
    }
    if (invalid) fail_code(row);
    *scales++ = any_nonzero(block, kTqBlock) ? checked_scale(load_f16(blocks + 64), row) : 0.0f;
  }
}

void TernaryTensor::pack_row(int64_t row, uint8_t* group, float* scales) const {
  const uint8_t* stored = data_ + row * row_bytes_;
  uint8_t* out = group + row % kPanelRows * 4;
  if (becomes_q2_0(tensor_.type)) {
    return as_q2_0(row, scales,
                   [&](const uint8_t* blocks, float* each) { pack_q2_0(blocks, row, out, each); });
  }
  if (tensor_.type == GgmlType::q2_0) return pack_q2_0(stored, row, out, scales);
  pack_tq2_0(stored, row, out, scales);
}

// 16 columns of a row lie in 16 bytes at one shift; the packed layout has them in 4 bytes at four shifts.
void TernaryTensor::pack_tq2_0(const uint8_t* blocks, int64_t row, uint8_t* out, float* scales) const {
  static_assert(kPanelCols == 16 && kTqBlock % kPanelCols == 0, "a block of 256 is whole panel blocks");
  for (int64_t base = 0; base < cols_; base += kTqBlock, blocks += kTq2Bytes) {
    uint32_t words[16], invalid = 0, differing = 0;
    std::memcpy(words, blocks, sizeof words);
    for (const uint32_t word : words) {
      invalid |= word & (word >> 1) & 0x55555555u;  // code 3
      differing |= word ^ 0x55555555u;              // from four zeros
    }
    for (int half = 0; half < 2; ++half) {
      for (int n = 0; n < 4; ++n) {
        for (int part = 0; part < 2; ++part, out += kPanelBlockBytes) {
          const uint32_t* columns = words + half * 8 + part * 4;
          uint32_t packed = 0;
          for (int s = 0; s < 4; ++s) packed |= ((columns[s] >> (2 * n)) & 0x03030303u) << (2 * s);
          std::memcpy(out, &packed, sizeof packed);
        }
      }
    }
    if (invalid) fail_code(row);
    *scales++ = differing ? checked_scale(load_f16(blocks + 64), row) : 0.0f;
  }
}

void TernaryTensor::decode_tq1_0(const uint8_t* blocks, int64_t row, int8_t* ternary, float* scales) const {
  for (int64_t base = 0; base < cols_; base += kTqBlock, blocks += kTq1Bytes) {
    int8_t* block = ternary + base;
    uint8_t codes[kTqBlock];
    digit_codes(kTq1Runs, blocks, codes);
    for (int64_t i = 0; i < kTqBlock; ++i) block[i] = static_cast<int8_t>(codes[i] - 1);
    *scales++ = any_nonzero(block, kTqBlock) ? checked_scale(load_f16(blocks + 52), row) : 0.0f;
  }
}

void TernaryTensor::decode_q2_0(const uint8_t* blocks, int64_t row, int8_t* ternary, float* scales) const {
  for (int64_t base = 0; base < cols_; base += kQ2Block, blocks += kQ2Bytes) {
    int8_t* block = ternary + base;
    unsigned invalid = 0;
    for (int64_t m = 0; m < kQ2Block / 4; ++m) {
      const uint8_t byte = blocks[2 + m];
      invalid |= byte & (byte >> 1) & 0x55u;  // the level 2
      for (int s = 0; s < 4; ++s) block[4 * m + s] = two_bits(byte, 2 * s);
    }
    if (invalid) fail_code(row);
    *scales++ = any_nonzero(block, kQ2Block) ? checked_scale(load_f16(blocks), row) : 0.0f;
  }
}

// A block is 4 panel blocks: 16 columns of a row are 4 bytes, 4 columns each, which stand one below the other.
void TernaryTensor::pack_q2_0(const uint8_t* blocks, int64_t row, uint8_t* out, float* scales) const {
  static_assert(kPanelCols == 16 && kQ2Block % kPanelCols == 0, "a block of 64 is whole panel blocks");
  for (int64_t base = 0; base < cols_; base += kQ2Block, blocks += kQ2Bytes) {
    uint32_t invalid = 0, differing = 0;
    for (int64_t part = 0; part < kQ2Block / kPanelCols; ++part, out += kPanelBlockBytes) {
      uint32_t word, packed = 0;  // column c at bit 2 c; packed: at bit 8 (c % 4) + 2 (c / 4)
      std::memcpy(&word, blocks + 2 + part * 4, sizeof word);
      invalid |= word & (word >> 1) & 0x55555555u;
      differing |= word ^ 0x55555555u;
      for (int c = 0; c < 4; ++c) {
        packed |= (word >> (8 * c) & 0x03u) << (2 * c) | (word >> (8 * c + 2) & 0x03u) << (8 + 2 * c) |
                  (word >> (8 * c + 4) & 0x03u) << (16 + 2 * c) |
                  (word >> (8 * c + 6) & 0x03u) << (24 + 2 * c);
      }
      std::memcpy(out, &packed, sizeof packed);
    }
    if (invalid) fail_code(row);
    *scales++ = differing ? checked_scale(load_f16(blocks), row) : 0.0f;
  }
}

void TernaryTensor::decode_i2_s(const uint8_t* blocks, int64_t row, int8_t* ternary, float* scales) const {
  unsigned invalid = 0;
  for (int64_t base = 0; base < cols_; base += kI2sBlock, blocks += kI2sBytes) {
    for (int64_t m = 0; m < kI2sBytes; ++m) invalid |= blocks[m] & (blocks[m] >> 1) & 0x55u;
    for (int n = 0; n < 4; ++n) {
      int8_t* out = ternary + base + n * 32;
      for (int64_t m = 0; m < kI2sBytes; ++m) out[m] = two_bits(blocks[m], 6 - 2 * n);
    }
  }
  if (invalid) fail_code(row);
  scales[0] = any_nonzero(ternary, cols_) ? checked_scale(i2s_scale_, row) : 0.0f;
}

void TernaryTensor::decode_float(const uint8_t* data, int64_t row, int8_t* ternary, float* scales,
                                 float* values) const {
  const RowType type = float_row_type(tensor_);
  std::vector<uint8_t> converted;
  if (is_converted(tensor_.type)) {
    converted.resize(static_cast<size_t>(bitnet::row_bytes(type, cols_)));
    convert_row(tensor_.type, data, cols_, converted.data());
    data = converted.data();
  }
  kernels_.decode_row(data, type, cols_, values);
  std::fill_n(scales, units(), 0.0f);
  for (int64_t i = 0; i < cols_; ++i) {
    float* scale = scales + i / unit_cols_;
    const float magnitude = std::fabs(values[i]);
    if (magnitude != 0.0f && magnitude != *scale) {
      if (*scale != 0.0f) {
        fail("its weights are not ternary (0 or +-scale): row " + std::to_string(row) + " has magnitudes " +
             std::to_string(*scale) + " and " + std::to_string(magnitude));
      }
      if (!std::isfinite(magnitude)) fail("it holds a weight that is not finite");
      *scale = magnitude;
    }
    ternary[i] = static_cast<int8_t>((values[i] > 0.0f) - (values[i] < 0.0f));
  }
}

float TernaryTensor::checked_scale(float scale, int64_t row) const {
  if (!std::isfinite(scale) || scale == 0.0f) {
    fail("row " + std::to_string(row) + " has scale " + std::to_string(scale));
  }
  return scale;
}

void TernaryTensor::fail_code(int64_t row) const {
  fail("row " + std::to_string(row) + " holds a code that is not ternary");
}

void TernaryTensor::fail(const std::string& problem) const {
  throw GgufError("tensor \"" + tensor_.name + "\" (" + ggml_type_name(tensor_.type) + "): " + problem);
}

}  // namespace bitnet
