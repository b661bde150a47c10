// The vector loops of the backward pass and of plain tfjs operations, compiled once per instruction set from
// one portable body (loops_body.h). Single-threaded, no allocation, no canonical order: unlike core's kernels
// these may differ in the last bits between instruction sets, but never between runs or thread counts.
#pragma once

#include <cstdint>

namespace bitnet {

struct AdamWStep {
  float decay;         // 1 - learning_rate * weight_decay
  float beta1, keep1;  // keep1 = 1 - beta1, rounded from float64
  float beta2, keep2;
  float step_size;          // learning_rate / (1 - beta1^step)
  float inverse_sqrt_bias;  // 1 / sqrt(1 - beta2^step)
  float epsilon;
  float grad_scale;
};

enum class BinaryOp : int { add, sub, mul, div, maximum, minimum, squared_difference };
enum class UnaryOp : int { relu, square, sqrt, rsqrt, exp, neg, abs, sigmoid };

struct TrainingLoops {
  const char* name;

  // One row of RMSNorm's backward: dx, and dgain += dy * (x * r). See rms_norm.h.
  void (*rms_norm_grad_row)(const float* x, const float* gain, const float* dy, int64_t n, float eps,
                            float* dx, float* dgain);
  // See gated_activation.h.
  void (*relu2_gate_grad)(const float* gate, const float* up, const float* dy, int64_t n, float* dgate,
                          float* dup);
  void (*silu_gate_grad)(const float* gate, const float* up, const float* dy, int64_t n, float* dgate,
                         float* dup);
  void (*gelu_gate_grad)(const float* gate, const float* up, const float* dy, int64_t n, float* dgate,
                         float* dup);
  void (*squared_relu_grad)(const float* x, const float* dy, int64_t n, float* dx);
  // See optimizer.h.
  void (*adamw)(float* param, const float* grad, float* m, float* v, int64_t n, const AdamWStep& step);
  // Sum of squares in float64.
  double (*sum_squares)(const float* x, int64_t n);

  // y[i] = exp(x[i] * scale + offset).
  void (*exp_affine)(const float* x, int64_t n, float scale, float offset, float* y);
  // y[i] = p[i] * (y[i] - delta) * scale: the gradient of softmax from that of its output.
  void (*softmax_grad)(const float* p, int64_t n, float delta, float scale, float* y);
  // y[i] = bfloat16(exp(x[i] + offset) * factor). y may start where x does.
  void (*exp_bf16)(const float* x, int64_t n, float offset, float factor, uint16_t* y);
  float (*dot)(const float* a, const float* b, int64_t n);
  float (*sum)(const float* x, int64_t n);
  float (*max)(const float* x, int64_t n);  // n >= 1; NaN if any is
  // y[i] += alpha * x[i].
  void (*add_scaled)(const float* x, float alpha, int64_t n, float* y);

  // c[i][j] (+)= sum_p a[i * a_row + p * a_step] * b[p * b_stride + j / 16 * b_block + j % 16] for i < m, j <
  // n, p < k, in order of p and without packing: for operands that fit the caches. n is a multiple of 16.
  // Rows of c are c_stride apart.
  void (*multiply_rows)(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_row, int64_t a_step,
                        const float* b, int64_t b_stride, int64_t b_block, bool accumulate, float* c,
                        int64_t c_stride);

  // Of the rows x[t] of n floats: row_max[t] = largest |x[t][i] * factor[i]|, and
  // columns[i] = max(columns[i], |x[t][i] * row_factor[t]|). Both are NaN if any value is.
  void (*scaled_abs_max)(const float* x, int64_t tokens, int64_t n, const float* factor,
                         const float* row_factor, float* row_max, float* columns);
  // Stochastic rounding of one token's dY for both backward products. A value v becomes floor(v + u), u
  // uniform in [0, 1), so that the mean of the codes is v; values are limited to [-127, 127] first.
  //   token_codes[i]   from v = (x[i] * token_factor[i]) * token_inverse      u: upper half of a hash
  //   column_codes[i]  from v = (x[i] * column_factor[i]) * row_factor        u: lower half
  // The hash is one of (key, first + i): no order and no threads in it. `key` identifies the product (see
  // src/ops/backward_pass.ts). Twin of src/quant/stochastic_int8.ts. Returns the sum of token_codes.
  int32_t (*round_stochastic)(const float* x, int64_t n, const float* token_factor, float token_inverse,
                              const float* column_factor, float row_factor, uint32_t key, uint32_t first,
                              int8_t* token_codes, int8_t* column_codes);

  // y[i] = a[i] op b[i]; y may be a or b.
  void (*binary)(BinaryOp op, const float* a, const float* b, int64_t n, float* y);
  // y[i] = a[i] op b, or b op a[i] when `reversed`.
  void (*binary_scalar)(BinaryOp op, const float* a, float b, bool reversed, int64_t n, float* y);
  void (*unary)(UnaryOp op, const float* x, int64_t n, float* y);
};

// The loops for the instruction set of active_kernels() (so BITNET_ISA governs them too).
const TrainingLoops& active_loops();

}  // namespace bitnet
