// The head of a model that was trained with an int8 one (`bitnet-lab.head.activation_quantizer`): Q8_0 rows
// whose blocks all have the row's scale, repacked as int8 rows.
#pragma once

#include "core/int8_rows.h"
#include "inference/aligned_buffer.h"
#include "inference/gguf_file.h"
#include "inference/workers.h"

namespace bitnet {

class Int8Head {
 public:
  Int8Head() = default;
  // Reads the matrix; its pages of the file are given back. Throws GgufError naming the tensor if it is not
  // Q8_0, too wide, or the blocks of a row disagree, and Aborted.
  Int8Head(const GgufFile& file, const GgufTensor& tensor, const Workers& workers);

  // Without codes if there is none.
  const Int8Rows& rows() const { return rows_; }
  size_t size() const { return codes_.size() + scales_.size() + sums_.size(); }
  // The memory that a product reads.
  const AlignedBuffer& codes() const { return codes_; }
  const AlignedBuffer& scales() const { return scales_; }

 private:
  AlignedBuffer codes_, scales_, sums_;
  Int8Rows rows_{};
};

}  // namespace bitnet
