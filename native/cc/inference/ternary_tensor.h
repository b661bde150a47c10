// Ternary values and scales of a stored linear weight, whatever its GGUF type:
//
//   TQ2_0, TQ1_0   blocks of 256 codes with a float16 scale each
//   Q2_0           blocks of 64 codes with a float16 scale each; a code of 2 is not ternary
//   PQ2_0, PTQ1_0, Q1_0, STQ1_0   blocks of 128 or 256 with one each, read through Q2_0 (row_conversion.h)
//   I2_S           blocks of 128 codes, one float32 scale after the last block
//   floats         dequantized weights: every value is 0 or +-scale
//
// A row has a scale for each unit: a block where there is one in each, a group of `group` columns of
// dequantized weights, else the row. Whether units agree is the caller's question.
//
// Byte layouts: ggml's ggml-quants (TQ1_0, TQ2_0, Q2_0) and Microsoft's bitnet.cpp (I2_S).
#pragma once

#include <cstdint>

#include "core/kernels.h"
#include "inference/gguf_file.h"

namespace bitnet {

class TernaryTensor {
 public:
  // `tensor` is a matrix of the file; both outlive this object. `group`: columns that share a scale where the
  // type does not say it (0: a row).
  TernaryTensor(const GgufFile& file, const GgufTensor& tensor, int64_t group, const Kernels& kernels);

  // Columns of a unit; they divide a row.
  int64_t unit_cols() const { return unit_cols_; }
  int64_t units() const { return cols_ / unit_cols_; }

  // Writes the ternary values of one row, and to `scales` the scale of each unit: 0 where all of its values are
  // 0. `values` is room for one row of floats. Throws GgufError naming the tensor if a code is invalid, or the
  // dequantized weights of a unit have different magnitudes.
  void decode_row(int64_t row, int8_t* ternary, float* scales, float* values) const;
  // True if pack_row is there: the stored blocks are whole blocks of the packed layout in another order.
  bool packs_rows() const;
  // decode_row straight into its place in a packed group of 16 rows (core/ternary_panel.h).
  void pack_row(int64_t row, uint8_t* group, float* scales) const;

  [[noreturn]] void fail(const std::string& problem) const;

 private:
  template <typename Body>
  void as_q2_0(int64_t row, float* scales, const Body& body) const;
  void decode_tq2_0(const uint8_t* blocks, int64_t row, int8_t* ternary, float* scales) const;
  void decode_tq1_0(const uint8_t* blocks, int64_t row, int8_t* ternary, float* scales) const;
  void decode_q2_0(const uint8_t* blocks, int64_t row, int8_t* ternary, float* scales) const;
  void decode_i2_s(const uint8_t* blocks, int64_t row, int8_t* ternary, float* scales) const;
  void decode_float(const uint8_t* data, int64_t row, int8_t* ternary, float* scales, float* values) const;
  void pack_tq2_0(const uint8_t* blocks, int64_t row, uint8_t* out, float* scales) const;
  void pack_q2_0(const uint8_t* blocks, int64_t row, uint8_t* out, float* scales) const;
  [[noreturn]] void fail_code(int64_t row) const;
  float checked_scale(float scale, int64_t row) const;

  const GgufTensor& tensor_;
  const uint8_t* data_;
  const Kernels& kernels_;
  int64_t cols_;
  int64_t unit_cols_;
  int64_t row_bytes_;
  float i2s_scale_ = 0;
};

}  // namespace bitnet
