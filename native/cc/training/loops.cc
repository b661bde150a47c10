#include "training/loops.h"

#include "core/variant_registry.h"

namespace bitnet {

const TrainingLoops& active_loops() { return *active_variant().loops; }

}  // namespace bitnet
