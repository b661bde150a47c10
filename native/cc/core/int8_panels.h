// Packing of int8 panels (panel_tile.h) for AVX-512 and AMX. Include inside a target region with AVX-512 BW
// and VL, after panel_transpose.h.
#pragma once

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

// The left operand's bytes are exclusive-ored with Flip: 0x80 adds 128, for multipliers that take it
// unsigned.
BITNET_INLINE __m512i flipped(__m512i codes, int flip) {
  return _mm512_xor_si512(codes, _mm512_set1_epi8(static_cast<char>(flip)));
}

// Rows whose depths lie next to each other.
template <int Flip>
void pack_rows(const PanelSource& source, int64_t lanes, int64_t depth, int64_t panel_bytes,
               uint8_t* panels) {
  const int64_t whole = (lanes + kPanelLanes - 1) / kPanelLanes * kPanelLanes;
  for (int64_t lane = 0; lane < whole; ++lane) {
    uint8_t* out = panels + lane / kPanelLanes * panel_bytes + lane % kPanelLanes * 64;
    const int8_t* row = static_cast<const int8_t*>(source.data) + lane * source.lane_stride;
    for (int64_t p = 0; p < depth; p += kStepDepth, out += kPanelStepBytes) {
      const int64_t count = lane < lanes ? depth - p : 0;
      const __mmask64 mask = count >= kStepDepth ? ~__mmask64{0} : (__mmask64{1} << count) - 1;
      _mm512_storeu_si512(out, flipped(_mm512_maskz_loadu_epi8(mask, row + p), Flip));
    }
  }
}

template <int Flip>
void pack_codes_left(const PanelSource& source, int64_t lanes, int64_t depth, int64_t panel_bytes,
                     uint8_t* panels) {
  if (source.lane_stride != 1) return pack_rows<Flip>(source, lanes, depth, panel_bytes, panels);
  alignas(64) uint8_t square[kPanelStepBytes];
  for (int64_t first = 0; first < depth; first += kStepDepth, panels += kPanelStepBytes) {
    for (int64_t lane = 0; lane < lanes; lane += kPanelLanes) {
      const __mmask16 mask = first_lanes(lanes - lane);
      for (int64_t word = 0; word < 16; ++word) {
        interleave(source, first + 4 * word, depth, lane, mask, square + word * 64);
      }
      if (Flip) {
        for (int64_t word = 0; word < 16; ++word) {
          uint8_t* at = square + word * 64;
          _mm512_store_si512(at, flipped(_mm512_load_si512(at), Flip));
        }
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
}  // namespace bitnet
