// Entry points of the addon's parts. Only files in this folder include <napi.h>.
#pragma once

#include <napi.h>

namespace bitnet {

// Registers the training kernels (functions over typed arrays) on `exports`.
void init_training(Napi::Env env, Napi::Object exports);
// Registers the measurements of what the machine can do.
void init_measurement(Napi::Env env, Napi::Object exports);
// Registers the inference engine (class Engine) on `exports`.
void init_inference(Napi::Env env, Napi::Object exports);
// Registers what the engine reads: tensor types and families.
void init_tables(Napi::Env env, Napi::Object exports);

}  // namespace bitnet
