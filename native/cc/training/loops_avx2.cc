// Training loops for AVX2 with fused multiply-add.
#include "core/variants.h"
#include "training/loops.h"

#if defined(BITNET_X86)

#include <immintrin.h>

#include <cmath>
#include <cstring>

#include "core/canonical_math.h"
#include "core/target_region.h"

#define BITNET_LOOPS_MULADD(a, b, c) std::fma(a, b, c)

BITNET_TARGET_BEGIN("avx2,fma,f16c")
// The order matters: each header builds on the one before.
// clang-format off
#include "core/lanes_avx2.h"
#include "core/lanes.h"
#include "core/lane_outer.h"
#include "training/lane_products.h"
#include "training/lane_bits_avx2.h"
#include "training/lane_loops.h"
// clang-format on
namespace bitnet {
namespace {
#include "training/loops_body.h"
}  // namespace
}  // namespace bitnet
BITNET_TARGET_END

namespace bitnet {
namespace {

const TrainingLoops kAvx2Loops = BITNET_LOOPS_TABLE("avx2");

[[maybe_unused]] const bool registered = register_training_loops("avx2", &kAvx2Loops);
[[maybe_unused]] const bool registered_avxvnni = register_training_loops("avxvnni", &kAvx2Loops);

}  // namespace
}  // namespace bitnet

#endif
