#include "core/cpu_features.h"

#include <cstdint>
#include <cstring>

#include "core/cpuid.h"

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace bitnet {
namespace {

#if defined(__x86_64__) || defined(_M_X64)
uint64_t enabled_registers() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
#endif
}

// Linux keeps the 8 KB of tile registers from a process until it asks for them, once for all its threads.
bool request_tile_registers() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

CpuFeatures detect() {
  CpuFeatures cpu;
  uint32_t r[4];
  cpuid(0, 0, r);
  const uint32_t max_leaf = r[0];
  const bool is_intel = r[1] == 0x756e6547 && r[3] == 0x49656e69 && r[2] == 0x6c65746e;  // GenuineIntel
  cpuid(1, 0, r);
  const bool has_xgetbv = (r[2] >> 27) & 1;
  const uint64_t enabled = has_xgetbv ? enabled_registers() : 0;
  const bool ymm = (enabled & 0x6) == 0x6;
  const bool zmm = (enabled & 0xe6) == 0xe6;
  cpu.fma = ymm && ((r[2] >> 12) & 1);
  cpu.f16c = ymm && ((r[2] >> 29) & 1);
  if (max_leaf >= 7) {
    cpuid(7, 0, r);
    cpu.avx2 = ymm && ((r[1] >> 5) & 1);
    const bool f = (r[1] >> 16) & 1, dq = (r[1] >> 17) & 1, bw = (r[1] >> 30) & 1, vl = (r[1] >> 31) & 1;
    cpu.avx512 = zmm && f && dq && bw && vl;
    cpu.avx512vnni = cpu.avx512 && ((r[2] >> 11) & 1);
    const bool tiles = (enabled & 0x60000) == 0x60000;
    const bool amx = tiles && ((r[3] >> 22) & 1) && ((r[3] >> 24) & 1) && ((r[3] >> 25) & 1);
    cpu.amx = amx && request_tile_registers();
    cpuid(7, 1, r);
    cpu.avxvnni = cpu.avx2 && ((r[0] >> 4) & 1);
    cpu.avx512bf16 = cpu.avx512 && ((r[0] >> 5) & 1);
    cpu.half_rate_bf16 = cpu.avx512bf16 && is_intel;  // measured on Sapphire Rapids; full rate on Zen 4
  }
  cpuid(0x80000000u, 0, r);
  if (r[0] >= 0x80000004u) {
    char brand[49] = {};
    for (uint32_t i = 0; i < 3; ++i) {
      cpuid(0x80000002u + i, 0, r);
      std::memcpy(brand + 16 * i, r, 16);
    }
    cpu.name = brand;
    while (!cpu.name.empty() && cpu.name.back() == ' ') cpu.name.pop_back();
  }
  return cpu;
}
#elif defined(__aarch64__) || defined(_M_ARM64)
CpuFeatures detect() {
  CpuFeatures cpu;
#if defined(__linux__)
  constexpr unsigned long kHwcapDot = 1ul << 20;    // HWCAP_ASIMDDP
  constexpr unsigned long kHwcap2I8mm = 1ul << 13;  // HWCAP2_I8MM
  cpu.neon_dot = getauxval(AT_HWCAP) & kHwcapDot;
  cpu.neon_i8mm = getauxval(AT_HWCAP2) & kHwcap2I8mm;
#elif defined(__APPLE__)
  int value = 0;
  size_t size = sizeof value;
  cpu.neon_dot = sysctlbyname("hw.optional.arm.FEAT_DotProd", &value, &size, nullptr, 0) == 0 && value;
  size = sizeof value;
  cpu.neon_i8mm = sysctlbyname("hw.optional.arm.FEAT_I8MM", &value, &size, nullptr, 0) == 0 && value;
  char brand[128] = {};
  size = sizeof brand - 1;
  if (sysctlbyname("machdep.cpu.brand_string", brand, &size, nullptr, 0) == 0) cpu.name = brand;
#endif
  return cpu;
}
#else
CpuFeatures detect() { return {}; }
#endif

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = detect();
  return features;
}

}  // namespace bitnet
