// PanelTile of int8 for AVX-512 with VNNI: 8 rows by 32 columns, four depths a step by VPDPBUSD. A's codes
// are stored with 128 added, as unsigned bytes; 128 times the column sums of B are subtracted.
#include "core/variants.h"

#if defined(BITNET_X86)

#include <cstring>

#include "core/avx512_intrinsics.h"
#include "core/target_region.h"

BITNET_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")
// The order matters: each header builds on the one before.
// clang-format off
#include "core/panel_transpose.h"
#include "core/int8_panels.h"
// clang-format on

namespace bitnet {
namespace {

// -128 times the sums of a panel's columns.
BITNET_INLINE __m512i correction(int64_t steps, const uint8_t* b) {
  const __m512i factor = _mm512_set1_epi8(static_cast<char>(0x80));  // 128 as an unsigned byte
  __m512i sums = _mm512_setzero_si512();
  for (int64_t word = 0; word < 16 * steps; ++word, b += 64) {
    sums = _mm512_dpbusd_epi32(sums, factor, _mm512_loadu_si512(b));
  }
  return _mm512_sub_epi32(_mm512_setzero_si512(), sums);
}

// Two panels of B and what belongs to their columns.
struct ColumnPair {
  const uint8_t* panel0;
  const uint8_t* panel1;
  __m512i correction0, correction1;
  __mmask16 mask0, mask1;
};

BITNET_INLINE __m512i broadcast_word(const uint8_t* p) {
  int32_t word;
  std::memcpy(&word, p, sizeof word);
  return _mm512_set1_epi32(word);
}

#define BITNET_EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)

// 8 rows of a panel of A, `rows` of which exist.
void multiply_block(int64_t steps, const uint8_t* a, int64_t rows, const ColumnPair& b, int32_t* c,
                    int64_t stride, bool accumulate) {
#define BITNET_START(r)                                                                          \
  __m512i low##r = b.correction0, high##r = b.correction1;                                       \
  if (accumulate && r < rows) {                                                                  \
    low##r = _mm512_add_epi32(low##r, _mm512_maskz_loadu_epi32(b.mask0, c + r * stride));        \
    high##r = _mm512_add_epi32(high##r, _mm512_maskz_loadu_epi32(b.mask1, c + r * stride + 16)); \
  }
  BITNET_EACH_ROW(BITNET_START)
#undef BITNET_START
  const uint8_t *b0 = b.panel0, *b1 = b.panel1;
  for (int64_t step = 0; step < steps; ++step, a += kPanelStepBytes - 64) {
    for (int64_t word = 0; word < 16; ++word, a += 4, b0 += 64, b1 += 64) {
      const __m512i first = _mm512_loadu_si512(b0), second = _mm512_loadu_si512(b1);
#define BITNET_ADD(r)                                     \
  {                                                       \
    const __m512i four = broadcast_word(a + r * 64);      \
    low##r = _mm512_dpbusd_epi32(low##r, four, first);    \
    BITNET_PIN(low##r);                                   \
    high##r = _mm512_dpbusd_epi32(high##r, four, second); \
    BITNET_PIN(high##r);                                  \
  }
      BITNET_EACH_ROW(BITNET_ADD)
#undef BITNET_ADD
    }
  }
#define BITNET_STORE(r)                                              \
  if (r < rows) {                                                    \
    _mm512_mask_storeu_epi32(c + r * stride, b.mask0, low##r);       \
    _mm512_mask_storeu_epi32(c + r * stride + 16, b.mask1, high##r); \
  }
  BITNET_EACH_ROW(BITNET_STORE)
#undef BITNET_STORE
}

#undef BITNET_EACH_ROW

void multiply(int64_t steps, const uint8_t* a, int64_t a_panel_bytes, int64_t rows, const uint8_t* b,
              int64_t b_panel_bytes, int64_t cols, void* c, int64_t stride, bool accumulate) {
  for (int64_t j = 0; j < cols; j += 2 * kPanelLanes) {
    ColumnPair pair;
    pair.panel0 = b + j / kPanelLanes * b_panel_bytes;
    pair.panel1 = cols - j > kPanelLanes ? pair.panel0 + b_panel_bytes : pair.panel0;
    pair.correction0 = correction(steps, pair.panel0);
    pair.correction1 = correction(steps, pair.panel1);
    pair.mask0 = first_lanes(cols - j);
    pair.mask1 = first_lanes(cols - j > kPanelLanes ? cols - j - kPanelLanes : 0);
    for (int64_t i = 0; i < rows; i += 8) {
      multiply_block(steps, a + i / kPanelLanes * a_panel_bytes + i % kPanelLanes * 64, rows - i, pair,
                     static_cast<int32_t*>(c) + i * stride + j, stride, accumulate);
    }
  }
}

}  // namespace

const PanelTile kAvx512VnniInt8Panels = {kStepDepth, pack_codes_left<0x80>, pack_codes_right, multiply};

}  // namespace bitnet

BITNET_TARGET_END

#endif
