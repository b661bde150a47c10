#include "inference/gguf_file.h"

#include <algorithm>
#include <cstring>

#include "core/float16.h"

namespace bitnet {
namespace {

constexpr int kMaxArrayDepth = 4;

// Bytes of a fixed-size value; 0 for strings and arrays.
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

std::string at(uint64_t offset) { return " at byte " + std::to_string(offset); }

// A checked cursor over the file's bytes. `what` names the thing being read, for messages.
class Cursor {
 public:
  Cursor(const uint8_t* data, uint64_t size, uint64_t position)
      : data_(data), size_(size), position_(position) {}

  uint64_t position() const { return position_; }

  const uint8_t* take(uint64_t bytes, const std::string& what) {
    if (bytes > size_ - position_) {
      throw GgufError("truncated file: " + what + at(position_) + " needs " + std::to_string(bytes) +
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
      throw GgufError(what + at(start) + " has length " + std::to_string(length) + ", the limit is " +
                      std::to_string(limit));
    }
    return {reinterpret_cast<const char*>(take(length, what)), static_cast<size_t>(length)};
  }

  GgufValueType value_type(const std::string& what) {
    const uint64_t start = position_;
    const uint32_t type = read<uint32_t>("type of " + what);
    if (type > static_cast<uint32_t>(GgufValueType::f64)) {
      throw GgufError(what + at(start) + " has unknown value type " + std::to_string(type));
    }
    return static_cast<GgufValueType>(type);
  }

 private:
  const uint8_t* data_;
  uint64_t size_;
  uint64_t position_;
};

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

void read_scalar(Cursor* cursor, GgufValue* value, const std::string& what) {
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
      if (byte > 1) throw GgufError(what + at(start) + " is a boolean with value " + std::to_string(byte));
      set_unsigned(value, byte);
    }
  }
}

void read_value(Cursor* cursor, GgufValue* value, const std::string& what, int depth);

void read_array(Cursor* cursor, GgufValue* value, const std::string& what, int depth) {
  const uint64_t start = cursor->position();
  if (depth >= kMaxArrayDepth) throw GgufError(what + at(start) + " nests arrays too deeply");
  value->element_type = cursor->value_type("elements of " + what);
  value->length = cursor->read<uint64_t>("length of " + what);
  if (value->length > kMaxGgufArrayLength) {
    throw GgufError(what + at(start) + " has " + std::to_string(value->length) + " elements, the limit is " +
                    std::to_string(kMaxGgufArrayLength));
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
    read_value(cursor, &ignored, element, depth + 1);
  }
}

void read_value(Cursor* cursor, GgufValue* value, const std::string& what, int depth) {
  if (value->type == GgufValueType::string) {
    value->text = cursor->string(kMaxGgufStringBytes, what);
  } else if (value->type == GgufValueType::array) {
    read_array(cursor, value, what, depth);
  } else {
    read_scalar(cursor, value, what);
  }
}

GgufTensor read_tensor_info(Cursor* cursor, uint64_t index) {
  GgufTensor tensor;
  tensor.name = std::string(cursor->string(kMaxGgufNameBytes, "name of tensor " + std::to_string(index)));
  const std::string what = "tensor " + quoted(tensor.name);
  const uint64_t start = cursor->position();
  const uint32_t dimensions = cursor->read<uint32_t>("number of dimensions of " + what);
  if (dimensions < 1 || dimensions > kMaxGgufDimensions) {
    throw GgufError(what + at(start) + " has " + std::to_string(dimensions) + " dimensions, 1 to " +
                    std::to_string(kMaxGgufDimensions) + " are valid");
  }
  uint64_t elements = 1;
  for (uint32_t d = 0; d < dimensions; ++d) {
    const uint64_t place = cursor->position();
    const uint64_t size = cursor->read<uint64_t>("dimension of " + what);
    if (size < 1 || size > kMaxGgufElements / elements) {
      throw GgufError(what + at(place) + " has dimension " + std::to_string(size) +
                      ": empty or above the limit of " + std::to_string(kMaxGgufElements) + " elements");
    }
    elements *= size;
    tensor.dimensions.push_back(size);
  }
  const uint64_t place = cursor->position();
  const uint32_t type = cursor->read<uint32_t>("type of " + what);
  const GgmlTypeLayout* layout = find_ggml_type(type);
  if (!layout) throw GgufError(what + at(place) + " has " + unsupported_type_text(type));
  tensor.type = layout->type;
  if (tensor.dimensions[0] % layout->block != 0) {
    throw GgufError(what + at(place) + " has rows of " + std::to_string(tensor.dimensions[0]) +
                    " elements, " + layout->name + " needs a multiple of " + std::to_string(layout->block));
  }
  tensor.bytes = elements / layout->block * layout->bytes + layout->tail;
  tensor.offset = cursor->read<uint64_t>("offset of " + what);
  return tensor;
}

void check_overlap(const std::map<std::string, GgufTensor>& tensors) {
  std::vector<const GgufTensor*> order;
  for (const auto& entry : tensors) order.push_back(&entry.second);
  std::sort(order.begin(), order.end(),
            [](const GgufTensor* a, const GgufTensor* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < order.size(); ++i) {
    if (order[i]->offset < order[i - 1]->offset + order[i - 1]->bytes) {
      const GgmlType type = order[i - 1]->type;
      const char* hint =
          type == GgmlType::i2_s   ? ": the first is an I2_S without room for its scale (n / 4 + 32 bytes)"
          : type == GgmlType::q2_0 ? ": the first is no Q2_0 of llama.cpp's layout (18 bytes per 64 weights)"
                                   : "";
      throw GgufError("tensors " + quoted(order[i - 1]->name) + " and " + quoted(order[i]->name) +
                      " overlap" + at(order[i]->offset) + hint);
    }
  }
}

}  // namespace

std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name.substr(0, 80)) text += c >= 32 && c < 127 ? c : '?';
  return text + (name.size() > 80 ? "...\"" : "\"");
}

