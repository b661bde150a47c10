#include "inference/model_config.h"

#include <cmath>

#include "inference/metadata_rules.h"

namespace bitnet {
namespace {

// Far above any real model; they keep products of sizes inside int64 and int32 sums inside int32.
constexpr int64_t kMaxWidth = int64_t{1} << 23;
constexpr int64_t kMaxLayers = 4096;
constexpr int64_t kMaxHeadDim = 8192;
constexpr int64_t kMaxPositions = int64_t{1} << 24;
constexpr int64_t kMaxVocabulary = int64_t{1} << 26;

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

bool has_ternary_weights(const GgufFile& file) {
  const GgufTensor* tensor = file.tensor("blk.0.attn_q.weight");
  return tensor && (tensor->type == GgmlType::tq1_0 || tensor->type == GgmlType::tq2_0 ||
                    tensor->type == GgmlType::i2_s);
}

// The graphs of BitNet have both sub-norms, Llama's has none.
NormPlacement read_norm_placement(const GgufFile& file, const Keys& keys, const std::string& architecture) {
  static constexpr const char* key = "bitnet-lab.norm_placement";
  static constexpr Word<NormPlacement> words[] = {{"pre", NormPlacement::pre},
                                                  {"sub", NormPlacement::sub},
                                                  {"every_linear", NormPlacement::every_linear}};
  const bool own = architecture == "bitnet-lab";
  const bool sub_norms =
      own ? keys.flag("bitnet-lab.use_sub_norms", file.tensor("blk.0.attn_sub_norm.weight") != nullptr)
          : architecture != "llama";
  const char* named = sub_norms ? "sub" : "pre";
  const NormPlacement placement = choose(keys, key, words, own ? nullptr : named, named);
  if (own && file.find("bitnet-lab.use_sub_norms") && sub_norms != (placement == NormPlacement::sub)) {
    throw GgufError("metadata \"bitnet-lab.use_sub_norms\" contradicts \"" + std::string(key) + "\"");
  }
  return placement;
}

// What stands in a layer besides its norms. Other architectures than ours have a gate and no transform.
void read_graph(const GgufFile& file, const Keys& keys, ModelConfig* config) {
  static constexpr Word<bool> words[] = {{"gated", true}, {"mlp", false}};
  const bool own = config->architecture == "bitnet-lab";
  config->norm_placement = read_norm_placement(file, keys, config->architecture);
  config->gated = choose(keys, "bitnet-lab.feed_forward", words, own ? nullptr : "gated", "gated");
  if (!config->gated && config->hidden_act != HiddenAct::relu2) {
    throw GgufError("metadata \"bitnet-lab.feed_forward\" is \"mlp\", which needs hidden_act \"relu2\"");
  }
  config->hadamard = keys.flag("bitnet-lab.use_hadamard", false);
  if (config->hadamard && !own) {
    throw GgufError("metadata \"bitnet-lab.use_hadamard\" is true, which contradicts the architecture");
  }
  if (config->hadamard && config->intermediate_size % 2 != 0) {
    throw GgufError("metadata \"bitnet-lab.use_hadamard\" needs an even feed_forward_length, not " +
                    std::to_string(config->intermediate_size));
  }
}

// The share of the activations that stay.
double read_activation_keep(const GgufFile& file, const Keys& keys, const ModelConfig& config) {
  static constexpr const char* key = "bitnet-lab.activation_keep";
  if (!file.find(key)) return 1.0;
  const double keep = keys.positive(key, 0);
  if (!(keep <= 1.0) || !config.activations.quantizes() || config.architecture != "bitnet-lab") {
    throw GgufError("metadata \"" + std::string(key) +
                    "\" must be at most 1, of quantized activations of a bitnet-lab model");
  }
  return keep;
}

void read_quantizers(const GgufFile& file, const Keys& keys, ModelConfig* config) {
  const std::string& architecture = config->architecture;
  const bool own = architecture == "bitnet-lab";
  const bool relu2 = architecture == "bitnet-b1.58" || architecture == "bitnet-25";
  const bool ternary = architecture == "llama" ? has_ternary_weights(file) : true;
  static constexpr Word<HiddenAct> acts[] = {{"relu2", HiddenAct::relu2}, {"silu", HiddenAct::silu}};
  static constexpr Word<bool> weights[] = {{"absmean_ternary", true}, {"none", false}};
  static constexpr Word<ActivationCodes> activations[] = {{"absmax_int8", ActivationCodes::absmax_int8},
                                                          {"absmax_int4", ActivationCodes::absmax_int4},
                                                          {"absmean_int4", ActivationCodes::absmean_int4},
                                                          {"none", ActivationCodes::none}};
  config->hidden_act = choose(keys, "bitnet-lab.hidden_act", acts, own ? nullptr : relu2 ? "relu2" : "silu");
  config->ternary_weights = choose(keys, "bitnet-lab.weight_quantizer", weights,
                                   own       ? nullptr
                                   : ternary ? "absmean_ternary"
                                             : "none");
  config->activations.codes = choose(keys, "bitnet-lab.activation_quantizer", activations,
                                     own       ? nullptr
                                     : ternary ? "absmax_int8"
                                               : "none");
  config->activations.keep = read_activation_keep(file, keys, *config);
  const char* head_key = "bitnet-lab.head.activation_quantizer";
  static constexpr Word<bool> head[] = {{"absmax_int8", true}, {"none", false}};
  config->int8_head = choose(keys, head_key, head, nullptr, "none");
}

}  // namespace

ModelConfig read_model_config(const GgufFile& file) {
  check_file_kind(file);
  const Keys keys(file);
  ModelConfig config;
  config.architecture = keys.text("general.architecture", nullptr);
  const std::string& name = config.architecture;
  if (name != "bitnet-b1.58" && name != "bitnet-25" && name != "bitnet" && name != "llama" &&
      name != "bitnet-lab") {
    throw GgufError("metadata \"general.architecture\" is " + quoted(name) +
                    ", which is not supported (bitnet-b1.58, bitnet-25, bitnet, llama and bitnet-lab are)");
  }
  const std::string prefix = name + ".";
  config.interleaved_rope = name == "llama";
  config.context_length = keys.count(prefix + "context_length", kMaxPositions);
  config.hidden_size = keys.count(prefix + "embedding_length", kMaxWidth);
  config.layers = keys.count(prefix + "block_count", kMaxLayers);
  config.intermediate_size = keys.count(prefix + "feed_forward_length", kMaxWidth);
  config.heads = keys.count(prefix + "attention.head_count", kMaxWidth);
  config.kv_heads = keys.count(prefix + "attention.head_count_kv", kMaxWidth, false);
  if (config.kv_heads == 0) config.kv_heads = config.heads;
  if (config.heads % config.kv_heads != 0) {
    throw GgufError("metadata \"" + prefix + "attention.head_count_kv\" (" + std::to_string(config.kv_heads) +
                    ") must divide attention.head_count (" + std::to_string(config.heads) + ")");
  }
  const int64_t rotary = keys.count(prefix + "rope.dimension_count", kMaxHeadDim, false);
  const int64_t key_length = keys.count(prefix + "attention.key_length", kMaxHeadDim, false);
  config.head_dim = key_length ? key_length : rotary ? rotary : config.hidden_size / config.heads;
  if (!key_length && !rotary && config.hidden_size % config.heads != 0) {
    throw GgufError("metadata \"" + prefix + "attention.head_count\" (" + std::to_string(config.heads) +
                    ") does not divide embedding_length (" + std::to_string(config.hidden_size) + ")");
  }
  const int64_t value_length = keys.count(prefix + "attention.value_length", kMaxHeadDim, false);
  if (value_length && value_length != config.head_dim) {
    throw GgufError("metadata \"" + prefix + "attention.value_length\" (" + std::to_string(value_length) +
                    ") differs from the size of query and key heads (" + std::to_string(config.head_dim) +
                    "), which is not supported");
  }
  if (rotary && rotary != config.head_dim) {
    throw GgufError("metadata \"" + prefix + "rope.dimension_count\" (" + std::to_string(rotary) +
                    ") differs from the head size (" + std::to_string(config.head_dim) +
                    "): partial rotary embedding is not supported");
  }
  if (config.head_dim < 2 || config.head_dim % 2 != 0 || config.heads * config.head_dim > kMaxWidth) {
    throw GgufError(
        "metadata \"" + prefix + "attention.head_count\" gives heads of " + std::to_string(config.head_dim) +
        " elements: the size must be even, all heads together at most " + std::to_string(kMaxWidth));
  }
  config.rms_norm_eps = static_cast<float>(keys.positive(prefix + "attention.layer_norm_rms_epsilon", 0));
  config.rope_theta = keys.positive(prefix + "rope.freq_base", 10000.0);
  read_quantizers(file, keys, &config);
  read_graph(file, keys, &config);
  if (file.tensor("rope_freqs.weight")) {
    throw GgufError("tensor \"rope_freqs.weight\": scaled rotary frequencies are not supported");
  }

  const GgufTensor* embedding = file.tensor("token_embd.weight");
  if (!embedding) throw GgufError("tensor \"token_embd.weight\" is missing");
  const uint64_t rows = embedding->dimensions.size() == 2 ? embedding->dimensions[1] : 0;
  if (rows < 1 || rows > static_cast<uint64_t>(kMaxVocabulary)) {
    throw GgufError("tensor \"token_embd.weight\" must have two dimensions and at most " +
                    std::to_string(kMaxVocabulary) + " rows");
  }
  config.vocab_size = static_cast<int64_t>(rows);
  const int64_t stated = keys.count(prefix + "vocab_size", kMaxVocabulary, false);
  if (stated && stated != config.vocab_size) {
    throw GgufError("metadata \"" + prefix + "vocab_size\" is " + std::to_string(stated) +
                    ", but \"token_embd.weight\" has " + std::to_string(rows) + " rows");
  }
  const GgufValue* tokens = file.find("tokenizer.ggml.tokens");
  if (tokens && tokens->type == GgufValueType::array && tokens->length > rows) {
    throw GgufError("metadata \"tokenizer.ggml.tokens\" has " + std::to_string(tokens->length) +
                    " entries, more than the " + std::to_string(rows) + " rows of \"token_embd.weight\"");
  }
  check_metadata(file, config);
  return config;
}

}  // namespace bitnet
