// ternary_gemm for AMX: 16 tokens by 64 columns times 64 columns by 16 rows in one instruction.
//
// The packed layout of the weights is the one that TDPBSUD wants, two bits a code: unpacked to bytes, 64
// columns of a group of 16 rows are a tile [16 steps of 4 columns][16 rows][4]. Tokens are packed as tiles
// too:
//
//   packed tokens   [tile of 16 tokens][column / 64][token][64]
//
// Two tiles of tokens meet two groups: four sums, each operand loaded once for two products. A chunk of
// columns of unpacked codes stays in the first-level cache while all tokens pass by. A few tokens go to the
// AVX-512 stream, which is as fast as memory.
//
// Spans: 64 columns are one instruction. Codes are unpacked to -1, 0, 1, so that sums need no correction; those
// of a span are stored, converted and added to totals of 16 tokens in registers, while the next ones multiply.
#include "core/amx_intrinsics.h"

#if defined(BITNET_X86) && BITNET_AMX

BITNET_TARGET_BEGIN("amx-tile,amx-int8,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")

namespace bitnet {
namespace {

constexpr int64_t kChunkCols = 1024;  // 32 KB of codes of two groups
constexpr int64_t kGroupBytes = kChunkCols * kPanelRows;
constexpr int64_t kMostTiles = kMaxPackedTokens / kTileRows;
constexpr int64_t kFewTokens = 8;

void pack_tile(const int8_t* codes, int64_t stride, int64_t tokens, int64_t cols, int64_t tile,
               uint8_t* packed) {
  const int64_t width = padded_cols(cols), first = tile * kTileRows;
  uint8_t* out = packed + first * width;
  for (int64_t k = 0; k < width; k += kTileRowBytes, out += kTileBytes) {
    for (int64_t t = 0; t < kTileRows; ++t) {
      const __m512i row =
          first + t < tokens ? _mm512_loadu_si512(codes + (first + t) * stride + k) : _mm512_setzero_si512();
      _mm512_store_si512(out + t * kTileRowBytes, row);
    }
  }
}

// Packed blocks of one group to tiles, `zero` taken off each code.
void unpack_group(const uint8_t* packed, int64_t blocks, int zero, uint8_t* out) {
  const __m512i mask = _mm512_set1_epi8(3), offset = _mm512_set1_epi8(static_cast<char>(zero));
  for (int64_t block = 0; block < blocks; ++block, packed += kPanelBlockBytes, out += 4 * kTileRowBytes) {
    const __m512i v = _mm512_loadu_si512(packed);
    const __m512i steps[4] = {v, _mm512_srli_epi16(v, 2), _mm512_srli_epi16(v, 4), _mm512_srli_epi16(v, 6)};
    BITNET_UNROLL
    for (int s = 0; s < 4; ++s) {
      _mm512_store_si512(out + 64 * s, _mm512_sub_epi8(_mm512_and_si512(steps[s], mask), offset));
    }
  }
}

// Sums of one or two tiles of tokens (x tiles `x_step` bytes apart) and one or two groups, over one chunk.
// Tiles: 0 .. 3 sums [tokens][group], 4 and 5 tokens, 6 and 7 codes.
template <bool TwoTokens, bool TwoGroups>
BITNET_INLINE void multiply_chunk(const uint8_t* x, int64_t x_step, const uint8_t* codes, int64_t cols,
                                  bool first, int32_t* sums) {
  constexpr int64_t kSums = kTileRows * kPanelRows;
  if (first) {
    _tile_zero(0);
    if (TwoGroups) _tile_zero(1);
    if (TwoTokens) _tile_zero(2);
    if (TwoTokens && TwoGroups) _tile_zero(3);
  } else {
    _tile_loadd(0, sums, kTileRowBytes);
    if (TwoGroups) _tile_loadd(1, sums + kSums, kTileRowBytes);
    if (TwoTokens) _tile_loadd(2, sums + 2 * kSums, kTileRowBytes);
    if (TwoTokens && TwoGroups) _tile_loadd(3, sums + 3 * kSums, kTileRowBytes);
  }
  for (int64_t k = 0; k < cols; k += kTileRowBytes, x += kTileBytes, codes += kTileBytes) {
    _tile_loadd(6, codes, kTileRowBytes);
    _tile_loadd(4, x, kTileRowBytes);
    _tile_dpbsud(0, 4, 6);
    if (TwoTokens) {
      _tile_loadd(5, x + x_step, kTileRowBytes);
      _tile_dpbsud(2, 5, 6);
    }
    if (TwoGroups) {
      _tile_loadd(7, codes + kGroupBytes, kTileRowBytes);
      _tile_dpbsud(1, 4, 7);
      if (TwoTokens) _tile_dpbsud(3, 5, 7);
    }
  }
  _tile_stored(0, sums, kTileRowBytes);
  if (TwoGroups) _tile_stored(1, sums + kSums, kTileRowBytes);
  if (TwoTokens) _tile_stored(2, sums + 2 * kSums, kTileRowBytes);
  if (TwoTokens && TwoGroups) _tile_stored(3, sums + 3 * kSums, kTileRowBytes);
}

// y[t][r] = float(sums[t][r] - code_sum[t]) * (act_scale[t] * weight_scale[r]) of one tile.
BITNET_INLINE void store_outputs(const int32_t* sums, const TernaryPanel& w, int64_t group, const CodeRows& x,
                                 int64_t token, float* y, int64_t y_stride) {
  const int64_t rows = w.rows - group * kPanelRows, tokens = x.tokens - token;
  const __mmask16 mask = static_cast<__mmask16>(rows >= kPanelRows ? 0xffffu : (1u << rows) - 1u);
  const __m512 scales = _mm512_loadu_ps(w.group_scales(group));
  y += token * y_stride + group * kPanelRows;
  for (int64_t t = 0; t < kTileRows && t < tokens; ++t, y += y_stride) {
    const __m512i exact =
        _mm512_sub_epi32(_mm512_load_si512(sums + t * kPanelRows), _mm512_set1_epi32(x.code_sum[token + t]));
    const __m512 scale = _mm512_mul_ps(_mm512_set1_ps(x.act_scale[token + t]), scales);
    _mm512_mask_storeu_ps(y, mask, _mm512_mul_ps(_mm512_cvtepi32_ps(exact), scale));
  }
}

// One or two groups times all tokens.
template <bool TwoGroups>
void multiply_groups(const TernaryPanel& w, int64_t group, const CodeRows& x, float* y, int64_t y_stride) {
  alignas(64) uint8_t codes[2 * kGroupBytes];
  alignas(64) int32_t sums[kMostTiles * 2 * kTileRows * kPanelRows];
  const int64_t cols = padded_cols(w.cols), tiles = (x.tokens + kTileRows - 1) / kTileRows;
  const int64_t tile_step = kTileRows * cols;
  for (int64_t k = 0; k < cols; k += kChunkCols) {
    const int64_t chunk = cols - k < kChunkCols ? cols - k : kChunkCols;
    for (int64_t g = 0; g < 1 + TwoGroups; ++g) {
      unpack_group(w.codes + (group + g) * panel_group_bytes(w.cols) + k / kPanelCols * kPanelBlockBytes,
                   chunk / kPanelCols, 0, codes + g * kGroupBytes);
    }
    for (int64_t tile = 0; tile < tiles; tile += 2) {
      const uint8_t* tokens = x.packed + tile * tile_step + k * kTileRows;
      int32_t* tile_sums = sums + tile * 2 * kTileRows * kPanelRows;
      BITNET_TILE_FENCE();
      if (tile + 1 < tiles) {
        multiply_chunk<true, TwoGroups>(tokens, tile_step, codes, chunk, k == 0, tile_sums);
      } else {
        multiply_chunk<false, TwoGroups>(tokens, tile_step, codes, chunk, k == 0, tile_sums);
      }
      BITNET_TILE_FENCE();
      if (k + chunk < cols) continue;
      for (int64_t i = 0; i < 4; ++i) {
        const int64_t token = (tile + i / 2) * kTileRows;
        if (i % 2 > TwoGroups || token >= x.tokens) continue;
        store_outputs(tile_sums + i * kTileRows * kPanelRows, w, group + i % 2, x, token, y, y_stride);
      }
    }
  }
}

// ---- spans ----

// A chunk of one tile of tokens, 8 KB, and of the codes of so many groups stay in the first-level cache: the
// tokens come from the second-level one once for all of these groups.
constexpr int64_t kSpanGroups = 4;
constexpr int64_t kSpanChunkCols = 512;

BITNET_INLINE __m512 load_scales(const void* values, bool half, int64_t index) {
  if (!half) return _mm512_loadu_ps(static_cast<const float*>(values) + index);
  const uint16_t* halves = static_cast<const uint16_t*>(values) + index;
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
}

// The sums of a span, `tiles` tiles of tokens and codes, to memory. Neighbouring spans use different tiles, so
// that they need not wait for each other. (Intrinsics of tiles want literal numbers.)
template <bool Odd>
BITNET_INLINE void multiply_span(const uint8_t* x, const uint8_t* codes, int64_t tiles, int32_t* sums) {
  if (Odd) {
    _tile_zero(1);
    for (int64_t i = 0; i < tiles; ++i, x += kTileBytes, codes += kTileBytes) {
      _tile_loadd(5, x, kTileRowBytes);
      _tile_loadd(7, codes, kTileRowBytes);
      _tile_dpbssd(1, 5, 7);
    }
    _tile_stored(1, sums, kTileRowBytes);
  } else {
    _tile_zero(0);
    for (int64_t i = 0; i < tiles; ++i, x += kTileBytes, codes += kTileBytes) {
      _tile_loadd(4, x, kTileRowBytes);
      _tile_loadd(6, codes, kTileRowBytes);
      _tile_dpbssd(0, 4, 6);
    }
    _tile_stored(0, sums, kTileRowBytes);
  }
}

// totals[token] += float(sums[token]) * scale for 16 tokens.
BITNET_INLINE void add_span(const int32_t* sums, __m512 scale, __m512 (&totals)[kTileRows]) {
  BITNET_UNROLL
  for (int64_t t = 0; t < kTileRows; ++t) {
    const __m512 exact = _mm512_cvtepi32_ps(_mm512_load_si512(sums + t * kPanelRows));
    totals[t] = _mm512_fmadd_ps(exact, scale, totals[t]);
  }
}

// A chunk of `spans` spans of one tile of tokens and one group. `scales` are those of its first span; totals
// [16 tokens][16 rows] wait in memory from one chunk to the next.
void multiply_span_chunk(const uint8_t* x, const uint8_t* codes, const SpanScales& scales, int64_t first_span,
                         int64_t spans, const void* values, bool start, float* parked) {
  alignas(64) int32_t sums[2][kTileRows * kPanelRows];
  const int64_t tiles = scales.cols / kTileRowBytes, bytes = tiles * kTileBytes;
  __m512 totals[kTileRows];
  BITNET_UNROLL
  for (int64_t t = 0; t < kTileRows; ++t) {
    totals[t] = start ? _mm512_setzero_ps() : _mm512_load_ps(parked + t * kPanelRows);
  }
  BITNET_TILE_FENCE();
  multiply_span<false>(x, codes, tiles, sums[0]);
  for (int64_t span = 0; span < spans; span += 2) {
    if (span + 1 < spans) multiply_span<true>(x + bytes, codes + bytes, tiles, sums[1]);
    BITNET_TILE_FENCE();
    add_span(sums[0], load_scales(values, scales.half, (first_span + span) * kPanelRows), totals);
    if (span + 1 >= spans) break;
    x += 2 * bytes;
    codes += 2 * bytes;
    if (span + 2 < spans) multiply_span<false>(x, codes, tiles, sums[0]);
    BITNET_TILE_FENCE();
    add_span(sums[1], load_scales(values, scales.half, (first_span + span + 1) * kPanelRows), totals);
  }
  BITNET_UNROLL
  for (int64_t t = 0; t < kTileRows; ++t) _mm512_store_ps(parked + t * kPanelRows, totals[t]);
}

// A few groups times all tokens.
void multiply_groups_spans(const TernaryPanel& w, int64_t first_group, int64_t groups, const CodeRows& x,
                           float* y, int64_t y_stride) {
  alignas(64) uint8_t codes[kSpanGroups * kSpanChunkCols * kPanelRows];
  alignas(64) float totals[kSpanGroups * kMostTiles * kTileRows * kPanelRows];
  constexpr int64_t kTotals = kTileRows * kPanelRows;
  const int64_t cols = padded_cols(w.cols), tiles = (x.tokens + kTileRows - 1) / kTileRows;
  for (int64_t k = 0; k < cols; k += kSpanChunkCols) {
    const int64_t chunk = cols - k < kSpanChunkCols ? cols - k : kSpanChunkCols;
    for (int64_t g = 0; g < groups; ++g) {
      unpack_group(
          w.codes + (first_group + g) * panel_group_bytes(w.cols) + k / kPanelCols * kPanelBlockBytes,
          chunk / kPanelCols, 1, codes + g * kSpanChunkCols * kPanelRows);
    }
    for (int64_t tile = 0; tile < tiles; ++tile) {
      for (int64_t g = 0; g < groups; ++g) {
        multiply_span_chunk(x.packed + tile * kTileRows * cols + k * kTileRows,
                            codes + g * kSpanChunkCols * kPanelRows, w.spans, k / w.spans.cols,
                            chunk / w.spans.cols, w.span_scales(first_group + g), k == 0,
                            totals + (tile * kSpanGroups + g) * kTotals);
      }
    }
  }
  for (int64_t g = 0; g < groups; ++g) {
    const int64_t first = (first_group + g) * kPanelRows, rows = w.rows - first;
    const __mmask16 mask = static_cast<__mmask16>(rows >= kPanelRows ? 0xffffu : (1u << rows) - 1u);
    for (int64_t t = 0; t < x.tokens; ++t) {
      const int64_t tile = t / kTileRows;
      const __m512 total =
          _mm512_load_ps(totals + (tile * kSpanGroups + g) * kTotals + t % kTileRows * kPanelRows);
      _mm512_mask_storeu_ps(y + t * y_stride + first, mask,
                            _mm512_mul_ps(total, _mm512_set1_ps(x.act_scale[t])));
    }
  }
}

}  // namespace

void ternary_gemm_amx(const TernaryPanel& w, int64_t group_begin, int64_t group_end, const CodeRows& x,
                      float* y, int64_t y_stride) {
  if (x.tokens <= kFewTokens) return ternary_gemm_avx512vnni(w, group_begin, group_end, x, y, y_stride);
  _tile_loadconfig(&kWholeTiles);
  int64_t group = group_begin;
  if (w.has_spans()) {
    for (; group < group_end; group += kSpanGroups) {
      const int64_t left = group_end - group;
      multiply_groups_spans(w, group, left < kSpanGroups ? left : kSpanGroups, x, y, y_stride);
    }
  }
  for (; group + 2 <= group_end; group += 2) multiply_groups<true>(w, group, x, y, y_stride);
  if (group < group_end) multiply_groups<false>(w, group, x, y, y_stride);
  _tile_release();
}

const CodePacking kAmxPacking = {kTileRows, kFewTokens + 1, pack_tile};

}  // namespace bitnet

BITNET_TARGET_END

#endif
