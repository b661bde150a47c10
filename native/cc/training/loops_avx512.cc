// Training loops for AVX-512.
#include "core/variants.h"
#include "training/loops.h"

#if defined(BITNET_X86)

#include <cmath>
#include <cstring>

#include "core/avx512_intrinsics.h"
#include "core/canonical_math.h"
#include "core/target_region.h"

#define BITNET_LOOPS_MULADD(a, b, c) std::fma(a, b, c)

BITNET_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")
// The order matters: each header builds on the one before.
// clang-format off
#include "core/lanes_avx512.h"
#include "core/lanes.h"
#include "core/lane_outer.h"
#include "training/lane_products.h"
#include "training/lane_bits_avx512.h"
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

const TrainingLoops kAvx512Loops = BITNET_LOOPS_TABLE("avx512");

[[maybe_unused]] const bool registered = register_training_loops("avx512vnni", &kAvx512Loops);
[[maybe_unused]] const bool registered_amx = register_training_loops("amx", &kAvx512Loops);

}  // namespace
}  // namespace bitnet

#endif
