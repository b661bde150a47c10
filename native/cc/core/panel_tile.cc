#include "core/panel_tile.h"

#include <algorithm>

#include "core/canonical_math.h"
#include "core/pack_buffer.h"
#include "core/thread_pool.h"

namespace bitnet {
namespace {

// A block of A takes 256 KB to 512 KB beside at most 1 MB of C; a step of B is read from the cache by all its
// rows.
constexpr int64_t kBlockSteps = 16;
constexpr int64_t kMaxBlockRows = 256;
constexpr int64_t kBlockElements = int64_t{1} << 18;  // of C
constexpr int64_t kMaxBlockCols = 2048;
constexpr int64_t kPackSteps = 2;  // of one packing task
// Multiplications; below, waking a thread costs more than it saves.
constexpr int64_t kMinParallelWork = int64_t{1} << 21;

int64_t element_bytes(PanelSource::Type type) {
  return type == PanelSource::Type::f32 ? 4 : type == PanelSource::Type::bf16 ? 2 : 1;
}

// Blocks of at most `largest`, a multiple of two panels; with several threads as many for each.
int64_t block_size(int64_t count, int64_t largest, int threads) {
  int64_t blocks = (count + largest - 1) / largest;
  if (threads > 1) blocks = round_up(blocks, threads);
  return round_up((count + blocks - 1) / blocks, 2 * kPanelLanes);
}

}  // namespace

PanelSource PanelSource::at(int64_t lane, int64_t depth) const {
  PanelSource part = *this;
  part.data =
      static_cast<const uint8_t*>(data) + (lane * lane_stride + depth * depth_stride) * element_bytes(type);
  if (depth_scale) part.depth_scale = depth_scale + depth;
  return part;
}

void pack_right(int threads, const PanelTile& tile, const PanelSource& b, int64_t k, int64_t n,
                uint8_t* packed) {
  const int64_t depth = kPackSteps * tile.step_depth;
  ThreadPool::global().parallel_for(threads, (k + depth - 1) / depth, [&](int64_t task) {
    const int64_t first = task * depth;
    tile.pack_b(b.at(0, first), n, std::min(depth, k - first), tile.panel_bytes(k),
                packed + task * kPackSteps * kPanelStepBytes);
  });
}

void multiply_panels(int threads, const PanelTile& tile, int64_t m, int64_t n, int64_t k,
                     const PanelSource& a, const uint8_t* packed_b, void* c, int64_t ldc, bool accumulate,
                     void (*finish)(const void* context, const ProductBlock& block), const void* context) {
  if (m * n * k < kMinParallelWork) threads = 1;
  const int64_t block_cols = std::min(round_up(n, 2 * kPanelLanes), kMaxBlockCols);
  const int64_t col_blocks = (n + block_cols - 1) / block_cols;
  const int64_t most_rows = std::max(2 * kPanelLanes, std::min(kMaxBlockRows, kBlockElements / block_cols));
  const int64_t block_rows = block_size(m, most_rows / (2 * kPanelLanes) * (2 * kPanelLanes), threads);
  const int64_t b_panel_bytes = tile.panel_bytes(k);
  const int64_t block_depth = kBlockSteps * tile.step_depth;
  ThreadPool::global().parallel_for(
      threads, (m + block_rows - 1) / block_rows * col_blocks, [&](int64_t task) {
        static thread_local PackBuffer buffer;
        const int64_t row = task / col_blocks * block_rows, col = task % col_blocks * block_cols;
        const ProductBlock block{row, std::min(block_rows, m - row), col, std::min(block_cols, n - col)};
        const int64_t a_panel_bytes = tile.panel_bytes(std::min(block_depth, k));
        uint8_t* packed_a = buffer.bytes(block_rows / kPanelLanes * a_panel_bytes);
        const uint8_t* b = packed_b + col / kPanelLanes * b_panel_bytes;
        uint32_t* out = static_cast<uint32_t*>(c) + row * ldc + col;
        for (int64_t depth = 0; depth < k; depth += block_depth) {
          const int64_t depths = std::min(block_depth, k - depth);
          tile.pack_a(a.at(row, depth), block.rows, depths, a_panel_bytes, packed_a);
          tile.multiply(tile.steps(depths), packed_a, a_panel_bytes, block.rows,
                        b + depth / tile.step_depth * kPanelStepBytes, b_panel_bytes, block.cols, out, ldc,
                        accumulate || depth > 0);
        }
        if (finish) finish(context, block);
      });
}

}  // namespace bitnet
