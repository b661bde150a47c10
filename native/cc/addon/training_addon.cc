// Training kernels as functions over typed arrays. Outputs are arguments; nothing is allocated in JavaScript
// here.
#include "addon/addon.h"
#include "addon/training_arguments.h"

namespace bitnet {
namespace {

// alignmentOffset(buffer: ArrayBuffer): bytes to its first 64-byte aligned address.
Napi::Value alignment_offset(const Napi::CallbackInfo& info) {
  constexpr uintptr_t kAlignment = 64;
  if (!info[0].IsArrayBuffer()) throw Napi::TypeError::New(info.Env(), "alignmentOffset: not an ArrayBuffer");
  const uintptr_t address = reinterpret_cast<uintptr_t>(info[0].As<Napi::ArrayBuffer>().Data());
  return Napi::Number::New(info.Env(), static_cast<double>((kAlignment - address % kAlignment) % kAlignment));
}

}  // namespace

void init_training(Napi::Env env, Napi::Object exports) {
  exports.Set("alignmentOffset", Napi::Function::New(env, alignment_offset, "alignmentOffset"));
  init_training_model(env, exports);
  init_training_plain(env, exports);
}

}  // namespace bitnet
