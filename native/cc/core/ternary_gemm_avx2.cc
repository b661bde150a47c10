// ternary_gemm for AVX2.
//
// Many tokens: 256 columns of a group of 16 rows are unpacked to bytes once and multiplied with tiles of 6
// tokens. One step takes 4 columns: vpmaddubsw gives, for unsigned codes <= 2 and signed activations in
// [-128, 127], 16-bit sums of two products in [-512, 508]. 64 steps stay within [-32768, 32512], so 256
// columns are added in 16 bits before one widening to 32. The tile holds 12 accumulators, 2 code vectors, the
// activations and one product: 16 registers.
//
// One token: the packed stream is read once, in order. Codes in bits 2-3 of a nibble are used as they are, 4
// times too large: 16 products in [-4096, 4064] stay within 16 bits for 8 blocks of columns.
#include "core/variants.h"

#if defined(BITNET_X86)

#include <immintrin.h>

#include <cstring>

#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx2,fma,f16c")

namespace bitnet {
namespace {

constexpr int kTileTokens = 6;
constexpr int64_t kChunkCols = 256;
constexpr int64_t kStepCols = 4;
constexpr int64_t kStepBytes = kPanelRows * kStepCols;  // of unpacked codes
// Tokens whose activations are reused from the L2 cache by one group after the other.
constexpr int64_t kMaxBlockTokens = 192;
constexpr int64_t kBlockActivationBytes = 256 << 10;

BITNET_INLINE __m256i load256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
BITNET_INLINE void store256(void* p, __m256i v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }

BITNET_INLINE __m256i broadcast_columns(const int8_t* x) {
  int32_t four;
  std::memcpy(&four, x, sizeof four);
  return _mm256_set1_epi32(four);
}

// *sum += words, in place. Written out because GCC keeps the two vector types that meet in the intrinsic in
// registers of their own across the loop, and then spills or copies them.
BITNET_INLINE void add_words(__m256i* sum, __m256i words) {
#if defined(__GNUC__)
  __asm__("vpaddw %1, %0, %0" : "+x"(*sum) : "x"(words));
#else
  *sum = _mm256_add_epi16(*sum, words);
#endif
}

BITNET_INLINE __m256i widen(__m256i words) { return _mm256_madd_epi16(words, _mm256_set1_epi16(1)); }

// The `rows` <= 16 rows that exist.
BITNET_INLINE void store_rows(__m256 first, __m256 second, int64_t rows, float* y) {
  if (rows == kPanelRows) {
    _mm256_storeu_ps(y, first);
    _mm256_storeu_ps(y + 8, second);
    return;
  }
  float all[kPanelRows];
  _mm256_storeu_ps(all, first);
  _mm256_storeu_ps(all + 8, second);
  std::memcpy(y, all, static_cast<size_t>(rows) * sizeof(float));
}

// y[r] = float(sums[r] - code_sum) * (act_scale * scales[r]).
BITNET_INLINE void store_outputs(__m256i low, __m256i high, int32_t code_sum, float act_scale,
                                 const float* scales, int64_t rows, float* y) {
  const __m256i correction = _mm256_set1_epi32(code_sum);
  const __m256 act = _mm256_set1_ps(act_scale);
  const __m256 first = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(low, correction)),
                                     _mm256_mul_ps(act, _mm256_loadu_ps(scales)));
  const __m256 second = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(high, correction)),
                                      _mm256_mul_ps(act, _mm256_loadu_ps(scales + 8)));
  store_rows(first, second, rows, y);
}

// Packed blocks to steps of 64 code bytes: 16 rows of 4 columns.
BITNET_INLINE void unpack(const uint8_t* packed, int64_t blocks, uint8_t* codes) {
  const __m256i mask = _mm256_set1_epi8(3);
  for (int64_t half = 0; half < 2 * blocks; ++half) {
    __m256i v = load256(packed + half * 32);
    uint8_t* out = codes + (half / 2) * 4 * kStepBytes + (half % 2) * 32;
    BITNET_UNROLL
    for (int s = 0; s < 4; ++s) {
      store256(out + s * kStepBytes, _mm256_and_si256(v, mask));
      v = _mm256_srli_epi16(v, 2);
    }
  }
}

