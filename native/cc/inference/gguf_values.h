// Reads the values of a GGUF header one after the other; every count and length is checked before it is used.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "inference/gguf_file.h"

namespace bitnet {

// " at byte 24"
inline std::string at_byte(uint64_t offset) { return " at byte " + std::to_string(offset); }

// A checked cursor over the file's bytes. `what` names the thing being read, for messages.
class GgufCursor {
 public:
  GgufCursor(const uint8_t* data, uint64_t size, uint64_t position)
      : data_(data), size_(size), position_(position) {}

  uint64_t position() const { return position_; }

  const uint8_t* take(uint64_t bytes, const std::string& what) {
    if (bytes > size_ - position_) {
      throw GgufError("truncated file: " + what + at_byte(position_) + " needs " + std::to_string(bytes) +
                      " bytes, the file ends after " + std::to_string(size_ - position_));
    }
    const uint8_t* bytes_here = data_ + position_;
    position_ += bytes;
    return bytes_here;
  }

  // Little-endian on every host that the engine supports.
  template <typename T>
  T read(const std::string& what) {
    T value;
    std::memcpy(&value, take(sizeof value, what), sizeof value);
    return value;
  }

  std::string_view string(uint64_t limit, const std::string& what) {
    const uint64_t start = position_;
    const uint64_t length = read<uint64_t>(what);
    if (length > limit) {
      throw GgufError(what + at_byte(start) + " has length " + std::to_string(length) + ", the limit is " +
                      std::to_string(limit));
    }
    return {reinterpret_cast<const char*>(take(length, what)), static_cast<size_t>(length)};
  }

  GgufValueType value_type(const std::string& what) {
    const uint64_t start = position_;
    const uint32_t type = read<uint32_t>("type of " + what);
    if (type > static_cast<uint32_t>(GgufValueType::f64)) {
      throw GgufError(what + at_byte(start) + " has unknown value type " + std::to_string(type));
    }
    return static_cast<GgufValueType>(type);
  }

 private:
  const uint8_t* data_;
  uint64_t size_;
  uint64_t position_;
};

// Bytes of a fixed-size value; 0 for strings and arrays.
uint64_t value_bytes(GgufValueType type);
// A number or boolean of value->type.
void read_scalar(GgufCursor* cursor, GgufValue* value, const std::string& what);
// A value of value->type; of an array the place alone, its elements checked and skipped.
void read_value(GgufCursor* cursor, GgufValue* value, const std::string& what);

}  // namespace bitnet
