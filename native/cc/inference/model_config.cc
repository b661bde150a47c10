#include "inference/model_config.h"

#include <cmath>

#include "core/ternary_panel.h"
#include "inference/families.h"
#include "inference/metadata_keys.h"
#include "inference/metadata_rules.h"
#include "inference/rope_keys.h"

namespace bitnet {
namespace {

// Far above any real model; they keep products of sizes inside int64 and int32 sums inside int32.
constexpr int64_t kMaxWidth = int64_t{1} << 23;
constexpr int64_t kMaxLayers = 4096;
constexpr int64_t kMaxHeadDim = 8192;
constexpr int64_t kMaxPositions = int64_t{1} << 24;
constexpr int64_t kMaxVocabulary = int64_t{1} << 26;

bool has_ternary_weights(const GgufFile& file) {
  const GgufTensor* tensor = file.tensor("blk.0.attn_q.weight");
  return tensor && (tensor->type == GgmlType::tq1_0 || tensor->type == GgmlType::tq2_0 ||
                    tensor->type == GgmlType::i2_s);
}

// What the family says (null: the model is our own, and its keys do).
NormPlacement read_norm_placement(const GgufFile& file, const Keys& keys, const Family* family) {
  static constexpr const char* key = "bitnet-lab.norm_placement";
  static constexpr Word<NormPlacement> words[] = {{"pre", NormPlacement::pre},
                                                  {"sub", NormPlacement::sub},
                                                  {"every_linear", NormPlacement::every_linear},
                                                  {"pre_post", NormPlacement::pre_post}};
  const bool own = family == nullptr;
  const bool sub_norms =
      own ? keys.flag("bitnet-lab.use_sub_norms", file.tensor("blk.0.attn_sub_norm.weight") != nullptr)
          : family->norm_placement == NormPlacement::sub;
  const bool both = !own && family->norm_placement == NormPlacement::pre_post;
  const char* named = sub_norms ? "sub" : both ? "pre_post" : "pre";
  const NormPlacement placement = choose(keys, key, words, own ? nullptr : named, named);
  if (own && file.find("bitnet-lab.use_sub_norms") && sub_norms != (placement == NormPlacement::sub)) {
    throw GgufError("metadata \"bitnet-lab.use_sub_norms\" contradicts \"" + std::string(key) + "\"");
  }
  return placement;
}

// What stands in a layer besides its norms. Other architectures than ours have a gate and no transform.
void read_graph(const GgufFile& file, const Keys& keys, const Family* family, ModelConfig* config) {
  static constexpr Word<bool> words[] = {{"gated", true}, {"mlp", false}};
  const bool own = family == nullptr;
  config->norm_placement = read_norm_placement(file, keys, family);
  config->qk_norm = keys.flag("bitnet-lab.qk_norm", !own && family->qk_norm);
  if (!own && config->qk_norm != family->qk_norm) {
    throw GgufError("metadata \"bitnet-lab.qk_norm\" contradicts the architecture");
  }
  config->biases = own ? Biases::any : family->biases;
  config->interleaved_rope = !own && family->interleaved_rope;
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

// What layers see, and the scale of embeddings: Gemma 3's, or of our own by key.
void read_windows(const Keys& keys, const Family* family, ModelConfig* config) {
  const std::string prefix = config->architecture + ".";
  const bool gemma = family && family->windows;
  config->window = 0;
  config->window_pattern = 1;
  config->window_rope = config->rope;
  config->embedding_scale = gemma ? std::sqrt(static_cast<float>(config->hidden_size)) : 1.0f;
  if (family && !gemma) return;  // metadata_rules.cc refuses the keys
  if (!family) config->embedding_scale = static_cast<float>(keys.positive(prefix + "embedding_scale", 1.0));
  const std::string key = prefix + "attention.sliding_window";
  config->window = keys.count(key, kMaxPositions, gemma);
  if (config->window == 0) return;
  const int64_t pattern = keys.count(key + "_pattern", kMaxLayers + 1, false);
  config->window_pattern = pattern ? pattern : 6;
  config->window_rope =
      Rope{config->head_dim, keys.positive(prefix + "rope.freq_base_swa", 10000.0), {}, 1.0f};
}

// The share of the activations that stay.
double read_activation_keep(const GgufFile& file, const Keys& keys, const ModelConfig& config) {
  static constexpr const char* key = "bitnet-lab.activation_keep";
  if (!file.find(key)) return 1.0;
  const double keep = keys.positive(key, 0);
  if (!(keep <= 1.0) || !config.activations.quantizes() || config.architecture != kOwnArchitecture) {
    throw GgufError("metadata \"" + std::string(key) +
                    "\" must be at most 1, of quantized activations of a bitnet-lab model");
  }
  return keep;
}

// How many neighbours of a row share a scale: int32 sums over 64, 128 or all columns round differently, and
// blocks of a type repeat the scales of larger groups.
int64_t read_scale_group(const GgufFile& file) {
  static constexpr const char* key = "bitnet-lab.quantization.scale_group";
  const GgufValue* value = file.find(key);
  if (!value) return kScaleUnstated;
  const double number = value->type == GgufValueType::u32 ? value->number : -1.0;
  if (number != kScalePerMatrix && number != kScalePerRow && !is_span(static_cast<int64_t>(number))) {
    throw GgufError("metadata \"" + std::string(key) +
                    "\" must be the uint32 0 (the matrix), 1 (a row), 64, 128 or 256");
  }
  return static_cast<int64_t>(number);
}

void read_quantizers(const GgufFile& file, const Keys& keys, const Family* family, ModelConfig* config) {
  static constexpr Word<HiddenAct> acts[] = {
      {"relu2", HiddenAct::relu2}, {"silu", HiddenAct::silu}, {"gelu_tanh", HiddenAct::gelu_tanh}};
  static constexpr Word<bool> weights[] = {{"absmean_ternary", true}, {"none", false}};
  static constexpr Word<ActivationCodes> activations[] = {{"absmax_int8", ActivationCodes::absmax_int8},
                                                          {"absmax_int4", ActivationCodes::absmax_int4},
                                                          {"absmean_int4", ActivationCodes::absmean_int4},
                                                          {"none", ActivationCodes::none}};
  const char* act = nullptr;
  for (const Word<HiddenAct>& word : acts) {
    if (family && word.meaning == family->hidden_act) act = word.text;
  }
  config->hidden_act = choose(keys, "bitnet-lab.hidden_act", acts, act);
  // A BitNet has both; of another family's file our keys say it, and without them its tensor types.
  const bool fixed = family && family->bitnet_layers;
  const bool ternary = fixed || has_ternary_weights(file);
  const char* weights_word = !family ? nullptr : ternary ? "absmean_ternary" : "none";
  const char* activations_word = !family ? nullptr : ternary ? "absmax_int8" : "none";
  config->ternary_weights =
      choose(keys, "bitnet-lab.weight_quantizer", weights, fixed ? weights_word : nullptr, weights_word);
  config->scale_group = config->ternary_weights ? read_scale_group(file) : kScaleUnstated;
  config->activations.codes = choose(keys, "bitnet-lab.activation_quantizer", activations,
                                     fixed ? activations_word : nullptr, activations_word);
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
  const Family* family = nullptr;
  if (config.architecture != kOwnArchitecture) family = &family_of(config.architecture);
  const std::string prefix = config.architecture + ".";
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
  config.rope = read_rope(file, keys, prefix, config.head_dim);
  read_windows(keys, family, &config);
  read_quantizers(file, keys, family, &config);
  read_graph(file, keys, family, &config);

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
