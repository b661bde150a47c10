#include "core/gemm_f32.h"

#include <algorithm>
#include <cstring>

#include "core/canonical_math.h"
#include "core/float16.h"
#include "core/kernels.h"
#include "core/pack_buffer.h"
#include "core/thread_pool.h"

namespace bitnet {
namespace {

// One packed panel of B (depth x tile columns) stays in the L1 cache, a task's rows of A in the L2 cache.
constexpr int64_t kDepth = 256;
constexpr int64_t kPackedRows = 2048;
constexpr int64_t kPackedCols = 4096;
constexpr int64_t kTaskRows = 96;
constexpr int64_t kTaskCols = 256;
constexpr int64_t kPanelsPerPackTask = 8;
constexpr int64_t kMinParallelWork =
    1 << 17;  // multiplications; below, waking a thread costs more than it saves

// An operand seen from its panels: `lane` runs over rows of A or columns of B, `depth` over the summed index.
struct LaneSource {
  const void* data;
  int64_t lane_stride;
  int64_t depth_stride;
  GemmType type;
  const float* row_scale;
  const float* col_scale;
  bool lanes_are_rows;
  bool round_bf16;
};

LaneSource source_of_a(const GemmOperand& a) {
  return {a.data, a.row_stride, a.col_stride, a.type, a.row_scale, a.col_scale, true, a.round_bf16};
}

LaneSource source_of_b(const GemmOperand& b) {
  return {b.data, b.col_stride, b.row_stride, b.type, b.row_scale, b.col_scale, false, b.round_bf16};
}

// Copies rows of Width floats, `stride` apart, to rows of `width` <= Width: what is written past a row, the
// next row overwrites. Reads up to Width - width floats behind a row.
template <int Width>
void copy_overlapping(const float* from, int64_t stride, int64_t rows, int64_t width, float* out) {
  for (int64_t p = 0; p < rows; ++p) std::memcpy(out + p * width, from + p * stride, Width * sizeof(float));
}

// Copies of whole floats that lie next to each other; returns the number of depths that are left to the
// general loop. The last depth always is: nothing may be read or written behind it.
int64_t copy_panel(const float* from, int64_t stride, int64_t depth, int64_t width, float* out) {
  if (width <= 8) {
    copy_overlapping<8>(from, stride, depth - 1, width, out);
  } else if (width <= 16) {
    copy_overlapping<16>(from, stride, depth - 1, width, out);
  } else if (width == 32) {
    copy_overlapping<32>(from, stride, depth - 1, width, out);
  } else {
    return 0;
  }
  return depth - 1;
}
template <typename Element>
int64_t copy_panel(const Element*, int64_t, int64_t, int64_t, float*) {
  return 0;
}

inline float as_float(float value) { return value; }
inline float as_float(int8_t value) { return static_cast<float>(value); }
inline float as_float(uint16_t value) { return bf16_to_f32(value); }

// out[p * width + lane] for `depth` values of p; lanes past `lanes` are zero.
template <typename Element>
void pack_panel_of(const LaneSource& source, int64_t first_lane, int64_t lanes, int64_t width,
                   int64_t first_depth, int64_t depth, float* out) {
  const Element* data = static_cast<const Element*>(source.data) + first_lane * source.lane_stride +
                        first_depth * source.depth_stride;
  const bool contiguous = source.lane_stride == 1;
  // Rows at least as far apart as a copy is wide: what it reads behind one row lies in the next.
  const bool copies = contiguous && lanes == width && source.depth_stride >= round_up(width, 16);
  int64_t p = copies ? copy_panel(data, source.depth_stride, depth, width, out) : 0;
  for (; p < depth; ++p) {
    float* row = out + p * width;
    const Element* from = data + p * source.depth_stride;
    if (contiguous) {
      for (int64_t i = 0; i < lanes; ++i) row[i] = as_float(from[i]);
    } else {
      for (int64_t i = 0; i < lanes; ++i) row[i] = as_float(from[i * source.lane_stride]);
    }
    for (int64_t i = lanes; i < width; ++i) row[i] = 0.0f;
  }
  const float* lane_scale = source.lanes_are_rows ? source.row_scale : source.col_scale;
  const float* depth_scale = source.lanes_are_rows ? source.col_scale : source.row_scale;
  const bool rows_first = source.lanes_are_rows;
  for (p = 0; p < depth && (lane_scale || depth_scale); ++p) {
    float* row = out + p * width;
    const float scale = depth_scale ? depth_scale[first_depth + p] : 1.0f;
    if (!lane_scale) {
      for (int64_t i = 0; i < lanes; ++i) row[i] *= scale;
    } else if (rows_first) {
      for (int64_t i = 0; i < lanes; ++i) row[i] = (row[i] * lane_scale[first_lane + i]) * scale;
    } else {
      for (int64_t i = 0; i < lanes; ++i) row[i] = (row[i] * scale) * lane_scale[first_lane + i];
    }
  }
}

void round_to_bf16(float* values, int64_t count) {
  for (int64_t i = 0; i < count; ++i) values[i] = bf16_to_f32(f32_to_bf16(values[i]));
}

void pack_one_panel(const LaneSource& source, int64_t first_lane, int64_t lanes, int64_t width,
                    int64_t first_depth, int64_t depth, float* out) {
  if (source.type == GemmType::i8) {
    pack_panel_of<int8_t>(source, first_lane, lanes, width, first_depth, depth, out);
  } else if (source.type == GemmType::bf16) {
    pack_panel_of<uint16_t>(source, first_lane, lanes, width, first_depth, depth, out);
  } else {
    pack_panel_of<float>(source, first_lane, lanes, width, first_depth, depth, out);
  }
  if (source.round_bf16) round_to_bf16(out, depth * width);
}

struct Block {
  int64_t rows, cols, depth;
};

// Rows of A as the tile reads them: packed panels, or the matrix itself.
struct LeftRows {
  const float* data;
  int64_t row_stride;  // 0: packed panels

