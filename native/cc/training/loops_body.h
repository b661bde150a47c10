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

// ---- elementary functions
// -----------------------------------------------------------------------------------

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

// Stochastic rounding; see loops.h. `uniform` in [0, 1). Floor by truncation, which vectorizes everywhere.
inline int32_t stochastic_code(float value, float uniform) {
  const float limited = value < -127.0f ? -127.0f : (value > 127.0f ? 127.0f : value);
  const float shifted = limited + uniform;
  const int32_t truncated = static_cast<int32_t>(shifted);
  return truncated - (static_cast<float>(truncated) > shifted ? 1 : 0);
}

// A hash of (key, index): Chris Wellons' 32-bit mixer lowbias32 (public domain).
inline uint32_t mix(uint32_t key, uint32_t index) {
  uint32_t h = key ^ (index * 0x9e3779b1u);
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) * 0x846ca68bu;
  return h ^ (h >> 16);
}

// 16 bits of a hash to [0, 1).
inline float unit_interval(uint32_t bits) {
  return static_cast<float>(static_cast<int32_t>(bits)) * 0x1p-16f;
}

// ---- reductions
// ---------------------------------------------------------------------------------------------

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

// ---- elementwise
// --------------------------------------------------------------------------------------------

void exp_affine(const float* x, int64_t n, float scale, float offset, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = vector_exp(BITNET_LOOPS_MULADD(x[i], scale, offset));
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

// ---- backward operands
// --------------------------------------------------------------------------------------

float scaled_abs_max(const float* BITNET_RESTRICT x, const float* BITNET_RESTRICT factor, float row_factor,
                     int64_t n, float* BITNET_RESTRICT columns) {
  float lanes[kWidth] = {};
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    for (int l = 0; l < kWidth; ++l) {
      lanes[l] = larger(lanes[l], std::fabs(x[i + l] * factor[i + l]));
      columns[i + l] = larger(columns[i + l], std::fabs(x[i + l] * row_factor));
    }
  }
  float largest = 0.0f;
  for (int l = 0; l < kWidth; ++l) largest = larger(largest, lanes[l]);
  for (; i < n; ++i) {
    largest = larger(largest, std::fabs(x[i] * factor[i]));
    columns[i] = larger(columns[i], std::fabs(x[i] * row_factor));
  }
  return largest;
}

// Restricted pointers: a store of bytes could otherwise change anything that is read.
int32_t round_stochastic(const float* BITNET_RESTRICT x, int64_t n, const float* BITNET_RESTRICT token_factor,
                         float token_inverse, const float* BITNET_RESTRICT column_factor, float row_factor,
                         uint32_t key, uint32_t first, int8_t* BITNET_RESTRICT token_codes,
                         int8_t* BITNET_RESTRICT column_codes) {
  int32_t total = 0;
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t h = mix(key, first + static_cast<uint32_t>(i));
    const int32_t code = stochastic_code((x[i] * token_factor[i]) * token_inverse, unit_interval(h >> 16));
    token_codes[i] = static_cast<int8_t>(code);
    total += code;
    column_codes[i] = static_cast<int8_t>(
        stochastic_code((x[i] * column_factor[i]) * row_factor, unit_interval(h & 0xffffu)));
  }
  return total;
}

// ---- backward rows
// ------------------------------------------------------------------------------------------

inline void rms_norm_grad_step(const float* x, const float* gain, const float* dy, float* squares,
                               float* products) {
  dot_step(x, x, squares);
  BITNET_UNROLL
  for (int l = 0; l < kWidth; ++l) products[l] = BITNET_LOOPS_MULADD(gain[l] * dy[l], x[l], products[l]);
}

void rms_norm_grad_row(const float* x, const float* gain, const float* dy, int64_t n, float eps, float* dx,
                       float* dgain) {
  float squares[kWidth] = {}, products[kWidth] = {};
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) rms_norm_grad_step(x + i, gain + i, dy + i, squares, products);
  if (i < n) {
    rms_norm_grad_step(LastLanes(x + i, n - i).values, LastLanes(gain + i, n - i).values,
                       LastLanes(dy + i, n - i).values, squares, products);
  }
  const float inverse_n = 1.0f / static_cast<float>(n);
  const float r = 1.0f / std::sqrt(fold_lanes(squares) * inverse_n + eps);
  const float along_x = -(r * r * r * inverse_n * fold_lanes(products));
  for (i = 0; i < n; ++i) {
    dx[i] = BITNET_LOOPS_MULADD(x[i], along_x, r * (gain[i] * dy[i]));
    dgain[i] = BITNET_LOOPS_MULADD(dy[i], x[i] * r, dgain[i]);
  }
}

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

#define BITNET_LOOPS_TABLE(name)                                                                            \
  {                                                                                                         \
    name, rms_norm_grad_row, relu2_gate_grad, silu_gate_grad, adamw, sum_squares, exp_affine, softmax_grad, \
        dot, sum, max, add_scaled, multiply_rows, scaled_abs_max, round_stochastic, binary, binary_scalar,  \
        unary                                                                                               \
  }
