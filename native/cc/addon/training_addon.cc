// Training kernels as functions over typed arrays. Outputs are arguments; nothing is allocated in JavaScript
// here.
#include "addon/addon.h"
#include "addon/arguments.h"
#include "core/huge_pages.h"

namespace bitnet {
namespace {

// alignmentOffset(buffer: ArrayBuffer, alignment: number): bytes to its first address at that alignment, a
// power of two. At 2 MB or more the system is asked for pages of that size from there on.
Napi::Value alignment_offset(const Napi::CallbackInfo& info) {
  if (!info[0].IsArrayBuffer()) throw Napi::TypeError::New(info.Env(), "alignmentOffset: not an ArrayBuffer");
  const size_t alignment = static_cast<size_t>(Arguments(info, "alignmentOffset").positive(1));
  Napi::ArrayBuffer buffer = info[0].As<Napi::ArrayBuffer>();
  uint8_t* const data = static_cast<uint8_t*>(buffer.Data());
  uint8_t* const start = aligned_start(data, alignment);
  const size_t offset = static_cast<size_t>(start - data);
  if (alignment >= kHugePage && buffer.ByteLength() > offset) {
    advise_huge_pages(start, buffer.ByteLength() - offset);
  }
  return Napi::Number::New(info.Env(), static_cast<double>(offset));
}

}  // namespace

void init_training(Napi::Env env, Napi::Object exports) {
  exports.Set("alignmentOffset", Napi::Function::New(env, alignment_offset, "alignmentOffset"));
  init_training_model(env, exports);
  init_training_rows(env, exports);
  init_training_plain(env, exports);
}

}  // namespace bitnet
