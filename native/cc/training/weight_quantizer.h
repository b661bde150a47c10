// The weights of a product, and the absmean quantizers that have a kernel. Latent weights W [rows][cols]
// become
//
//   weight_scale = max(mean |W|, 1e-5)      of the matrix, of each row, or of each span of a row; mean in
//                                           float64: abs_sum_row of the rows or spans, for the matrix added
//                                           in order
//   ternary      = clip(rint(W * (1 / weight_scale)), -1, 1)
//   multiplier   = weight_scale rounded to scale_dtype: what the product is multiplied by
//
// Ternary values and multipliers that something else made can be given instead.
#pragma once

#include <cstdint>

namespace bitnet {

// What a product multiplies.
enum class WeightSource : int {
  values = 0,            // the floats as they are
  absmean_tensor = 1,    // ternary values of latent weights, one scale per matrix
  absmean_row = 2,       // the same, one scale per row
  codes = 3,             // given ternary values and scales
  absmean_group_64 = 4,  // latent weights, one scale per span of so many neighbours of a row
  absmean_group_128 = 5,
  absmean_group_256 = 6,
};

// The type that the multiplying weight_scale is rounded to.
enum class ScaleDtype : int { f32 = 0, f16 = 1, bf16 = 2 };

// One matrix, row-major.
struct LinearWeight {
  const float* data;  // [rows][cols] latent weights, or the values; not read where ternary values are given
  int64_t rows;       // out features
  // WeightSource::codes only: [rows][cols] of -1, 0, 1, and what multiplies them, one, one per row, or one per
  // span of span_cols neighbours of a row.
  const int32_t* ternary = nullptr;
  const float* multiplier = nullptr;
  bool scale_per_row = false;
  int64_t span_cols = 0;
};

// A view of the scales of one matrix: one of each, one per row, or [rows][spans].
struct WeightScales {
  const float* inverse;  // 1 / weight_scale, which makes the ternary values; null where they are given
  const float* multiplier;
  bool per_row;
  int64_t span_cols;  // 0: no spans

  float multiplier_of(int64_t row) const { return multiplier[per_row ? row : 0]; }
};

// Neighbours of a row that share a scale; 0 where a row or the matrix does.
int64_t span_cols_of(const LinearWeight& weight, WeightSource source);
// Scales of a matrix of `cols` columns, where they are made here.
int64_t weight_scale_count(const LinearWeight& weight, int64_t cols, WeightSource source);
// Floats of the scales that a matrix needs memory for: none where they are given.
int64_t weight_scale_floats(const LinearWeight& weight, int64_t cols, WeightSource source);
// Computes the scales of a matrix into `memory`. Not-a-number weights give a not-a-number scale, so that a
// diverged run shows in the loss.
WeightScales weight_scales(const LinearWeight& weight, int64_t cols, WeightSource source, ScaleDtype dtype,
                           float* memory);
// The scales that weight_scales wrote to `memory`.
WeightScales kept_weight_scales(const LinearWeight& weight, int64_t cols, WeightSource source,
                                const float* memory);

// The ternary values of rows [begin, end), on this thread. out: [end - begin][cols].
void ternary_rows(const LinearWeight& weight, int64_t cols, const WeightScales& scales, int64_t begin,
                  int64_t end, int8_t* out);

// out[i] = multiplier * ternary[i], row-major: the weights that the forward product effectively used.
void dequantized_weights(const LinearWeight& weight, int64_t cols, const WeightScales& scales, float* out);

// Whether all of `count` values are -1, 0 or 1.
bool all_ternary(const int32_t* values, int64_t count);

// Ternary values [rows][cols] of an absmean source as int32, and its weight_scale_count multipliers, for metrics,
// export verification and tests.
void ternary_codes(const LinearWeight& weight, int64_t cols, WeightSource source, ScaleDtype dtype,
                   int32_t* ternary, float* multiplier);

}  // namespace bitnet
