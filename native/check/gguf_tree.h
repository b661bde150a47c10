// A GGUF file as a tree that can be changed and written again; for the fuzzer of the loader.
//
// Writing keeps counts, lengths and offsets true and marks where they are, so that a mutation can be valid
// (it reaches the code behind the parser) or a lie in one place (it tests the parser).
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "inference/ggml_type.h"
#include "tiny_model.h"

namespace check {

using Bytes = std::vector<uint8_t>;

struct TreeEntry {
  std::string key;
  uint32_t type;
  Bytes value;  // as stored
};

struct TreeTensor {
  std::string name;
  std::vector<uint64_t> dimensions;
  uint32_t type;
  uint64_t offset;  // in the data; follows from the order when the file is laid out anew
};

// Place of a number that describes the structure of a written file.
struct Mark {
  size_t offset;
  size_t bytes;
};

struct GgufTree {
  uint32_t version = 3;
  std::vector<TreeEntry> entries;
  std::vector<TreeTensor> tensors;
  Bytes data;
};

inline uint64_t aligned(uint64_t offset) { return (offset + 31) / 32 * 32; }

// Bytes that a loader expects of the tensor; 0 if nobody could say.
inline uint64_t stored_bytes(const TreeTensor& tensor) {
  const std::vector<bitnet::TypeMeaning> meanings = bitnet::meanings_of_number(tensor.type);
  uint64_t elements = 1;
  for (const uint64_t size : tensor.dimensions) {
    if (size == 0 || size > (uint64_t{1} << 24) / elements) return 0;
    elements *= size;
  }
  if (meanings.empty() || tensor.dimensions.empty()) return 0;
  const bitnet::GgmlTypeLayout& layout = *meanings[0].layout;
  return elements / layout.block * layout.bytes + layout.tail;
}

class TreeReader {
 public:
  explicit TreeReader(const Bytes& file) : file_(file) {}

  // Whether the file is whole enough to be a tree.
  bool read(GgufTree* tree) {
    uint32_t magic = 0;
    uint64_t tensors = 0, entries = 0;
    if (!number(&magic) || !number(&tree->version) || !number(&tensors) || !number(&entries)) return false;
    if (magic != 0x46554747 || tensors > 4096 || entries > 4096) return false;
    for (uint64_t i = 0; i < entries; ++i) {
      TreeEntry entry;
      if (!text(&entry.key) || !number(&entry.type)) return false;
      const size_t begin = at_;
      if (!skip_value(entry.type, 0)) return false;
      entry.value.assign(file_.begin() + static_cast<std::ptrdiff_t>(begin),
                         file_.begin() + static_cast<std::ptrdiff_t>(at_));
      tree->entries.push_back(std::move(entry));
    }
    for (uint64_t i = 0; i < tensors; ++i) {
      TreeTensor tensor;
      uint32_t count = 0;
      if (!text(&tensor.name) || !number(&count) || count > 8) return false;
      tensor.dimensions.resize(count);
      for (uint64_t& size : tensor.dimensions) {
        if (!number(&size)) return false;
      }
      if (!number(&tensor.type) || !number(&tensor.offset)) return false;
      tree->tensors.push_back(std::move(tensor));
    }
    const size_t start = static_cast<size_t>(aligned(at_));
    if (start < file_.size())
      tree->data.assign(file_.begin() + static_cast<std::ptrdiff_t>(start), file_.end());
    return true;
  }

 private:
  template <typename T>
  bool number(T* value) {
    if (file_.size() - at_ < sizeof *value) return false;
    std::memcpy(value, file_.data() + at_, sizeof *value);
    at_ += sizeof *value;
    return true;
  }

  bool skip(uint64_t bytes) {
    if (bytes > file_.size() - at_) return false;
    at_ += static_cast<size_t>(bytes);
    return true;
  }

  bool text(std::string* value) {
    uint64_t length = 0;
    if (!number(&length) || length > file_.size() - at_) return false;
    value->assign(reinterpret_cast<const char*>(file_.data()) + at_, static_cast<size_t>(length));
    return skip(length);
  }

  bool skip_value(uint32_t type, int depth) {
    static constexpr uint64_t kBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    if (type > 12 || depth > 4) return false;
    std::string ignored;
    if (type == 8) return text(&ignored);
    if (type != 9) return skip(kBytes[type]);
    uint32_t element = 0;
    uint64_t count = 0;
    if (!number(&element) || !number(&count) || count > file_.size()) return false;
    if (element <= 12 && kBytes[element]) return skip(kBytes[element] * count);
    for (uint64_t i = 0; i < count; ++i) {
      if (!skip_value(element, depth + 1)) return false;
    }
    return true;
  }

  const Bytes& file_;
  size_t at_ = 0;
};

// Gives every tensor the place after the one before, and the data the length that they need together.
inline void lay_out(GgufTree* tree) {
  uint64_t offset = 0;
  for (TreeTensor& tensor : tree->tensors) {
    tensor.offset = offset;
    offset = aligned(offset + stored_bytes(tensor));
  }
  constexpr uint64_t kMostData = uint64_t{4} << 20;
  const size_t wanted = static_cast<size_t>(offset < kMostData ? offset : kMostData);
  const size_t had = tree->data.size();
  tree->data.resize(wanted);
  // 0x11 is no zero and in every type a valid code.
  for (size_t i = had; i < wanted; ++i) tree->data[i] = 0x11;
}

inline Bytes write_tree(const GgufTree& tree, std::vector<Mark>* marks) {
  ByteWriter out;
  const auto mark = [&](size_t bytes) { marks->push_back({out.bytes().size(), bytes}); };
  const auto text = [&](const std::string& value) {
    mark(8);
    out.text(value);
  };
  out.number(uint32_t{0x46554747});
  mark(4);
  out.number(tree.version);
  mark(8);
  out.number(static_cast<uint64_t>(tree.tensors.size()));
  mark(8);
  out.number(static_cast<uint64_t>(tree.entries.size()));
  for (const TreeEntry& entry : tree.entries) {
    text(entry.key);
    mark(4);
    out.number(entry.type);
    if (!entry.value.empty()) mark(entry.value.size() < 8 ? entry.value.size() : 8);
    if (entry.type == 9 && entry.value.size() >= 12) marks->push_back({out.bytes().size() + 4, 8});
    out.bytes().insert(out.bytes().end(), entry.value.begin(), entry.value.end());
  }
  for (const TreeTensor& tensor : tree.tensors) {
    text(tensor.name);
    mark(4);
    out.number(static_cast<uint32_t>(tensor.dimensions.size()));
    for (const uint64_t size : tensor.dimensions) {
      mark(8);
      out.number(size);
    }
    mark(4);
    out.number(tensor.type);
    mark(8);
    out.number(tensor.offset);
  }
  out.pad(32);
  out.bytes().insert(out.bytes().end(), tree.data.begin(), tree.data.end());
  return std::move(out.bytes());
}

}  // namespace check
