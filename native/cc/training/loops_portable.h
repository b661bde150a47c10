// The loops of lane_products.h and lane_loops.h without vector types, for the baseline: the compiler
// vectorizes what it can. Included inside an anonymous namespace, after loops_body.h.

void multiply_rows(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_row, int64_t a_step,
                   const float* b, int64_t b_stride, int64_t b_block, bool accumulate, float* c,
                   int64_t c_stride) {
  constexpr int kBlock = 16;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; j += kBlock) {
      float* out = c + i * c_stride + j;
      float sums[kBlock];
      for (int l = 0; l < kBlock; ++l) sums[l] = accumulate ? out[l] : 0.0f;
      for (int64_t p = 0; p < k; ++p) {
        const float left = a[i * a_row + p * a_step];
        const float* right = b + p * b_stride + j / kBlock * b_block;
        for (int l = 0; l < kBlock; ++l) sums[l] += left * right[l];
      }
      for (int l = 0; l < kBlock; ++l) out[l] = sums[l];
    }
  }
}

void rms_norm_grad_row(const float* x, const float* gain, const float* dy, int64_t n, float eps, float* dx,
                       float* dgain) {
  float squares[kWidth] = {}, products[kWidth] = {};
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    for (int l = 0; l < kWidth; ++l) squares[l] = BITNET_LOOPS_MULADD(x[i + l], x[i + l], squares[l]);
    for (int l = 0; l < kWidth; ++l) {
      products[l] = BITNET_LOOPS_MULADD(gain[i + l] * dy[i + l], x[i + l], products[l]);
    }
  }
  for (int l = 0; i + l < n; ++l) {
    squares[l] = BITNET_LOOPS_MULADD(x[i + l], x[i + l], squares[l]);
    products[l] = BITNET_LOOPS_MULADD(gain[i + l] * dy[i + l], x[i + l], products[l]);
  }
  const float inverse_n = 1.0f / static_cast<float>(n);
  const float r = 1.0f / std::sqrt(fold_lanes(squares) * inverse_n + eps);
  const float along_x = -(r * r * r * inverse_n * fold_lanes(products));
  for (i = 0; i < n; ++i) {
    dx[i] = BITNET_LOOPS_MULADD(x[i], along_x, r * (gain[i] * dy[i]));
    dgain[i] = BITNET_LOOPS_MULADD(dy[i], x[i] * r, dgain[i]);
  }
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

float abs_max_row(const float* BITNET_RESTRICT x, const float* BITNET_RESTRICT factor, float row_factor,
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

void scaled_abs_max(const float* x, int64_t tokens, int64_t n, const float* factor, const float* row_factor,
                    float* row_max, float* columns) {
  for (int64_t t = 0; t < tokens; ++t) row_max[t] = abs_max_row(x + t * n, factor, row_factor[t], n, columns);
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
