// The loops of loops.h that compilers do not turn into good vector code by themselves, on vector parts.
// Include inside a target region, after core/lanes.h and, for the instruction set: floor_part,
// larger_magnitude and the operations on the bits of a part.
#pragma once

#include "core/lanes.h"

namespace bitnet {
namespace {

// ---- RMSNorm ---------------------------------------------------------------------------------------------

BITNET_INLINE void add_products(Part x, Part gain, Part dy, Part& squares, Part& products) {
  squares = fma(x, x, squares);
  products = fma(mul(gain, dy), x, products);
}

void rms_norm_grad_row(const float* x, const float* gain, const float* dy, int64_t n, float eps, float* dx,
                       float* dgain) {
  // Two chains each: one would wait for its own last sum.
  Part even_squares = zero_part(), even_products = zero_part();
  Part odd_squares = zero_part(), odd_products = zero_part();
  int64_t i = 0;
  for (; i + 2 * kPartLanes <= n; i += 2 * kPartLanes) {
    add_products(load_part(x + i), load_part(gain + i), load_part(dy + i), even_squares, even_products);
    const int64_t j = i + kPartLanes;
    add_products(load_part(x + j), load_part(gain + j), load_part(dy + j), odd_squares, odd_products);
  }
  for (; i < n; i += kPartLanes) {
    const int count = static_cast<int>(n - i);
    add_products(load_part_first(x + i, count), load_part_first(gain + i, count),
                 load_part_first(dy + i, count), even_squares, even_products);
  }
  const float inverse_n = 1.0f / static_cast<float>(n);
  const float r = 1.0f / std::sqrt(sum_part(add(even_squares, odd_squares)) * inverse_n + eps);
  const Part factor = broadcast_part(r);
  const Part along_x = broadcast_part(-(r * r * r * inverse_n * sum_part(add(even_products, odd_products))));
  for (i = 0; i + kPartLanes <= n; i += kPartLanes) {
    const Part v = load_part(x + i), d = load_part(dy + i);
    store_part(dx + i, fma(v, along_x, mul(factor, mul(load_part(gain + i), d))));
    store_part(dgain + i, fma(d, mul(v, factor), load_part(dgain + i)));
  }
  if (i < n) {
    const int count = static_cast<int>(n - i);
    const Part v = load_part_first(x + i, count), d = load_part_first(dy + i, count);
    store_part_first(dx + i, fma(v, along_x, mul(factor, mul(load_part_first(gain + i, count), d))), count);
    store_part_first(dgain + i, fma(d, mul(v, factor), load_part_first(dgain + i, count)), count);
  }
}

// ---- int8 operands ---------------------------------------------------------------------------------------

template <bool Whole>
BITNET_INLINE Part load_some(const float* p, int64_t count) {
  return Whole ? load_part(p) : load_part_first(p, static_cast<int>(count));
}
template <bool Whole>
BITNET_INLINE void store_some(float* p, Part v, int64_t count) {
  Whole ? store_part(p, v) : store_part_first(p, v, static_cast<int>(count));
}

// Four tokens, whose rows are `stride` floats apart: the columns are read and written once for all.
struct FourTokens {
  Part row0, row1, row2, row3;
  Part most0, most1, most2, most3;

