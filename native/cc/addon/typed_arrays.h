// JavaScript's typed arrays as vectors, and back: always copies.
#pragma once

#include <napi.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace bitnet {

inline std::vector<int32_t> int32_values(const Napi::Value& value) {
  const Napi::Int32Array array = value.As<Napi::Int32Array>();
  return {array.Data(), array.Data() + array.ElementLength()};
}

template <typename Array, typename T>
Array typed_array(Napi::Env env, const std::vector<T>& values) {
  Array array = Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

}  // namespace bitnet