  bool in_place() const { return row_stride > 0; }
};

// A matrix whose rows are contiguous floats needs no packing.
bool readable_in_place(const GemmOperand& a) {
  return a.type == GemmType::f32 && a.col_stride == 1 && !a.row_scale && !a.col_scale && !a.round_bf16;
}

// The tiles of C in rows [row, row_end) and columns [col, col_end) of a block.
void multiply_tiles(const GemmTile& tile, const Block& block, int64_t row, int64_t row_end, int64_t col,
                    int64_t col_end, const LeftRows& a, const float* b, float* c, int64_t ldc,
                    bool accumulate) {
  float edge[kMaxGemmTile];
  alignas(64) float edge_rows[kMaxGemmTile / 16 * kDepth];
  for (int64_t j = col; j < col_end; j += tile.cols) {
    const float* b_panel = b + j * block.depth;
    const int64_t cols = std::min<int64_t>(tile.cols, block.cols - j);
    for (int64_t i = row; i < row_end; i += tile.rows) {
      const int64_t rows = std::min<int64_t>(tile.rows, block.rows - i);
      const float* left = a.data + i * (a.in_place() ? a.row_stride : block.depth);
      int64_t left_row = a.in_place() ? a.row_stride : 1, left_step = a.in_place() ? 1 : tile.rows;
      float* out = c + i * ldc + j;
      if (rows == tile.rows && cols == tile.cols) {
        tile.multiply(block.depth, left, left_row, left_step, b_panel, out, ldc, accumulate);
        continue;
      }
      if (a.in_place() && rows < tile.rows) {
        for (int64_t r = 0; r < tile.rows; ++r) {
          const float* from = left + std::min(r, rows - 1) * a.row_stride;
          std::memcpy(edge_rows + r * block.depth, from, static_cast<size_t>(block.depth) * sizeof(float));
        }
        left = edge_rows;
        left_row = block.depth;
      }
      tile.multiply(block.depth, left, left_row, left_step, b_panel, edge, tile.cols, false);
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t s = 0; s < cols; ++s) {
          const float value = edge[r * tile.cols + s];
          out[r * ldc + s] = accumulate ? out[r * ldc + s] + value : value;
        }
      }
    }
  }
}

}  // namespace

