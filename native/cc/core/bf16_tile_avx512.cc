// PanelTile of bfloat16 for AVX-512 with BF16 (Zen 4, Cooper Lake and later): 8 rows by 32 columns, two
// depths a step by VDPBF16PS. The packing serves AMX too.
#include "core/variants.h"

#if defined(BITNET_X86)

#include <cstring>

#include "core/avx512_intrinsics.h"
#include "core/bf16_panels.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c")
#include "core/panel_transpose.h"

namespace bitnet {
namespace {

constexpr int64_t kStepDepth = 32;

#if defined(BITNET_EMULATED_ISA)
BITNET_INLINE __m512 multiply_pairs(__m512 sums, __m512i a, __m512i b) {
  return emulated_dpbf16_ps(sums, a, b);
}
BITNET_INLINE __m512i round_both(__m512 first, __m512 second) { return emulated_cvtne2ps_pbh(second, first); }
#else
static_assert(sizeof(__m512bh) == sizeof(__m512i), "32 bfloat16");
BITNET_INLINE __m512 multiply_pairs(__m512 sums, __m512i a, __m512i b) {
  return _mm512_dpbf16_ps(sums, (__m512bh)a, (__m512bh)b);
}
// 16 rounded values of `first`, then 16 of `second`.
BITNET_INLINE __m512i round_both(__m512 first, __m512 second) {
  return (__m512i)_mm512_cvtne2ps_pbh(second, first);
}
#endif

BITNET_INLINE __mmask16 first_lanes(int64_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xffff : (1 << count) - 1);
}

BITNET_INLINE __m512i interleaving() {
  return _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5,
                          20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
}

// ---- rows of an operand whose lanes lie next to each other: 16 lanes of two depths make 16 words
// -----------

struct FloatLanes {
  const float* data;
  int64_t stride;
  const float* scale;

  BITNET_INLINE __m512 row(int64_t p, int64_t lane, __mmask16 mask) const {
    const __m512 values = _mm512_maskz_loadu_ps(mask, data + p * stride + lane);
    return scale ? _mm512_mul_ps(values, _mm512_set1_ps(scale[p])) : values;
  }
  BITNET_INLINE __m512i words(int64_t p, bool pair, int64_t lane, __mmask16 mask) const {
    const __m512 second = pair ? row(p + 1, lane, mask) : _mm512_setzero_ps();
    return _mm512_permutexvar_epi16(interleaving(), round_both(row(p, lane, mask), second));
  }
};

struct CodeLanes {
  const int8_t* data;
  int64_t stride;

  BITNET_INLINE __m512i row(int64_t p, int64_t lane, __mmask16 mask) const {
    const __m128i codes = _mm_maskz_loadu_epi8(mask, data + p * stride + lane);
    return _mm512_castps_si512(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(codes)));
  }
  BITNET_INLINE __m512i words(int64_t p, bool pair, int64_t lane, __mmask16 mask) const {
    const __m512i first = _mm512_srli_epi32(row(p, lane, mask), 16);
    return pair ? _mm512_or_si512(first, row(p + 1, lane, mask)) : first;
  }
};

struct Bf16Lanes {
  const uint16_t* data;
  int64_t stride;

  BITNET_INLINE __m512i row(int64_t p, int64_t lane, __mmask16 mask) const {
    return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, data + p * stride + lane));
  }
  BITNET_INLINE __m512i words(int64_t p, bool pair, int64_t lane, __mmask16 mask) const {
    const __m512i first = row(p, lane, mask);
    return pair ? _mm512_or_si512(first, _mm512_slli_epi32(row(p + 1, lane, mask), 16)) : first;
  }
};

// Words of a step and a panel, zeros past `depth`; `store(j, words)` takes pair j.
template <typename Lanes, typename Store>
BITNET_INLINE void step_words(const Lanes& lanes, int64_t first, int64_t depth, int64_t lane, __mmask16 mask,
                              const Store& store) {
  for (int64_t j = 0; j < 16; ++j) {
    const int64_t p = first + 2 * j;
    store(j, p < depth ? lanes.words(p, p + 1 < depth, lane, mask) : _mm512_setzero_si512());
  }
}

