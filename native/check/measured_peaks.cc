#include "measured_peaks.h"

#include <chrono>
#include <cstring>

#include "core/target_region.h"
#include "core/thread_pool.h"
#include "core/variants.h"

#if defined(BITNET_X86)
#include <immintrin.h>
#elif defined(BITNET_ARM64)
#include <arm_neon.h>
#endif

namespace {

constexpr int kChains = 12;  // enough to hide the latency of two pipes
constexpr int64_t kRounds = 100000;

}  // namespace

#if defined(BITNET_X86)

BITNET_TARGET_BEGIN("avx2,fma")
namespace {

float avx2_fma_rounds(int64_t rounds) {
  __m256 sums[kChains];
  const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(1e-3f);
  BITNET_UNROLL
  for (int i = 0; i < kChains; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  for (int64_t round = 0; round < rounds; ++round) {
    BITNET_UNROLL
    for (int i = 0; i < kChains; ++i) sums[i] = _mm256_fmadd_ps(sums[i], a, b);
  }
  __m256 total = sums[0];
  BITNET_UNROLL
  for (int i = 1; i < kChains; ++i) total = _mm256_add_ps(total, sums[i]);
  return _mm256_cvtss_f32(total);
}

float avx2_int8_rounds(int64_t rounds) {
  __m256i sums[kChains];
  const __m256i codes = _mm256_set1_epi8(1);
  BITNET_UNROLL
  for (int i = 0; i < kChains; ++i) sums[i] = _mm256_set1_epi8(static_cast<char>(i));
  for (int64_t round = 0; round < rounds; ++round) {
    BITNET_UNROLL
    for (int i = 0; i < kChains; ++i) {
      sums[i] = _mm256_maddubs_epi16(codes, sums[i]);
      BITNET_PIN(sums[i]);
    }
  }
  __m256i total = sums[0];
  BITNET_UNROLL
  for (int i = 1; i < kChains; ++i) total = _mm256_xor_si256(total, sums[i]);
  return static_cast<float>(_mm256_extract_epi32(total, 0));
}

uint64_t avx2_read(const uint8_t* data, int64_t bytes) {
  __m256i sums[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                     _mm256_setzero_si256()};
  for (int64_t i = 0; i + 128 <= bytes; i += 128) {
    BITNET_UNROLL
    for (int j = 0; j < 4; ++j) {
      sums[j] =
          _mm256_xor_si256(sums[j], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data + i + 32 * j)));
    }
  }
  const __m256i total =
      _mm256_xor_si256(_mm256_xor_si256(sums[0], sums[1]), _mm256_xor_si256(sums[2], sums[3]));
  return static_cast<uint64_t>(_mm256_extract_epi64(total, 0));
}

}  // namespace
BITNET_TARGET_END

BITNET_TARGET_BEGIN("avx512f,avx512bw,avx512vnni")
namespace {

float avx512_fma_rounds(int64_t rounds) {
  __m512 sums[kChains];
  const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(1e-3f);
  BITNET_UNROLL
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  for (int64_t round = 0; round < rounds; ++round) {
    BITNET_UNROLL
    for (int i = 0; i < kChains; ++i) sums[i] = _mm512_fmadd_ps(sums[i], a, b);
  }
  __m512 total = sums[0];
  BITNET_UNROLL
  for (int i = 1; i < kChains; ++i) total = _mm512_add_ps(total, sums[i]);
  return _mm512_cvtss_f32(total);
}

float avx512_int8_rounds(int64_t rounds) {
  __m512i sums[kChains];
  const __m512i codes = _mm512_set1_epi8(1);
  BITNET_UNROLL
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_set1_epi32(i);
  for (int64_t round = 0; round < rounds; ++round) {
    BITNET_UNROLL
    for (int i = 0; i < kChains; ++i) {
      sums[i] = _mm512_dpbusd_epi32(sums[i], codes, codes);
      BITNET_PIN(sums[i]);
    }
  }
  __m512i total = sums[0];
  BITNET_UNROLL
  for (int i = 1; i < kChains; ++i) total = _mm512_xor_si512(total, sums[i]);
  alignas(64) int32_t lanes[16];
  _mm512_store_si512(lanes, total);
  return static_cast<float>(lanes[0]);
}

}  // namespace
BITNET_TARGET_END

#elif defined(BITNET_ARM64)

