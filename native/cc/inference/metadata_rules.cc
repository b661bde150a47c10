#include "inference/metadata_rules.h"

#include <cmath>
#include <string>

#include "inference/families.h"

namespace bitnet {
namespace {

// Keys under the architecture that read_model_config reads or that change no result.
constexpr const char* kKnownKeys[] = {
    "context_length",
    "embedding_length",
    "block_count",
    "feed_forward_length",
    "vocab_size",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.value_length",
    "attention.layer_norm_rms_epsilon",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.scaling.type",
    "rope.scaling.factor",
    "rope.scaling.original_context_length",
    "rope.scaling.yarn_beta_fast",
    "rope.scaling.yarn_beta_slow",
    "tensor_data_layout",  // of no effect in llama.cpp
};

// Keys that switch something on: with one of these values, in llama.cpp's meaning, nothing.
struct NeutralKey {
  const char* key;
  double value, or_value;
};
constexpr NeutralKey kNeutralKeys[] = {
    {"rope.scale_linear", 1, 0},
    {"rope.scaling.attn_factor", 1, 0},
    {"rope.scaling.yarn_ext_factor", 1, -1},
    {"rope.scaling.finetuned", 0, 1},
    {"attention.sliding_window", 0, 0},
    {"attention.causal", 1, 1},
    {"attention.scale", 0, 0},
    {"attention.clamp_kqv", 0, 0},
    {"attention.max_alibi_bias", 0, 0},
    {"attn_logit_softcapping", 0, 0},
    {"final_logit_softcapping", 0, 0},
    {"logit_scale", 1, 0},
    {"residual_scale", 1, 0},
    {"embedding_scale", 1, 0},
    {"use_parallel_residual", 0, 0},
    {"expert_count", 0, 0},
    {"expert_used_count", 0, 0},
    {"pooling_type", 0, 0},
};

// Of Gemma 3 and our own models; of others they must be neutral.
constexpr const char* kWindowKeys[] = {"attention.sliding_window", "attention.sliding_window_pattern",
                                       "rope.freq_base_swa", "embedding_scale"};

constexpr const char* kOwnKeys[] = {"version",       "weight_quantizer",        "activation_quantizer",
                                    "scale_dtype",   "embedding_dtype",         "hidden_act",
                                    "use_sub_norms", "norm_placement",          "feed_forward",
                                    "use_hadamard",  "activation_keep",         "head.activation_quantizer",
                                    "qk_norm",       "quantization.scale_group"};
constexpr uint64_t kOwnKeysVersion = 1;

std::string value_text(const GgufValue& value) {
  if (value.type == GgufValueType::string) return quoted(value.text);
  if (value.type == GgufValueType::array) return "an array";
  if (value.type == GgufValueType::boolean) return value.integer ? "true" : "false";
  std::string text = std::to_string(value.number);
  // 8.000000 -> 8
  while (text.find('.') != std::string::npos && (text.back() == '0' || text.back() == '.')) {
    const bool point = text.back() == '.';
    text.pop_back();
    if (point) break;
  }
  return text;
}

[[noreturn]] void fail(const std::string& key, const GgufValue& value, const std::string& reason) {
  throw GgufError("metadata " + quoted(key) + " is " + value_text(value) + ": " + reason);
}

bool is_number(const GgufValue& value) {
  return value.type != GgufValueType::string && value.type != GgufValueType::array;
}

bool is_one_of(const std::string& name, const char* const* begin, const char* const* end) {
  for (; begin != end; ++begin) {
    if (name == *begin) return true;
  }
  return false;
}

const NeutralKey* find_neutral(const std::string& name) {
  for (const NeutralKey& neutral : kNeutralKeys) {
    if (name == neutral.key) return &neutral;
  }
  return nullptr;
}

void check_architecture_key(const std::string& key, const std::string& name, const GgufValue& value,
                            bool has_windows) {
  if (has_windows && is_one_of(name, std::begin(kWindowKeys), std::end(kWindowKeys))) return;
  if (const NeutralKey* neutral = find_neutral(name)) {
    const bool harmless =
        is_number(value) && (value.number == neutral->value || value.number == neutral->or_value);
    if (!harmless)
      fail(key, value, "this engine has nothing of the kind, the model would be computed wrongly");
    return;
  }
  if (!is_one_of(name, std::begin(kKnownKeys), std::end(kKnownKeys))) {
    fail(key, value, "the key is not known to this engine, which might compute the model wrongly");
  }
}

void check_own_key(const std::string& key, const std::string& name, const GgufValue& value) {
  if (name == "version" && !(is_number(value) && value.number == kOwnKeysVersion)) {
    fail(key, value, "this engine knows version " + std::to_string(kOwnKeysVersion) + " of its own keys");
  }
  if (!is_one_of(name, std::begin(kOwnKeys), std::end(kOwnKeys))) fail(key, value, "the key is not known");
}

// Whether `key` begins with `prefix`; *rest becomes what follows.
bool starts_with(const std::string& key, const std::string& prefix, std::string* rest) {
  if (key.compare(0, prefix.size(), prefix) != 0) return false;
  *rest = key.substr(prefix.size());
  return true;
}

// What converters write, an unsigned or a signed -1, where a model has no such token.
constexpr double kNoToken = 4294967295.0;

void check_special_id(const GgufFile& file, const char* key, int64_t vocab_size) {
  const GgufValue* value = file.find(key);
  if (!value) return;
  if (is_number(*value) && (value->number == kNoToken || value->number == -1)) return;
  if (!is_number(*value) || !(value->number >= 0 && value->number < static_cast<double>(vocab_size))) {
    fail(key, *value, "the vocabulary has the ids 0 to " + std::to_string(vocab_size - 1));
  }
}

}  // namespace

void check_file_kind(const GgufFile& file) {
  for (const auto& entry : file.metadata()) {
    std::string name;
    if (!starts_with(entry.first, "prism.hadamard.", &name)) continue;
    throw GgufError("its weights are folded with a Hadamard rotation (" + entry.first +
                    "), which is not read: activations would have to be rotated before each product");
  }
  const GgufValue* type = file.find("general.type");
  if (type && !(type->type == GgufValueType::string && type->text == "model")) {
    fail("general.type", *type, "the file is no model");
  }
  const GgufValue* parts = file.find("split.count");
  const bool is_whole = parts && is_number(*parts) && parts->number <= static_cast<double>(file.parts());
  if (parts && !is_whole) fail("split.count", *parts, "the other files of the model are not at hand");
  const GgufValue* quantization = file.find("general.quantization_version");
  if (quantization && !(is_number(*quantization) && quantization->number == 2)) {
    fail("general.quantization_version", *quantization, "only the block layouts of version 2 are known");
  }
}

void check_metadata(const GgufFile& file, const ModelConfig& config) {
  const std::string prefix = config.architecture + ".";
  const bool own_architecture = config.architecture == kOwnArchitecture;
  const bool has_windows = own_architecture || family_of(config.architecture).windows;
  for (const auto& [key, value] : file.metadata()) {
    std::string name;
    const bool own = starts_with(key, "bitnet-lab.", &name) &&
                     (!own_architecture || is_one_of(name, std::begin(kOwnKeys), std::end(kOwnKeys)));
    if (own) {
      check_own_key(key, name, value);
    } else if (starts_with(key, prefix, &name)) {
      check_architecture_key(key, name, value, has_windows);
    }
  }
  check_special_id(file, "tokenizer.ggml.bos_token_id", config.vocab_size);
  check_special_id(file, "tokenizer.ggml.eos_token_id", config.vocab_size);
}

}  // namespace bitnet
