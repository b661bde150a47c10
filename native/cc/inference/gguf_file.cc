#include "inference/gguf_file.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "inference/gguf_values.h"
#include "inference/type_of_span.h"

namespace bitnet {
namespace {

NumberedTensor read_tensor_info(GgufCursor* cursor, uint64_t index) {
  NumberedTensor numbered;
  GgufTensor& tensor = numbered.tensor;
  tensor.name = std::string(cursor->string(kMaxGgufNameBytes, "name of tensor " + std::to_string(index)));
  const std::string what = "tensor " + quoted(tensor.name);
  const uint64_t start = cursor->position();
  const uint32_t dimensions = cursor->read<uint32_t>("number of dimensions of " + what);
  if (dimensions < 1 || dimensions > kMaxGgufDimensions) {
    throw GgufError(what + at_byte(start) + " has " + std::to_string(dimensions) + " dimensions, 1 to " +
                    std::to_string(kMaxGgufDimensions) + " are valid");
  }
  uint64_t elements = 1;
  for (uint32_t d = 0; d < dimensions; ++d) {
    const uint64_t place = cursor->position();
    const uint64_t size = cursor->read<uint64_t>("dimension of " + what);
    if (size < 1 || size > kMaxGgufElements / elements) {
      throw GgufError(what + at_byte(place) + " has dimension " + std::to_string(size) +
                      ": empty or above the limit of " + std::to_string(kMaxGgufElements) + " elements");
    }
    elements *= size;
    tensor.dimensions.push_back(size);
  }
  const uint64_t place = cursor->position();
  numbered.number = cursor->read<uint32_t>("type of " + what);
  const std::vector<TypeMeaning> meanings = meanings_of_number(numbered.number);
  if (meanings.empty())
    throw GgufError(what + at_byte(place) + " has " + unsupported_type_text(numbered.number));
  const GgmlTypeLayout& likeliest = *meanings[0].layout;
  if (tensor.dimensions[0] % likeliest.block != 0) {
    throw GgufError(what + at_byte(place) + " has rows of " + std::to_string(tensor.dimensions[0]) +
                    " elements, " + likeliest.name + " needs a multiple of " +
                    std::to_string(likeliest.block));
  }
  set_layout(likeliest, &tensor);
  tensor.offset = cursor->read<uint64_t>("offset of " + what);
  return numbered;
}

// The room and the types of all tensors of one file, whose data begin at byte `data_start`; throws if one has less
// than it needs.
void place_tensors(std::vector<NumberedTensor>* tensors, uint64_t data_start, uint64_t alignment,
                   uint64_t size) {
  std::vector<GgufTensor*> order;
  for (NumberedTensor& numbered : *tensors) order.push_back(&numbered.tensor);
  std::sort(order.begin(), order.end(),
            [](const GgufTensor* a, const GgufTensor* b) { return a->offset < b->offset; });
  for (size_t i = 0; i < order.size(); ++i) {
    order[i]->room = (i + 1 < order.size() ? order[i + 1]->offset : size) - order[i]->offset;
  }
  choose_types(tensors, data_start, alignment);
  for (size_t i = 0; i < order.size(); ++i) {
    if (order[i]->bytes > size - order[i]->offset) {
      throw GgufError("truncated file: tensor " + quoted(order[i]->name) + " has " +
                      std::to_string(order[i]->bytes) + " bytes at offset " +
                      std::to_string(order[i]->offset - data_start) + " of the data, which starts" +
                      at_byte(data_start) + "; the file has " + std::to_string(size) + " bytes");
    }
    if (order[i]->room < order[i]->bytes) {
      const char* hint = order[i]->type == GgmlType::i2_s
                             ? ": the first is an I2_S without room for its scale (n / 4 + 32 bytes)"
                             : "";
      throw GgufError("tensors " + quoted(order[i]->name) + " and " + quoted(order[i + 1]->name) +
                      " overlap" + at_byte(order[i + 1]->offset) + hint);
    }
  }
}

struct Header {
  uint32_t version = 0;
  uint64_t alignment = 32;
  std::map<std::string, GgufValue> metadata;
  std::vector<NumberedTensor> tensors;
};

uint64_t read_count(GgufCursor* cursor, const char* what, uint64_t offset) {
  const uint64_t count = cursor->read<uint64_t>(what);
  if (count > kMaxGgufEntries) {
    throw GgufError(std::string(what) + " " + std::to_string(count) + at_byte(offset) +
                    " is above the limit of " + std::to_string(kMaxGgufEntries));
  }
  return count;
}

// Multiples of 8, as the specification has it; other programs want a power of two.
uint64_t read_alignment(const std::map<std::string, GgufValue>& metadata) {
  const auto found = metadata.find("general.alignment");
  if (found == metadata.end()) return 32;
  const GgufValue& value = found->second;
  if (value.type != GgufValueType::u32 || value.integer < 8 || value.integer > kMaxGgufAlignment ||
      value.integer % 8 != 0) {
    throw GgufError("metadata \"general.alignment\" must be a uint32 that is a multiple of 8 up to " +
                    std::to_string(kMaxGgufAlignment));
  }
  return value.integer;
}

Header read_header(const uint8_t* data, uint64_t size) {
  GgufCursor cursor(data, size, 0);
  const uint8_t* magic = cursor.take(4, "magic");
  if (std::memcmp(magic, "GGUF", 4) != 0) {
    throw GgufError("not a GGUF file: it starts with " +
                    quoted(std::string_view(reinterpret_cast<const char*>(magic), 4)) +
                    " instead of \"GGUF\"");
  }
  Header header;
  header.version = cursor.read<uint32_t>("version");
  if (header.version == 0x02000000u || header.version == 0x03000000u) {
    throw GgufError(
        "big-endian GGUF (its numbers begin with the high byte), which is not read: convert it with "
        "gguf_convert_endian.py of llama.cpp's gguf-py");
  }
  if (header.version < 2 || header.version > 3) {
    throw GgufError("GGUF version " + std::to_string(header.version) + at_byte(4) +
                    " is not supported (2 and 3 are)");
  }
  const uint64_t tensor_count = read_count(&cursor, "tensor count", 8);
  const uint64_t metadata_count = read_count(&cursor, "metadata count", 16);
  for (uint64_t i = 0; i < metadata_count; ++i) {
    const uint64_t start = cursor.position();
    const std::string key(cursor.string(kMaxGgufNameBytes, "key " + std::to_string(i)));
    const std::string what = "metadata " + quoted(key);
    GgufValue value{cursor.value_type(what)};
    read_value(&cursor, &value, what);
    if (!header.metadata.emplace(key, value).second)
      throw GgufError(what + at_byte(start) + " is there twice");
  }
  for (uint64_t i = 0; i < tensor_count; ++i) header.tensors.push_back(read_tensor_info(&cursor, i));
  header.alignment = read_alignment(header.metadata);
  const uint64_t data_start =
      (cursor.position() + header.alignment - 1) / header.alignment * header.alignment;
  for (NumberedTensor& numbered : header.tensors) {
    GgufTensor& tensor = numbered.tensor;
    const std::string what = "tensor " + quoted(tensor.name);
    if (tensor.offset % header.alignment != 0) {
      throw GgufError(what + " has offset " + std::to_string(tensor.offset) + ", not a multiple of " +
                      std::to_string(header.alignment));
    }
    if (data_start > size || tensor.offset > size - data_start) {
      throw GgufError("truncated file: " + what + " has " + std::to_string(tensor.bytes) +
                      " bytes at offset " + std::to_string(tensor.offset) + " of the data, which starts" +
                      at_byte(data_start) + "; the file has " + std::to_string(size) + " bytes");
    }
    tensor.offset += data_start;
  }
  place_tensors(&header.tensors, data_start, header.alignment, size);
  return header;
}

struct Split {
  uint64_t index = 0, count = 1;
};

Split read_split(const std::map<std::string, GgufValue>& metadata) {
  const auto number = [&](const char* key, uint64_t otherwise) {
    const auto found = metadata.find(key);
    if (found == metadata.end()) return otherwise;
    const double value = found->second.number;
    const bool whole = value >= 0 && value <= static_cast<double>(kMaxGgufParts);
    if (!whole) throw GgufError(std::string("metadata \"") + key + "\" is no number of files");
    return static_cast<uint64_t>(value);
  };
  const uint64_t count = number("split.count", 1);
  return {number("split.no", 0), count == 0 ? 1 : count};
}

std::string part_ending(uint64_t index, uint64_t count) {
  char text[40];
  std::snprintf(text, sizeof text, "-%05llu-of-%05llu.gguf", static_cast<unsigned long long>(index + 1),
                static_cast<unsigned long long>(count));
  return text;
}

}  // namespace

std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name.substr(0, 80)) text += c >= 32 && c < 127 ? c : '?';
  return text + (name.size() > 80 ? "...\"" : "\"");
}

