// The body of the training loops: included once per instruction set, inside its target region and an
// anonymous namespace. Loops are written over kWidth independent lanes so that every compiler can vectorize
// them without reordering a sum. BITNET_LOOPS_MULADD(a, b, c) is a * b + c, fused where the instruction set
// fuses.

constexpr int kWidth = 16;

// From here the compiler no longer knows where the values of a local array come from.
#if defined(__GNUC__)
#define BITNET_HIDE_ORIGIN(array) __asm__ volatile("" : : "r"(array) : "memory")
#else
#define BITNET_HIDE_ORIGIN(array)
#endif

// ---- elementary functions --------------------------------------------------------------------------------

// exp by Cody-Waite reduction and the Cephes polynomial; the power of two is applied in two halves, so
// results go gradually to infinity and to zero. Error below 2 units in the last place.
inline float vector_exp(float x) {
  x = x < -104.0f ? -104.0f : x;
  x = x > 89.0f ? 89.0f : x;
  constexpr float kRoundingShift = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  const float n = (x * 1.44269504088896341f + kRoundingShift) - kRoundingShift;
  float r = BITNET_LOOPS_MULADD(n, -0.693359375f, x);
  r = BITNET_LOOPS_MULADD(n, 2.12194440e-4f, r);
  float p = 1.9875691500e-4f;
  p = BITNET_LOOPS_MULADD(p, r, 1.3981999507e-3f);
  p = BITNET_LOOPS_MULADD(p, r, 8.3334519073e-3f);
  p = BITNET_LOOPS_MULADD(p, r, 4.1665795894e-2f);
  p = BITNET_LOOPS_MULADD(p, r, 1.6666665459e-1f);
  p = BITNET_LOOPS_MULADD(p, r, 5.0000001201e-1f);
  const float y = BITNET_LOOPS_MULADD(p, r * r, r) + 1.0f;
  const int32_t exponent = static_cast<int32_t>(n);
  const int32_t half = exponent >> 1;
  const int32_t low_bits = (half + 127) << 23, high_bits = (exponent - half + 127) << 23;
  float low, high;
  std::memcpy(&low, &low_bits, sizeof low);
  std::memcpy(&high, &high_bits, sizeof high);
  return (y * low) * high;
}

// Adds the lanes pairwise. From a copy of unknown origin: clang would otherwise arrange the lanes of the loop
// before for these additions, and lose its vectors.
template <typename T>
inline T fold_lanes(const T* lanes) {
  T sums[kWidth];
  std::memcpy(sums, lanes, sizeof sums);
  BITNET_HIDE_ORIGIN(sums);
  for (int width = kWidth / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) sums[i] += sums[i + width];
  }
  return sums[0];
}

// ---- reductions ------------------------------------------------------------------------------------------

// The last n < kWidth values of a row and zeros, which add nothing to a sum: so that the rest is a step of
// whole lanes, and every loop over lanes is unrolled. An index known only at run time would keep the lanes in
// memory.
struct LastLanes {
  float values[kWidth] = {};
  LastLanes(const float* x, int64_t n) { std::memcpy(values, x, static_cast<size_t>(n) * sizeof(float)); }
};

inline void dot_step(const float* a, const float* b, float* lanes) {
  BITNET_UNROLL
  for (int l = 0; l < kWidth; ++l) lanes[l] = BITNET_LOOPS_MULADD(a[l], b[l], lanes[l]);
}

float dot(const float* a, const float* b, int64_t n) {
  float lanes[kWidth] = {};
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) dot_step(a + i, b + i, lanes);
  if (i < n) dot_step(LastLanes(a + i, n - i).values, LastLanes(b + i, n - i).values, lanes);
  return fold_lanes(lanes);
}

float sum(const float* x, int64_t n) {
  float lanes[kWidth] = {};
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    for (int l = 0; l < kWidth; ++l) lanes[l] += x[i + l];
  }
  for (int l = 0; i + l < n; ++l) lanes[l] += x[i + l];
  return fold_lanes(lanes);
}

inline void sum_squares_step(const float* x, double* lanes) {
  BITNET_UNROLL
  for (int l = 0; l < kWidth; ++l) {
    const double value = x[l];
    lanes[l] += value * value;
  }
}

