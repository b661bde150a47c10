// Plain tensor operations on the training threads: what any tfjs model spends its time in.
#pragma once

#include <cstdint>

#include "training/loops.h"

namespace bitnet {

// y[i] = a[i] op b[i].
void binary_same(BinaryOp op, const float* a, const float* b, int64_t count, float* y);
// y[i] = a[i] op b, or b op a[i] when `reversed`.
void binary_scalar(BinaryOp op, const float* a, float b, bool reversed, int64_t count, float* y);
// a, y: [rows][cols], b: [cols] along every row.
void binary_row(BinaryOp op, const float* a, const float* b, bool reversed, int64_t rows, int64_t cols,
                float* y);
// a, y: [rows][cols], b: [rows], one value per row.
void binary_column(BinaryOp op, const float* a, const float* b, bool reversed, int64_t rows, int64_t cols,
                   float* y);
void unary(UnaryOp op, const float* x, int64_t count, float* y);
// y = sum of `inputs` arrays, added in order.
void add_n(const float* const* inputs, int64_t inputs_count, int64_t count, float* y);

enum class Reduction : int { sum, mean, max };
// x [rows][cols] -> y [rows]; cols >= 1.
void reduce_rows(Reduction reduction, const float* x, int64_t rows, int64_t cols, float* y);
// Softmax of every row; cols >= 1.
void softmax_rows(const float* x, int64_t rows, int64_t cols, float* y);

// [outer][a][b][inner] -> [outer][b][a][inner].
void swap_axes(const float* x, int64_t outer, int64_t a, int64_t b, int64_t inner, float* y);

struct MatMulShape {
  int64_t batch, m, n, k;
  bool transpose_a, transpose_b;  // a is then [k][m], b [n][k]
  bool shared_a, shared_b;        // one matrix for the whole batch
};
// c [batch][m][n] = a . b.
void batch_matmul(const float* a, const float* b, const MatMulShape& shape, float* c);

}  // namespace bitnet
