// Absmean ternary quantization of one latent weight matrix, as the training forward uses it.
//
//   weight_scale = max(mean |W|, 1e-5)      mean in float64: abs_sum_row of the rows, added in order
//   codes        = clip(rint(W * (1 / weight_scale)), -1, 1)
//   multiplier   = weight_scale rounded to scale_dtype: what the product is multiplied by
#pragma once

#include <cstdint>

namespace bitnet {

// The type that the multiplying weight_scale is rounded to.
enum class ScaleDtype : int { f32 = 0, f16 = 1, bf16 = 2 };

struct WeightScale {
  float inverse;     // makes the codes
  float multiplier;  // multiplies
};

// Not-a-number weights give a not-a-number scale, so that a diverged run shows in the loss.
WeightScale weight_scale(const float* w, int64_t rows, int64_t cols, ScaleDtype dtype);

// out[i] = multiplier * code[i], row-major: the weights that the forward product effectively used.
void dequantized_weights(const float* w, int64_t rows, int64_t cols, const WeightScale& scale, float* out);

// codes [rows][cols] as int32, for metrics, export verification and tests. Returns the scale used.
WeightScale ternary_codes(const float* w, int64_t rows, int64_t cols, ScaleDtype dtype, int32_t* codes);

}  // namespace bitnet
