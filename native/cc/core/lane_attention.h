// Causal attention on 16 lanes: one body for every ISA. Include inside a target region, after lanes.h.
//
// Queries go in tiles of up to kOuterRows rows that share every load of a key block and of a value row. The
// scores of one tile are kept in the first rows of `scratch`.
#pragma once

#include "core/lane_outer.h"
#include "core/lane_rows.h"

namespace bitnet {
namespace {

// Independent chains that hide the latency of fma when there is one query.
constexpr int kSingleQueryBlocks = 4;

struct AttentionShape {
  const float* keys;
  const float* values;
  int64_t q_stride, value_stride, head_dim, out_stride;
  int64_t score_stride;  // of scratch
  float scale;
};

// Scores of Rows queries against Blocks blocks of 16 keys, scaled.
template <int Rows, int Blocks>
BITNET_INLINE void score_blocks(const AttentionShape& shape, const float* q, int64_t block, float* scores) {
  const int64_t block_floats = shape.head_dim * kLanes;
  Lanes sums[Rows][Blocks];
  clear(sums);
  accumulate_outer(sums, shape.head_dim, q, shape.q_stride, 1, shape.keys + block * block_floats, kLanes,
                   block_floats);
  const Lanes scale = broadcast(shape.scale);
  BITNET_UNROLL
  for (int r = 0; r < Rows; ++r) {
    BITNET_UNROLL
    for (int c = 0; c < Blocks; ++c) {
      store(scores + r * shape.score_stride + (block + c) * kLanes, mul(sums[r][c], scale));
    }
  }
}

// Replaces the scores of n visible keys by exp(score - maximum). Returns the sum, sets *largest.
BITNET_INLINE float exponentials(float* scores, int64_t n, float* largest) {
  *largest = max_of(scores, n);
  const Lanes shift = broadcast(*largest), nothing = broadcast(0.0f);
  Lanes total = nothing;
  for (int64_t j = 0; j < n; j += kLanes) {
    Lanes e = exp(sub(load(scores + j), shift));
    // Sums of exponentials are never -0, so adding 0 for a masked key is the same as skipping it.
    if (n - j < kLanes) e = select_first(n - j, e, nothing);
    store(scores + j, e);
    total = add(total, e);
  }
  return sum(total);
}

// Output columns [d, d + 16 * Blocks) of Rows queries; row r sees keys 0 .. common + r - 1.
template <int Rows, int Blocks>
BITNET_INLINE void weigh_values(const AttentionShape& shape, const float* weights, int64_t common, int64_t d,
                                const float* inverse, float* out) {
  const float* values = shape.values + d;
  Lanes sums[Rows][Blocks];
  clear(sums);
  accumulate_outer(sums, common, weights, shape.score_stride, 1, values, shape.value_stride, kLanes);
  BITNET_UNROLL
  for (int r = 0; r < Rows; ++r) {
    BITNET_UNROLL
    for (int c = 0; c < Blocks; ++c) {
      Lanes total = sums[r][c];
      for (int64_t j = common; j < common + r; ++j) {
        const Lanes weight = broadcast(weights[r * shape.score_stride + j]);
        total = fma(weight, load(values + j * shape.value_stride + c * kLanes), total);
      }
      total = mul(total, broadcast(inverse[r]));
      float* target = out + r * shape.out_stride + d + c * kLanes;
      const int64_t columns = shape.head_dim - d - c * kLanes;
      if (columns >= kLanes) {
        store(target, total);
      } else {
        store_first(target, total, columns);
      }
    }
  }
}

// Rows consecutive queries, the first of which sees `common` keys.
template <int Rows>
void attend(const AttentionShape& shape, const float* q, int64_t common, float* scores, float* out,
            float* log_sum) {
  const int64_t blocks = (common + Rows - 1 + kLanes - 1) / kLanes;
  int64_t block = 0;
  if (Rows == 1) {
    for (; block + kSingleQueryBlocks <= blocks; block += kSingleQueryBlocks) {
      score_blocks<Rows, Rows == 1 ? kSingleQueryBlocks : 1>(shape, q, block, scores);
    }
  }
  for (; block < blocks; ++block) score_blocks<Rows, 1>(shape, q, block, scores);

  float inverse[Rows];
  for (int r = 0; r < Rows; ++r) {
    float largest;
    const float total = exponentials(scores + r * shape.score_stride, common + r, &largest);
    inverse[r] = 1.0f / total;
    if (log_sum) log_sum[r] = largest + canonical_log(total);
  }

  int64_t d = 0;
  if (Rows == 1) {
    for (; d + kSingleQueryBlocks * kLanes <= shape.head_dim; d += kSingleQueryBlocks * kLanes) {
      weigh_values<Rows, Rows == 1 ? kSingleQueryBlocks : 1>(shape, scores, common, d, inverse, out);
    }
  }
  for (; d < shape.head_dim; d += kLanes) weigh_values<Rows, 1>(shape, scores, common, d, inverse, out);
}

// The tile for a number of queries known at run time, 1 .. Rows.
template <int Rows>
struct AttendTile {
  static void run(int64_t rows, const AttentionShape& shape, const float* q, int64_t common, float* scores,
                  float* out, float* log_sum) {
    if (rows == Rows) return attend<Rows>(shape, q, common, scores, out, log_sum);
    AttendTile<Rows - 1>::run(rows, shape, q, common, scores, out, log_sum);
  }
};
template <>
struct AttendTile<0> {
  static void run(int64_t, const AttentionShape&, const float*, int64_t, float*, float*, float*) {}
};

void attention(const float* q, int64_t q_stride, int64_t queries, int64_t first, const float* keys,
               const float* values, int64_t value_stride, int64_t head_dim, float scale, float* scratch,
               float* out, int64_t out_stride, float* log_sum) {
  const AttentionShape shape = {
      keys, values, q_stride, value_stride, head_dim, out_stride, round_up(first + queries, kLanes), scale};
  for (int64_t i = 0; i < queries; i += kOuterRows) {
    const int64_t rows = queries - i < kOuterRows ? queries - i : kOuterRows;
    AttendTile<kOuterRows>::run(rows, shape, q + i * q_stride, first + i + 1, scratch, out + i * out_stride,
                                log_sum ? log_sum + i : nullptr);
  }
}

}  // namespace
}  // namespace bitnet