GgufFile::GgufFile(const std::string& path) {
  const auto mapped_part = [](const std::string& file) {
    auto mapped = std::make_unique<MappedFile>(file);
    const uint8_t* data = mapped->data();
    const uint64_t size = mapped->size();
    return Part{std::move(mapped), data, size};
  };
  Part given = mapped_part(path);
  const Split split = read_split(read_header(given.data, given.size).metadata);
  if (split.count == 1) {
    add(std::move(given));
    return;
  }
  const std::string ending = part_ending(split.index, split.count);
  if (path.size() < ending.size() || path.compare(path.size() - ending.size(), ending.size(), ending) != 0) {
    throw GgufError("part " + std::to_string(split.index + 1) + " of a model in " +
                    std::to_string(split.count) + " files: it must be named NAME" + ending);
  }
  const std::string name = path.substr(0, path.size() - ending.size());
  for (uint64_t i = 0; i < split.count; ++i) {
    const std::string file = name + part_ending(i, split.count);
    try {
      add(i == split.index ? std::move(given) : mapped_part(file));
    } catch (const std::runtime_error& error) {
      throw GgufError("part " + std::to_string(i + 1) + " of " + std::to_string(split.count) + ": " +
                      error.what());
    }
  }
  const GgufValue* all = find("split.tensors.count");
  if (all && all->number != static_cast<double>(tensors_.size())) {
    throw GgufError("its parts have " + std::to_string(tensors_.size()) +
                    " tensors, metadata \"split.tensors.count\" is " + std::to_string(all->integer));
  }
}

