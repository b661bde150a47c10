// Training loops for AArch64, whose baseline has NEON and fused multiply-add.
#include "core/variants.h"
#include "training/loops.h"

#if defined(BITNET_ARM64)

#include <arm_neon.h>

#include <cmath>
#include <cstring>

#include "core/canonical_math.h"
#include "core/target_region.h"

#define BITNET_LOOPS_MULADD(a, b, c) std::fma(a, b, c)

// The order matters: each header builds on the one before.
// clang-format off
#include "core/lanes_neon.h"
#include "core/lanes.h"
#include "core/lane_outer.h"
#include "training/lane_products.h"
#include "training/lane_bits_neon.h"
#include "training/lane_loops.h"
// clang-format on
namespace bitnet {
namespace {
#include "training/loops_body.h"

const TrainingLoops kNeonLoops = BITNET_LOOPS_TABLE("neon");

[[maybe_unused]] const bool registered = register_training_loops("neondot", &kNeonLoops);

}  // namespace
}  // namespace bitnet

#endif