// What becomes of the exact sums of one token over at most 64 steps.
struct AddSums {
  int32_t* sums;  // [token][16]
  bool start;

  BITNET_INLINE void operator()(int64_t token, __m256i low, __m256i high) const {
    int32_t* out = sums + token * kPanelRows;
    if (!start) {
      low = _mm256_add_epi32(low, load256(out));
      high = _mm256_add_epi32(high, load256(out + 8));
    }
    store256(out, low);
    store256(out + 8, high);
  }
};

BITNET_INLINE __m256 load_scales(const void* values, bool half, int64_t index) {
  if (!half) return _mm256_loadu_ps(static_cast<const float*>(values) + index);
  const uint16_t* halves = static_cast<const uint16_t*>(values) + index;
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves)));
}

// A span of the rows of a group: its scales, and where the code sums of a token begin.
struct Span {
  __m256 low_scale, high_scale;
  const int32_t* part_sums;
  int64_t parts, stride;

  BITNET_INLINE Span(const TernaryPanel& w, const CodeRows& x, int64_t group, int64_t index)
      : low_scale(load_scales(w.span_scales(group), w.spans.half, index * kPanelRows)),
        high_scale(load_scales(w.span_scales(group), w.spans.half, index * kPanelRows + 8)),
        part_sums(x.part_sums + index * (w.spans.cols / kCodePadding)),
        parts(w.spans.cols / kCodePadding),
        stride(x.stride / kCodePadding) {}

  BITNET_INLINE __m256i code_sum(int64_t token) const {
    int32_t sum = 0;
    for (int64_t part = 0; part < parts; ++part) sum += part_sums[token * stride + part];
    return _mm256_set1_epi32(sum);
  }
  BITNET_INLINE __m256 low(__m256i sums, __m256i code_sum, __m256 total) const {
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(sums, code_sum)), low_scale, total);
  }
  BITNET_INLINE __m256 high(__m256i sums, __m256i code_sum, __m256 total) const {
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(sums, code_sum)), high_scale, total);
  }
};

struct AddSpan {
  Span span;
  float* totals;  // [token][16]
  bool start;

  BITNET_INLINE void operator()(int64_t token, __m256i low, __m256i high) const {
    float* out = totals + token * kPanelRows;
    const __m256i code_sum = span.code_sum(token);
    const __m256 zero = _mm256_setzero_ps();
    _mm256_storeu_ps(out, span.low(low, code_sum, start ? zero : _mm256_loadu_ps(out)));
    _mm256_storeu_ps(out + 8, span.high(high, code_sum, start ? zero : _mm256_loadu_ps(out + 8)));
  }
};

// `steps` <= 64 steps of Tokens tokens from `token` on.
template <int Tokens, class Finish>
BITNET_INLINE void multiply_tile(const uint8_t* codes, const int8_t* x, int64_t x_stride, int64_t token,
                                 int64_t steps, const Finish& finish) {
  __m256i low[Tokens], high[Tokens];
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) low[t] = high[t] = _mm256_setzero_si256();
  x += token * x_stride;
  for (int64_t step = 0; step < steps; ++step) {
    const __m256i first = load256(codes + step * kStepBytes);
    const __m256i second = load256(codes + step * kStepBytes + 32);
    BITNET_UNROLL
    for (int t = 0; t < Tokens; ++t) {
      const __m256i four = broadcast_columns(x + t * x_stride + step * kStepCols);
      add_words(&low[t], _mm256_maddubs_epi16(first, four));
      add_words(&high[t], _mm256_maddubs_epi16(second, four));
    }
  }
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) finish(token + t, widen(low[t]), widen(high[t]));
}

