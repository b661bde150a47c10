#include "core/gemm_bf16.h"

#include <algorithm>

#include "core/kernels.h"
#include "core/thread_pool.h"

namespace bitnet {
namespace {

PanelSource::Type panel_type(GemmType type) {
  return type == GemmType::i8     ? PanelSource::Type::i8
         : type == GemmType::bf16 ? PanelSource::Type::bf16
                                  : PanelSource::Type::f32;
}

}  // namespace

int64_t bf16_right_bytes(int64_t k, int64_t n) {
  const PanelTile* tile = usable_bf16_tile(active_kernels());
  return tile ? tile->packed_bytes(k, n) : 0;
}

Bf16Right pack_bf16_right(int threads, const GemmOperand& b, int64_t k, int64_t n, uint8_t* memory) {
  Bf16Right right{b, k, n, usable_bf16_tile(active_kernels()), memory};
  right.source.round_bf16 = b.type == GemmType::f32;
  if (right.tile && k > 0 && n > 0) {
    pack_right(threads, *right.tile, {b.data, panel_type(b.type), 1, b.row_stride}, k, n, memory);
  }
  return right;
}

void gemm_bf16(int threads, int64_t m, const GemmOperand& a, const Bf16Right& b, float* c, int64_t ldc,
               bool accumulate, const RowFinish& finish) {
  if (!b.tile || m <= 0 || b.n <= 0 || b.k <= 0) {
    GemmOperand left = a;
    left.round_bf16 = a.type == GemmType::f32;
    gemm_f32(threads, m, b.n, b.k, left, b.source, c, ldc, accumulate);
    ThreadPool::global().parallel_for(threads, (m + kBlockRowStep - 1) / kBlockRowStep, [&](int64_t task) {
      finish({task * kBlockRowStep, std::min(m, (task + 1) * kBlockRowStep)});
    });
    return;
  }
  const PanelSource left{a.data, panel_type(a.type), a.row_stride, a.col_stride, a.col_scale};
  multiply_panels(threads, *b.tile, m, b.n, b.k, left, b.packed, c, ldc, accumulate, finish);
}

}  // namespace bitnet
