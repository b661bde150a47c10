// The kernels over one row, on 16 lanes: one body for every ISA. Include inside a target region, after
// lanes.h. Orders and meanings are those of kernels.h.
#pragma once

#include "core/float16.h"
#include "core/kernels.h"
#include "core/lanes.h"

namespace bitnet {
namespace {

// ---- quantization ----

struct IntLanes {
  IntPart part[kParts];
};

BITNET_INLINE IntLanes codes_of(Lanes scaled, float low, float high) {
  const Lanes v = at_most(larger(scaled, broadcast(low)), broadcast(high));
  IntLanes codes;
  each<kParts>([&](auto i) BITNET_INLINE_LAMBDA { codes.part[i] = to_int(v.part[i]); });
  return codes;
}

BITNET_INLINE void store_codes(int8_t* p, const IntLanes& codes) {
  each<kParts>([&](auto i) BITNET_INLINE_LAMBDA { store_part_i8(p + i * kPartLanes, codes.part[i]); });
}

BITNET_INLINE IntLanes add(IntLanes a, const IntLanes& b) {
  each<kParts>([&](auto i) BITNET_INLINE_LAMBDA { a.part[i] = add(a.part[i], b.part[i]); });
  return a;
}

// Sums of a row run in two chains: one would wait for itself.
BITNET_INLINE float largest_magnitude(const float* x, int64_t cols) {
  const int64_t whole = cols / kLanes * kLanes;
  Lanes even = broadcast(1e-5f), odd = even;
  int64_t i = 0;
  for (; i + 2 * kLanes <= whole; i += 2 * kLanes) {
    even = larger(abs(load(x + i)), even);
    odd = larger(abs(load(x + i + kLanes)), odd);
  }
  if (i < whole) even = larger(abs(load(x + i)), even);
  if (whole < cols) odd = larger(abs(load_first(x + whole, cols - whole)), odd);
  return max_lane(larger(even, odd));
}

float abs_max_row(const float* x, int64_t cols) { return largest_magnitude(x, cols); }

void code_row(const float* x, int64_t cols, float inverse_scale, float low, float high, int8_t* codes,
              int32_t* code_sum) {
  const int64_t whole = cols / kLanes * kLanes, rest = cols - whole;
  const Lanes inverse = broadcast(inverse_scale);
  IntLanes sums;
  each<kParts>([&](auto i) BITNET_INLINE_LAMBDA { sums.part[i] = zero_int_part(); });
  for (int64_t i = 0; i < whole; i += kLanes) {
    const IntLanes ints = codes_of(mul(load(x + i), inverse), low, high);
    store_codes(codes + i, ints);
    sums = add(sums, ints);
  }
  if (rest) {
    // Lanes past the end are 0 and fall into the padding. (0 * inverse is 0: inverse is finite.)
    const IntLanes ints = codes_of(mul(load_first(x + whole, rest), inverse), low, high);
    store_codes(codes + whole, ints);
    sums = add(sums, ints);
  }
  int32_t total = 0;
  each<kParts>([&](auto i) BITNET_INLINE_LAMBDA { total += sum_part(sums.part[i]); });
  *code_sum = total;
  std::memset(codes + cols, 0, static_cast<size_t>(padded_cols(cols) - cols));
}

void quantize_row(const float* x, int64_t cols, int8_t* codes, float* act_scale, int32_t* code_sum) {
  const float largest = largest_magnitude(x, cols);
  code_row(x, cols, 127.0f / largest, -128.0f, 127.0f, codes, code_sum);
  *act_scale = largest / 127.0f;
}

struct DoubleLanes {
  DoublePart part[kParts];
};

BITNET_INLINE DoubleLanes add(DoubleLanes sums, Lanes v) {
  each<kParts>([&](auto i) BITNET_INLINE_LAMBDA { sums.part[i] = add(sums.part[i], v.part[i]); });
  return sums;
}

double abs_sum_row(const float* w, int64_t cols) {
  DoubleLanes sums;
  each<kParts>([&](auto i) BITNET_INLINE_LAMBDA { sums.part[i] = zero_double_part(); });
  int64_t i = 0;
  for (; i + kLanes <= cols; i += kLanes) sums = add(sums, abs(load(w + i)));
  if (i < cols) sums = add(sums, abs(load_first(w + i, cols - i)));
  double lanes[kLanes];
  each<kParts>([&](auto j) BITNET_INLINE_LAMBDA { store_part(lanes + j * kPartLanes, sums.part[j]); });
  return reduce_lanes(lanes);
}

void ternarize(const float* w, int64_t count, float inverse_scale, int8_t* ternary) {
  const Lanes inverse = broadcast(inverse_scale);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    store_codes(ternary + i, codes_of(mul(load(w + i), inverse), -1.0f, 1.0f));
  }
  if (i < count) {
    int8_t tail[kLanes];
    store_codes(tail, codes_of(mul(load_first(w + i, count - i), inverse), -1.0f, 1.0f));
    std::memcpy(ternary + i, tail, static_cast<size_t>(count - i));
  }
}

// ---- float rows ----

float rms_norm_row(const float* x, const float* gain, int64_t n, float eps, float* y) {
  const int64_t whole = n / kLanes * kLanes, rest = n - whole;
  Lanes squares = broadcast(0.0f);
  for (int64_t i = 0; i < whole; i += kLanes) {
    const Lanes v = load(x + i);
    squares = fma(v, v, squares);
  }
  if (rest) {
    const Lanes v = load_first(x + whole, rest);
    squares = fma(v, v, squares);
  }
  const float r = 1.0f / std::sqrt(sum(squares) / static_cast<float>(n) + eps);
  const Lanes factor = broadcast(r);
  for (int64_t i = 0; i < whole; i += kLanes) store(y + i, mul(load(gain + i), mul(load(x + i), factor)));
  if (rest) {
    const Lanes v = mul(load_first(gain + whole, rest), mul(load_first(x + whole, rest), factor));
    store_first(y + whole, v, rest);
  }
  return r;
}

void rope_row(float* x, int64_t heads, int64_t head_dim, const float* cosine, const float* sine) {
  const int64_t half = head_dim / 2;
  for (int64_t head = 0; head < heads; ++head) {
    float* low = x + head * head_dim;
    float* high = low + half;
    int64_t i = 0;
    for (; i + kLanes <= half; i += kLanes) {
      const Lanes a = load(low + i), b = load(high + i), c = load(cosine + i), s = load(sine + i);
      store(low + i, fms(a, c, mul(b, s)));
      store(high + i, fma(b, c, mul(a, s)));
    }
    if (i < half) {
      const int64_t rest = half - i;
      const Lanes a = load_first(low + i, rest), b = load_first(high + i, rest);
      const Lanes c = load_first(cosine + i, rest), s = load_first(sine + i, rest);
      store_first(low + i, fms(a, c, mul(b, s)), rest);
      store_first(high + i, fma(b, c, mul(a, s)), rest);
    }
  }
}

// y[i] = Op(a[i], b[i]).
template <Lanes (*Op)(Lanes, Lanes)>
BITNET_INLINE void map_pairs(const float* a, const float* b, int64_t n, float* y) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, Op(load(a + i), load(b + i)));
  if (i < n) store_first(y + i, Op(load_first(a + i, n - i), load_first(b + i, n - i)), n - i);
}

