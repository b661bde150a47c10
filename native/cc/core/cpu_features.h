// What this CPU and its operating system support, read once.
#pragma once

#include <string>

namespace bitnet {

struct CpuFeatures {
  bool avx2 = false;
  bool fma = false;
  bool f16c = false;
  bool avx512 = false;  // F, BW, DQ and VL, with the wide registers enabled by the system
  bool avx512vnni = false;
  bool avx512bf16 = false;
  bool half_rate_bf16 = false;  // VDPBF16PS, with two products a lane, runs at half the rate of float32
  bool avxvnni = false;
  bool amx = false;  // tiles of int8 and bfloat16, which the system has granted to this process
  bool neon_dot = false;
  bool neon_i8mm = false;
  std::string name;  // as the CPU calls itself; empty if unknown
};

const CpuFeatures& cpu_features();

}  // namespace bitnet
