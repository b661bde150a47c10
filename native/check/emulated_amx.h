// AMX tiles in plain C++: the intrinsics of core's AMX files as Intel documents them, on eight tiles of
// memory.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace emulated_amx {

struct Tile {
  int64_t rows = 0, row_bytes = 0;
  uint8_t data[16][64] = {};
};
inline Tile& tile(int i) {
  thread_local Tile tiles[8];
  return tiles[i];
}

// Operand of LDTILECFG: bytes 16.. row bytes as 16-bit words, bytes 48.. rows.
inline void loadconfig(const void* config) {
  const uint8_t* bytes = static_cast<const uint8_t*>(config);
  for (int i = 0; i < 8; ++i) {
    uint16_t row_bytes;
    std::memcpy(&row_bytes, bytes + 16 + 2 * i, sizeof row_bytes);
    tile(i) = Tile{};
    tile(i).row_bytes = row_bytes;
    tile(i).rows = bytes[48 + i];
  }
}
inline void zero(int t) { std::memset(tile(t).data, 0, sizeof tile(t).data); }
inline void loadd(int t, const void* base, int64_t stride) {
  zero(t);
  for (int64_t r = 0; r < tile(t).rows; ++r) {
    std::memcpy(tile(t).data[r], static_cast<const uint8_t*>(base) + r * stride,
                static_cast<size_t>(tile(t).row_bytes));
  }
}
inline void stored(int t, void* base, int64_t stride) {
  for (int64_t r = 0; r < tile(t).rows; ++r) {
    std::memcpy(static_cast<uint8_t*>(base) + r * stride, tile(t).data[r],
                static_cast<size_t>(tile(t).row_bytes));
  }
}

// c[m][n] += sum over k and four bytes of a[m][4 k + i] * b[k][4 n + i], bytes as A and B.
template <typename A, typename B>
void dot_bytes(int c, int a, int b) {
  for (int64_t m = 0; m < tile(c).rows; ++m) {
    for (int64_t n = 0; n < tile(c).row_bytes / 4; ++n) {
      int32_t sum;
      std::memcpy(&sum, tile(c).data[m] + 4 * n, sizeof sum);
      for (int64_t k = 0; k < tile(a).row_bytes / 4; ++k) {
        for (int64_t i = 0; i < 4; ++i) {
          sum += static_cast<int32_t>(static_cast<A>(tile(a).data[m][4 * k + i])) *
                 static_cast<int32_t>(static_cast<B>(tile(b).data[k][4 * n + i]));
        }
      }
      std::memcpy(tile(c).data[m] + 4 * n, &sum, sizeof sum);
    }
  }
}

inline float bf16_at(const uint8_t* p) {
  uint16_t half;
  std::memcpy(&half, p, sizeof half);
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// c[m][n] += the products of pairs of bfloat16: even ones and odd ones summed by fma on their own over k,
// then added. Subnormal numbers are kept here.
inline void dot_bf16(int c, int a, int b) {
  for (int64_t m = 0; m < tile(c).rows; ++m) {
    for (int64_t n = 0; n < tile(c).row_bytes / 4; ++n) {
      float even = 0, odd = 0;
      for (int64_t k = 0; k < tile(a).row_bytes / 4; ++k) {
        const uint8_t* left = tile(a).data[m] + 4 * k;
        const uint8_t* right = tile(b).data[k] + 4 * n;
        even = std::fma(bf16_at(left), bf16_at(right), even);
        odd = std::fma(bf16_at(left + 2), bf16_at(right + 2), odd);
      }
      float sum;
      std::memcpy(&sum, tile(c).data[m] + 4 * n, sizeof sum);
      sum += even + odd;
      std::memcpy(tile(c).data[m] + 4 * n, &sum, sizeof sum);
    }
  }
}

}  // namespace emulated_amx

#undef _tile_loadconfig
#define _tile_loadconfig(config) emulated_amx::loadconfig(config)
#undef _tile_release
#define _tile_release()
#undef _tile_zero
#define _tile_zero(t) emulated_amx::zero(t)
#undef _tile_loadd
#define _tile_loadd(t, base, stride) emulated_amx::loadd(t, base, stride)
#undef _tile_stored
#define _tile_stored(t, base, stride) emulated_amx::stored(t, base, stride)
#undef _tile_dpbsud
#define _tile_dpbsud(c, a, b) emulated_amx::dot_bytes<int8_t, uint8_t>(c, a, b)
#undef _tile_dpbssd
#define _tile_dpbssd(c, a, b) emulated_amx::dot_bytes<int8_t, int8_t>(c, a, b)
#undef _tile_dpbf16ps
#define _tile_dpbf16ps(c, a, b) emulated_amx::dot_bf16(c, a, b)
