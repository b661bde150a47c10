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
constexpr int64_t kPackSteps = 2;                     // of one packing task
// Multiplications; below, waking a thread costs more than it saves.
constexpr int64_t kMinParallelWork = int64_t{1} << 21;

int64_t element_bytes(PanelSource::Type type) {
  return type == PanelSource::Type::f32 ? 4 : type == PanelSource::Type::bf16 ? 2 : 1;
}

// Rows of a block: at most `largest`, and as many blocks for each thread.
int64_t block_rows_of(int64_t count, int64_t largest, int threads) {
  int64_t blocks = (count + largest - 1) / largest;
  if (threads > 1) blocks = round_up(blocks, threads);
  return round_up((count + blocks - 1) / blocks, kBlockRowStep);
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
                     const RowFinish& finish) {
  if (m * n * k < kMinParallelWork) threads = 1;
  const int64_t most_rows = std::max(kBlockRowStep, std::min(kMaxBlockRows, kBlockElements / n));
  const int64_t block_rows = block_rows_of(m, most_rows / kBlockRowStep * kBlockRowStep, threads);
  const int64_t b_panel_bytes = tile.panel_bytes(k);
  const int64_t block_depth = kBlockSteps * tile.step_depth;
  ThreadPool::global().parallel_for(threads, (m + block_rows - 1) / block_rows, [&](int64_t task) {
    static thread_local PackBuffer buffer;
    const int64_t row = task * block_rows, rows = std::min(block_rows, m - row);
    const int64_t a_panel_bytes = tile.panel_bytes(std::min(block_depth, k));
    uint8_t* packed_a = buffer.bytes(block_rows / kPanelLanes * a_panel_bytes);
    uint32_t* out = static_cast<uint32_t*>(c) + row * ldc;
    for (int64_t depth = 0; depth < k; depth += block_depth) {
      const int64_t depths = std::min(block_depth, k - depth);
      tile.pack_a(a.at(row, depth), rows, depths, a_panel_bytes, packed_a);
      tile.multiply(tile.steps(depths), packed_a, a_panel_bytes, rows,
                    packed_b + depth / tile.step_depth * kPanelStepBytes, b_panel_bytes, n, out, ldc,
                    accumulate || depth > 0);
    }
    finish({row, row + rows});
  });
}

}  // namespace bitnet
