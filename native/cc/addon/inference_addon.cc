// The inference engine as a class.
#include "addon/addon.h"

namespace bitnet {

void init_inference(Napi::Env, Napi::Object) {}

}  // namespace bitnet
