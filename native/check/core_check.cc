// Number formats, transcendental functions, the rope table, the ternary panel and the thread pool.
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "core/cpu_features.h"
#include "core/float16.h"
#include "core/rope_table.h"
#include "core/target_region.h"
#include "core/thread_pool.h"
#include "core/variants.h"
#include "variants_under_test.h"

#if defined(BITNET_X86)
#include <immintrin.h>
#elif defined(BITNET_ARM64)
#include <arm_neon.h>
#endif

using namespace bitnet;
using namespace check;

// ---- conversions by the CPU ----

#if defined(BITNET_X86)
BITNET_TARGET_BEGIN("avx,f16c")
namespace {
uint16_t hardware_f32_to_f16(float value) {
  return static_cast<uint16_t>(
      _mm_cvtsi128_si32(_mm_cvtps_ph(_mm_set_ss(value), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)));
}
}  // namespace
BITNET_TARGET_END
namespace {
bool has_hardware_f16() { return cpu_features().f16c; }
}  // namespace
#elif defined(BITNET_ARM64)
namespace {
uint16_t hardware_f32_to_f16(float value) {
  return vget_lane_u16(vreinterpret_u16_f16(vcvt_f16_f32(vdupq_n_f32(value))), 0);
}
bool has_hardware_f16() { return true; }
}  // namespace
#else
namespace {
uint16_t hardware_f32_to_f16(float) { return 0; }
bool has_hardware_f16() { return false; }
}  // namespace
#endif

namespace {

bool is_nan(uint16_t half) { return (half & 0x7c00u) == 0x7c00u && (half & 0x3ffu) != 0; }

// The value of a half from its definition.
double half_value(uint16_t half) {
  const int exponent = (half >> 10) & 31, mantissa = half & 1023;
  double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  if (exponent == 31) magnitude = std::numeric_limits<double>::infinity();
  return half & 0x8000u ? -magnitude : magnitude;
}

CHECK_TEST("every float16 decodes to its value and encodes back to itself") {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const uint16_t half = static_cast<uint16_t>(bits);
    const float value = f16_to_f32(half);
    if (is_nan(half)) {
      expect(value != value && is_nan(f32_to_f16(value)), "%04x is not a NaN any more", bits);
      continue;
    }
    expect(value == half_value(half) && std::signbit(value) == (half >= 0x8000u), "%04x is %.9g", bits,
           value);
    expect(f32_to_f16(value) == half, "%04x comes back as %04x", bits, f32_to_f16(value));
  }
}

CHECK_TEST("float32 to float16 rounds half to even, everywhere between two halves") {
  for (uint32_t bits = 0; bits < 0x7c00u; ++bits) {
    const uint16_t low = static_cast<uint16_t>(bits), high = static_cast<uint16_t>(bits + 1);
    // Past the largest half the next one would be 65536.
    const double above = high == 0x7c00u ? 65536.0 : half_value(high);
    const float middle = static_cast<float>((half_value(low) + above) / 2);
    const uint16_t even = (low & 1) ? high : low;
    expect(f32_to_f16(middle) == even, "middle above %04x gives %04x", bits, f32_to_f16(middle));
    expect(f32_to_f16(-middle) == (even | 0x8000u), "middle below -%04x", bits);
    expect(f32_to_f16(std::nextafter(middle, 0.0f)) == low, "just below the middle above %04x", bits);
    expect(f32_to_f16(std::nextafter(middle, 1e9f)) == high, "just above the middle above %04x", bits);
  }
}

CHECK_TEST("float32 to float16 equals the CPU's conversion") {
  if (!has_hardware_f16()) {
    std::printf("    this CPU has no such conversion\n");
    return;
  }
  Random random(21);
  for (int i = 0; i < 2000000; ++i) {
    const float value = bits_float(static_cast<uint32_t>(random.next()));
    const uint16_t ours = f32_to_f16(value), cpu = hardware_f32_to_f16(value);
    expect(ours == cpu || (is_nan(ours) && is_nan(cpu)), "%.9g: %04x, the CPU says %04x", value, ours, cpu);
  }
}

CHECK_TEST("every float16 and bfloat16 decodes the same in every variant") {
  std::vector<uint16_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  std::vector<float> expected(all.size()), actual(all.size());
  for (const RowType type : {RowType::f16, RowType::bf16}) {
    scalar().decode_row(all.data(), type, 65536, expected.data());
    for_each_variant([&](const Kernels& kernels) {
      kernels.decode_row(all.data(), type, 65536, actual.data());
      expect_same_bits(expected, actual, kernels.name, "decode_row");
    });
  }
}

