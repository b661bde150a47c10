// Training loops for the baseline instruction set.
#include <cmath>
#include <cstring>

#include "core/target_region.h"
#include "training/loops_variants.h"

#define BITNET_LOOPS_MULADD(a, b, c) ((a) * (b) + (c))

namespace bitnet {
namespace {
#include "training/loops_body.h"
#include "training/loops_products.h"
}  // namespace

const TrainingLoops kBaselineLoops = BITNET_LOOPS_TABLE("baseline");

}  // namespace bitnet
