// PanelTile of int8 for AMX: 32 x 32 sums in four tile registers, 64 depths a step by TDPBSSD.
#include "core/amx_intrinsics.h"

#if defined(BITNET_X86) && BITNET_AMX

#include <algorithm>
#include <cstring>

#include "core/target_region.h"

#define BITNET_TILE_ADD(sums, a, b) _tile_dpbssd(sums, a, b)

BITNET_TARGET_BEGIN("amx-tile,amx-int8,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")
#include "core/amx_panels.h"
#include "core/panel_transpose.h"

namespace bitnet {
namespace {

constexpr int64_t kStepDepth = 64;

alignas(16) const int8_t kZeros[16] = {};

BITNET_INLINE __mmask16 first_lanes(int64_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xffff : (1 << count) - 1);
}

// Words of four depths from `first` on, 16 lanes. Depths past `depth` are zeros.
BITNET_INLINE void interleave(const PanelSource& source, int64_t first, int64_t depth, int64_t lane,
                              __mmask16 mask, uint8_t* out) {
  const int8_t* data = static_cast<const int8_t*>(source.data) + lane;
  const auto row = [&](int64_t p) {
    return _mm_maskz_loadu_epi8(mask, p < depth ? data + p * source.depth_stride : kZeros);
  };
  const __m128i a = row(first), b = row(first + 1), c = row(first + 2), d = row(first + 3);
  const __m128i ab_low = _mm_unpacklo_epi8(a, b), ab_high = _mm_unpackhi_epi8(a, b);
  const __m128i cd_low = _mm_unpacklo_epi8(c, d), cd_high = _mm_unpackhi_epi8(c, d);
  __m128i* words = reinterpret_cast<__m128i*>(out);
  _mm_storeu_si128(words, _mm_unpacklo_epi16(ab_low, cd_low));
  _mm_storeu_si128(words + 1, _mm_unpackhi_epi16(ab_low, cd_low));
  _mm_storeu_si128(words + 2, _mm_unpacklo_epi16(ab_high, cd_high));
  _mm_storeu_si128(words + 3, _mm_unpackhi_epi16(ab_high, cd_high));
}

// Rows whose depths lie next to each other.
void pack_rows(const PanelSource& source, int64_t lanes, int64_t depth, int64_t panel_bytes,
               uint8_t* panels) {
  const int64_t whole = (lanes + kPanelLanes - 1) / kPanelLanes * kPanelLanes;
  for (int64_t lane = 0; lane < whole; ++lane) {
    uint8_t* out = panels + lane / kPanelLanes * panel_bytes + lane % kPanelLanes * 64;
    const int8_t* row = static_cast<const int8_t*>(source.data) + lane * source.lane_stride;
    for (int64_t p = 0; p < depth; p += kStepDepth, out += kPanelStepBytes) {
      const int64_t count = lane < lanes ? depth - p : 0;
      const __mmask64 mask = count >= kStepDepth ? ~__mmask64{0} : (__mmask64{1} << count) - 1;
      _mm512_storeu_si512(out, _mm512_maskz_loadu_epi8(mask, row + p));
    }
  }
}

void pack_codes_left(const PanelSource& source, int64_t lanes, int64_t depth, int64_t panel_bytes,
                     uint8_t* panels) {
  if (source.lane_stride != 1) return pack_rows(source, lanes, depth, panel_bytes, panels);
  alignas(64) uint8_t square[kPanelStepBytes];
  for (int64_t first = 0; first < depth; first += kStepDepth, panels += kPanelStepBytes) {
    for (int64_t lane = 0; lane < lanes; lane += kPanelLanes) {
      const __mmask16 mask = first_lanes(lanes - lane);
      for (int64_t word = 0; word < 16; ++word) {
        interleave(source, first + 4 * word, depth, lane, mask, square + word * 64);
      }
      transpose_words(square, panels + lane / kPanelLanes * panel_bytes);
    }
  }
}

void pack_codes_right(const PanelSource& source, int64_t lanes, int64_t depth, int64_t panel_bytes,
                      uint8_t* panels) {
  for (int64_t first = 0; first < depth; first += kStepDepth, panels += kPanelStepBytes) {
    for (int64_t lane = 0; lane < lanes; lane += kPanelLanes) {
      const __mmask16 mask = first_lanes(lanes - lane);
      for (int64_t word = 0; word < 16; ++word) {
        interleave(source, first + 4 * word, depth, lane, mask,
                   panels + lane / kPanelLanes * panel_bytes + word * 64);
      }
    }
  }
}

}  // namespace

const PanelTile kAmxInt8Tile = {kStepDepth, pack_codes_left, pack_codes_right, multiply_amx};

}  // namespace bitnet

BITNET_TARGET_END

#endif
