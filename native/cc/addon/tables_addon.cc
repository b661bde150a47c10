// Tables of the engine that TypeScript has a side of; tests compare both.
//
//   tensorTypes() -> what is read: [{ name, id, blockElements, blockBytes, tailBytes }]
//   families() -> graphs by architecture: [{ architecture, normPlacement, hiddenAct, bitnetLayers, qkNorm, windows, biases }]
#include "addon/addon.h"
#include "addon/enum_names.h"
#include "inference/families.h"
#include "inference/ggml_type.h"

namespace bitnet {
namespace {

Napi::Value tensor_types(const Napi::CallbackInfo& info) {
  Napi::Array types = Napi::Array::New(info.Env());
  for (const GgmlTypeLayout& layout : ggml_types()) {
    Napi::Object type = Napi::Object::New(info.Env());
    type.Set("name", layout.name);
    type.Set("id", static_cast<uint32_t>(layout.type));
    type.Set("blockElements", static_cast<double>(layout.block));
    type.Set("blockBytes", static_cast<double>(layout.bytes));
    type.Set("tailBytes", static_cast<double>(layout.tail));
    types.Set(types.Length(), type);
  }
  return types;
}

Napi::Value family_table(const Napi::CallbackInfo& info) {
  Napi::Array list = Napi::Array::New(info.Env());
  for (const Family& family : families()) {
    Napi::Object entry = Napi::Object::New(info.Env());
    entry.Set("architecture", family.architecture);
    entry.Set("normPlacement", enum_name(family.norm_placement));
    entry.Set("hiddenAct", enum_name(family.hidden_act));
    entry.Set("bitnetLayers", family.bitnet_layers);
    entry.Set("qkNorm", family.qk_norm);
    entry.Set("windows", family.windows);
    entry.Set("biases", enum_name(family.biases));
    list.Set(list.Length(), entry);
  }
  return list;
}

}  // namespace

void init_tables(Napi::Env env, Napi::Object exports) {
  exports.Set("tensorTypes", Napi::Function::New(env, tensor_types, "tensorTypes"));
  exports.Set("families", Napi::Function::New(env, family_table, "families"));
}

}  // namespace bitnet
