#include "benchmark_flags.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "core/variant_registry.h"

namespace bitnet {
namespace {

// As --only and the lines name them.
const std::vector<std::string> kBenchNames = {
    "fma_peak",     "int8_peak",   "bf16_peak",    "ternary_gemm", "ternary_gemv_stream",
    "gemm_f32",     "gemm_i8",     "gemm_bf16",    "attention",    "linear_rows",
    "panel_rows",   "head_stream", "quantize_row", "abs_sum_row",  "ternarize",
    "rms_norm_row", "rope_row",    "relu2_gate",   "silu_gate",    "hadamard_row",
    "add",          "log_sum_exp"};

void print_help() {
  std::printf(
      "usage: bench_kernels [--quick] [--variant NAME] [--only BENCH] [--threads N]\n\n"
      "  --quick         0.03 s a line instead of 0.25\n"
      "  --variant NAME  one variant; default: all that this CPU can run but scalar, which is a reference\n"
      "  --only BENCH    one of");
  for (size_t i = 0; i < kBenchNames.size(); ++i) {
    std::printf("%s%s", i % 5 == 0 ? "\n                  " : " ", kBenchNames[i].c_str());
  }
  std::printf(
      "\n  --threads N     default: 1, then all\n\n"
      "Prints one JSON object a line. share_of_peak: of the peak of float32, int8 or bfloat16\n"
      "multiply-adds of that variant, measured before. gbps: bytes of weights, or of float32 input,\n"
      "per second; streams have a line with the speed of a plain read of the same bytes.\n");
}

int complain(const std::string& what) {
  std::fprintf(stderr, "bench_kernels: %s (see --help)\n", what.c_str());
  return 2;
}

}  // namespace

int parse_bench_flags(int argc, char** argv, BenchSettings& settings) {
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--help") {
      print_help();
      return 0;
    }
    if (flag == "--quick") {
      settings.seconds = 0.03;
      continue;
    }
    if (flag != "--variant" && flag != "--only" && flag != "--threads")
      return complain("unknown flag " + flag);
    if (i + 1 == argc) return complain(flag + " needs a value");
    const std::string value = argv[++i];
    if (flag == "--variant") {
      settings.variant = value;
    } else if (flag == "--only") {
      settings.only = value;
    } else {
      settings.threads = {std::atoi(value.c_str())};
      if (settings.threads[0] < 1) return complain("--threads " + value + ": expected a number from 1");
    }
  }
  if (!settings.only.empty() &&
      std::find(kBenchNames.begin(), kBenchNames.end(), settings.only) == kBenchNames.end()) {
    return complain("--only " + settings.only + ": no such benchmark");
  }
  try {
    if (!settings.variant.empty()) variant_by_name(settings.variant);
  } catch (const std::invalid_argument& error) {
    return complain(error.what());
  }
  if (settings.threads.empty()) {
    settings.threads = {1};
    const int cpus = static_cast<int>(std::thread::hardware_concurrency());
    if (cpus > 1) settings.threads.push_back(cpus);
  }
  return -1;
}

}  // namespace bitnet
