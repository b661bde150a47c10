// The inference engine as a class:
//
//   new Engine();  everything else needs a loaded engine
//   load(path, threads, headPrecision, kvType, lockMemory, flag) -> Promise
//   info() -> sizes and types;  metadata() -> scalars and strings;  metadataArray(key) -> array or undefined
//   score(ids, lengths, firstTargets, chunk, sharePrefixes, top, flag) -> Promise<{ logprobs, greedy, topIds, topLogprobs }>
//   createSession(slots, capacity) -> id;  disposeSession(id);  truncate(id, slot, length) -> Promise
//   feed(sessions, slots, ids, counts, wantLogits, flag) -> Promise<Float32Array>, empty without wantLogits
//   generate(sessions, slots, ids, counts, sampling, steps, endIds, flag) -> Promise<Int32Array[]>
//   dispose()
//   drawToken(logits, sampling) -> id: the sampler of generate, on logits that JavaScript has
//   createAbortFlag() -> flag;  raiseAbortFlag(flag)
//
// Typed by native/inference/native_engine.ts, which is the only caller and checks argument types.
#include <map>
#include <vector>

#include "addon/addon.h"
#include "addon/arguments.h"
#include "addon/inference_addon_jobs.h"
#include "addon/typed_arrays.h"
#include "core/kernels.h"
#include "inference/bytes_per_token.h"
#include "inference/engine.h"
#include "inference/session.h"