void gemm_f32(int threads, int64_t m, int64_t n, int64_t k, const GemmOperand& a, const GemmOperand& b,
              float* c, int64_t ldc, bool accumulate) {
  if (m <= 0 || n <= 0) return;
  if (k <= 0) {
    for (int64_t i = 0; i < m && !accumulate; ++i)
      std::memset(c + i * ldc, 0, static_cast<size_t>(n) * sizeof(float));
    return;
  }
  static thread_local PackBuffer a_buffer, b_buffer;
  const Kernels& kernels = active_kernels();
  const GemmTile& tile = kernels.gemm_tile;
  if (m * n * k < kMinParallelWork) threads = 1;
  const LaneSource a_source = source_of_a(a), b_source = source_of_b(b);
  const int64_t packed_rows = round_up(std::min(kPackedRows, m), tile.rows);
  const int64_t packed_cols = round_up(std::min(kPackedCols, n), tile.cols);
  const bool in_place = readable_in_place(a);
  float* packed_a = in_place ? nullptr : a_buffer.floats(packed_rows * std::min(kDepth, k));
  float* packed_b = b_buffer.floats(packed_cols * std::min(kDepth, k));
  const int64_t task_rows = round_up(kTaskRows, tile.rows), task_cols = round_up(kTaskCols, tile.cols);
  ThreadPool& pool = ThreadPool::global();

  for (int64_t col = 0; col < n; col += packed_cols) {
    for (int64_t depth = 0; depth < k; depth += kDepth) {
      for (int64_t row = 0; row < m; row += packed_rows) {
        const int64_t depths = std::min(kDepth, k - depth);
        const Block block{std::min(packed_rows, m - row), std::min(packed_cols, n - col), depths};
        const int64_t a_panels = in_place ? 0 : (block.rows + tile.rows - 1) / tile.rows;
        // The packed columns serve every block of rows.
        const int64_t b_panels = row == 0 ? (block.cols + tile.cols - 1) / tile.cols : 0;
        const int64_t panels = a_panels + b_panels;
        pool.parallel_for(threads, (panels + kPanelsPerPackTask - 1) / kPanelsPerPackTask, [&](int64_t task) {
          const int64_t end = std::min(panels, (task + 1) * kPanelsPerPackTask);
          for (int64_t panel = task * kPanelsPerPackTask; panel < end; ++panel) {
            if (panel < a_panels) {
              const int64_t i = panel * tile.rows;
              pack_one_panel(a_source, row + i, std::min<int64_t>(tile.rows, block.rows - i), tile.rows,
                             depth, depths, packed_a + i * block.depth);
            } else {
              const int64_t j = (panel - a_panels) * tile.cols;
              pack_one_panel(b_source, col + j, std::min<int64_t>(tile.cols, block.cols - j), tile.cols,
                             depth, depths, packed_b + j * block.depth);
            }
          }
        });
        const int64_t row_tasks = (block.rows + task_rows - 1) / task_rows;
        const int64_t col_tasks = (block.cols + task_cols - 1) / task_cols;
        LeftRows left{packed_a, 0};
        if (in_place) left = {static_cast<const float*>(a.data) + row * a.row_stride + depth, a.row_stride};
        pool.parallel_for(threads, row_tasks * col_tasks, [&](int64_t task) {
          const int64_t i = task / col_tasks * task_rows, j = task % col_tasks * task_cols;
          multiply_tiles(tile, block, i, std::min(i + task_rows, block.rows), j,
                         std::min(j + task_cols, block.cols), left, packed_b, c + row * ldc + col, ldc,
                         accumulate || depth > 0);
        });
      }
    }
  }
}

}  // namespace bitnet
