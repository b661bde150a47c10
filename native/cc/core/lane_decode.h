// Decoding of stored rows on vector parts: one body for every ISA. Include inside a target region, after
// lane_k_quants.h.
//
// StoredRows describes row-major rows and rows of a panel (row_panel.h) alike.
#pragma once

#include "core/lane_k_quants.h"
#include "core/row_panel.h"

namespace bitnet {
namespace {

struct StoredRows {
  const uint8_t* data;
  int64_t group_stride;  // bytes from kRowGroup rows to the next ones
  int64_t row_stride;    // within a group
  int64_t unit_stride;   // from columns to the next ones (unit_cols)

  const uint8_t* row(int64_t n) const {
    return data + n / kRowGroup * group_stride + n % kRowGroup * row_stride;
  }
};

// Part j of the step whose first stored byte is `step`.
template <RowType Type>
BITNET_INLINE Part load_stored(const uint8_t* step, int64_t j) {
  const int64_t k = j * kPartLanes;
  if (Type == RowType::f16) return load_part_f16(step + 2 * k);
  if (Type == RowType::bf16) return load_part_bf16(step + 2 * k);
  if (Type == RowType::q2_0) return load_part_u2(step + 2 + k / 4, level_table(broadcast_part_f16(step)));
  if (Type == RowType::q4_0) {
    const uint8_t* codes = step + 2 + k % 16;
    return mul(k < 16 ? load_part_u4<0>(codes) : load_part_u4<4>(codes), broadcast_part_f16(step));
  }
  if (Type == RowType::q8_0) return mul(load_part_i8(step + 2 + k), broadcast_part_f16(step));
  return load_part(reinterpret_cast<const float*>(step) + k);
}

// `count` < 16 values, zero padded to 16. Rows of blocks are whole blocks and have no tail.
template <RowType Type>
BITNET_INLINE void decode_tail(const uint8_t* stored, int64_t count, float* out) {
  constexpr RowType kTailType = block_cols(Type) > 1 ? RowType::f32 : Type;
  alignas(64) uint8_t padded[kLanes * 4] = {};
  std::memcpy(padded, stored, static_cast<size_t>(row_bytes(kTailType, count)));
  each<kParts>([&](auto j) BITNET_INLINE_LAMBDA {
    store_part(out + j * kPartLanes, load_stored<kTailType>(padded, j));
  });
}

template <RowType Type>
BITNET_INLINE void decode_step(const uint8_t* stored, float* out) {
  if constexpr (is_k_quant(Type)) {
    SuperBlock block;
    unpack<Type>(stored, &block);
    for (int64_t run = 0; run < kSuperBlock / kScaleRun; ++run) {
      each<kParts>([&](auto j) BITNET_INLINE_LAMBDA {
        store_part(out + run * kScaleRun + j * kPartLanes, load_run<Type>(block, run, j));
      });
    }
  } else {
    constexpr int kStepParts = static_cast<int>(unit_cols(Type)) / kPartLanes;
    each<kStepParts>(
        [&](auto j) BITNET_INLINE_LAMBDA { store_part(out + j * kPartLanes, load_stored<Type>(stored, j)); });
  }
}

// `cols` values from a whole unit on, zero padded to a multiple of 16. Units are `unit_stride` bytes apart.
template <RowType Type>
BITNET_INLINE void decode_padded(const uint8_t* stored, int64_t unit_stride, int64_t cols, float* out) {
  constexpr int64_t kStep = unit_cols(Type);
  int64_t k = 0;
  for (; k + kStep <= cols; k += kStep) {
    decode_step<Type>(stored, out + k);
    stored += unit_stride;
  }
  if (k < cols) decode_tail<Type>(stored, cols - k, out + k);
}

template <RowType Type>
BITNET_INLINE void decode_row_of(const void* row, int64_t cols, float* out) {
  const uint8_t* stored = static_cast<const uint8_t*>(row);
  const int64_t whole = cols / unit_cols(Type) * unit_cols(Type);
  decode_padded<Type>(stored, unit_bytes(Type), whole, out);
  if (whole == cols) return;
  float tail[kLanes];
  decode_tail<Type>(stored + row_bytes(Type, whole), cols - whole, tail);
  std::memcpy(out + whole, tail, static_cast<size_t>(cols - whole) * sizeof(float));
}

void decode_row(const void* row, RowType type, int64_t cols, float* out) {
  switch (type) {
    case RowType::f16:
      return decode_row_of<RowType::f16>(row, cols, out);
    case RowType::bf16:
      return decode_row_of<RowType::bf16>(row, cols, out);
    case RowType::q8_0:
      return decode_row_of<RowType::q8_0>(row, cols, out);
    case RowType::q2_0:
      return decode_row_of<RowType::q2_0>(row, cols, out);
    case RowType::q6_k:
      return decode_row_of<RowType::q6_k>(row, cols, out);
    case RowType::q5_k:
      return decode_row_of<RowType::q5_k>(row, cols, out);
    case RowType::q4_k:
      return decode_row_of<RowType::q4_k>(row, cols, out);
    case RowType::q4_0:
      return decode_row_of<RowType::q4_0>(row, cols, out);
    default:
      return decode_row_of<RowType::f32>(row, cols, out);
  }
}

}  // namespace
}  // namespace bitnet
