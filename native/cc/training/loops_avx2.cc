// Training loops for AVX2 with fused multiply-add.
#include "training/loops_variants.h"

#if defined(BITNET_X86)

#include <cmath>
#include <cstring>

#if defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

#define BITNET_LOOPS_MULADD(a, b, c) std::fma(a, b, c)

namespace bitnet {
namespace {
#include "training/loops_body.h"
}  // namespace
}  // namespace bitnet

#if defined(__GNUC__)
#pragma GCC pop_options
#endif

namespace bitnet {
const TrainingLoops kAvx2Loops = BITNET_LOOPS_TABLE("avx2");
}  // namespace bitnet

#endif