GgufFile::GgufFile(const std::string& path)
    : mapped_(std::make_unique<MappedFile>(path)), data_(mapped_->data()), size_(mapped_->size()) {
  parse();
}

GgufFile::GgufFile(const uint8_t* data, uint64_t size) : data_(data), size_(size) { parse(); }

void GgufFile::parse() {
  Cursor cursor(data_, size_, 0);
  const uint8_t* magic = cursor.take(4, "magic");
  if (std::memcmp(magic, "GGUF", 4) != 0) {
    throw GgufError("not a GGUF file: it starts with " +
                    quoted(std::string_view(reinterpret_cast<const char*>(magic), 4)) +
                    " instead of \"GGUF\"");
  }
  version_ = cursor.read<uint32_t>("version");
  if (version_ == 0x02000000u || version_ == 0x03000000u) throw GgufError("big-endian GGUF is not supported");
  if (version_ < 2 || version_ > 3) {
    throw GgufError("GGUF version " + std::to_string(version_) + at(4) + " is not supported (2 and 3 are)");
  }
  const uint64_t tensor_count = cursor.read<uint64_t>("tensor count");
  const uint64_t metadata_count = cursor.read<uint64_t>("metadata count");
  if (tensor_count > kMaxGgufEntries) {
    throw GgufError("tensor count " + std::to_string(tensor_count) + at(8) + " is above the limit of " +
                    std::to_string(kMaxGgufEntries));
  }
  if (metadata_count > kMaxGgufEntries) {
    throw GgufError("metadata count " + std::to_string(metadata_count) + at(16) + " is above the limit of " +
                    std::to_string(kMaxGgufEntries));
  }

  for (uint64_t i = 0; i < metadata_count; ++i) {
    const uint64_t start = cursor.position();
    const std::string key(cursor.string(kMaxGgufNameBytes, "key " + std::to_string(i)));
    const std::string what = "metadata " + quoted(key);
    GgufValue value{cursor.value_type(what)};
    read_value(&cursor, &value, what, 0);
    if (!metadata_.emplace(key, value).second) throw GgufError(what + at(start) + " is there twice");
  }

  std::vector<GgufTensor> tensors;
  for (uint64_t i = 0; i < tensor_count; ++i) tensors.push_back(read_tensor_info(&cursor, i));

  if (const GgufValue* value = find("general.alignment")) {
    alignment_ = value->integer;
    if (value->type != GgufValueType::u32 || alignment_ < 1 || alignment_ > kMaxGgufAlignment ||
        (alignment_ & (alignment_ - 1)) != 0) {
      throw GgufError("metadata \"general.alignment\" must be a uint32 power of two up to " +
                      std::to_string(kMaxGgufAlignment));
    }
  }
  const uint64_t data_start = (cursor.position() + alignment_ - 1) / alignment_ * alignment_;
  for (GgufTensor& tensor : tensors) {
    const std::string what = "tensor " + quoted(tensor.name);
    if (tensor.offset % alignment_ != 0) {
      throw GgufError(what + " has offset " + std::to_string(tensor.offset) + ", not a multiple of " +
                      std::to_string(alignment_));
    }
    if (data_start > size_ || tensor.offset > size_ - data_start ||
        tensor.bytes > size_ - data_start - tensor.offset) {
      throw GgufError("truncated file: " + what + " has " + std::to_string(tensor.bytes) +
                      " bytes at offset " + std::to_string(tensor.offset) + " of the data, which starts" +
                      at(data_start) + "; the file has " + std::to_string(size_) + " bytes");
    }
    tensor.offset += data_start;
    if (!tensors_.emplace(tensor.name, tensor).second) throw GgufError(what + " is there twice");
  }
  check_overlap(tensors_);
}

const GgufValue* GgufFile::find(const std::string& key) const {
  const auto entry = metadata_.find(key);
  return entry == metadata_.end() ? nullptr : &entry->second;
}

std::vector<std::string_view> GgufFile::strings(const std::string& key, const GgufValue& value) const {
  if (value.type != GgufValueType::array || value.element_type != GgufValueType::string) {
    throw GgufError("metadata " + quoted(key) + " is not an array of strings");
  }
  Cursor cursor(data_, size_, value.offset);
  std::vector<std::string_view> result;
  for (uint64_t i = 0; i < value.length; ++i) result.push_back(cursor.string(kMaxGgufStringBytes, "string"));
  return result;
}

std::vector<double> GgufFile::numbers(const std::string& key, const GgufValue& value) const {
  if (value.type != GgufValueType::array || value_bytes(value.element_type) == 0) {
    throw GgufError("metadata " + quoted(key) + " is not an array of numbers");
  }
  Cursor cursor(data_, size_, value.offset);
  std::vector<double> result;
  for (uint64_t i = 0; i < value.length; ++i) {
    GgufValue element{value.element_type};
    read_scalar(&cursor, &element, "element of metadata " + quoted(key));
    result.push_back(element.number);
  }
  return result;
}

const GgufTensor* GgufFile::tensor(const std::string& name) const {
  const auto entry = tensors_.find(name);
  return entry == tensors_.end() ? nullptr : &entry->second;
}

void GgufFile::release_pages(const GgufTensor& tensor, uint64_t begin, uint64_t bytes) const {
  if (mapped_) mapped_->release_pages(tensor.offset + begin, bytes);
}

}  // namespace bitnet