template <class Finish>
void multiply_chunk(const uint8_t* codes, const int8_t* x, int64_t x_stride, int64_t tokens, int64_t steps,
                    const Finish& finish) {
  int64_t t = 0;
  for (; t + kTileTokens <= tokens; t += kTileTokens) {
    multiply_tile<kTileTokens>(codes, x, x_stride, t, steps, finish);
  }
  switch (tokens - t) {
    case 5:
      return multiply_tile<5>(codes, x, x_stride, t, steps, finish);
    case 4:
      return multiply_tile<4>(codes, x, x_stride, t, steps, finish);
    case 3:
      return multiply_tile<3>(codes, x, x_stride, t, steps, finish);
    case 2:
      return multiply_tile<2>(codes, x, x_stride, t, steps, finish);
    case 1:
      return multiply_tile<1>(codes, x, x_stride, t, steps, finish);
    default:
      return;
  }
}

// One group of 16 rows times one token.
BITNET_INLINE void multiply_vector(const uint8_t* packed, const int8_t* x, int64_t blocks, __m256i* sums) {
  constexpr int64_t kRun = 8;  // blocks that fit 16 bits
  const __m256i once = _mm256_set1_epi8(0x03), four_times = _mm256_set1_epi8(0x0c);
  sums[0] = sums[1] = _mm256_setzero_si256();
  for (int64_t block = 0; block < blocks; block += kRun) {
    const int64_t end = blocks - block < kRun ? blocks : block + kRun;
    __m256i unit[2], quadruple[2];
    unit[0] = unit[1] = quadruple[0] = quadruple[1] = _mm256_setzero_si256();
    for (int64_t b = block; b < end; ++b) {
      BITNET_PREFETCH_STREAM(packed + b * kPanelBlockBytes);
      const int8_t* columns = x + b * kPanelCols;
      const __m256i x0 = broadcast_columns(columns), x1 = broadcast_columns(columns + 4);
      const __m256i x2 = broadcast_columns(columns + 8), x3 = broadcast_columns(columns + 12);
      BITNET_UNROLL
      for (int half = 0; half < 2; ++half) {
        const __m256i v = load256(packed + b * kPanelBlockBytes + half * 32);
        const __m256i w = _mm256_srli_epi16(v, 4);
        add_words(&unit[half], _mm256_maddubs_epi16(_mm256_and_si256(v, once), x0));
        add_words(&unit[half], _mm256_maddubs_epi16(_mm256_and_si256(w, once), x2));
        add_words(&quadruple[half], _mm256_maddubs_epi16(_mm256_and_si256(v, four_times), x1));
        add_words(&quadruple[half], _mm256_maddubs_epi16(_mm256_and_si256(w, four_times), x3));
      }
    }
    BITNET_UNROLL
    for (int half = 0; half < 2; ++half) {
      const __m256i added = _mm256_add_epi32(widen(unit[half]), _mm256_srai_epi32(widen(quadruple[half]), 2));
      sums[half] = _mm256_add_epi32(sums[half], added);
    }
  }
}

int64_t rows_of_group(const TernaryPanel& w, int64_t group) {
  const int64_t left = w.rows - group * kPanelRows;
  return left < kPanelRows ? left : kPanelRows;
}

// One token.
BITNET_INLINE void multiply_one(const TernaryPanel& w, int64_t group, const CodeRows& x, float* y) {
  const uint8_t* packed = w.codes + group * panel_group_bytes(w.cols);
  __m256i sums[2];
  if (!w.has_spans()) {
    multiply_vector(packed, x.codes, padded_cols(w.cols) / kPanelCols, sums);
    return store_outputs(sums[0], sums[1], x.code_sum[0], x.act_scale[0], w.group_scales(group),
                         rows_of_group(w, group), y);
  }
  __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
  const int64_t blocks = w.spans.cols / kPanelCols;
  for (int64_t i = 0; i < w.span_count(); ++i) {
    multiply_vector(packed + i * blocks * kPanelBlockBytes, x.codes + i * w.spans.cols, blocks, sums);
    const Span span(w, x, group, i);
    const __m256i code_sum = span.code_sum(0);
    low = span.low(sums[0], code_sum, low);
    high = span.high(sums[1], code_sum, high);
  }
  const __m256 act = _mm256_set1_ps(x.act_scale[0]);
  store_rows(_mm256_mul_ps(low, act), _mm256_mul_ps(high, act), rows_of_group(w, group), y);
}

