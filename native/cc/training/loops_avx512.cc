// Training loops for AVX-512.
#include "training/loops_variants.h"

#if defined(BITNET_X86)

#include <cmath>
#include <cstring>

#if defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,prefer-vector-width=512")
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
const TrainingLoops kAvx512Loops = BITNET_LOOPS_TABLE("avx512");
}  // namespace bitnet

#endif
