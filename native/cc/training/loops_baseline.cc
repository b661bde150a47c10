// Training loops for the baseline instruction set.
#include <cmath>
#include <cstring>

#include "core/target_region.h"
#include "core/variants.h"
#include "training/loops.h"

#define BITNET_LOOPS_MULADD(a, b, c) ((a) * (b) + (c))

namespace bitnet {
namespace {
#include "training/loops_body.h"
#include "training/loops_portable.h"
}  // namespace

namespace {

const TrainingLoops kBaselineLoops = BITNET_LOOPS_TABLE("baseline");

[[maybe_unused]] const bool registered = register_training_loops("scalar", &kBaselineLoops);

}  // namespace

}  // namespace bitnet
