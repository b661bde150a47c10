// Metadata values by key, checked: a type, a range, or one of some words.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "inference/gguf_file.h"

namespace bitnet {

// All throw GgufError naming the key.
class Keys {
 public:
  explicit Keys(const GgufFile& file) : file_(file) {}

  std::string text(const std::string& key, const char* otherwise) const {
    const GgufValue* value = file_.find(key);
    if (!value) {
      if (otherwise) return otherwise;
      throw GgufError("metadata \"" + key + "\" is missing");
    }
    if (value->type != GgufValueType::string) throw GgufError("metadata \"" + key + "\" is not a string");
    return std::string(value->text);
  }

  // An integer in [1, limit]; 0 if absent and not required.
  int64_t count(const std::string& key, int64_t limit, bool required = true) const {
    const GgufValue* value = file_.find(key);
    if (!value) {
      if (!required) return 0;
      throw GgufError("metadata \"" + key + "\" is missing");
    }
    const double number = value->number;
    if (!integral(value->type) || !(number >= 1 && number <= static_cast<double>(limit))) {
      throw GgufError("metadata \"" + key + "\" must be an integer from 1 to " + std::to_string(limit));
    }
    return static_cast<int64_t>(number);
  }

  bool flag(const std::string& key, bool otherwise) const {
    const GgufValue* value = file_.find(key);
    if (!value) return otherwise;
    if (value->type != GgufValueType::boolean) throw GgufError("metadata \"" + key + "\" is not a boolean");
    return value->integer != 0;
  }

  // A positive finite number; `otherwise` if absent, an error if that is 0.
  double positive(const std::string& key, double otherwise) const {
    const GgufValue* value = file_.find(key);
    if (!value) {
      if (otherwise > 0) return otherwise;
      throw GgufError("metadata \"" + key + "\" is missing");
    }
    if ((value->type != GgufValueType::f32 && value->type != GgufValueType::f64) || !(value->number > 0) ||
        !std::isfinite(value->number)) {
      throw GgufError("metadata \"" + key + "\" must be a positive number");
    }
    return value->number;
  }

 private:
  static bool integral(GgufValueType type) {
    switch (type) {
      case GgufValueType::f32:
      case GgufValueType::f64:
      case GgufValueType::boolean:
      case GgufValueType::string:
      case GgufValueType::array:
        return false;
      default:
        return true;
    }
  }

  const GgufFile& file_;
};

// A word of a key, and what it means.
template <typename Meaning>
struct Word {
  const char* text;
  Meaning meaning;
};

// What the key says. `expected` is what the architecture means (null: the key decides). `otherwise` is what it
// says where it is missing (null: it must be there).
template <typename Meaning, size_t Count>
Meaning choose(const Keys& keys, const std::string& key, const Word<Meaning> (&words)[Count],
               const char* expected, const char* otherwise = nullptr) {
  const std::string value = keys.text(key, expected ? expected : otherwise);
  std::string known;
  for (size_t i = 0; i < Count; ++i) {
    known += std::string(i == 0 ? "" : i + 1 < Count ? ", " : " and ") + "\"" + words[i].text + "\"";
    if (value != words[i].text) continue;
    if (expected && value != expected) {
      throw GgufError("metadata \"" + key + "\" is \"" + value +
                      "\", which contradicts the architecture (\"" + expected + "\")");
    }
    return words[i].meaning;
  }
  throw GgufError("metadata \"" + key + "\" is " + quoted(value) + ", valid are " + known);
}

}  // namespace bitnet
