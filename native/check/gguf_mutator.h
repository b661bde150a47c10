// Structure-aware mutations of GGUF files: entries, types, counts, names, dimensions, offsets, scales, bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "gguf_tree.h"

namespace check {

class GgufMutator {
 public:
  explicit GgufMutator(uint64_t seed) : random_(seed) {}

  Random& random() { return random_; }

  // A changed copy of a file. Structural changes of one that is a tree, then lies about its structure, then
  // raw bytes.
  Bytes mutate(const Bytes& file) {
    GgufTree tree;
    std::vector<Mark> marks;
    Bytes bytes = file;
    if (TreeReader(file).read(&tree) && chance(90)) {
      const bool gentle = chance(30);
      for (int64_t i = 1 + random_.below(4); i > 0; --i) gentle ? change_gently(&tree) : change(&tree);
      if (gentle || chance(80)) lay_out(&tree);
      bytes = write_tree(tree, &marks);
      if (gentle) return bytes;
      if (chance(40)) {
        for (int64_t i = 1 + random_.below(2); i > 0; --i) lie(&bytes, pick(marks));
      }
    }
    if (marks.empty() || chance(10)) flip(&bytes);
    if (chance(4)) bytes.resize(static_cast<size_t>(random_.below(static_cast<int64_t>(bytes.size()) + 1)));
    return bytes;
  }

 private:
  bool chance(int64_t percent) { return random_.below(100) < percent; }

  template <typename List>
  typename List::reference pick(List& list) {
    return list[static_cast<size_t>(random_.below(static_cast<int64_t>(list.size())))];
  }

  // A number at which arithmetic tends to break, or near `value`.
  uint64_t number(uint64_t value) {
    switch (random_.below(6)) {
      case 0:
        return value + static_cast<uint64_t>(random_.below(5)) - 2;
      case 1:
        return (uint64_t{1} << random_.below(64)) + static_cast<uint64_t>(random_.below(3)) - 1;
      case 2:
        return static_cast<uint64_t>(random_.below(4)) * 32;
      case 3:
        return ~uint64_t{0} - static_cast<uint64_t>(random_.below(3));
      case 4:
        return static_cast<uint64_t>(random_.below(300));
      default:
        return value << 1 >> random_.below(3);
    }
  }

  void change(GgufTree* tree) {
    switch (random_.below(tree->tensors.empty() ? 6 : 14)) {
      case 0:
        return add_entry(tree);
      case 1:
        if (!tree->entries.empty()) remove(&tree->entries);
        return;
      case 2:
        if (!tree->entries.empty()) duplicate(&tree->entries);
        return;
      case 3:
      case 4:
        if (!tree->entries.empty()) change_value(&pick(tree->entries));
        return;
      case 5:
        if (!tree->entries.empty()) change_text(&pick(tree->entries).key);
        return;
      case 6:
        return change_text(&pick(tree->tensors).name);
      case 7:
        if (chance(50)) return remove(&tree->tensors);
        return duplicate(&tree->tensors);
      case 8:
        return change_dimensions(&pick(tree->tensors));
      case 9:
      case 10:
        pick(tree->tensors).type = tensor_type();
        return;
      case 11:
        std::swap(pick(tree->tensors).type, pick(tree->tensors).type);
        return;
      default:
        return change_data(tree);
    }
  }

  // What mostly leaves a file that loads: another order, another type of embedding or norm, new data, a new
  // length.
  void change_gently(GgufTree* tree) {
    switch (tree->tensors.empty() ? 0 : random_.below(5)) {
      case 0:
        if (!tree->entries.empty()) std::swap(pick(tree->entries), pick(tree->entries));
        return;
      case 1:
        return std::swap(pick(tree->tensors), pick(tree->tensors));
      case 2: {
        static constexpr uint32_t kFloats[] = {0, 1, 30, 8, 12, 14};
        TreeTensor& tensor = pick(tree->tensors);
        if (tensor.name == "token_embd.weight" || tensor.name == "output.weight") {
          tensor.type = kFloats[random_.below(6)];
        } else if (tensor.dimensions.size() == 1) {
          tensor.type = kFloats[random_.below(3)];
        }
        return;
      }
      case 3:
        for (TreeEntry& entry : tree->entries) {
          if (entry.key.find("context_length") == std::string::npos) continue;
          entry.value = bytes_of(static_cast<uint64_t>(1 + random_.below(100)), entry.value.size());
        }
        return;
      default: {
        // The end of the data is float in most files: norms, embeddings, the scale of an I2_S.
        const size_t size = tree->data.size();
        const float value = random_.value();
        if (size >= 4) std::memcpy(tree->data.data() + (size - 4) / 4 * 4, &value, sizeof value);
      }
    }
  }

  template <typename T>
  void remove(std::vector<T>* list) {
    list->erase(list->begin() + random_.below(static_cast<int64_t>(list->size())));
  }

  template <typename T>
  void duplicate(std::vector<T>* list) {
    const T copy = pick(*list);
    list->insert(list->begin() + random_.below(static_cast<int64_t>(list->size()) + 1), copy);
  }

  uint32_t tensor_type() {
    static constexpr uint32_t kTypes[] = {0, 1, 8, 12, 14, 30, 34, 35, 36};
    return chance(90) ? kTypes[random_.below(9)] : static_cast<uint32_t>(random_.below(45));
  }

  static Bytes bytes_of(uint64_t value, size_t size) {
    Bytes bytes(size);
    std::memcpy(bytes.data(), &value, std::min<size_t>(size, 8));
    return bytes;
  }

  static Bytes text_value(const std::string& text) {
    ByteWriter out;
    out.text(text);
    return out.bytes();
  }

