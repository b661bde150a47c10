// Ternary codes and scale of a stored linear weight, whatever its GGUF type:
//
//   TQ2_0, TQ1_0   blocks of 256 codes with a float16 scale each; one tensor must have one scale
//   I2_S           blocks of 128 codes, one float32 scale after the last block
//   F32, F16, BF16, Q8_0   dequantized weights: every value is 0 or +-scale
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

  // Writes the codes (-1, 0, 1) of one row. `scale` holds the tensor's scale as far as it is known, 0 at
  // first; the first non-zero weight sets it. `values` is room for one row of floats. Throws GgufError naming
  // the tensor if a code is invalid, or a weight has another magnitude than `scale`.
  void decode_row(int64_t row, int8_t* codes, float* scale, float* values) const;
  // True if pack_row is there: the stored blocks are whole blocks of the packed layout in another order.
  bool packs_rows() const { return tensor_.type == GgmlType::tq2_0; }
  // decode_row straight into its place in a packed group of 16 rows (core/ternary_panel.h).
  void pack_row(int64_t row, uint8_t* group, float* scale) const;
  [[noreturn]] void fail_scales(float a, float b) const;

 private:
  void decode_tq2_0(const uint8_t* blocks, int64_t row, int8_t* codes, float* scale) const;
  void decode_tq1_0(const uint8_t* blocks, int64_t row, int8_t* codes, float* scale) const;
  void decode_i2_s(const uint8_t* blocks, int64_t row, int8_t* codes, float* scale) const;
  void decode_float(const uint8_t* data, int8_t* codes, float* scale, float* values) const;
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