// One group times a block of tokens. x is that of the block.
void multiply_group(const TernaryPanel& w, int64_t group, const CodeRows& x, float* y, int64_t y_stride) {
  alignas(32) uint8_t codes[kChunkCols * kPanelRows];
  alignas(32) int32_t sums[kMaxBlockTokens * kPanelRows];
  const int64_t cols = padded_cols(w.cols), rows = rows_of_group(w, group);
  const uint8_t* packed = w.codes + group * panel_group_bytes(w.cols);
  for (int64_t k = 0; k < cols; k += kChunkCols) {
    const int64_t chunk = cols - k < kChunkCols ? cols - k : kChunkCols;
    unpack(packed + k / kPanelCols * kPanelBlockBytes, chunk / kPanelCols, codes);
    multiply_chunk(codes, x.codes + k, x.stride, x.tokens, chunk / kStepCols, AddSums{sums, k == 0});
  }
  for (int64_t t = 0; t < x.tokens; ++t) {
    const int32_t* row = sums + t * kPanelRows;
    store_outputs(load256(row), load256(row + 8), x.code_sum[t], x.act_scale[t], w.group_scales(group), rows,
                  y + t * y_stride);
  }
}

void multiply_group_spans(const TernaryPanel& w, int64_t group, const CodeRows& x, float* y,
                          int64_t y_stride) {
  alignas(32) uint8_t codes[kChunkCols * kPanelRows];
  alignas(32) float totals[kMaxBlockTokens * kPanelRows];
  const uint8_t* packed = w.codes + group * panel_group_bytes(w.cols);
  const int64_t cols = w.spans.cols, rows = rows_of_group(w, group);
  for (int64_t i = 0; i < w.span_count(); ++i) {
    unpack(packed + i * cols / kPanelCols * kPanelBlockBytes, cols / kPanelCols, codes);
    multiply_chunk(codes, x.codes + i * cols, x.stride, x.tokens, cols / kStepCols,
                   AddSpan{Span(w, x, group, i), totals, i == 0});
  }
  for (int64_t t = 0; t < x.tokens; ++t) {
    const __m256 act = _mm256_set1_ps(x.act_scale[t]);
    const float* row = totals + t * kPanelRows;
    store_rows(_mm256_mul_ps(_mm256_loadu_ps(row), act), _mm256_mul_ps(_mm256_loadu_ps(row + 8), act), rows,
               y + t * y_stride);
  }
}

}  // namespace

void ternary_gemm_avx2(const TernaryPanel& w, int64_t group_begin, int64_t group_end, const CodeRows& x,
                       float* y, int64_t y_stride) {
  if (x.tokens == 1) {
    for (int64_t group = group_begin; group < group_end; ++group) {
      multiply_one(w, group, x, y + group * kPanelRows);
    }
    return;
  }
  const auto multiply = w.has_spans() ? multiply_group_spans : multiply_group;
  int64_t block_tokens = kBlockActivationBytes / padded_cols(w.cols) / kTileTokens * kTileTokens;
  if (block_tokens < 4 * kTileTokens) block_tokens = 4 * kTileTokens;
  if (block_tokens > kMaxBlockTokens) block_tokens = kMaxBlockTokens;
  for (int64_t token = 0; token < x.tokens; token += block_tokens) {
    const int64_t count = x.tokens - token < block_tokens ? x.tokens - token : block_tokens;
    const CodeRows block = x.rows_from(token, count);
    for (int64_t group = group_begin; group < group_end; ++group) {
      multiply(w, group, block, y + token * y_stride + group * kPanelRows, y_stride);
    }
  }
}

}  // namespace bitnet

BITNET_TARGET_END

#endif