  // Keys that the loader reads or refuses, with values of any type.
  void add_entry(GgufTree* tree) {
    static const char* const kKeys[] = {
        "general.alignment",
        "general.type",
        "split.count",
        "rope.scaling.type",
        "rope.scaling.factor",
        "attention.sliding_window",
        "attention.key_length",
        "attention.value_length",
        "expert_count",
        "bitnet-lab.hidden_act",
        "bitnet-lab.version",
        "bitnet-lab.use_sub_norms",
        "bitnet-lab.norm_placement",
        "bitnet-lab.feed_forward",
        "bitnet-lab.use_hadamard",
        "bitnet-lab.quantization.scale_group",
        "bitnet-lab.activation_keep",
        "tokenizer.ggml.tokens",
        "tokenizer.ggml.merges",
        "tokenizer.ggml.eos_token_id",
        "attention.head_count_kv",
        "rope.dimension_count",
        "tokenizer.huggingface.json",
    };
    std::string key = kKeys[random_.below(static_cast<int64_t>(std::size(kKeys)))];
    if (key.find("general.") != 0 && key.find("tokenizer.") != 0 && chance(70)) {
      key = (chance(50) ? "bitnet-b1.58." : "bitnet-lab.") + key;
    }
    TreeEntry entry{key, static_cast<uint32_t>(random_.below(13)), {}};
    change_value(&entry);
    tree->entries.push_back(entry);
  }

  void change_value(TreeEntry* entry) {
    static constexpr size_t kBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    static const char* const kTexts[] = {
        "bitnet-b1.58", "bitnet",          "bitnet-25",   "llama",  "bitnet-lab", "relu2", "silu",
        "none",         "absmean_ternary", "absmax_int8", "linear", "yarn",       "model", "\n\0\x1b[2J"};
    if (chance(25)) entry->type = static_cast<uint32_t>(random_.below(13));
    if (entry->type == 8) {
      entry->value = text_value(kTexts[random_.below(static_cast<int64_t>(std::size(kTexts)))]);
    } else if (entry->type == 9) {
      change_array(entry);
    } else if (entry->type <= 12) {
      uint64_t value = 0;
      if (!entry->value.empty()) {
        std::memcpy(&value, entry->value.data(), std::min<size_t>(8, entry->value.size()));
      }
      entry->value = bytes_of(number(value), kBytes[entry->type]);
    }
  }

  // An array of few elements of any type, arrays within arrays too.
  void change_array(TreeEntry* entry) {
    ByteWriter out;
    const int64_t depth = random_.below(6);
    for (int64_t i = 0; i < depth; ++i) {
      out.number(uint32_t{9});
      out.number(uint64_t{1});
    }
    const uint32_t element = static_cast<uint32_t>(random_.below(9));
    const uint64_t count = static_cast<uint64_t>(random_.below(12));
    out.number(element);
    out.number(count);
    for (uint64_t i = 0; i < count; ++i) {
      if (element == 8) {
        out.text("token" + std::to_string(i));
      } else {
        out.bytes().push_back(static_cast<uint8_t>(random_.next()));
        if (element >= 2 && element != 7) out.bytes().push_back(0);
        if (element >= 4 && element != 7) out.number(uint16_t{0});
      }
    }
    entry->value = out.bytes();
  }

  void change_text(std::string* text) {
    switch (random_.below(4)) {
      case 0:
        *text += static_cast<char>(random_.next());
        return;
      case 1:
        text->resize(text->size() / 2);
        return;
      case 2:
        if (!text->empty()) pick(*text) = static_cast<char>(random_.next());
        return;
      default: {
        // Another layer or another part.
        const size_t digit = text->find_first_of("0123456789");
        if (digit != std::string::npos) (*text)[digit] = static_cast<char>('0' + random_.below(10));
      }
    }
  }

  void change_dimensions(TreeTensor* tensor) {
    if (chance(20) || tensor->dimensions.empty()) {
      if (chance(50)) {
        tensor->dimensions.push_back(number(1));
      } else if (!tensor->dimensions.empty()) {
        tensor->dimensions.pop_back();
      }
      return;
    }
    uint64_t& size = pick(tensor->dimensions);
    size = number(size);
  }

  // Codes and scales: NaN, infinities, subnormals, codes that are not ternary.
  void change_data(GgufTree* tree) {
    if (tree->data.empty()) return;
    static constexpr uint32_t kWords[] = {0x7fc00000, 0x7f800000, 0xff800000, 0x00000001,
                                          0x7e007c00, 0xffffffff, 0};
    for (int64_t i = 1 + random_.below(8); i > 0; --i) {
      const size_t at = static_cast<size_t>(random_.below(static_cast<int64_t>(tree->data.size())));
      const uint32_t word = kWords[random_.below(static_cast<int64_t>(std::size(kWords)))];
      std::memcpy(tree->data.data() + at, &word, std::min<size_t>(4, tree->data.size() - at));
    }
  }

  void lie(Bytes* bytes, const Mark& mark) {
    uint64_t value = 0;
    const size_t size = std::min(mark.bytes, bytes->size() - mark.offset);
    std::memcpy(&value, bytes->data() + mark.offset, size);
    value = number(value);
    std::memcpy(bytes->data() + mark.offset, &value, size);
  }

  void flip(Bytes* bytes) {
    if (bytes->empty()) return;
    for (int64_t i = 1 + random_.below(4); i > 0; --i) {
      // Most flips hit the header.
      const size_t range = chance(80) ? std::min<size_t>(bytes->size(), 4096) : bytes->size();
      (*bytes)[static_cast<size_t>(random_.below(static_cast<int64_t>(range)))] ^=
          static_cast<uint8_t>(1 + random_.below(255));
    }
  }

  Random random_;
};

}  // namespace check
