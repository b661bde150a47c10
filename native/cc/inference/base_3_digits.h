// Digits of base 3 (ternary + 1), five to a byte, as TQ1_0 and PrismML's PTQ1_0 store them. A byte holds
// ceil(v * 256 / 243): times a power of 3, the next digit is the carry.
#pragma once

#include <cstdint>

namespace bitnet {

// Bytes that share an order: digit n of byte `byte + m`, the first one most significant, is element first + m +
// count * n.
struct DigitRun {
  int byte, count, first, digits;
};

constexpr DigitRun kTq1Runs[3] = {{0, 32, 0, 5}, {32, 16, 160, 5}, {48, 4, 240, 4}};
constexpr DigitRun kPtq1Runs[3] = {{0, 16, 0, 5}, {16, 8, 80, 5}, {24, 2, 120, 4}};

// The codes of a block whose digits begin at `bytes`.
inline void digit_codes(const DigitRun (&runs)[3], const uint8_t* bytes, uint8_t* codes) {
  constexpr unsigned kPowers[5] = {1, 3, 9, 27, 81};
  for (const DigitRun& run : runs) {
    for (int n = 0; n < run.digits; ++n) {
      for (int m = 0; m < run.count; ++m) {
        const unsigned rest = (bytes[run.byte + m] * kPowers[n]) & 0xffu;
        codes[run.first + m + run.count * n] = static_cast<uint8_t>((rest * 3) >> 8);
      }
    }
  }
}

}  // namespace bitnet