template <typename Lanes>
void pack_lanes_right(const Lanes& source, int64_t lanes, int64_t depth, int64_t panel_bytes,
                      uint8_t* panels) {
  for (int64_t first = 0; first < depth; first += kStepDepth, panels += kPanelStepBytes) {
    for (int64_t lane = 0; lane < lanes; lane += kPanelLanes) {
      uint8_t* out = panels + lane / kPanelLanes * panel_bytes;
      step_words(source, first, depth, lane, first_lanes(lanes - lane),
                 [out](int64_t j, __m512i words) { _mm512_storeu_si512(out + j * 64, words); });
    }
  }
}

template <typename Lanes>
void pack_lanes_left(const Lanes& source, int64_t lanes, int64_t depth, int64_t panel_bytes,
                     uint8_t* panels) {
  alignas(64) uint8_t square[kPanelStepBytes];
  for (int64_t first = 0; first < depth; first += kStepDepth, panels += kPanelStepBytes) {
    for (int64_t lane = 0; lane < lanes; lane += kPanelLanes) {
      step_words(source, first, depth, lane, first_lanes(lanes - lane),
                 [&square](int64_t j, __m512i words) { _mm512_store_si512(square + j * 64, words); });
      transpose_words(square, panels + lane / kPanelLanes * panel_bytes);
    }
  }
}

// ---- rows of the left operand whose depths lie next to each other -----------------------------------------

BITNET_INLINE __m512i float_step(const float* row, const float* scale, int64_t count) {
  const __mmask16 low = first_lanes(count), high = first_lanes(count > 16 ? count - 16 : 0);
  __m512 first = _mm512_maskz_loadu_ps(low, row), second = _mm512_maskz_loadu_ps(high, row + 16);
  if (scale) {
    first = _mm512_mul_ps(first, _mm512_maskz_loadu_ps(low, scale));
    second = _mm512_mul_ps(second, _mm512_maskz_loadu_ps(high, scale + 16));
  }
  return round_both(first, second);
}

BITNET_INLINE __m512i bf16_step(const uint16_t* row, int64_t count) {
  const __mmask16 low = first_lanes(count), high = first_lanes(count > 16 ? count - 16 : 0);
  const __m256i first = _mm256_maskz_loadu_epi16(low, row), second = _mm256_maskz_loadu_epi16(high, row + 16);
  return _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
}

void pack_rows_left(const PanelSource& source, int64_t lanes, int64_t depth, int64_t panel_bytes,
                    uint8_t* panels) {
  const int64_t whole = (lanes + kPanelLanes - 1) / kPanelLanes * kPanelLanes;
  for (int64_t lane = 0; lane < whole; ++lane) {
    uint8_t* out = panels + lane / kPanelLanes * panel_bytes + lane % kPanelLanes * 64;
    for (int64_t p = 0; p < depth; p += kStepDepth, out += kPanelStepBytes) {
      __m512i words = _mm512_setzero_si512();
      if (lane < lanes && source.type == PanelSource::Type::f32) {
        words = float_step(static_cast<const float*>(source.data) + lane * source.lane_stride + p,
                           source.depth_scale ? source.depth_scale + p : nullptr, depth - p);
      } else if (lane < lanes) {
        words =
            bf16_step(static_cast<const uint16_t*>(source.data) + lane * source.lane_stride + p, depth - p);
      }
      _mm512_storeu_si512(out, words);
    }
  }
}

// ---- product ---------------------------------------------------------------------------------------------

BITNET_INLINE __m512i broadcast_word(const uint8_t* p) {
  int32_t word;
  std::memcpy(&word, p, sizeof word);
  return _mm512_set1_epi32(word);
}

BITNET_INLINE void store_row(float* c, __m512 low, __m512 high, __mmask16 low_mask, __mmask16 high_mask) {
  _mm512_mask_storeu_ps(c, low_mask, low);
  _mm512_mask_storeu_ps(c + 16, high_mask, high);
}

#define BITNET_EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)

