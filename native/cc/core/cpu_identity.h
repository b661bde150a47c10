// Which CPU a figure was measured on. No kernel asks for this; cpu_features.h has what they ask for.
#pragma once

#include <string>
#include <vector>

#include "core/cpu_features.h"

namespace bitnet {

// x86: CPUID's vendor ("GenuineIntel") and display family, model and stepping. AArch64: of MIDR_EL1 the
// implementer ("0x41") as vendor, the part number as model, "r2p1" as family 2 and stepping 1. Virtual
// machines may say what they like. Empty and 0 if unknown.
struct CpuIdentity {
  std::string vendor;
  int family = 0;
  int model = 0;
  int stepping = 0;
};

CpuIdentity cpu_identity();

// What the CPU has beyond its architecture's minimum, of that which kernels use: "avx2", "avx512vnni" ...
std::vector<std::string> cpu_feature_names(const CpuFeatures& cpu);

}  // namespace bitnet
