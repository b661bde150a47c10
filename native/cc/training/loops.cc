#include "training/loops.h"

#include <cstring>

#include "core/kernels.h"
#include "training/loops_variants.h"

namespace bitnet {

const TrainingLoops& active_loops() {
#if defined(BITNET_X86)
  const char* name = active_kernels().name;
  if (std::strncmp(name, "avx512", 6) == 0) return kAvx512Loops;
  if (std::strcmp(name, "avx2") == 0) return kAvx2Loops;
#endif
  return kBaselineLoops;
}

}  // namespace bitnet