// 8 rows of a panel of A, `rows` of which exist, by two panels of B.
void multiply_block(int64_t steps, const uint8_t* a, int64_t rows, const uint8_t* b0, const uint8_t* b1,
                    float* c, int64_t stride, __mmask16 low_mask, __mmask16 high_mask, bool accumulate) {
#define BITNET_START(r)                                              \
  __m512 low##r = _mm512_setzero_ps(), high##r = low##r;             \
  if (accumulate && r < rows) {                                      \
    low##r = _mm512_maskz_loadu_ps(low_mask, c + r * stride);        \
    high##r = _mm512_maskz_loadu_ps(high_mask, c + r * stride + 16); \
  }
  BITNET_EACH_ROW(BITNET_START)
#undef BITNET_START
  for (int64_t step = 0; step < steps; ++step, a += kPanelStepBytes - 64) {
    for (int64_t word = 0; word < 16; ++word, a += 4, b0 += 64, b1 += 64) {
      const __m512i first = _mm512_loadu_si512(b0), second = _mm512_loadu_si512(b1);
#define BITNET_ADD(r)                                \
  {                                                  \
    const __m512i pair = broadcast_word(a + r * 64); \
    low##r = multiply_pairs(low##r, pair, first);    \
    high##r = multiply_pairs(high##r, pair, second); \
  }
      BITNET_EACH_ROW(BITNET_ADD)
#undef BITNET_ADD
    }
  }
#define BITNET_STORE(r) \
  if (r < rows) store_row(c + r * stride, low##r, high##r, low_mask, high_mask);
  BITNET_EACH_ROW(BITNET_STORE)
#undef BITNET_STORE
}

#undef BITNET_EACH_ROW

void multiply(int64_t steps, const uint8_t* a, int64_t a_panel_bytes, int64_t rows, const uint8_t* b,
              int64_t b_panel_bytes, int64_t cols, void* c, int64_t stride, bool accumulate) {
  for (int64_t j = 0; j < cols; j += 2 * kPanelLanes) {
    const uint8_t* b0 = b + j / kPanelLanes * b_panel_bytes;
    const uint8_t* b1 = cols - j > kPanelLanes ? b0 + b_panel_bytes : b0;
    const __mmask16 low = first_lanes(cols - j), high = first_lanes(cols - j > 16 ? cols - j - 16 : 0);
    for (int64_t i = 0; i < rows; i += 8) {
      multiply_block(steps, a + i / kPanelLanes * a_panel_bytes + i % kPanelLanes * 64, rows - i, b0, b1,
                     static_cast<float*>(c) + i * stride + j, stride, low, high, accumulate);
    }
  }
}

}  // namespace

void pack_bf16_left_avx512(const PanelSource& source, int64_t lanes, int64_t depth, int64_t panel_bytes,
                           uint8_t* panels) {
  if (source.lane_stride != 1) {
    pack_rows_left(source, lanes, depth, panel_bytes, panels);
  } else if (source.type == PanelSource::Type::f32) {
    pack_lanes_left(
        FloatLanes{static_cast<const float*>(source.data), source.depth_stride, source.depth_scale}, lanes,
        depth, panel_bytes, panels);
  } else {
    pack_lanes_left(Bf16Lanes{static_cast<const uint16_t*>(source.data), source.depth_stride}, lanes, depth,
                    panel_bytes, panels);
  }
}

void pack_bf16_right_avx512(const PanelSource& source, int64_t lanes, int64_t depth, int64_t panel_bytes,
                            uint8_t* panels) {
  if (source.type == PanelSource::Type::f32) {
    pack_lanes_right(FloatLanes{static_cast<const float*>(source.data), source.depth_stride, nullptr}, lanes,
                     depth, panel_bytes, panels);
  } else {
    pack_lanes_right(CodeLanes{static_cast<const int8_t*>(source.data), source.depth_stride}, lanes, depth,
                     panel_bytes, panels);
  }
}

const PanelTile kAvx512Bf16Tile = {kStepDepth, pack_bf16_left_avx512, pack_bf16_right_avx512, multiply};

}  // namespace bitnet

BITNET_TARGET_END

#endif
