// Checked access to the arguments of a native function: wrong types, lengths and names throw before any
// memory is touched.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>

#include "addon/enum_names.h"

namespace bitnet {

class Arguments {
 public:
  Arguments(const Napi::CallbackInfo& info, const char* kernel) : info_(info), kernel_(kernel) {}

  // A Float32Array of exactly `count` elements (any number if negative); its data.
  float* floats(size_t index, int64_t count = -1) const { return floats_of(info_[index], index, count); }

  // The same, or null where the argument is null.
  float* optional_floats(size_t index, int64_t count) const {
    return info_[index].IsNull() ? nullptr : floats(index, count);
  }

  int32_t* ints(size_t index, int64_t count = -1) const { return ints_of(info_[index], index, count); }

  int64_t length(size_t index) const {
    if (!info_[index].IsTypedArray()) fail(index, "is not a typed array");
    return static_cast<int64_t>(info_[index].As<Napi::TypedArray>().ElementLength());
  }

  double number(size_t index) const {
    if (!info_[index].IsNumber()) fail(index, "is not a number");
    return info_[index].As<Napi::Number>().DoubleValue();
  }

  // A whole number >= 0.
  int64_t size(size_t index) const {
    const double value = number(index);
    if (!(value >= 0 && value <= 9007199254740991.0) ||
        value != static_cast<double>(static_cast<int64_t>(value))) {
      fail(index, "is not a size");
    }
    return static_cast<int64_t>(value);
  }

  // A size >= 1.
  int64_t positive(size_t index) const {
    const int64_t value = size(index);
    if (value == 0) fail(index, "must not be 0");
    return value;
  }

  // The name of a member of an enumeration (enum_names.h).
  template <typename Enum>
  Enum option(size_t index) const {
    const std::string name = info_[index].IsString() ? info_[index].As<Napi::String>().Utf8Value() : "";
    std::string known;
    for (const EnumName<Enum>& member : EnumNames<Enum>::members) {
      if (name == member.name) return member.value;
      known += (known.empty() ? "" : ", ") + std::string(member.name);
    }
    fail(index, "must be one of " + known);
  }

  bool flag(size_t index) const { return info_[index].ToBoolean().Value(); }

  Napi::Array array(size_t index) const {
    if (!info_[index].IsArray()) fail(index, "is not an array");
    return info_[index].As<Napi::Array>();
  }

  // A Float32Array, an Int32Array that is an element of the array argument `index`.
  float* floats_of(const Napi::Value& value, size_t index, int64_t count) const {
    const Napi::TypedArray array = typed_array(value, index, napi_float32_array, "Float32Array");
    check_length(array, index, count);
    return array.As<Napi::Float32Array>().Data();
  }

  int32_t* ints_of(const Napi::Value& value, size_t index, int64_t count) const {
    const Napi::TypedArray array = typed_array(value, index, napi_int32_array, "Int32Array");
    check_length(array, index, count);
    return array.As<Napi::Int32Array>().Data();
  }

  // Every id lies in [low, limit).
  void check_ids(size_t index, int64_t low, int64_t limit) const {
    const int32_t* ids = ints(index);
    const int64_t count = length(index);
    for (int64_t i = 0; i < count; ++i) {
      if (ids[i] < low || ids[i] >= limit) {
        fail(index, "holds the id " + std::to_string(ids[i]) + ", outside [" + std::to_string(low) + ", " +
                        std::to_string(limit) + ")");
      }
    }
  }

  [[noreturn]] void fail(size_t index, const std::string& reason) const {
    throw Napi::TypeError::New(info_.Env(),
                               std::string(kernel_) + ": argument " + std::to_string(index) + " " + reason);
  }

 private:
  Napi::TypedArray typed_array(const Napi::Value& value, size_t index, napi_typedarray_type type,
                               const char* name) const {
    if (!value.IsTypedArray()) fail(index, std::string("is not a ") + name);
    const Napi::TypedArray array = value.As<Napi::TypedArray>();
    if (array.TypedArrayType() != type) fail(index, std::string("is not a ") + name);
    return array;
  }

  void check_length(const Napi::TypedArray& array, size_t index, int64_t count) const {
    if (count >= 0 && static_cast<int64_t>(array.ElementLength()) != count) {
      fail(index, "has " + std::to_string(array.ElementLength()) + " elements, not " + std::to_string(count));
    }
  }

  const Napi::CallbackInfo& info_;
  const char* kernel_;
};

// Parts of init_training.
void init_training_model(Napi::Env env, Napi::Object exports);
void init_training_rows(Napi::Env env, Napi::Object exports);
void init_training_plain(Napi::Env env, Napi::Object exports);

}  // namespace bitnet
