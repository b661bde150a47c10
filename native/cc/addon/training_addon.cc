// Training kernels as functions over typed arrays.
#include "addon/addon.h"

namespace bitnet {

void init_training(Napi::Env, Napi::Object) {}

}  // namespace bitnet
