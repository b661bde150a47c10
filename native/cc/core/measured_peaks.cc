#include "core/measured_peaks.h"

#include <chrono>
#include <cstring>
#include <vector>

#include "core/peak_loops.h"
#include "core/thread_pool.h"
#include "core/variant_registry.h"

namespace bitnet {
namespace {

constexpr int64_t kRounds = 100000;

// What the loops compute goes here, or the compiler would leave them out.
thread_local volatile float float_sink;
thread_local volatile uint64_t integer_sink;

double operations_per_second(float (*rounds)(int64_t), double operations_per_round, double seconds) {
  double best = 0;
  for (const double end = steady_seconds() + seconds; steady_seconds() < end;) {
    const double start = steady_seconds();
    float_sink = rounds(kRounds);
    const double rate = operations_per_round * static_cast<double>(kRounds) / (steady_seconds() - start);
    if (rate > best) best = rate;
  }
  return best;
}

// The loop on all threads at once: they share clocks and pipes.
double sum_of_threads(float (*rounds)(int64_t), double operations_per_round, double seconds, int threads) {
  std::vector<double> rates(static_cast<size_t>(threads));
  ThreadPool::global().parallel_for(threads, threads, [&](int64_t thread) {
    rates[static_cast<size_t>(thread)] = operations_per_second(rounds, operations_per_round, seconds);
  });
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
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

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double fma_peak(const std::string& variant, double seconds, int threads) {
  const PeakLoops* loops = variant_by_name(variant).peaks;
  return loops ? sum_of_threads(loops->fma, loops->fma_operations, seconds, threads) : 0;
}

double int8_peak(const std::string& variant, double seconds, int threads) {
  const PeakLoops* loops = variant_by_name(variant).peaks;
  return loops ? sum_of_threads(loops->int8, loops->int8_operations, seconds, threads) : 0;
}

double bf16_peak(const std::string& variant, double seconds, int threads) {
  const Variant& named = variant_by_name(variant);
  if (!named.peaks || !named.peaks->bf16 || !usable_bf16_tile(*named.kernels)) return 0;
  return sum_of_threads(named.peaks->bf16, named.peaks->bf16_operations, seconds, threads);
}

double read_bandwidth(int threads, const uint8_t* data, int64_t bytes) {
  uint64_t (*read)(const uint8_t*, int64_t) = plain_read;
  for (const Variant& variant : kernel_variants()) {
    if (variant.supported && variant.peaks && variant.peaks->read) read = variant.peaks->read;
  }
  constexpr int64_t kPart = 4 << 20;
  double best = 0;
  for (int repeat = 0; repeat < 4; ++repeat) {
    const double start = steady_seconds();
    ThreadPool::global().parallel_for(threads, bytes / kPart,
                                      [&](int64_t part) { integer_sink = read(data + part * kPart, kPart); });
    const double rate = static_cast<double>(bytes / kPart * kPart) / (steady_seconds() - start);
    if (rate > best) best = rate;
  }
  return best;
}

}  // namespace bitnet