  template <bool Whole>
  BITNET_INLINE void add(const float* x, int64_t stride, const float* factor, int64_t count, float* columns) {
    const Part column = load_some<Whole>(factor, count);
    const Part v0 = load_some<Whole>(x, count), v1 = load_some<Whole>(x + stride, count);
    const Part v2 = load_some<Whole>(x + 2 * stride, count), v3 = load_some<Whole>(x + 3 * stride, count);
    most0 = larger_magnitude(most0, abs(mul(v0, column)));
    most1 = larger_magnitude(most1, abs(mul(v1, column)));
    most2 = larger_magnitude(most2, abs(mul(v2, column)));
    most3 = larger_magnitude(most3, abs(mul(v3, column)));
    const Part low = larger_magnitude(abs(mul(v0, row0)), abs(mul(v1, row1)));
    const Part high = larger_magnitude(abs(mul(v2, row2)), abs(mul(v3, row3)));
    const Part old = load_some<Whole>(columns, count);
    store_some<Whole>(columns, larger_magnitude(old, larger_magnitude(low, high)), count);
  }
};

void abs_max_of_four(const float* x, int64_t stride, int64_t n, const float* factor, const float* row_factor,
                     float* row_max, float* columns) {
  FourTokens tokens{broadcast_part(row_factor[0]),
                    broadcast_part(row_factor[1]),
                    broadcast_part(row_factor[2]),
                    broadcast_part(row_factor[3]),
                    zero_part(),
                    zero_part(),
                    zero_part(),
                    zero_part()};
  int64_t i = 0;
  for (; i + kPartLanes <= n; i += kPartLanes) {
    tokens.add<true>(x + i, stride, factor + i, kPartLanes, columns + i);
  }
  if (i < n) tokens.add<false>(x + i, stride, factor + i, n - i, columns + i);
  row_max[0] = max_magnitude(tokens.most0);
  row_max[1] = max_magnitude(tokens.most1);
  row_max[2] = max_magnitude(tokens.most2);
  row_max[3] = max_magnitude(tokens.most3);
}

void abs_max_of_one(const float* x, int64_t n, const float* factor, float row_factor, float* row_max,
                    float* columns) {
  const Part row = broadcast_part(row_factor);
  Part most = zero_part();
  for (int64_t i = 0; i < n; i += kPartLanes) {
    const int count = static_cast<int>(n - i < kPartLanes ? n - i : kPartLanes);
    const Part v = load_part_first(x + i, count);
    most = larger_magnitude(most, abs(mul(v, load_part_first(factor + i, count))));
    store_part_first(columns + i, larger_magnitude(load_part_first(columns + i, count), abs(mul(v, row))),
                     count);
  }
  *row_max = max_magnitude(most);
}

void scaled_abs_max(const float* x, int64_t tokens, int64_t n, const float* factor, const float* row_factor,
                    float* row_max, float* columns) {
  int64_t t = 0;
  for (; t + 4 <= tokens; t += 4) {
    abs_max_of_four(x + t * n, n, n, factor, row_factor + t, row_max + t, columns);
  }
  for (; t < tokens; ++t) abs_max_of_one(x + t * n, n, factor, row_factor[t], row_max + t, columns);
}

// floor(value + uniform) of values limited to [-127, 127]; uniform: 16 bits of a hash over 2^16.
BITNET_INLINE IntPart stochastic_part(Part value, IntPart bits) {
  const Part limited = at_most(larger(value, broadcast_part(-127.0f)), broadcast_part(127.0f));
  const Part uniform = mul(to_float(bits), broadcast_part(0x1p-16f));
  return to_int(floor_part(add(limited, uniform)));
}

// `products` is the index of each lane times the hash's first constant.
BITNET_INLINE IntPart mix_part(IntPart key, IntPart products) {
  IntPart h = exclusive_or(key, products);
  h = multiply_low(exclusive_or(h, shift_right<16>(h)), broadcast_bits(0x7feb352du));
  h = multiply_low(exclusive_or(h, shift_right<15>(h)), broadcast_bits(0x846ca68bu));
  return exclusive_or(h, shift_right<16>(h));
}

int32_t round_stochastic(const float* x, int64_t n, const float* token_factor, float token_inverse,
                         const float* column_factor, float row_factor, uint32_t key, uint32_t first,
                         int8_t* token_codes, int8_t* column_codes) {
  constexpr uint32_t kStride = 0x9e3779b1u;
  uint32_t start[kPartLanes];
  for (uint32_t i = 0; i < kPartLanes; ++i) start[i] = (first + i) * kStride;
  IntPart products = load_bits(start), total = zero_int_part();
  const IntPart keys = broadcast_bits(key), advance = broadcast_bits(kPartLanes * kStride);
  const Part inverse = broadcast_part(token_inverse), row = broadcast_part(row_factor);
  int64_t i = 0;
  for (; i + kPartLanes <= n; i += kPartLanes) {
    const IntPart h = mix_part(keys, products);
    const Part v = load_part(x + i);
    const IntPart by_token =
        stochastic_part(mul(mul(v, load_part(token_factor + i)), inverse), shift_right<16>(h));
    const IntPart by_column = stochastic_part(mul(mul(v, load_part(column_factor + i)), row), low_halves(h));
    store_part_i8(token_codes + i, by_token);
    store_part_i8(column_codes + i, by_column);
    total = add(total, by_token);
    products = add(products, advance);
  }
  if (i < n) {
    // Lanes past the end are 0, and so are their codes.
    const int count = static_cast<int>(n - i);
    int8_t codes[2 * kPartLanes];
    const IntPart h = mix_part(keys, products);
    const Part v = load_part_first(x + i, count);
    const Part by_token = mul(mul(v, load_part_first(token_factor + i, count)), inverse);
    const Part by_column = mul(mul(v, load_part_first(column_factor + i, count)), row);
    store_part_i8(codes, stochastic_part(by_token, shift_right<16>(h)));
    store_part_i8(codes + kPartLanes, stochastic_part(by_column, low_halves(h)));
    for (int lane = 0; lane < count; ++lane) {
      token_codes[i + lane] = codes[lane];
      column_codes[i + lane] = codes[kPartLanes + lane];
    }
    int32_t rest = 0;
    for (int lane = 0; lane < count; ++lane) rest += codes[lane];
    return sum_part(total) + rest;
  }
  return sum_part(total);
}

}  // namespace
}  // namespace bitnet
