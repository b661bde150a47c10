// Cosine and sine tables of rotary embedding, without libm.
//
//   inv_freq[i] = float32(theta^(-2i / head_dim))
//   angle       = float32(position * inv_freq[i])        as Hugging Face
//   cosine      = float32(cos(angle)),  sine = float32(sin(angle))
//
// Powers, sines and cosines are evaluated in float64 by our own series (error below 1e-14), so every machine
// gets the same float32 table.
#pragma once

#include <cstdint>

namespace bitnet {

// Fills cosine and sine, each [positions][head_dim / 2], for positions first .. first + positions - 1.
// head_dim is even and theta > 0.
void fill_rope_table(int64_t first, int64_t positions, int64_t head_dim, double theta, float* cosine,
                     float* sine);

}  // namespace bitnet