double sum_squares(const float* x, int64_t n) {
  double lanes[kWidth] = {};
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) sum_squares_step(x + i, lanes);
  if (i < n) sum_squares_step(LastLanes(x + i, n - i).values, lanes);
  return fold_lanes(lanes);
}

// NaN wins: once in a lane it stays, because every comparison with it is false.
inline float larger(float a, float b) { return a >= b || a != a ? a : b; }

float max(const float* x, int64_t n) {
  float largest = x[0];
  int64_t i = 0;
  if (n >= kWidth) {
    float lanes[kWidth];
    for (int l = 0; l < kWidth; ++l) lanes[l] = x[l];
    for (i = kWidth; i + kWidth <= n; i += kWidth) {
      for (int l = 0; l < kWidth; ++l) lanes[l] = larger(lanes[l], x[i + l]);
    }
    largest = lanes[0];
    for (int l = 1; l < kWidth; ++l) largest = larger(largest, lanes[l]);
  }
  for (; i < n; ++i) largest = larger(largest, x[i]);
  return largest;
}

// ---- elementwise -----------------------------------------------------------------------------------------

void exp_affine(const float* x, int64_t n, float scale, float offset, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = vector_exp(BITNET_LOOPS_MULADD(x[i], scale, offset));
}

// Half to even; not-a-number stays one.
inline uint16_t round_bf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  return static_cast<uint16_t>((value != value ? bits | 0x400000u : rounded) >> 16);
}

void exp_bf16(const float* x, int64_t n, float offset, float factor, uint16_t* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = round_bf16(vector_exp(x[i] + offset) * factor);
}

void softmax_grad(const float* p, int64_t n, float delta, float scale, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = p[i] * (y[i] - delta) * scale;
}

void add_scaled(const float* x, float alpha, int64_t n, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = BITNET_LOOPS_MULADD(alpha, x[i], y[i]);
}

template <typename Operation>
inline void map_binary(const float* a, const float* b, int64_t n, float* y, Operation operation) {
  for (int64_t i = 0; i < n; ++i) y[i] = operation(a[i], b[i]);
}

