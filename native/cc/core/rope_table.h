// Cosine and sine tables of rotary embedding, without libm.
//
//   inv_freq[i] = float32(theta^(-2i / head_dim)) / factor[i]
//   angle       = float32(position * inv_freq[i])        as Hugging Face
//   cosine      = float32(cos(angle)) * magnitude,  sine = float32(sin(angle)) * magnitude
//
// Factors and magnitude are those of an embedding that is scaled for a longer context (src/config/rope_scaling.ts).
// Powers, sines and cosines are evaluated in float64 by our own series (error below 1e-14), so every machine
// gets the same float32 table.
#pragma once

#include <cstdint>
#include <vector>

namespace bitnet {

struct Rope {
  int64_t head_dim = 0;          // even
  double theta = 0;              // positive
  std::vector<float> factors{};  // head_dim / 2; empty: all 1
  float magnitude = 1.0f;

  bool operator==(const Rope& other) const {
    return head_dim == other.head_dim && theta == other.theta && factors == other.factors &&
           magnitude == other.magnitude;
  }
};

// ln(x) of a positive number by the same series.
double series_log(double x);

// Fills cosine and sine, each [positions][head_dim / 2], for positions first .. first + positions - 1.
void fill_rope_table(int64_t first, int64_t positions, const Rope& rope, float* cosine, float* sine);

}  // namespace bitnet
