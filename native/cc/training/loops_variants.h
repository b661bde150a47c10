// The loop tables compiled for this architecture. Only loops.cc chooses among them.
#pragma once

#include "core/variants.h"
#include "training/loops.h"

namespace bitnet {

// The compiler's baseline: SSE2 on x86-64, NEON on ARM64.
extern const TrainingLoops kBaselineLoops;
#if defined(BITNET_X86)
extern const TrainingLoops kAvx2Loops;
extern const TrainingLoops kAvx512Loops;
#endif

}  // namespace bitnet
