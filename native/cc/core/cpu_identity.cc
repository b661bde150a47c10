#include "core/cpu_identity.h"

#include <cstdint>
#include <cstdio>
#include <cstring>

#include "core/cpuid.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace bitnet {

#if defined(__x86_64__) || defined(_M_X64)
CpuIdentity cpu_identity() {
  CpuIdentity identity;
  uint32_t r[4];
  cpuid(0, 0, r);
  char vendor[13] = {};
  std::memcpy(vendor, &r[1], 4);
  std::memcpy(vendor + 4, &r[3], 4);
  std::memcpy(vendor + 8, &r[2], 4);
  identity.vendor = vendor;
  cpuid(1, 0, r);
  const int family = (r[0] >> 8) & 0xf, model = (r[0] >> 4) & 0xf;
  const int extended_family = (r[0] >> 20) & 0xff, extended_model = (r[0] >> 16) & 0xf;
  identity.family = family == 15 ? family + extended_family : family;
  identity.model = family == 6 || family == 15 ? extended_model << 4 | model : model;
  identity.stepping = r[0] & 0xf;
  return identity;
}
#elif defined(__aarch64__) && defined(__linux__)
CpuIdentity cpu_identity() {
  CpuIdentity identity;
  constexpr unsigned long kHwcapCpuid = 1ul << 11;  // HWCAP_CPUID: the system lets programs read MIDR_EL1
  if ((getauxval(AT_HWCAP) & kHwcapCpuid) == 0) return identity;
  uint64_t midr;
  __asm__("mrs %0, MIDR_EL1" : "=r"(midr));
  char vendor[8];
  std::snprintf(vendor, sizeof vendor, "0x%02x", static_cast<unsigned>(midr >> 24) & 0xff);
  identity.vendor = vendor;
  identity.family = static_cast<int>(midr >> 20) & 0xf;
  identity.model = static_cast<int>(midr >> 4) & 0xfff;
  identity.stepping = static_cast<int>(midr) & 0xf;
  return identity;
}
#else
CpuIdentity cpu_identity() { return {}; }
#endif

std::vector<std::string> cpu_feature_names(const CpuFeatures& cpu) {
  const struct {
    const char* name;
    bool present;
  } features[] = {
      {"avx2", cpu.avx2},
      {"avxvnni", cpu.avxvnni},
      {"avx512", cpu.avx512},
      {"avx512vnni", cpu.avx512vnni},
      {"avx512bf16", cpu.avx512bf16},
      {"amx", cpu.amx},
      {"dotprod", cpu.neon_dot},
      {"i8mm", cpu.neon_i8mm},
  };
  std::vector<std::string> names;
  for (const auto& [name, present] : features) {
    if (present) names.push_back(name);
  }
  return names;
}

}  // namespace bitnet
