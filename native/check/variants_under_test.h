// What every comparison of kernel variants needs: seeded inputs, the variants that run here, bitwise
// comparison.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "check.h"
#include "core/canonical_math.h"
#include "core/code_blocks.h"
#include "core/float16.h"
#include "core/kernels.h"
#include "core/pack_buffer.h"
#include "core/variant_registry.h"

namespace check {

inline const bitnet::Kernels& scalar() { return bitnet::kernels_by_name("scalar"); }

// splitmix64: the same inputs on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  // Whole number in [0, limit).
  int64_t below(int64_t limit) { return static_cast<int64_t>(next() % static_cast<uint64_t>(limit)); }
  // Uniform in [-1, 1).
  float unit() { return static_cast<float>(static_cast<int64_t>(next() >> 40) - (1 << 23)) / (1 << 23); }
  // Bell-shaped around 0, standard deviation about 1, with an exact zero now and then.
  float value() {
    if (below(32) == 0) return 0.0f;
    return (unit() + unit() + unit()) * std::ldexp(1.0f, static_cast<int>(below(3)) - 1);
  }

 private:
  uint64_t state_;
};

// `count` values after `offset` unused ones (an unaligned start). The allocation ends with the last value, so
// that the address sanitizer sees any read behind it.
inline std::vector<float> values(Random& random, int64_t count, int64_t offset = 0) {
  std::vector<float> list(static_cast<size_t>(offset + count));
  for (float& v : list) v = random.value();
  return list;
}

// Random bytes as blocks of a type that has them, with float16 scales of a likely size.
inline void fill_blocks(Random& random, bitnet::RowType type, std::vector<uint8_t>* bytes,
                        float size = 0.01f) {
  const size_t block = static_cast<size_t>(bitnet::row_bytes(type, bitnet::block_cols(type)));
  for (uint8_t& byte : *bytes) byte = static_cast<uint8_t>(random.next());
  const auto set_scale = [&](size_t at) {
    const uint16_t scale = bitnet::f32_to_f16(random.value() * size);
    std::memcpy(bytes->data() + at, &scale, sizeof scale);
  };
  for (size_t at = 0; at < bytes->size(); at += block) {
    set_scale(type == bitnet::RowType::q6_k ? at + 208 : at);
    if (type == bitnet::RowType::q5_k || type == bitnet::RowType::q4_k) set_scale(at + 2);
  }
}

// y = codes times the groups [begin, end) of w, packed as the variant wants them.
inline void ternary_product(const bitnet::Kernels& kernels, const bitnet::TernaryPanel& w, int64_t begin,
                            int64_t end, const bitnet::CodeRows& rows, float* y, int64_t y_stride) {
  bitnet::PackBuffer buffer;
  const bitnet::CodeBlocks blocks(kernels, rows, w.cols,
                                  buffer.bytes(bitnet::packed_code_bytes(rows.tokens, w.cols)));
  for (int64_t part = 0; part < blocks.pack_parts(); ++part) blocks.pack(part);
  for (int64_t i = 0; i < blocks.count(); ++i) {
    kernels.ternary_gemm(w, begin, end, blocks.block(i), y + blocks.first_token(i) * y_stride, y_stride);
  }
}

constexpr bitnet::RowType kRowTypes[] = {bitnet::RowType::f32,  bitnet::RowType::f16,  bitnet::RowType::bf16,
                                         bitnet::RowType::q8_0, bitnet::RowType::q2_0, bitnet::RowType::q6_k,
                                         bitnet::RowType::q5_k, bitnet::RowType::q4_k, bitnet::RowType::q4_0};

// Random stored rows.
inline std::vector<uint8_t> stored_rows(Random& random, bitnet::RowType type, int64_t rows, int64_t cols) {
  using namespace bitnet;
  std::vector<uint8_t> bytes(static_cast<size_t>(rows * row_bytes(type, cols)));
  if (block_cols(type) > 1) {
    fill_blocks(random, type, &bytes);
    return bytes;
  }
  for (int64_t i = 0; i < rows * cols; ++i) {
    const float value = random.value();
    const uint16_t half = type == RowType::f16 ? f32_to_f16(value) : f32_to_bf16(value);
    if (type == RowType::f32) {
      std::memcpy(&bytes[static_cast<size_t>(i * 4)], &value, 4);
    } else {
      std::memcpy(&bytes[static_cast<size_t>(i * 2)], &half, 2);
    }
  }
  return bytes;
}

// First index at which the bits differ, or -1. Any NaN equals any NaN.
inline int64_t first_difference(const float* a, const float* b, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const bool both_nan = a[i] != a[i] && b[i] != b[i];
    if (!both_nan && bitnet::float_bits(a[i]) != bitnet::float_bits(b[i])) return i;
  }
  return -1;
}

inline void expect_same_bits(const std::vector<float>& expected, const std::vector<float>& actual,
                             const char* variant, const char* what) {
  const int64_t at = first_difference(expected.data(), actual.data(), static_cast<int64_t>(expected.size()));
  if (at < 0) return;
  const size_t i = static_cast<size_t>(at);
  expect(false, "%s, %s: element %lld is %.9g, scalar says %.9g", variant, what, static_cast<long long>(at),
         static_cast<double>(actual[i]), static_cast<double>(expected[i]));
}

// Whether a check of the whole engine runs this variant. CHECK_ENGINE_VARIANTS=default leaves it at the one
// in use: what a sanitizer looks for in the engine is the same with every variant, and the kernels of each
// have checks of their own.
inline bool runs_in_engine(const bitnet::Variant& variant) {
  const char* which = std::getenv("CHECK_ENGINE_VARIANTS");
  const bool all = !which || std::strcmp(which, "default") != 0;
  return variant.supported && (all || &variant == &bitnet::active_variant());
}

// Whether a check of the kernels runs this variant. CHECK_KERNEL_VARIANTS=default leaves it at the one in use:
// threads share the same work whatever variant computes it.
inline bool runs_in_kernels(const bitnet::Variant& variant) {
  const char* which = std::getenv("CHECK_KERNEL_VARIANTS");
  const bool all = !which || std::strcmp(which, "default") != 0;
  return variant.supported && (all || &variant == &bitnet::active_variant());
}

// Runs body(variant) for every variant but scalar that this CPU can run.
template <typename Body>
void for_each_variant(const Body& body) {
  for (const bitnet::Variant& variant : bitnet::kernel_variants()) {
    if (runs_in_kernels(variant) && variant.kernels != &scalar()) body(*variant.kernels);
  }
}

// Prints the variants that are compared and runs the tests. CHECK_VARIANT names one that must be among them:
// a check that exists for one ISA must not pass by leaving it out.
inline int run_variant_tests() {
  const char* required = std::getenv("CHECK_VARIANT");
  bool found = !required || !*required;
  std::printf("variants compared with scalar:");
  for_each_variant([&](const bitnet::Kernels& kernels) {
    std::printf(" %s", kernels.name);
    found = found || std::strcmp(kernels.name, required) == 0;
  });
  std::printf("\n");
  const int status = run_tests();
  if (!found) std::printf("the variant %s is not among them\n0 passed, 1 failed\n", required);
  return found ? status : 1;
}

}  // namespace check
