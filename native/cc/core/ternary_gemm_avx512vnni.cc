// ternary_gemm for AVX-512 with VNNI.
//
// VPDPBUSD adds 4 products of unsigned codes and signed activations to each of 16 rows, exactly. A tile is 16
// rows times up to 24 tokens: 24 accumulators; codes are unpacked in a register while the multiplier is busy,
// and activations are broadcast from memory, packed [4 columns][token][4] so that one pointer reaches them
// all. Sums of earlier blocks of columns wait in y itself as 32-bit integers.
#include "core/variants.h"

#if defined(BITNET_X86)

#include <cstring>

#include "core/avx512_intrinsics.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")

namespace bitnet {
namespace {

constexpr int kTileTokens = 24;
constexpr int64_t kStepCols = 4;
constexpr int64_t kChunkCols = 1024;  // 24 KB of packed activations

BITNET_INLINE __m512i broadcast_columns(const int8_t* x) {
  int32_t four;
  std::memcpy(&four, x, sizeof four);
  return _mm512_set1_epi32(four);
}

BITNET_INLINE __m512i step_codes(__m512i packed, int step) {
  const __m512i shifted = _mm512_srli_epi16(packed, static_cast<unsigned>(2 * step));
  return _mm512_and_si512(shifted, _mm512_set1_epi8(3));
}

// Sums of one group over `blocks` blocks of 16 columns for Tokens tokens. x: column steps x_step bytes apart,
// tokens x_token bytes apart.
template <int Tokens>
BITNET_INLINE void multiply_blocks(const uint8_t* packed, int64_t blocks, const int8_t* x, int64_t x_step,
                                   int64_t x_token, __m512i (&sums)[Tokens]) {
  for (int64_t block = 0; block < blocks; ++block) {
    const __m512i v = _mm512_loadu_si512(packed + block * kPanelBlockBytes);
    BITNET_UNROLL
    for (int step = 0; step < 4; ++step) {
      const __m512i codes = step_codes(v, step);
      BITNET_UNROLL
      for (int t = 0; t < Tokens; ++t) {
        sums[t] = _mm512_dpbusd_epi32(sums[t], codes, broadcast_columns(x + t * x_token));
        BITNET_PIN(sums[t]);
      }
      x += x_step;
    }
  }
}

struct Outputs {
  const float* act_scale;
  const int32_t* code_sum;
  float weight_scale;
  float* y;  // of the first token and row of the tile
  int64_t y_stride;
};

// y[r] = float(sum - code_sum) * scale.
BITNET_INLINE void store_outputs(__m512i sums, const Outputs& out, int64_t t, __mmask16 rows) {
  const __m512 exact = _mm512_cvtepi32_ps(_mm512_sub_epi32(sums, _mm512_set1_epi32(out.code_sum[t])));
  const __m512 scale = _mm512_set1_ps(out.act_scale[t] * out.weight_scale);
  _mm512_mask_storeu_ps(out.y + t * out.y_stride, rows, _mm512_mul_ps(exact, scale));
}

// One group and one block of columns of Tokens packed tokens. `first`, `last`: of the blocks of columns.
template <int Tokens>
void multiply_group(const uint8_t* packed, int64_t blocks, const int8_t* x, const Outputs& out,
                    __mmask16 rows, bool first, bool last) {
  __m512i sums[Tokens];
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    sums[t] = first ? _mm512_setzero_si512() : _mm512_maskz_loadu_epi32(rows, out.y + t * out.y_stride);
  }
  multiply_blocks<Tokens>(packed, blocks, x, Tokens * kStepCols, kStepCols, sums);
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    if (last) {
      store_outputs(sums[t], out, t, rows);
    } else {
      _mm512_mask_storeu_epi32(out.y + t * out.y_stride, rows, sums[t]);
    }
  }
}

__mmask16 rows_of_group(const TernaryPanel& w, int64_t group) {
  const int64_t left = w.rows - group * kPanelRows;
  return static_cast<__mmask16>(left >= kPanelRows ? 0xffffu : (1u << left) - 1u);
}

