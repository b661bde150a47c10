// Module entry: process-wide settings, then the training and inference parts.
#include "addon/addon.h"

#include <stdexcept>

#include "addon/arguments.h"
#include "core/cpu_features.h"
#include "core/cpu_identity.h"
#include "core/thread_pool.h"
#include "core/variant_registry.h"

namespace bitnet {
namespace {

// { cpu: string, vendor: string, family: number, model: number, stepping: number, features: string[],
//   variants: [{ name: string, supported: boolean }] }
Napi::Value features(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object result = Napi::Object::New(env);
  const CpuIdentity identity = cpu_identity();
  result.Set("cpu", cpu_features().name);
  result.Set("vendor", identity.vendor);
  result.Set("family", identity.family);
  result.Set("model", identity.model);
  result.Set("stepping", identity.stepping);
  Napi::Array names = Napi::Array::New(env);
  for (const std::string& name : cpu_feature_names(cpu_features())) names.Set(names.Length(), name);
  result.Set("features", names);
  Napi::Array variants = Napi::Array::New(env);
  for (const Variant& variant : kernel_variants()) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", variant.name);
    entry.Set("supported", variant.supported);
    variants.Set(variants.Length(), entry);
  }
  result.Set("variants", variants);
  return result;
}

// { scaleDtype: ["f32", ...], ... }: the names that arguments of these kinds may be.
Napi::Value enumerations(const Napi::CallbackInfo& info) {
  Napi::Object result = Napi::Object::New(info.Env());
  for_each_enumeration([&](const auto& names) {
    Napi::Array list = Napi::Array::New(info.Env());
    for (const auto& member : names.members) list.Set(list.Length(), member.name);
    result.Set(names.title, list);
  });
  return result;
}

Napi::Value variant(const Napi::CallbackInfo& info) {
  try {
    return Napi::String::New(info.Env(), active_variant().name);
  } catch (const std::invalid_argument& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
}

void set_variant(const Napi::CallbackInfo& info) {
  try {
    select_variant(info[0].As<Napi::String>().Utf8Value());
  } catch (const std::invalid_argument& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
}

Napi::Value threads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), training_threads_are_set() ? training_threads() : 0);
}

void set_threads(const Napi::CallbackInfo& info) {
  set_training_threads(info[0].As<Napi::Number>().Int32Value());
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  try {
    kernel_variants();
  } catch (const std::logic_error& incomplete) {
    throw Napi::Error::New(env, incomplete.what());
  }
  exports.Set("features", Napi::Function::New(env, features, "features"));
  exports.Set("enumerations", Napi::Function::New(env, enumerations, "enumerations"));
  exports.Set("variant", Napi::Function::New(env, variant, "variant"));
  exports.Set("setVariant", Napi::Function::New(env, set_variant, "setVariant"));
  exports.Set("threads", Napi::Function::New(env, threads, "threads"));
  exports.Set("setThreads", Napi::Function::New(env, set_threads, "setThreads"));
  init_training(env, exports);
  init_inference(env, exports);
  init_tables(env, exports);
  init_measurement(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(bitnet_native, init)

}  // namespace bitnet
