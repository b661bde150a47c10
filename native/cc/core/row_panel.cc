#include "core/row_panel.h"

#include <algorithm>
#include <cstring>

namespace bitnet {
namespace {

// One group of whole rows; the size of a copy is known to the compiler.
template <RowType Type>
void interleave_whole(const uint8_t* rows, int64_t row_stride, int64_t units, uint8_t* target) {
  constexpr int64_t kBytes = unit_bytes(Type);
  for (int64_t u = 0; u < units; ++u) {
    for (int64_t r = 0; r < kRowGroup; ++r) {
      std::memcpy(target, rows + r * row_stride + u * kBytes, kBytes);
      target += kBytes;
    }
  }
}

}  // namespace

void interleave_rows(const RowPanel& shape, const uint8_t* rows, int64_t group, uint8_t* target) {
  const int64_t stride = row_bytes(shape.type, shape.cols), bytes = unit_bytes(shape.type);
  const int64_t first = group * kRowGroup;
  rows += first * stride;
  const int64_t count = std::min(kRowGroup, shape.rows - first);
  if (count == kRowGroup && shape.cols % unit_cols(shape.type) == 0) {
    switch (shape.type) {
      case RowType::f32:
        return interleave_whole<RowType::f32>(rows, stride, shape.units(), target);
      case RowType::f16:
      case RowType::bf16:
        return interleave_whole<RowType::f16>(rows, stride, shape.units(), target);
      case RowType::q8_0:
        return interleave_whole<RowType::q8_0>(rows, stride, shape.units(), target);
      case RowType::q2_0:
        return interleave_whole<RowType::q2_0>(rows, stride, shape.units(), target);
      case RowType::q6_k:
        return interleave_whole<RowType::q6_k>(rows, stride, shape.units(), target);
      case RowType::q5_k:
        return interleave_whole<RowType::q5_k>(rows, stride, shape.units(), target);
      case RowType::q4_k:
        return interleave_whole<RowType::q4_k>(rows, stride, shape.units(), target);
      case RowType::q4_0:
        return interleave_whole<RowType::q4_0>(rows, stride, shape.units(), target);
    }
  }
  std::memset(target, 0, static_cast<size_t>(shape.group_bytes()));
  for (int64_t r = 0; r < count; ++r) {
    for (int64_t u = 0; u < shape.units(); ++u) {
      std::memcpy(target + (u * kRowGroup + r) * bytes, rows + r * stride + u * bytes,
                  static_cast<size_t>(std::min(bytes, stride - u * bytes)));
    }
  }
}

void decode_panel_row(const Kernels& kernels, const RowPanel& panel, int64_t row, float* out) {
  const int64_t step = unit_cols(panel.type);
  for (int64_t u = 0; u < panel.units(); ++u) {
    kernels.decode_row(panel.unit(row, u), panel.type, std::min(step, panel.cols - u * step), out + u * step);
  }
}

}  // namespace bitnet