BITNET_TARGET_BEGIN("+dotprod")
namespace {

float neon_fma_rounds(int64_t rounds) {
  float32x4_t sums[kChains];
  const float32x4_t a = vdupq_n_f32(0.999f), b = vdupq_n_f32(1e-3f);
  BITNET_UNROLL
  for (int i = 0; i < kChains; ++i) sums[i] = vdupq_n_f32(static_cast<float>(i));
  for (int64_t round = 0; round < rounds; ++round) {
    BITNET_UNROLL
    for (int i = 0; i < kChains; ++i) sums[i] = vfmaq_f32(sums[i], a, b);
  }
  float total = 0;
  BITNET_UNROLL
  for (int i = 0; i < kChains; ++i) total += vaddvq_f32(sums[i]);
  return total;
}

float neon_int8_rounds(int64_t rounds) {
  int32x4_t sums[kChains];
  const int8x16_t codes = vdupq_n_s8(1);
  BITNET_UNROLL
  for (int i = 0; i < kChains; ++i) sums[i] = vdupq_n_s32(i);
  for (int64_t round = 0; round < rounds; ++round) {
    BITNET_UNROLL
    for (int i = 0; i < kChains; ++i) {
      sums[i] = vdotq_s32(sums[i], codes, codes);
      BITNET_PIN(sums[i]);
    }
  }
  int32_t total = 0;
  BITNET_UNROLL
  for (int i = 0; i < kChains; ++i) total ^= vaddvq_s32(sums[i]);
  return static_cast<float>(total);
}

}  // namespace
BITNET_TARGET_END

#endif

namespace check {
namespace {

volatile float float_sink;
volatile uint64_t integer_sink;

double operations_per_second(float (*rounds)(int64_t), double operations_per_round, double seconds) {
  double best = 0;
  for (const double end = now() + seconds; now() < end;) {
    const double start = now();
    float_sink = rounds(kRounds);
    const double rate = operations_per_round * static_cast<double>(kRounds) / (now() - start);
    if (rate > best) best = rate;
  }
  return best;
}

uint64_t plain_read(const uint8_t* data, int64_t bytes) {
  uint64_t total[8] = {};
  for (int64_t i = 0; i + 64 <= bytes; i += 64) {
    uint64_t words[8];
    std::memcpy(words, data + i, sizeof words);
    for (int j = 0; j < 8; ++j) total[j] ^= words[j];
  }
  return total[0] ^ total[1] ^ total[2] ^ total[3] ^ total[4] ^ total[5] ^ total[6] ^ total[7];
}

}  // namespace

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double fma_peak(const std::string& isa, double seconds) {
#if defined(BITNET_X86)
  if (isa == "avx2") return operations_per_second(avx2_fma_rounds, kChains * 8 * 2, seconds);
  if (isa == "avx512vnni") return operations_per_second(avx512_fma_rounds, kChains * 16 * 2, seconds);
#elif defined(BITNET_ARM64)
  if (isa == "neondot") return operations_per_second(neon_fma_rounds, kChains * 4 * 2, seconds);
#endif
  return 0;
}

double int8_peak(const std::string& isa, double seconds) {
#if defined(BITNET_X86)
  if (isa == "avx2") return operations_per_second(avx2_int8_rounds, kChains * 32 * 2, seconds);
  if (isa == "avx512vnni") return operations_per_second(avx512_int8_rounds, kChains * 64 * 2, seconds);
#elif defined(BITNET_ARM64)
  if (isa == "neondot") return operations_per_second(neon_int8_rounds, kChains * 16 * 2, seconds);
#endif
  return 0;
}

double read_bandwidth(int threads, const uint8_t* data, int64_t bytes) {
  uint64_t (*read)(const uint8_t*, int64_t) = plain_read;
#if defined(BITNET_X86)
  for (const bitnet::Variant& variant : bitnet::kernel_variants()) {
    if (variant.supported && std::string(variant.kernels->name) == "avx2") read = avx2_read;
  }
#endif
  constexpr int64_t kPart = 4 << 20;
  double best = 0;
  for (int repeat = 0; repeat < 4; ++repeat) {
    const double start = now();
    bitnet::ThreadPool::global().parallel_for(
        threads, bytes / kPart, [&](int64_t part) { integer_sink = read(data + part * kPart, kPart); });
    const double rate = static_cast<double>(bytes / kPart * kPart) / (now() - start);
    if (rate > best) best = rate;
  }
  return best;
}

}  // namespace check
