#include "training/plain_ops.h"

#include <cstring>

#include "core/gemm_f32.h"
#include "training/partition.h"

namespace bitnet {
namespace {

// Products of fewer multiplications run whole on one thread, several of a batch at a time.
constexpr int64_t kSmallProduct = int64_t{1} << 21;
// Edge of the square that a transposition moves at a time: rows and columns both stay in the first-level
// cache.
constexpr int64_t kTransposeTile = 16;

}  // namespace

void binary_same(BinaryOp op, const float* a, const float* b, int64_t count, float* y) {
  const TrainingLoops& loops = active_loops();
  parallel_chunks(count, kElementsPerTask, [&](int64_t begin, int64_t end) {
    loops.binary(op, a + begin, b + begin, end - begin, y + begin);
  });
}

void binary_scalar(BinaryOp op, const float* a, float b, bool reversed, int64_t count, float* y) {
  const TrainingLoops& loops = active_loops();
  parallel_chunks(count, kElementsPerTask, [&](int64_t begin, int64_t end) {
    loops.binary_scalar(op, a + begin, b, reversed, end - begin, y + begin);
  });
}

void binary_row(BinaryOp op, const float* a, const float* b, bool reversed, int64_t rows, int64_t cols,
                float* y) {
  const TrainingLoops& loops = active_loops();
  parallel_chunks(rows, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* left = a + row * cols;
      loops.binary(op, reversed ? b : left, reversed ? left : b, cols, y + row * cols);
    }
  });
}

void binary_column(BinaryOp op, const float* a, const float* b, bool reversed, int64_t rows, int64_t cols,
                   float* y) {
  const TrainingLoops& loops = active_loops();
  parallel_chunks(rows, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      loops.binary_scalar(op, a + row * cols, b[row], reversed, cols, y + row * cols);
    }
  });
}

void unary(UnaryOp op, const float* x, int64_t count, float* y) {
  const TrainingLoops& loops = active_loops();
  parallel_chunks(count, kElementsPerTask,
                  [&](int64_t begin, int64_t end) { loops.unary(op, x + begin, end - begin, y + begin); });
}

void add_n(const float* const* inputs, int64_t inputs_count, int64_t count, float* y) {
  const TrainingLoops& loops = active_loops();
  parallel_chunks(count, kElementsPerTask, [&](int64_t begin, int64_t end) {
    const int64_t n = end - begin;
    std::memcpy(y + begin, inputs[0] + begin, static_cast<size_t>(n) * sizeof(float));
    for (int64_t i = 1; i < inputs_count; ++i) {
      loops.binary(BinaryOp::add, y + begin, inputs[i] + begin, n, y + begin);
    }
  });
}

void reduce_rows(Reduction reduction, const float* x, int64_t rows, int64_t cols, float* y) {
  const TrainingLoops& loops = active_loops();
  parallel_chunks(rows, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* values = x + row * cols;
      if (reduction == Reduction::max) {
        y[row] = loops.max(values, cols);
      } else {
        const float total = loops.sum(values, cols);
        y[row] = reduction == Reduction::mean ? total / static_cast<float>(cols) : total;
      }
    }
  });
}

void softmax_rows(const float* x, int64_t rows, int64_t cols, float* y) {
  const TrainingLoops& loops = active_loops();
  parallel_chunks(rows, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* values = x + row * cols;
      float* out = y + row * cols;
      loops.exp_affine(values, cols, 1.0f, -loops.max(values, cols), out);
      loops.binary_scalar(BinaryOp::div, out, loops.sum(out, cols), false, cols, out);
    }
  });
}

void swap_axes(const float* x, int64_t outer, int64_t a, int64_t b, int64_t inner, float* y) {
  const int64_t a_tiles = (a + kTransposeTile - 1) / kTransposeTile;
  const int64_t per_task = rows_per_task(kTransposeTile * b * inner);
  parallel_chunks(outer * a_tiles, per_task, [&](int64_t first_tile, int64_t last_tile) {
    for (int64_t tile = first_tile; tile < last_tile; ++tile) {
      const float* from = x + tile / a_tiles * a * b * inner;
      float* to = y + tile / a_tiles * a * b * inner;
      const int64_t row = tile % a_tiles * kTransposeTile;
      const int64_t row_end = row + kTransposeTile < a ? row + kTransposeTile : a;
      for (int64_t j = 0; j < b; ++j) {
        for (int64_t i = row; i < row_end; ++i) {
          if (inner == 1) {
            to[j * a + i] = from[i * b + j];
          } else {
            std::memcpy(to + (j * a + i) * inner, from + (i * b + j) * inner,
                        static_cast<size_t>(inner) * sizeof(float));
          }
        }
      }
    }
  });
}

void batch_matmul(const float* a, const float* b, const MatMulShape& shape, float* c) {
  const int64_t m = shape.m, n = shape.n, k = shape.k;
  const auto product = [&](int threads, int64_t index) {
    const float* left = a + (shape.shared_a ? 0 : index * m * k);
    const float* right = b + (shape.shared_b ? 0 : index * k * n);
    gemm_f32(threads, m, n, k, {left, shape.transpose_a ? 1 : k, shape.transpose_a ? m : 1},
             {right, shape.transpose_b ? 1 : n, shape.transpose_b ? k : 1}, c + index * m * n, n, false);
  };
  // A shared right side makes the whole batch one tall product.
  if (shape.shared_b && !shape.shared_a && !shape.transpose_a && shape.batch > 1) {
    MatMulShape tall = shape;
    tall.m = shape.batch * m;
    tall.batch = 1;
    batch_matmul(a, b, tall, c);
  } else if (shape.batch > 1 && m * n * k < kSmallProduct) {
    parallel_chunks(shape.batch, 1, [&](int64_t index, int64_t) { product(1, index); });
  } else {
    for (int64_t index = 0; index < shape.batch; ++index) product(training_threads(), index);
  }
}

}  // namespace bitnet