CHECK_TEST("bfloat16 rounds half to even and keeps NaN") {
  Random random(22);
  for (int i = 0; i < 200000; ++i) {
    const float value = bits_float(static_cast<uint32_t>(random.next()));
    const float back = bf16_to_f32(f32_to_bf16(value));
    if (value != value) {
      expect(back != back, "NaN became %.9g", back);
      continue;
    }
    const uint32_t low = float_bits(value) & 0xffff0000u;
    const uint32_t distance = float_bits(value) - low;
    const bool up = distance > 0x8000u || (distance == 0x8000u && (low & 0x10000u));
    expect(float_bits(back) == (up ? low + 0x10000u : low), "%.9g became %.9g", value, back);
  }
}

// ---- exp and log ----

double ulps(float got, double exact) {
  const double spacing = std::ldexp(1.0, std::ilogb(exact) - 23);
  return std::fabs(got - exact) / spacing;
}

CHECK_TEST("canonical_exp is within 2 ulp of exp on [-87, 88]") {
  double worst = 0;
  for (double x = -87.0; x <= 88.0; x += 1.0 / 16384) {
    const float argument = static_cast<float>(x);
    worst = std::fmax(worst, ulps(canonical_exp(argument), std::exp(static_cast<double>(argument))));
  }
  std::printf("    largest error: %.3f ulp\n", worst);
  expect(worst < 2.0, "error of %.3f ulp", worst);
  expect(canonical_exp(0.0f) == 1.0f && canonical_exp(-0.0f) == 1.0f, "exp(0) is not 1");
  expect(canonical_exp(-1e30f) == 0.0f && std::isfinite(canonical_exp(1e30f)), "limits");
  const float nan = canonical_exp(std::numeric_limits<float>::quiet_NaN());
  expect(nan != nan, "NaN is lost");
}

CHECK_TEST("canonical_log is within 2 ulp of log") {
  double worst = 0;
  for (double x = 1e-30; x < 1e30; x *= 1.0002) {
    const float argument = static_cast<float>(x);
    const double exact = std::log(static_cast<double>(argument));
    // Near 1 the result is tiny; there the error counts against the spacing at 2^-10.
    if (std::fabs(exact) > 1e-3) worst = std::fmax(worst, ulps(canonical_log(argument), exact));
  }
  std::printf("    largest error: %.3f ulp\n", worst);
  expect(worst < 2.0, "error of %.3f ulp", worst);
  expect(canonical_log(1.0f) == 0.0f, "log(1) is not 0");
  const float infinity = std::numeric_limits<float>::infinity();
  expect(canonical_log(infinity) == infinity, "infinity is lost");
}

// ---- rope table ----

CHECK_TEST("the rope table is the rounded cosine and sine of libm in float64") {
  int64_t different = 0, count = 0;
  for (const int64_t head_dim : {16, 64, 128}) {
    for (const double theta : {10000.0, 500000.0}) {
      const int64_t positions = 300, first = 3900, half = head_dim / 2;
      std::vector<float> cosine(static_cast<size_t>(positions * half)), sine(cosine.size());
      fill_rope_table(first, positions, Rope{head_dim, theta}, cosine.data(), sine.data());
      for (int64_t p = 0; p < positions; ++p) {
        for (int64_t i = 0; i < half; ++i) {
          const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(head_dim);
          const float frequency = static_cast<float>(std::pow(theta, exponent));
          const double angle = static_cast<double>(static_cast<float>(first + p) * frequency);
          const size_t at = static_cast<size_t>(p * half + i);
          expect(std::fabs(cosine[at] - std::cos(angle)) < 6e-8, "cos(%.9g) = %.9g", angle, cosine[at]);
          expect(std::fabs(sine[at] - std::sin(angle)) < 6e-8, "sin(%.9g) = %.9g", angle, sine[at]);
          different += cosine[at] != static_cast<float>(std::cos(angle)) ||
                       sine[at] != static_cast<float>(std::sin(angle));
          ++count;
        }
      }
    }
  }
  expect(different * 10000 < count, "%lld of %lld rounded otherwise", static_cast<long long>(different),
         static_cast<long long>(count));
}