BITNET_INLINE Lanes relu2_times(Lanes gate, Lanes up) {
  const Lanes r = larger(gate, broadcast(0.0f));
  return mul(mul(r, r), up);
}

BITNET_INLINE Lanes silu_times(Lanes gate, Lanes up) {
  return mul(div(gate, add(broadcast(1.0f), exp(neg(gate)))), up);
}

BITNET_INLINE Lanes gelu_times(Lanes gate, Lanes up) {
  const Lanes u = mul(gate, fma(mul(gate, gate), broadcast(kGeluCubic), broadcast(kGeluLinear)));
  return mul(div(gate, add(broadcast(1.0f), exp(neg(u)))), up);
}

BITNET_INLINE Lanes plus(Lanes a, Lanes b) { return add(a, b); }

void relu2_gate(const float* gate, const float* up, int64_t n, float* y) {
  map_pairs<relu2_times>(gate, up, n, y);
}
void squared_relu(const float* x, int64_t n, float* y) {
  int64_t i = 0;
  const auto square = [](Lanes v) BITNET_INLINE_LAMBDA {
    const Lanes r = larger(v, broadcast(0.0f));
    return mul(r, r);
  };
  for (; i + kLanes <= n; i += kLanes) store(y + i, square(load(x + i)));
  if (i < n) store_first(y + i, square(load_first(x + i, n - i)), n - i);
}
void silu_gate(const float* gate, const float* up, int64_t n, float* y) {
  map_pairs<silu_times>(gate, up, n, y);
}
void gelu_gate(const float* gate, const float* up, int64_t n, float* y) {
  map_pairs<gelu_times>(gate, up, n, y);
}
void add_rows(const float* a, const float* b, int64_t n, float* y) { map_pairs<plus>(a, b, n, y); }

// ---- softmax pieces ----

// Exact maximum of n >= 1 values.
BITNET_INLINE float max_of(const float* x, int64_t n) {
  Lanes largest = broadcast(x[0]);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) largest = larger(load(x + i), largest);
  if (i < n) largest = select_first(n - i, larger(load_first(x + i, n - i), largest), largest);
  return max_lane(largest);
}

float log_sum_exp(const float* x, int64_t n) {
  const float largest = max_of(x, n);
  const Lanes shift = broadcast(largest), nothing = broadcast(0.0f);
  Lanes total = nothing;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) total = add(total, exp(sub(load(x + i), shift)));
  // Sums of exponentials are never -0, so adding 0 in the lanes past the end changes nothing.
  if (i < n) total = add(total, select_first(n - i, exp(sub(load_first(x + i, n - i), shift)), nothing));
  return largest + canonical_log(sum(total));
}

}  // namespace
}  // namespace bitnet
