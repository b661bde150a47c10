// The scalar variant: the readable reference of every canonical operation order. Correct first; fast is the
// business of the other variants.
#include <cmath>
#include <cstring>

#include "core/canonical_math.h"
#include "core/float16.h"
#include "core/k_quants.h"
#include "core/row_panel.h"
#include "core/variants.h"

namespace bitnet {
namespace {

// ---- quantization ----------------------------------------------------------------------------------------

// Half to even: std::rint in the default rounding mode. The comparison sends NaN to the lower bound.
inline int8_t round_clip(float value, float low, float high) {
  const float rounded = std::rint(value);
  if (!(rounded >= low)) return static_cast<int8_t>(low);
  return static_cast<int8_t>(rounded > high ? high : rounded);
}

float abs_max_row(const float* x, int64_t cols) {
  float largest = 1e-5f;
  for (int64_t i = 0; i < cols; ++i) {
    const float magnitude = std::fabs(x[i]);
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}

void code_row(const float* x, int64_t cols, float inverse, float low, float high, int8_t* codes,
              int32_t* code_sum) {
  int32_t sum = 0;
  for (int64_t i = 0; i < cols; ++i) {
    codes[i] = round_clip(x[i] * inverse, low, high);
    sum += codes[i];
  }
  std::memset(codes + cols, 0, static_cast<size_t>(padded_cols(cols) - cols));
  *code_sum = sum;
}

void quantize_row(const float* x, int64_t cols, int8_t* codes, float* act_scale, int32_t* code_sum) {
  const float largest = abs_max_row(x, cols);
  code_row(x, cols, 127.0f / largest, -128.0f, 127.0f, codes, code_sum);
  *act_scale = largest / 127.0f;
}

double abs_sum_row(const float* w, int64_t cols) {
  double lanes[kLanes] = {};
  for (int64_t i = 0; i < cols; ++i) lanes[i % kLanes] += static_cast<double>(std::fabs(w[i]));
  return reduce_lanes(lanes);
}

void ternarize(const float* w, int64_t count, float inverse_scale, int8_t* ternary) {
  for (int64_t i = 0; i < count; ++i) ternary[i] = round_clip(w[i] * inverse_scale, -1.0f, 1.0f);
}

// ---- float rows ------------------------------------------------------------------------------------------

float rms_norm_row(const float* x, const float* gain, int64_t n, float eps, float* y) {
  float lanes[kLanes] = {};
  for (int64_t i = 0; i < round_up(n, kLanes); ++i) {
    const float value = i < n ? x[i] : 0.0f;
    lanes[i % kLanes] = std::fma(value, value, lanes[i % kLanes]);
  }
  const float r = 1.0f / std::sqrt(reduce_lanes(lanes) / static_cast<float>(n) + eps);
  for (int64_t i = 0; i < n; ++i) y[i] = gain[i] * (x[i] * r);
  return r;
}

void rope_row(float* x, int64_t heads, int64_t head_dim, const float* cosine, const float* sine) {
  const int64_t half = head_dim / 2;
  for (int64_t head = 0; head < heads; ++head) {
    float* low = x + head * head_dim;
    float* high = low + half;
    for (int64_t i = 0; i < half; ++i) {
      const float a = low[i], b = high[i];
      low[i] = std::fma(a, cosine[i], -(b * sine[i]));
      high[i] = std::fma(b, cosine[i], a * sine[i]);
    }
  }
}

void squared_relu(const float* x, int64_t n, float* y) {
  for (int64_t i = 0; i < n; ++i) {
    const float r = x[i] > 0.0f ? x[i] : 0.0f;
    y[i] = r * r;
  }
}

void hadamard_row(const float* x, int64_t n, float* y) {
  const int64_t block = hadamard_block(n);
  if (y != x) std::memcpy(y, x, static_cast<size_t>(n) * sizeof(float));
  for (int64_t h = 1; h < block; h *= 2) {
    for (int64_t i = 0; i < n; ++i) {
      if (i % block & h) continue;
      const float a = y[i], b = y[i + h];
      y[i] = a + b;
      y[i + h] = a - b;
    }
  }
  for (int64_t i = 0; i < n; ++i) y[i] *= hadamard_factor(block);
}

void relu2_gate(const float* gate, const float* up, int64_t n, float* y) {
  for (int64_t i = 0; i < n; ++i) {
    const float r = gate[i] > 0.0f ? gate[i] : 0.0f;
    y[i] = (r * r) * up[i];
  }
}

void silu_gate(const float* gate, const float* up, int64_t n, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = (gate[i] / (1.0f + canonical_exp(-gate[i]))) * up[i];
}

void gelu_gate(const float* gate, const float* up, int64_t n, float* y) {
  for (int64_t i = 0; i < n; ++i) {
    const float u = gate[i] * std::fma(gate[i] * gate[i], kGeluCubic, kGeluLinear);
    y[i] = (gate[i] / (1.0f + canonical_exp(-u))) * up[i];
  }
}

void add(const float* a, const float* b, int64_t n, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = a[i] + b[i];
}

// ---- attention -------------------------------------------------------------------------------------------

float max_of(const float* x, int64_t n) {
  float largest = x[0];
  for (int64_t i = 1; i < n; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

void attention(const float* q, int64_t q_stride, int64_t queries, int64_t first, const float* keys,
               const float* values, int64_t value_stride, int64_t head_dim, float scale, float* scratch,
               float* out, int64_t out_stride, float* log_sum) {
  for (int64_t i = 0; i < queries; ++i) {
    const float* query = q + i * q_stride;
    const int64_t visible = first + i + 1;
    float* scores = scratch;
    for (int64_t j = 0; j < visible; ++j) {
      const float* key = keys + (j / kLanes) * head_dim * kLanes + j % kLanes;
      float score = 0.0f;
      for (int64_t d = 0; d < head_dim; ++d) score = std::fma(query[d], key[d * kLanes], score);
      scores[j] = score * scale;
    }
    const float largest = max_of(scores, visible);
    float lanes[kLanes] = {};
    for (int64_t j = 0; j < visible; ++j) {
      scores[j] = canonical_exp(scores[j] - largest);
      lanes[j % kLanes] = lanes[j % kLanes] + scores[j];
    }
    const float sum = reduce_lanes(lanes);
    const float inverse = 1.0f / sum;
    for (int64_t d = 0; d < head_dim; ++d) {
      float total = 0.0f;
      for (int64_t j = 0; j < visible; ++j) total = std::fma(scores[j], values[j * value_stride + d], total);
      out[i * out_stride + d] = total * inverse;
    }
    if (log_sum) log_sum[i] = largest + canonical_log(sum);
  }
}

// ---- float products --------------------------------------------------------------------------------------

inline uint16_t load_u16(const uint8_t* bytes) {
  uint16_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

inline float k_quant_value(const uint8_t* row, RowType type, int64_t k) {
  RunScales runs;
  const int64_t i = k % kSuperBlock;
  if (type == RowType::q6_k) {
    const uint8_t* block = row + k / kSuperBlock * kQ6KBytes;
    q6_k_scales(block, &runs);
    return runs.scale[i / kScaleRun] * static_cast<float>(q6_k_code(block, i));
  }
  const bool five = type == RowType::q5_k;
  const uint8_t* block = row + k / kSuperBlock * (five ? kQ5KBytes : kQ4KBytes);
  q4_k_scales(block, &runs);
  const int code = five ? q5_k_code(block, i) : q4_k_code(block, i);
  return runs.scale[i / kScaleRun] * static_cast<float>(code) - runs.minimum[i / kScaleRun];
}

inline float stored_value(const void* row, RowType type, int64_t k) {
  const uint8_t* bytes = static_cast<const uint8_t*>(row);
  switch (type) {
    case RowType::f16:
      return f16_to_f32(load_u16(bytes + 2 * k));
    case RowType::bf16:
      return bf16_to_f32(load_u16(bytes + 2 * k));
    case RowType::q8_0: {
      const uint8_t* block = bytes + k / 32 * 34;
      return static_cast<float>(static_cast<int8_t>(block[2 + k % 32])) * f16_to_f32(load_u16(block));
    }
    case RowType::q2_0: {
      const uint8_t* block = bytes + k / 64 * 18;
      const int code = (block[2 + k % 64 / 4] >> (k % 4 * 2)) & 3;
      return static_cast<float>(code - 1) * f16_to_f32(load_u16(block));
    }
    case RowType::q4_0: {
      const uint8_t* block = bytes + k / 32 * 18;
      const int code = block[2 + k % 16] >> (k % 32 / 16 * 4) & 15;
      return static_cast<float>(code - 8) * f16_to_f32(load_u16(block));
    }
    case RowType::q6_k:
    case RowType::q5_k:
    case RowType::q4_k:
      return k_quant_value(bytes, type, k);
    default: {
      float value;
      std::memcpy(&value, bytes + 4 * k, sizeof value);
      return value;
    }
  }
}

void linear_rows(const void* w, RowType type, int64_t row_begin, int64_t row_end, int64_t cols,
                 const float* x, int64_t x_stride, int64_t tokens, float* y, int64_t y_stride) {
  for (int64_t n = row_begin; n < row_end; ++n) {
    const void* row = static_cast<const uint8_t*>(w) + n * row_bytes(type, cols);
    for (int64_t t = 0; t < tokens; ++t) {
      float lanes[kLanes] = {};
      for (int64_t k = 0; k < round_up(cols, kLanes); ++k) {
        const float a = k < cols ? x[t * x_stride + k] : 0.0f;
        const float b = k < cols ? stored_value(row, type, k) : 0.0f;
        lanes[k % kLanes] = std::fma(a, b, lanes[k % kLanes]);
      }
      y[t * y_stride + n] = reduce_lanes(lanes);
    }
  }
}

// Element k of a row.
inline float panel_value(const RowPanel& w, int64_t row, int64_t k) {
  return stored_value(w.unit(row, k / unit_cols(w.type)), w.type, k % unit_cols(w.type));
}

void panel_rows(const RowPanel& w, int64_t row_begin, int64_t row_end, const float* x, int64_t x_stride,
                int64_t tokens, float* y, int64_t y_stride) {
  for (int64_t n = row_begin; n < row_end; ++n) {
    for (int64_t t = 0; t < tokens; ++t) {
      float lanes[kLanes] = {};
      for (int64_t k = 0; k < round_up(w.cols, kLanes); ++k) {
        const float a = k < w.cols ? x[t * x_stride + k] : 0.0f;
        const float b = k < w.cols ? panel_value(w, n, k) : 0.0f;
        lanes[k % kLanes] = std::fma(a, b, lanes[k % kLanes]);
      }
      y[t * y_stride + n] = reduce_lanes(lanes);
    }
  }
}

void q8_rows(const RowPanel& w, int64_t row_begin, int64_t row_end, const int8_t* x, int64_t x_stride,
             const float* act_scale, int64_t tokens, float* y, int64_t y_stride) {
  for (int64_t n = row_begin; n < row_end; ++n) {
    for (int64_t t = 0; t < tokens; ++t) {
      float lanes[8] = {};
      for (int64_t block = 0; block < w.units(); ++block) {
        const uint8_t* stored = w.unit(n, block);
        const float d = f16_to_f32(load_u16(stored));
        const int8_t* q = reinterpret_cast<const int8_t*>(stored + 2);
        const int8_t* codes = x + t * x_stride + block * 32;
        for (int64_t j = 0; j < 8; ++j) {
          int32_t sum = 0;
          for (int64_t i = 4 * j; i < 4 * j + 4; ++i) sum += codes[i] * q[i];
          lanes[j] = std::fma(static_cast<float>(sum), d, lanes[j]);
        }
      }
      for (int64_t half = 4; half > 0; half /= 2) {
        for (int64_t j = 0; j < half; ++j) lanes[j] += lanes[j + half];
      }
      y[t * y_stride + n] = lanes[0] * act_scale[t];
    }
  }
}

void decode_row(const void* row, RowType type, int64_t cols, float* out) {
  for (int64_t k = 0; k < cols; ++k) out[k] = stored_value(row, type, k);
}

float log_sum_exp(const float* x, int64_t n) {
  const float largest = max_of(x, n);
  float lanes[kLanes] = {};
  for (int64_t i = 0; i < n; ++i) lanes[i % kLanes] = lanes[i % kLanes] + canonical_exp(x[i] - largest);
  return largest + canonical_log(reduce_lanes(lanes));
}

// ---- tile of gemm_f32 ------------------------------------------------------------------------------------

constexpr int64_t kTileRows = 4, kTileCols = 16;

void gemm_tile(int64_t depth, const float* a, int64_t a_row, int64_t a_step, const float* b, float* out,
               int64_t stride, bool accumulate) {
  float sums[kTileRows][kTileCols] = {};
  for (int64_t p = 0; p < depth; ++p) {
    for (int64_t r = 0; r < kTileRows; ++r) {
      for (int64_t c = 0; c < kTileCols; ++c) {
        sums[r][c] = std::fma(a[r * a_row + p * a_step], b[p * kTileCols + c], sums[r][c]);
      }
    }
  }
  for (int64_t r = 0; r < kTileRows; ++r) {
    for (int64_t c = 0; c < kTileCols; ++c) {
      float& target = out[r * stride + c];
      target = accumulate ? target + sums[r][c] : sums[r][c];
    }
  }
}

}  // namespace

namespace {

const Kernels& scalar_kernels() {
  static const Kernels kernels = [] {
    Kernels k{};
    k.name = "scalar";
    k.quantize_row = quantize_row;
    k.abs_max_row = abs_max_row;
    k.code_row = code_row;
    k.abs_sum_row = abs_sum_row;
    k.ternarize = ternarize;
    k.ternary_gemm = ternary_gemm_scalar;
    k.rms_norm_row = rms_norm_row;
    k.rope_row = rope_row;
    k.relu2_gate = relu2_gate;
    k.silu_gate = silu_gate;
    k.gelu_gate = gelu_gate;
    k.squared_relu = squared_relu;
    k.hadamard_row = hadamard_row;
    k.add = add;
    k.attention = attention;
    k.linear_rows = linear_rows;
    k.panel_rows = panel_rows;
    k.q8_rows = q8_rows;
    k.int8_rows = int8_rows_scalar;
    k.decode_row = decode_row;
    k.log_sum_exp = log_sum_exp;
    k.gemm_tile = {kTileRows, kTileCols, gemm_tile};
    k.int8_tile = &kScalarInt8Tile;
    return k;
  }();
  return kernels;
}

[[maybe_unused]] const bool registered = register_variant(
    {"scalar", kScalarRank, [](const CpuFeatures&) { return true; }, &scalar_kernels, nullptr});

}  // namespace

}  // namespace bitnet