namespace bitnet {
namespace {

AbortFlag abort_flag(const Napi::Value& value) {
  return value.IsExternal() ? *value.As<Napi::External<AbortFlag>>().Data() : nullptr;
}

Napi::Value create_abort_flag(const Napi::CallbackInfo& info) {
  return Napi::External<AbortFlag>::New(info.Env(), new AbortFlag(std::make_shared<std::atomic<bool>>(false)),
                                        [](Napi::Env, AbortFlag* flag) { delete flag; });
}

void raise_abort_flag(const Napi::CallbackInfo& info) { abort_flag(info[0])->store(true); }

Napi::Value metadata_scalar(Napi::Env env, const GgufValue& value) {
  switch (value.type) {
    case GgufValueType::string:
      return Napi::String::New(env, value.text.data(), value.text.size());
    case GgufValueType::boolean:
      return Napi::Boolean::New(env, value.integer != 0);
    default:
      return Napi::Number::New(env, value.number);
  }
}

// [temperature, topK, topP, minP, seed, number of the first draw]
constexpr int kSamplingValues = 6;
SamplerSettings sampler_settings(const double* values) {
  return {values[0], static_cast<int32_t>(values[1]), values[2], values[3], static_cast<uint64_t>(values[4])};
}
uint64_t first_draw(const double* values) { return static_cast<uint64_t>(values[5]); }

Napi::Value draw_token(const Napi::CallbackInfo& info) {
  const Napi::Float32Array logits = info[0].As<Napi::Float32Array>();
  const Napi::Float64Array sampling = info[1].As<Napi::Float64Array>();
  const double* values = sampling.Data();
  const int32_t id =
      Sampler(sampler_settings(values))
          .sample(logits.Data(), static_cast<int64_t>(logits.ElementLength()), first_draw(values));
  return Napi::Number::New(info.Env(), id);
}

// Bytes of the file's linear layers, as they are stored.
int64_t linear_bytes(const GgufFile& file) {
  uint64_t bytes = 0;
  for (const auto& [name, tensor] : file.tensors()) {
    if (name.compare(0, 4, "blk.") == 0 && tensor.dimensions.size() == 2) bytes += tensor.bytes;
  }
  return static_cast<int64_t>(bytes);
}

class EngineObject : public Napi::ObjectWrap<EngineObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "Engine",
        {InstanceMethod<&EngineObject::load>("load"), InstanceMethod<&EngineObject::info>("info"),
         InstanceMethod<&EngineObject::metadata>("metadata"),
         InstanceMethod<&EngineObject::metadata_array>("metadataArray"),
         InstanceMethod<&EngineObject::score>("score"),
         InstanceMethod<&EngineObject::create_session>("createSession"),
         InstanceMethod<&EngineObject::dispose_session>("disposeSession"),
         InstanceMethod<&EngineObject::truncate>("truncate"), InstanceMethod<&EngineObject::feed>("feed"),
         InstanceMethod<&EngineObject::generate>("generate"),
         InstanceMethod<&EngineObject::dispose>("dispose")});
  }

  explicit EngineObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<EngineObject>(info), state_(std::make_shared<State>()) {}

 private:
  // Shared with jobs; `engine` is empty before load and after dispose.
  struct State {
    std::shared_ptr<JobQueue> queue = std::make_shared<JobQueue>();
    std::shared_ptr<Engine> engine;
    std::map<int32_t, std::shared_ptr<Session>> sessions;
    int32_t next_session = 1;
    bool disposed = false;
  };

  const std::shared_ptr<Engine>& engine(Napi::Env env) const {
    if (state_->disposed) throw disposed_error(env);
    if (!state_->engine) throw coded_error(env, "the engine is not loaded", "FAILED");
    return state_->engine;
  }

  std::shared_ptr<Session> session(Napi::Env env, int32_t id) const {
    engine(env);
    const auto found = state_->sessions.find(id);
    if (found == state_->sessions.end()) throw coded_error(env, "the session is disposed", "DISPOSED");
    return found->second;
  }

  Napi::Value load(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (state_->disposed) throw disposed_error(env);
    const Kernels* kernels;
    try {
      kernels = &active_kernels();
    } catch (const std::invalid_argument& error) {
      throw Napi::Error::New(env, error.what());
    }
    auto job = std::make_unique<Job>(env, abort_flag(info[5]));
    auto loaded = std::make_shared<std::shared_ptr<Engine>>();
    const std::string path = info[0].As<Napi::String>().Utf8Value();
    EngineOptions options;
    options.threads = info[1].As<Napi::Number>().Int32Value();
    options.head = Arguments(info, "load").option<HeadPrecision>(2);
    options.kv_type = Arguments(info, "load").option<KvType>(3);
    const bool lock_memory = info[4].As<Napi::Boolean>().Value();
    job->run = [loaded, path, options, lock_memory, kernels, abort = job->abort] {
      auto model = std::make_shared<Model>(std::make_unique<GgufFile>(path), options.threads, abort.get());
      if (lock_memory) model->lock_memory();
      *loaded = std::make_shared<Engine>(std::move(model), *kernels, options);
    };
    job->result = [state = state_, loaded](Napi::Env result_env) {
      state->engine = std::move(*loaded);
      return result_env.Undefined();
    };
    return state_->queue->push(env, std::move(job));
  }

  Napi::Value info(const Napi::CallbackInfo& call) {
    const Napi::Env env = call.Env();
    const Engine& engine = *this->engine(env);
    const Model& model = engine.model();
    const ModelConfig& config = model.config();
    Napi::Object result = Napi::Object::New(env);
    const auto set = [&](const char* name, int64_t value) { result.Set(name, static_cast<double>(value)); };
    result.Set("architecture", config.architecture);
    set("vocabSize", config.vocab_size);
    set("contextLength", config.context_length);
    set("hiddenSize", config.hidden_size);
    set("numHiddenLayers", config.layers);
    set("intermediateSize", config.intermediate_size);
    set("numAttentionHeads", config.heads);
    set("numKeyValueHeads", config.kv_heads);
    set("headDim", config.head_dim);
    result.Set("rmsNormEps", static_cast<double>(config.rms_norm_eps));
    result.Set("ropeTheta", config.rope.theta);
    result.Set("hiddenAct", enum_name(config.hidden_act));
    result.Set("normPlacement", enum_name(config.norm_placement));
    result.Set("feedForward", config.gated ? "gated" : "mlp");
    result.Set("useHadamard", config.hadamard);
    result.Set("qkNorm", config.qk_norm);
    result.Set("tieWordEmbeddings", model.tied());
    result.Set("weightQuantizer", config.ternary_weights ? "absmean_ternary" : "none");
    result.Set("activationQuantizer", enum_name(config.activations.codes));
    result.Set("activationKeep", config.activations.keep);
    result.Set("integerProducts", config.integer_products());
    result.Set("weightType", model.weight_type());
    result.Set("embeddingType", ggml_type_name(model.file().tensor("token_embd.weight")->type));
    set("parameters", static_cast<int64_t>(model.parameters()));
    set("linearBytes", linear_bytes(model.file()));
    set("packedBytes", static_cast<int64_t>(model.packed_bytes()));
    set("bytesPerToken", static_cast<int64_t>(bytes_per_token(model)));
    result.Set("variant", engine.kernels().name);
    set("threads", engine.threads());
    return result;
  }

  Napi::Value metadata(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Napi::Object result = Napi::Object::New(env);
    for (const auto& entry : engine(env)->model().file().metadata()) {
      if (entry.second.type == GgufValueType::array) continue;
      result.Set(Napi::String::New(env, entry.first), metadata_scalar(env, entry.second));
    }
    return result;
  }

  Napi::Value metadata_array(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const std::string key = info[0].As<Napi::String>().Utf8Value();
    const GgufFile& file = engine(env)->model().file();
    const GgufValue* value = file.find(key);
    if (!value || value->type != GgufValueType::array) return env.Undefined();
    Napi::Array result = Napi::Array::New(env, static_cast<size_t>(value->length));
    uint32_t index = 0;
    try {
      if (value->element_type == GgufValueType::string) {
        for (const auto text : file.strings(key, *value)) {
          result.Set(index++, Napi::String::New(env, text.data(), text.size()));
        }
      } else {
        for (const double number : file.numbers(key, *value))
          result.Set(index++, Napi::Number::New(env, number));
      }
    } catch (const GgufError& error) {
      throw coded_error(env, error.what(), "GGUF");
    }
    return result;
  }

  Napi::Value score(const Napi::CallbackInfo& info) {
    struct Work {
      std::vector<int32_t> ids, lengths, first_targets;
      std::vector<float> logprobs;
      std::vector<uint8_t> greedy;
      std::vector<int32_t> top_ids;
      std::vector<float> top_logprobs;
    };
    const Napi::Env env = info.Env();
    auto work = std::make_shared<Work>();
    work->ids = int32_values(info[0]);
    work->lengths = int32_values(info[1]);
    work->first_targets = int32_values(info[2]);
    ScoreOptions options;
    options.chunk = info[3].As<Napi::Number>().Int64Value();
    options.share_prefixes = info[4].As<Napi::Boolean>().Value();
    const int64_t top = info[5].As<Napi::Number>().Int64Value();
    auto job = std::make_unique<Job>(env, abort_flag(info[6]));
    job->run = [engine = engine(env), work, options, top, abort = job->abort] {
      std::vector<ScoreRequest> requests;
      const int32_t* ids = work->ids.data();
      int64_t scored = 0;
      for (size_t i = 0; i < work->lengths.size(); ++i) {
        requests.push_back({ids, work->lengths[i], work->first_targets[i]});
        ids += work->lengths[i];
        scored += std::max(0, work->lengths[i] - work->first_targets[i]);
      }
      work->logprobs.resize(static_cast<size_t>(scored));
      work->greedy.resize(static_cast<size_t>(scored));
      const int64_t listed = scored * std::clamp<int64_t>(top, 0, engine->model().config().vocab_size);
      work->top_ids.resize(static_cast<size_t>(listed));
      work->top_logprobs.resize(static_cast<size_t>(listed));
      engine->score(requests, options, abort.get(), work->logprobs.data(), work->greedy.data(),
                    {top, work->top_ids.data(), work->top_logprobs.data()});
    };
    job->result = [work](Napi::Env result_env) {
      Napi::Object result = Napi::Object::New(result_env);
      result.Set("logprobs", typed_array<Napi::Float32Array>(result_env, work->logprobs));
      result.Set("greedy", typed_array<Napi::Uint8Array>(result_env, work->greedy));
      result.Set("topIds", typed_array<Napi::Int32Array>(result_env, work->top_ids));
      result.Set("topLogprobs", typed_array<Napi::Float32Array>(result_env, work->top_logprobs));
      return result;
    };
    return state_->queue->push(env, std::move(job));
  }

  Napi::Value create_session(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const std::shared_ptr<Engine>& engine = this->engine(env);
    try {
      auto created = std::make_shared<Session>(*engine, info[0].As<Napi::Number>().Int64Value(),
                                               info[1].As<Napi::Number>().Int64Value());
      state_->sessions[state_->next_session] = std::move(created);
    } catch (const RequestError& error) {
      throw coded_error(env, error.what(), "REQUEST");
    } catch (const std::bad_alloc&) {
      throw coded_error(env, "not enough memory for the key / value cache", "FAILED");
    }
    return Napi::Number::New(env, state_->next_session++);
  }

  void dispose_session(const Napi::CallbackInfo& info) {
    state_->sessions.erase(info[0].As<Napi::Number>().Int32Value());
  }

  Napi::Value truncate(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    auto job = std::make_unique<Job>(env, nullptr);
    job->run = [session = session(env, info[0].As<Napi::Number>().Int32Value()),
                slot = info[1].As<Napi::Number>().Int64Value(),
                length = info[2].As<Napi::Number>().Int64Value()] { session->truncate(slot, length); };
    job->result = [](Napi::Env result_env) { return result_env.Undefined(); };
    return state_->queue->push(env, std::move(job));
  }

  // Prompts of several slots: ids one after the other.
  struct Prompts {
    std::vector<std::shared_ptr<Session>> sessions;
    std::vector<int32_t> slots, ids, counts;

    std::vector<Feed> feeds() const {
      std::vector<Feed> result;
      const int32_t* next = ids.data();
      for (size_t i = 0; i < slots.size(); ++i) {
        result.push_back({sessions[i].get(), slots[i], next, counts[i]});
        next += counts[i];
      }
      return result;
    }
  };

  std::shared_ptr<Prompts> prompts(const Napi::CallbackInfo& info) const {
    auto result = std::make_shared<Prompts>();
    for (const int32_t id : int32_values(info[0])) result->sessions.push_back(session(info.Env(), id));
    result->slots = int32_values(info[1]);
    result->ids = int32_values(info[2]);
    result->counts = int32_values(info[3]);
    return result;
  }

  Napi::Value feed(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const std::shared_ptr<Prompts> prompts = this->prompts(info);
    auto logits = std::make_shared<std::vector<float>>();
    const bool want_logits = info[4].As<Napi::Boolean>().Value();
    auto job = std::make_unique<Job>(env, abort_flag(info[5]));
    job->run = [engine = engine(env), prompts, logits, want_logits, abort = job->abort] {
      if (want_logits) {
        logits->resize(prompts->slots.size() * static_cast<size_t>(engine->model().config().vocab_size));
      }
      engine->feed(prompts->feeds(), abort.get(), want_logits ? logits->data() : nullptr);
    };
    job->result = [logits](Napi::Env result_env) {
      return typed_array<Napi::Float32Array>(result_env, *logits);
    };
    return state_->queue->push(env, std::move(job));
  }

  // sampling: Float64Array of kSamplingValues (sampler_settings) per slot.
  Napi::Value generate(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const std::shared_ptr<Prompts> prompts = this->prompts(info);
    const Napi::Float64Array values = info[4].As<Napi::Float64Array>();
    std::vector<double> sampling(values.Data(), values.Data() + values.ElementLength());
    const int64_t steps = info[5].As<Napi::Number>().Int64Value();
    auto tokens = std::make_shared<std::vector<std::vector<int32_t>>>();
    auto job = std::make_unique<Job>(env, abort_flag(info[7]));
    job->run = [engine = engine(env), prompts, sampling = std::move(sampling), steps,
                end_ids = int32_values(info[6]), tokens, abort = job->abort] {
      std::vector<Generation> generations;
      const double* next = sampling.data();
      for (const Feed& feed : prompts->feeds()) {
        generations.push_back({feed, sampler_settings(next), first_draw(next)});
        next += kSamplingValues;
      }
      *tokens = engine->generate(generations, steps, end_ids, abort.get());
    };
    job->result = [tokens](Napi::Env result_env) {
      Napi::Array result = Napi::Array::New(result_env, tokens->size());
      for (uint32_t i = 0; i < tokens->size(); ++i) {
        result.Set(i, typed_array<Napi::Int32Array>(result_env, (*tokens)[i]));
      }
      return result;
    };
    return state_->queue->push(env, std::move(job));
  }

  void dispose(const Napi::CallbackInfo& info) {
    state_->disposed = true;
    state_->queue->close(info.Env());
    state_->sessions.clear();
    state_->engine.reset();
  }

  std::shared_ptr<State> state_;
};

}  // namespace

void init_inference(Napi::Env env, Napi::Object exports) {
  exports.Set("Engine", EngineObject::define(env));
  exports.Set("drawToken", Napi::Function::New(env, draw_token, "drawToken"));
  exports.Set("createAbortFlag", Napi::Function::New(env, create_abort_flag, "createAbortFlag"));
  exports.Set("raiseAbortFlag", Napi::Function::New(env, raise_abort_flag, "raiseAbortFlag"));
}

}  // namespace bitnet
