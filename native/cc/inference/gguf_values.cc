#include "inference/gguf_values.h"

namespace bitnet {
namespace {

constexpr int kMaxArrayDepth = 4;

template <typename T>
void set_signed(GgufValue* value, T number) {
  value->integer = static_cast<uint64_t>(static_cast<int64_t>(number));
  value->number = static_cast<double>(number);
}

template <typename T>
void set_unsigned(GgufValue* value, T number) {
  value->integer = number;
  value->number = static_cast<double>(number);
}

void read_nested(GgufCursor* cursor, GgufValue* value, const std::string& what, int depth);

void read_array(GgufCursor* cursor, GgufValue* value, const std::string& what, int depth) {
  const uint64_t start = cursor->position();
  if (depth >= kMaxArrayDepth) throw GgufError(what + at_byte(start) + " nests arrays too deeply");
  value->element_type = cursor->value_type("elements of " + what);
  value->length = cursor->read<uint64_t>("length of " + what);
  if (value->length > kMaxGgufArrayLength) {
    throw GgufError(what + at_byte(start) + " has " + std::to_string(value->length) +
                    " elements, the limit is " + std::to_string(kMaxGgufArrayLength));
  }
  value->offset = cursor->position();
  const uint64_t fixed = value_bytes(value->element_type);
  if (fixed) {
    cursor->take(fixed * value->length, what);
    return;
  }
  const std::string element = "element of " + what;
  for (uint64_t i = 0; i < value->length; ++i) {
    GgufValue ignored{value->element_type};
    read_nested(cursor, &ignored, element, depth + 1);
  }
}

void read_nested(GgufCursor* cursor, GgufValue* value, const std::string& what, int depth) {
  if (value->type == GgufValueType::string) {
    value->text = cursor->string(kMaxGgufStringBytes, what);
  } else if (value->type == GgufValueType::array) {
    read_array(cursor, value, what, depth);
  } else {
    read_scalar(cursor, value, what);
  }
}

}  // namespace

uint64_t value_bytes(GgufValueType type) {
  switch (type) {
    case GgufValueType::u8:
    case GgufValueType::i8:
    case GgufValueType::boolean:
      return 1;
    case GgufValueType::u16:
    case GgufValueType::i16:
      return 2;
    case GgufValueType::u32:
    case GgufValueType::i32:
    case GgufValueType::f32:
      return 4;
    case GgufValueType::u64:
    case GgufValueType::i64:
    case GgufValueType::f64:
      return 8;
    default:
      return 0;
  }
}

void read_scalar(GgufCursor* cursor, GgufValue* value, const std::string& what) {
  switch (value->type) {
    case GgufValueType::u8:
      return set_unsigned(value, cursor->read<uint8_t>(what));
    case GgufValueType::u16:
      return set_unsigned(value, cursor->read<uint16_t>(what));
    case GgufValueType::u32:
      return set_unsigned(value, cursor->read<uint32_t>(what));
    case GgufValueType::u64:
      return set_unsigned(value, cursor->read<uint64_t>(what));
    case GgufValueType::i8:
      return set_signed(value, cursor->read<int8_t>(what));
    case GgufValueType::i16:
      return set_signed(value, cursor->read<int16_t>(what));
    case GgufValueType::i32:
      return set_signed(value, cursor->read<int32_t>(what));
    case GgufValueType::i64:
      return set_signed(value, cursor->read<int64_t>(what));
    case GgufValueType::f32:
      value->number = static_cast<double>(cursor->read<float>(what));
      return;
    case GgufValueType::f64:
      value->number = cursor->read<double>(what);
      return;
    default: {
      const uint64_t start = cursor->position();
      const uint8_t byte = cursor->read<uint8_t>(what);
      if (byte > 1)
        throw GgufError(what + at_byte(start) + " is a boolean with value " + std::to_string(byte));
      set_unsigned(value, byte);
    }
  }
}

void read_value(GgufCursor* cursor, GgufValue* value, const std::string& what) {
  read_nested(cursor, value, what, 0);
}

}  // namespace bitnet
