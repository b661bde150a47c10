#include "core/gemm_i8.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "core/canonical_math.h"
#include "core/kernels.h"
#include "core/pack_buffer.h"
#include "core/panel_tile.h"
#include "core/thread_pool.h"

namespace bitnet {
namespace {

// A column panel of B and the lines of A that a tile reads stay in the L1 cache.
constexpr int64_t kDepth = 256;
constexpr int64_t kPackedRows = 1536;
constexpr int64_t kTaskRows = 96;
constexpr int64_t kTaskCols = 256;
constexpr int64_t kPanelsPerPackTask = 4;
// Multiplications; below, waking a thread costs more than it saves.
constexpr int64_t kMinParallelWork = 1 << 18;

static_assert(kPackedRows % kInt8PanelRows == 0 && kTaskRows % kInt8PanelRows == 0, "whole panels");

// C holds 32-bit sums until the last block of the depth.
int32_t* sums_in(float* c) { return reinterpret_cast<int32_t*>(c); }

struct Packed {
  const uint8_t* a;
  const uint8_t* b;
  int64_t groups;  // steps of the depth
};

// The tiles of C in rows [row, row_end) and columns [col, col_end) of a block.
void multiply_tiles(const Int8Tile& tile, const Packed& packed, int64_t row, int64_t row_end, int64_t rows,
                    int64_t col, int64_t col_end, int64_t cols, int32_t* c, int64_t ldc, bool accumulate) {
  int32_t edge[kMaxInt8Tile];
  const int64_t a_panel = tile.a_panel_bytes(packed.groups), b_panel = tile.b_panel_bytes(packed.groups);
  for (int64_t j = col; j < col_end; j += tile.cols) {
    const uint8_t* b = packed.b + j / tile.cols * b_panel;
    const int64_t width = std::min(tile.cols, cols - j);
    for (int64_t i = row; i < row_end; i += tile.rows) {
      const uint8_t* a = packed.a + i / kInt8PanelRows * a_panel + i % kInt8PanelRows * tile.step_bytes();
      const int64_t height = std::min(tile.rows, rows - i);
      int32_t* out = c + i * ldc + j;
      if (width == tile.cols && height == tile.rows) {
        tile.multiply(packed.groups, a, b, out, ldc, accumulate);
        continue;
      }
      tile.multiply(packed.groups, a, b, edge, tile.cols, false);
      for (int64_t r = 0; r < height; ++r) {
        for (int64_t s = 0; s < width; ++s) {
          const int32_t value = edge[r * tile.cols + s];
          out[r * ldc + s] = accumulate ? out[r * ldc + s] + value : value;
        }
      }
    }
  }
}

// Sums to floats, in place.
void scale_row(float* row, int64_t n, float scale) {
  for (int64_t i = 0; i < n; ++i) {
    int32_t sum;
    std::memcpy(&sum, row + i, sizeof sum);
    row[i] = static_cast<float>(sum) * scale;
  }
}

void check_depth(int64_t depth) {
  if (depth > kMaxInt8Depth) throw std::invalid_argument("an int8 product sums over at most 131072 values");
}

void product_of_panels(int threads, const PanelTile& tile, int64_t m, int64_t n, int64_t depth,
                       const PanelSource& a, const int8_t* b, int64_t b_stride, const float* row_scale,
                       float* c, int64_t ldc, const RowFinish& finish) {
  static thread_local PackBuffer buffer;
  uint8_t* packed = buffer.bytes(tile.packed_bytes(depth, n));
  pack_right(threads, tile, {b, PanelSource::Type::i8, 1, b_stride}, depth, n, packed);
  const auto scale = [&](const FinishedRows& rows) {
    for (int64_t r = rows.begin; r < rows.end; ++r) scale_row(c + r * ldc, n, row_scale[r]);
    finish(rows);
  };
  multiply_panels(threads, tile, m, n, depth, a, packed, c, ldc, false, finish_with(scale));
}

}  // namespace

void gemm_i8_rows(int threads, int64_t m, int64_t n, int64_t depth, const int8_t* a, int64_t a_stride,
                  const int8_t* b, int64_t b_stride, const float* row_scale, float* c, int64_t ldc,
                  const RowFinish& finish) {
  check_depth(depth);
  if (m <= 0 || n <= 0 || depth <= 0) return;
  product_of_panels(threads, *active_kernels().int8_panels, m, n, depth,
                    {a, PanelSource::Type::i8, a_stride, 1}, b, b_stride, row_scale, c, ldc, finish);
}

void gemm_i8(int threads, int64_t m, int64_t n, int64_t depth, const int8_t* a, int64_t a_stride,
             const int8_t* b, int64_t b_stride, const float* row_scale, float* c, int64_t ldc) {
  check_depth(depth);
  for (int64_t r = 0; r < m && depth <= 0; ++r) std::fill_n(c + r * ldc, n, 0.0f);
  if (m <= 0 || n <= 0 || depth <= 0) return;
  if (const PanelTile* panels = active_kernels().int8_panels) {
    return product_of_panels(threads, *panels, m, n, depth, {a, PanelSource::Type::i8, 1, a_stride}, b,
                             b_stride, row_scale, c, ldc, {});
  }
  static thread_local PackBuffer a_buffer, b_buffer;
  const Int8Tile& tile = *active_kernels().int8_tile;
  if (m * n * depth < kMinParallelWork) threads = 1;
  ThreadPool& pool = ThreadPool::global();
  const int64_t packed_rows = std::min(kPackedRows, round_up(m, kInt8PanelRows));
  const int64_t most_groups = (std::min(kDepth, depth) + tile.group - 1) / tile.group;
  const int64_t b_panels = (n + tile.cols - 1) / tile.cols;
  uint8_t* packed_a = a_buffer.bytes(packed_rows / kInt8PanelRows * tile.a_panel_bytes(most_groups));
  uint8_t* packed_b = b_buffer.bytes(b_panels * tile.b_panel_bytes(most_groups));

  for (int64_t p = 0; p < depth; p += kDepth) {
    const int64_t count = std::min(kDepth, depth - p);
    const Packed packed{packed_a, packed_b, (count + tile.group - 1) / tile.group};
    for (int64_t row = 0; row < m; row += packed_rows) {
      const int64_t rows = std::min(packed_rows, m - row);
      const int64_t a_panels = (rows + kInt8PanelRows - 1) / kInt8PanelRows;
      const int64_t panels = a_panels + (row == 0 ? b_panels : 0);
      pool.parallel_for(threads, (panels + kPanelsPerPackTask - 1) / kPanelsPerPackTask, [&](int64_t task) {
        const int64_t end = std::min(panels, (task + 1) * kPanelsPerPackTask);
        for (int64_t panel = task * kPanelsPerPackTask; panel < end; ++panel) {
          if (panel < a_panels) {
            const int64_t lane = row + panel * kInt8PanelRows;
            tile.pack_a(a + p * a_stride + lane, a_stride, count, padded_cols(m) - lane,
                        packed_a + panel * tile.a_panel_bytes(packed.groups));
          } else {
            const int64_t lane = (panel - a_panels) * tile.cols;
            tile.pack_b(b + p * b_stride + lane, b_stride, count, padded_cols(n) - lane,
                        packed_b + (panel - a_panels) * tile.b_panel_bytes(packed.groups));
          }
        }
      });
      const int64_t row_tasks = (rows + kTaskRows - 1) / kTaskRows;
      const int64_t task_cols = round_up(kTaskCols, tile.cols);
      const int64_t col_tasks = (n + task_cols - 1) / task_cols;
      const bool last = p + count == depth;
      pool.parallel_for(threads, row_tasks * col_tasks, [&](int64_t task) {
        const int64_t i = task / col_tasks * kTaskRows, j = task % col_tasks * task_cols;
        const int64_t row_end = std::min(i + kTaskRows, rows), col_end = std::min(j + task_cols, n);
        float* out = c + row * ldc;
        multiply_tiles(tile, packed, i, row_end, rows, j, col_end, n, sums_in(out), ldc, p > 0);
        for (int64_t r = i; r < row_end && last; ++r) {
          scale_row(out + r * ldc + j, col_end - j, row_scale[row + r]);
        }
      });
    }
  }
}

}  // namespace bitnet