template <typename Operation>
inline void map_scalar(const float* a, float b, bool reversed, int64_t n, float* y, Operation operation) {
  if (reversed) {
    for (int64_t i = 0; i < n; ++i) y[i] = operation(b, a[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = operation(a[i], b);
  }
}

// Calls map(f) with the function of `op`. Lambdas of a target region are compiled for its target.
template <typename Map>
inline void with_binary(BinaryOp op, Map map) {
  switch (op) {
    case BinaryOp::add:
      map([](float a, float b) { return a + b; });
      break;
    case BinaryOp::sub:
      map([](float a, float b) { return a - b; });
      break;
    case BinaryOp::mul:
      map([](float a, float b) { return a * b; });
      break;
    case BinaryOp::div:
      map([](float a, float b) { return a / b; });
      break;
    // As Math.max and Math.min: NaN if either is.
    case BinaryOp::maximum:
      map([](float a, float b) { return a > b || a != a ? a : b; });
      break;
    case BinaryOp::minimum:
      map([](float a, float b) { return a < b || a != a ? a : b; });
      break;
    case BinaryOp::squared_difference:
      map([](float a, float b) { return (a - b) * (a - b); });
      break;
  }
}

void binary(BinaryOp op, const float* a, const float* b, int64_t n, float* y) {
  with_binary(op, [=](auto operation) { map_binary(a, b, n, y, operation); });
}

void binary_scalar(BinaryOp op, const float* a, float b, bool reversed, int64_t n, float* y) {
  with_binary(op, [=](auto operation) { map_scalar(a, b, reversed, n, y, operation); });
}

void unary(UnaryOp op, const float* x, int64_t n, float* y) {
  switch (op) {
    case UnaryOp::relu:
      for (int64_t i = 0; i < n; ++i) y[i] = x[i] < 0.0f ? 0.0f : x[i];
      break;
    case UnaryOp::square:
      for (int64_t i = 0; i < n; ++i) y[i] = x[i] * x[i];
      break;
    case UnaryOp::sqrt:
      for (int64_t i = 0; i < n; ++i) y[i] = std::sqrt(x[i]);
      break;
    case UnaryOp::rsqrt:
      for (int64_t i = 0; i < n; ++i) y[i] = 1.0f / std::sqrt(x[i]);
      break;
    case UnaryOp::exp:
      for (int64_t i = 0; i < n; ++i) y[i] = vector_exp(x[i]);
      break;
    case UnaryOp::neg:
      for (int64_t i = 0; i < n; ++i) y[i] = -x[i];
      break;
    case UnaryOp::abs:
      for (int64_t i = 0; i < n; ++i) y[i] = std::fabs(x[i]);
      break;
    case UnaryOp::sigmoid:
      for (int64_t i = 0; i < n; ++i) y[i] = 1.0f / (1.0f + vector_exp(-x[i]));
      break;
  }
}

// ---- backward rows ---------------------------------------------------------------------------------------

void relu2_gate_grad(const float* gate, const float* up, const float* dy, int64_t n, float* dgate,
                     float* dup) {
  for (int64_t i = 0; i < n; ++i) {
    const float r = gate[i] > 0.0f ? gate[i] : 0.0f;
    dgate[i] = (r + r) * up[i] * dy[i];
    dup[i] = (r * r) * dy[i];
  }
}

void silu_gate_grad(const float* gate, const float* up, const float* dy, int64_t n, float* dgate,
                    float* dup) {
  for (int64_t i = 0; i < n; ++i) {
    const float s = 1.0f / (1.0f + vector_exp(-gate[i]));
    dgate[i] = s * BITNET_LOOPS_MULADD(gate[i], 1.0f - s, 1.0f) * up[i] * dy[i];
    dup[i] = gate[i] * s * dy[i];
  }
}

void gelu_gate_grad(const float* gate, const float* up, const float* dy, int64_t n, float* dgate,
                    float* dup) {
  for (int64_t i = 0; i < n; ++i) {
    const float square = gate[i] * gate[i];
    const float s =
        1.0f / (1.0f + vector_exp(-(gate[i] * BITNET_LOOPS_MULADD(square, kGeluCubic, kGeluLinear))));
    const float slope = BITNET_LOOPS_MULADD(square, 3.0f * kGeluCubic, kGeluLinear);
    dgate[i] = s * BITNET_LOOPS_MULADD(gate[i] * slope, 1.0f - s, 1.0f) * up[i] * dy[i];
    dup[i] = gate[i] * s * dy[i];
  }
}

void squared_relu_grad(const float* x, const float* dy, int64_t n, float* dx) {
  for (int64_t i = 0; i < n; ++i) {
    const float r = x[i] > 0.0f ? x[i] : 0.0f;
    dx[i] = (r + r) * dy[i];
  }
}

void adamw(float* param, const float* grad, float* m, float* v, int64_t n, const AdamWStep& step) {
  const float decay = step.decay, beta1 = step.beta1, beta2 = step.beta2, step_size = step.step_size;
  const float inverse_sqrt_bias = step.inverse_sqrt_bias, epsilon = step.epsilon,
              grad_scale = step.grad_scale;
  const float keep1 = step.keep1, keep2 = step.keep2;
  for (int64_t i = 0; i < n; ++i) {
    const float g = grad[i] * grad_scale;
    const float first = beta1 * m[i] + keep1 * g;
    const float second = beta2 * v[i] + keep2 * (g * g);
    m[i] = first;
    v[i] = second;
    param[i] = param[i] * decay - step_size * (first / (std::sqrt(second) * inverse_sqrt_bias + epsilon));
  }
}

#define BITNET_LOOPS_TABLE(name)                                                                        \
  {                                                                                                     \
    name, rms_norm_grad_row, relu2_gate_grad, silu_gate_grad, gelu_gate_grad, squared_relu_grad, adamw, \
        sum_squares, exp_affine, softmax_grad, exp_bf16, dot, sum, max, add_scaled, multiply_rows,      \
        scaled_abs_max, round_stochastic, binary, binary_scalar, unary                                  \
  }
