// Ternary values and scales of a stored linear weight, whatever its GGUF type:
//
//   TQ2_0, TQ1_0   blocks of 256 codes with a float16 scale each; the blocks of a row must have one scale
//   I2_S           blocks of 128 codes, one float32 scale after the last block
//   F32, F16, BF16, Q8_0   dequantized weights: every value of a row is 0 or +-scale
//
// So a row has one scale, and a matrix either the same in all rows or one per row.
//
// Byte layouts: ggml's ggml-quants (TQ1_0, TQ2_0) and Microsoft's bitnet.cpp (I2_S).
#pragma once

#include <cstdint>

#include "core/kernels.h"
#include "inference/gguf_file.h"

namespace bitnet {

class TernaryTensor {
 public:
  // `tensor` is a matrix of the file; both outlive this object.
  TernaryTensor(const GgufFile& file, const GgufTensor& tensor, const Kernels& kernels);

  // Writes the ternary values of one row, and to `scale` its scale: 0 if all of them are 0. `values` is room
  // for one row of floats. Throws GgufError naming the tensor if a code is invalid, or the weights of the row
  // have different magnitudes.
  void decode_row(int64_t row, int8_t* ternary, float* scale, float* values) const;
  // True if pack_row is there: the stored blocks are whole blocks of the packed layout in another order.
  bool packs_rows() const { return tensor_.type == GgmlType::tq2_0; }
  // decode_row straight into its place in a packed group of 16 rows (core/ternary_panel.h).
  void pack_row(int64_t row, uint8_t* group, float* scale) const;

 private:
  void decode_tq2_0(const uint8_t* blocks, int64_t row, int8_t* ternary, float* scale) const;
  void decode_tq1_0(const uint8_t* blocks, int64_t row, int8_t* ternary, float* scale) const;
  void decode_i2_s(const uint8_t* blocks, int64_t row, int8_t* ternary, float* scale) const;
  void decode_float(const uint8_t* data, int64_t row, int8_t* ternary, float* scale, float* values) const;
  void merge_scale(float found, int64_t row, float* scale) const;
  [[noreturn]] void fail(const std::string& problem) const;

  const GgufTensor& tensor_;
  const uint8_t* data_;
  const Kernels& kernels_;
  int64_t cols_;
  int64_t row_bytes_;
  float i2s_scale_ = 0;
};

// The row type of a float tensor; throws GgufError naming the tensor if it is ternary.
RowType float_row_type(const GgufTensor& tensor);

}  // namespace bitnet
