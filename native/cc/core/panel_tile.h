// The micro-kernels of a product whose operands are packed in panels of 16 lanes, as AMX reads them, and the
// loops around them: what gemm_bf16 and gemm_i8 are made of.
//
//   C[i][j] (+)= sum_p A[i][p] * B[p][j]        sums of 4 bytes: float32 or int32
//
// A word of a panel holds the next 2 (bfloat16) or 4 (int8) depths of one lane, the first in its lowest bits.
// A step is 16 words of depth:
//
//   A  [panel of 16 rows][step][16 rows][16 words]
//   B  [panel of 16 columns][step][16 words][16 columns]
//
// so a step of a panel is 1 KB of either. Lanes and depths past the end are zeros.
//
// Order: every element of C sums its steps in order, however the product is cut into blocks; within a step
// the order is the instruction's.
#pragma once

#include <cstdint>

namespace bitnet {

constexpr int64_t kPanelLanes = 16;
constexpr int64_t kPanelStepBytes = 1024;

// An operand as it lies in memory: `lane` runs over rows of A or columns of B, `depth` over the summed index.
// One of the strides (in elements) is 1.
struct PanelSource {
  enum class Type : int { f32, bf16, i8 };
  const void* data;
  Type type;
  int64_t lane_stride;
  int64_t depth_stride;
  // Multiplies the values of a depth before they are rounded; null: 1. Of float32 on the left.
  const float* depth_scale = nullptr;

  PanelSource at(int64_t lane, int64_t depth) const;
};

struct PanelTile {
  int64_t step_depth;  // depths of a step: 32 bfloat16, 64 int8
  // Packs lanes [0, lanes) and depths [0, depth), whole steps and panels with what is missing as zeros;
  // panels are panel_bytes apart. Types: f32 and bf16 on the left, f32 and i8 on the right of bfloat16, i8
  // with a lane_stride of 1 of int8. The right side has a lane_stride of 1.
  void (*pack_a)(const PanelSource& source, int64_t lanes, int64_t depth, int64_t panel_bytes,
                 uint8_t* panels);
  void (*pack_b)(const PanelSource& source, int64_t lanes, int64_t depth, int64_t panel_bytes,
                 uint8_t* panels);
  // c[i][j] (+)= the sum over `steps` steps, for `rows` rows and `cols` columns from the start of a panel
  // each. Rows of c are `stride` elements apart; nothing else is written.
  void (*multiply)(int64_t steps, const uint8_t* a, int64_t a_panel_bytes, int64_t rows, const uint8_t* b,
                   int64_t b_panel_bytes, int64_t cols, void* c, int64_t stride, bool accumulate);

  int64_t steps(int64_t depth) const { return (depth + step_depth - 1) / step_depth; }
  int64_t panel_bytes(int64_t depth) const { return steps(depth) * kPanelStepBytes; }
  // Of the right side of a product.
  int64_t packed_bytes(int64_t depth, int64_t lanes) const {
    return (lanes + kPanelLanes - 1) / kPanelLanes * panel_bytes(depth);
  }
};

// Packs B, k x n, into packed_bytes(k, n) bytes, 64-byte aligned, on up to `threads` threads.
void pack_right(int threads, const PanelTile& tile, const PanelSource& b, int64_t k, int64_t n,
                uint8_t* packed);

// Blocks of rows start at multiples of this.
constexpr int64_t kBlockRowStep = 64;

// Rows of C that one task has computed, all columns of them.
struct FinishedRows {
  int64_t begin, end;
};

// What a task does with its rows of C while they are in its cache; nothing by default.
struct RowFinish {
  void (*run)(const void* context, const FinishedRows& rows) = nullptr;
  const void* context = nullptr;

  void operator()(const FinishedRows& rows) const {
    if (run) run(context, rows);
  }
};

// Calls `body(rows)`, which must outlive the product.
template <typename Body>
RowFinish finish_with(const Body& body) {
  return {[](const void* context, const FinishedRows& rows) { (*static_cast<const Body*>(context))(rows); },
          &body};
}

// The product of A, m x k, with a packed B. A is packed on the way, in blocks that stay in the second-level
// cache like those of C. m, n, k > 0.
void multiply_panels(int threads, const PanelTile& tile, int64_t m, int64_t n, int64_t k,
                     const PanelSource& a, const uint8_t* packed_b, void* c, int64_t ldc, bool accumulate,
                     const RowFinish& finish = {});

}  // namespace bitnet