// All groups times Tokens tokens.
template <int Tokens>
void multiply_tokens(const TernaryPanel& w, int64_t group_begin, int64_t group_end, const int8_t* x,
                     int64_t x_stride, Outputs out) {
  alignas(64) int8_t columns[kChunkCols * Tokens];
  const int64_t cols = padded_cols(w.cols);
  float* const y = out.y;
  for (int64_t k = 0; k < cols; k += kChunkCols) {
    const int64_t chunk = cols - k < kChunkCols ? cols - k : kChunkCols;
    for (int t = 0; t < Tokens; ++t) {
      for (int64_t c = 0; c < chunk; c += kStepCols) {
        std::memcpy(columns + c * Tokens + t * kStepCols, x + t * x_stride + k + c, kStepCols);
      }
    }
    for (int64_t group = group_begin; group < group_end; ++group) {
      const uint8_t* packed = w.codes + group * panel_group_bytes(w.cols) + k / kPanelCols * kPanelBlockBytes;
      out.y = y + group * kPanelRows;
      multiply_group<Tokens>(packed, chunk / kPanelCols, columns, out, rows_of_group(w, group), k == 0,
                             k + chunk == cols);
    }
  }
}

// One token: four chains, one per step of a block, hide the latency.
void multiply_vector(const TernaryPanel& w, int64_t group_begin, int64_t group_end, const int8_t* x,
                     Outputs out) {
  const int64_t blocks = padded_cols(w.cols) / kPanelCols;
  float* const y = out.y;
  for (int64_t group = group_begin; group < group_end; ++group) {
    const uint8_t* packed = w.codes + group * panel_group_bytes(w.cols);
    __m512i sums[4];
    BITNET_UNROLL
    for (int s = 0; s < 4; ++s) sums[s] = _mm512_setzero_si512();
    for (int64_t block = 0; block < blocks; ++block) {
      BITNET_PREFETCH_STREAM(packed + block * kPanelBlockBytes);
      const __m512i v = _mm512_loadu_si512(packed + block * kPanelBlockBytes);
      BITNET_UNROLL
      for (int s = 0; s < 4; ++s) {
        const int8_t* columns = x + block * kPanelCols + s * kStepCols;
        sums[s] = _mm512_dpbusd_epi32(sums[s], step_codes(v, s), broadcast_columns(columns));
        BITNET_PIN(sums[s]);
      }
    }
    const __m512i total =
        _mm512_add_epi32(_mm512_add_epi32(sums[0], sums[1]), _mm512_add_epi32(sums[2], sums[3]));
    out.y = y + group * kPanelRows;
    store_outputs(total, out, 0, rows_of_group(w, group));
  }
}

}  // namespace

void ternary_gemm_avx512vnni(const TernaryPanel& w, int64_t group_begin, int64_t group_end,
                             const CodeRows& codes_of_x, float* y, int64_t y_stride) {
  const auto& [x, x_stride, act_scale, code_sum, tokens, packed_x] = codes_of_x;
  static_cast<void>(packed_x);
  int64_t t = 0;
  const auto tile = [&] {
    return Outputs{act_scale + t, code_sum + t, w.weight_scale, y + t * y_stride, y_stride};
  };
  for (; t + kTileTokens <= tokens; t += kTileTokens) {
    multiply_tokens<kTileTokens>(w, group_begin, group_end, x + t * x_stride, x_stride, tile());
  }
  for (; t + 8 <= tokens; t += 8) {
    multiply_tokens<8>(w, group_begin, group_end, x + t * x_stride, x_stride, tile());
  }
  for (; t + 2 <= tokens; t += 2) {
    multiply_tokens<2>(w, group_begin, group_end, x + t * x_stride, x_stride, tile());
  }
  if (t < tokens) multiply_vector(w, group_begin, group_end, x + t * x_stride, tile());
}

}  // namespace bitnet

BITNET_TARGET_END

#endif