CHECK_TEST("a part of the rope table equals the same rows of the whole") {
  const int64_t half = 24;
  std::vector<float> c(static_cast<size_t>(50 * half)), s(c), part_c(static_cast<size_t>(10 * half)),
      part_s(part_c);
  fill_rope_table(0, 50, Rope{2 * half, 10000.0}, c.data(), s.data());
  fill_rope_table(30, 10, Rope{2 * half, 10000.0}, part_c.data(), part_s.data());
  expect(first_difference(part_c.data(), c.data() + 30 * half, 10 * half) < 0, "cosine differs");
  expect(first_difference(part_s.data(), s.data() + 30 * half, 10 * half) < 0, "sine differs");
}

// ---- ternary panel ----

CHECK_TEST("a ternary panel unpacks to what was packed, padded with zeros") {
  Random random(23);
  for (const int64_t rows : {1, 15, 16, 17, 40}) {
    for (const int64_t cols : {1, 4, 15, 16, 63, 64, 65, 130}) {
      std::vector<int8_t> ternary(static_cast<size_t>(rows * cols)), row(static_cast<size_t>(cols));
      for (int8_t& t : ternary) t = static_cast<int8_t>(random.below(3) - 1);
      std::vector<uint8_t> codes(static_cast<size_t>(panel_bytes(rows, cols)), 0xff);
      // In two parts, as several threads would.
      const int64_t groups = panel_groups(rows);
      pack_panel(ternary.data(), cols, rows, cols, groups / 2, groups, codes.data());
      pack_panel(ternary.data(), cols, rows, cols, 0, groups / 2, codes.data());
      const TernaryPanel panel{codes.data(), rows, cols, nullptr, 0};
      for (int64_t r = 0; r < rows; ++r) {
        unpack_panel_row(panel, r, row.data());
        expect(std::memcmp(row.data(), ternary.data() + r * cols, static_cast<size_t>(cols)) == 0,
               "row %d differs", static_cast<int>(r));
      }
      for (int64_t r = 0; r < groups * kPanelRows; ++r) {
        for (int64_t col = r < rows ? cols : 0; col < padded_cols(cols); ++col) {
          const int code = codes[static_cast<size_t>(panel_offset(cols, r, col))] >> panel_shift(col) & 3;
          expect(code == 1, "padding at %d, %d is %d", static_cast<int>(r), static_cast<int>(col), code);
        }
      }
    }
  }
}

// ---- thread pool ----

CHECK_TEST("parallel_for runs every task once, for any number of threads") {
  for (const int threads : {1, 2, 3, 4, 7, 2, 1}) {
    for (const int64_t tasks : {0, 1, 2, 3, 100, 1000}) {
      std::vector<int> runs(static_cast<size_t>(tasks), 0);
      ThreadPool::global().parallel_for(threads, tasks,
                                        [&](int64_t task) { ++runs[static_cast<size_t>(task)]; });
      for (const int count : runs) expect(count == 1, "a task ran %d times", count);
    }
  }
}

CHECK_TEST("parallel_for makes the tasks' writes visible and can nest") {
  std::vector<int64_t> sums(64);
  for (int repeat = 0; repeat < 200; ++repeat) {
    ThreadPool::global().parallel_for(3, 64, [&](int64_t task) {
      int64_t total = 0;
      ThreadPool::global().parallel_for(3, 5, [&](int64_t inner) { total += task * inner + repeat; });
      sums[static_cast<size_t>(task)] = total;
    });
    for (int64_t task = 0; task < 64; ++task) {
      expect(sums[static_cast<size_t>(task)] == 10 * task + 5 * repeat, "task %d", static_cast<int>(task));
    }
  }
}

CHECK_TEST("parallel_for serves several calling threads") {
  std::atomic<int64_t> total{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&total, caller] {
      for (int repeat = 0; repeat < 50; ++repeat) {
        ThreadPool::global().parallel_for(2 + caller, 10, [&](int64_t task) { total += task; });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  expect(total == 3 * 50 * 45, "total %lld", static_cast<long long>(total));
}

CHECK_TEST("kernels_by_name names the valid variants when the name is wrong") {
  try {
    kernels_by_name("sse9");
    expect(false, "no error");
  } catch (const std::exception& error) {
    expect(std::strstr(error.what(), "sse9") && std::strstr(error.what(), "scalar"), "%s", error.what());
  }
}

}  // namespace

int main() { return run_variant_tests(); }