GgufFile::GgufFile(const uint8_t* data, uint64_t size) { add({nullptr, data, size}); }

void GgufFile::add(Part part) {
  Header header = read_header(part.data, part.size);
  const Split split = read_split(header.metadata);
  if (!parts_.empty() && (split.index != parts_.size() || split.count != read_split(metadata_).count)) {
    throw GgufError("metadata \"split.no\" and \"split.count\" say that it is another part");
  }
  for (NumberedTensor& numbered : header.tensors) {
    GgufTensor& tensor = numbered.tensor;
    tensor.part = parts_.size();
    if (!tensors_.emplace(tensor.name, tensor).second) {
      throw GgufError("tensor " + quoted(tensor.name) + " is there twice");
    }
  }
  if (parts_.empty()) {
    version_ = header.version;
    alignment_ = header.alignment;
    metadata_ = std::move(header.metadata);
  }
  parts_.push_back(std::move(part));
}

const GgufValue* GgufFile::find(const std::string& key) const {
  const auto entry = metadata_.find(key);
  return entry == metadata_.end() ? nullptr : &entry->second;
}

std::vector<std::string_view> GgufFile::strings(const std::string& key, const GgufValue& value) const {
  if (value.type != GgufValueType::array || value.element_type != GgufValueType::string) {
    throw GgufError("metadata " + quoted(key) + " is not an array of strings");
  }
  GgufCursor cursor(parts_[0].data, parts_[0].size, value.offset);
  std::vector<std::string_view> result;
  for (uint64_t i = 0; i < value.length; ++i) result.push_back(cursor.string(kMaxGgufStringBytes, "string"));
  return result;
}

std::vector<double> GgufFile::numbers(const std::string& key, const GgufValue& value) const {
  if (value.type != GgufValueType::array || value_bytes(value.element_type) == 0) {
    throw GgufError("metadata " + quoted(key) + " is not an array of numbers");
  }
  GgufCursor cursor(parts_[0].data, parts_[0].size, value.offset);
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
  const Part& part = parts_[tensor.part];
  if (part.mapped) part.mapped->release_pages(tensor.offset + begin, bytes);
}

}  // namespace bitnet
