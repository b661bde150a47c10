// The transposition of a step of a panel: 16 x 16 words of 32 bits. Include inside a target region with
// AVX-512.
#pragma once

namespace bitnet {
namespace {

// out[c][r] = in[r][c], both 1 KB. Loads gather rows r, r + 4, r + 8, r + 12, so that only words within 128
// bits remain to be turned.
BITNET_INLINE void transpose_words(const uint8_t* in, uint8_t* out) {
  const auto rows = [in](int first, int column) {
    const auto part = [in, first, column](int row) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + (row + first) * 64 + column * 16));
    };
    __m512i v = _mm512_castsi128_si512(part(0));
    v = _mm512_inserti32x4(v, part(4), 1);
    v = _mm512_inserti32x4(v, part(8), 2);
    return _mm512_inserti32x4(v, part(12), 3);
  };
  for (int column = 0; column < 4; ++column, out += 256) {
    const __m512i a = rows(0, column), b = rows(1, column), c = rows(2, column), d = rows(3, column);
    const __m512i ab_low = _mm512_unpacklo_epi32(a, b), ab_high = _mm512_unpackhi_epi32(a, b);
    const __m512i cd_low = _mm512_unpacklo_epi32(c, d), cd_high = _mm512_unpackhi_epi32(c, d);
    _mm512_storeu_si512(out, _mm512_unpacklo_epi64(ab_low, cd_low));
    _mm512_storeu_si512(out + 64, _mm512_unpackhi_epi64(ab_low, cd_low));
    _mm512_storeu_si512(out + 128, _mm512_unpacklo_epi64(ab_high, cd_high));
    _mm512_storeu_si512(out + 192, _mm512_unpackhi_epi64(ab_high, cd_high));
  }
}

}  // namespace
}  // namespace bitnet
