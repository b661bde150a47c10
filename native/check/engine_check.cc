// The whole engine: every weight type and architecture, every kernel variant that runs here, several thread
// counts and ways to cut the work, all compared bit by bit.
//
//   engine_check                               models made here, compared with a plain forward
//   engine_check FILE.gguf [--expect SCORES]   one model; SCORES holds what another program computed
//
// SCORES, little-endian: int32 sequences; per sequence int32 n, n int32 ids, n - 1 float32 log-probabilities.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "engine_under_test.h"
#include "reference_forward.h"
#include "tiny_model.h"

using namespace bitnet;
using namespace check;

namespace {

// One sequence through a session in pieces: prefill of `first`, then one id at a time. Another one runs
// beside it, from a session of another size.
Row score_by_session(Engine* engine, const std::vector<int32_t>& ids, int64_t first) {
  const int64_t vocab = engine->model().config().vocab_size;
  Session session(*engine, 1, static_cast<int64_t>(ids.size()));
  Session other(*engine, 2, static_cast<int64_t>(ids.size()) - 1);
  const std::vector<int32_t> reversed(ids.rbegin(), ids.rend());
  Row logits(static_cast<size_t>(2 * vocab)), result;
  for (int64_t done = 0; done + 1 < static_cast<int64_t>(ids.size());) {
    const int64_t count = done == 0 ? first : 1;
    engine->feed({{&session, 0, ids.data() + done, count}, {&other, 1, reversed.data() + done, count}},
                 nullptr, logits.data());
    done += count;
    result.push_back(logits[static_cast<size_t>(ids[static_cast<size_t>(done)])] -
                     engine->kernels().log_sum_exp(logits.data(), vocab));
  }
  return result;
}

void expect_equal(const Row& expected, const Row& actual, const std::string& what) {
  if (!expect(expected.size() == actual.size(), "%s: %zu values instead of %zu", what.c_str(), actual.size(),
              expected.size())) {
    return;
  }
  const int64_t at = first_difference(expected.data(), actual.data(), static_cast<int64_t>(expected.size()));
  if (at < 0) return;
  expect(false, "%s: value %lld is %.9g, expected %.9g", what.c_str(), static_cast<long long>(at),
         static_cast<double>(actual[static_cast<size_t>(at)]),
         static_cast<double>(expected[static_cast<size_t>(at)]));
}

// Every way of running gives `expected`. Without `all_of_scalar` the slow reference runs in one way only.
void expect_same_everywhere(const std::shared_ptr<const Model>& model, const Sequences& sequences,
                            const Row& expected, bool all_of_scalar = true, EngineOptions options = {}) {
  struct Way {
    int threads;
    int64_t chunk;
  };
  // One sequence long enough to be cut; `start` is where its values begin.
  size_t chosen = 0;
  int64_t start = 0;
  while (chosen + 1 < sequences.size() && sequences[chosen].size() < 8) {
    start += static_cast<int64_t>(sequences[chosen++].size()) - 1;
  }
  for (const Variant& variant : kernel_variants()) {
    if (!runs_in_engine(variant)) continue;
    const bool once = variant.kernels == &scalar() && !all_of_scalar;
    for (const Way& way : {Way{2, 0}, Way{1, 0}, Way{3, 0}, Way{1, 7}, Way{2, 33}, Way{2, 1}}) {
      options.threads = way.threads;
      Engine engine(model, *variant.kernels, options);
      const std::string what = std::string(variant.kernels->name) + ", " + std::to_string(way.threads) +
                               " threads, chunks of " + std::to_string(way.chunk);
      expect_equal(expected, score(&engine, sequences, way.chunk), what);
      if (once) break;
    }
    if (once) continue;
    options.threads = 2;
    Engine engine(model, *variant.kernels, options);
    const std::vector<int32_t>& ids = sequences[chosen];
    const int64_t first = static_cast<int64_t>(ids.size()) / 2;
    const auto values = expected.begin() + start;
    const Row tail(values + first - 1, values + static_cast<int64_t>(ids.size()) - 1);
    expect_equal(tail, score_by_session(&engine, ids, first),
                 std::string(variant.kernels->name) + ", session");

    // Continuations of one context, which is run once.
    Sequences branches{ids, ids, ids};
    branches[1].back() = (branches[1].back() + 1) % static_cast<int32_t>(model->config().vocab_size);
    branches[2].resize(ids.size() - 2);
    const Row shared = score(&engine, branches, 0, first);
    expect_equal(tail, Row(shared.begin(), shared.begin() + static_cast<int64_t>(tail.size())),
                 "shared prefix");
  }
}

void check_shape(const TinyShape& shape, bool all_of_scalar = false) {
  const TinyModel tiny = tiny_model(shape);
  const Sequences sequences = random_sequences(shape.vocab, {40, 2, 17, 33, 3});
  const ReferenceForward reference(tiny);
  Row expected;
  for (const auto& ids : sequences) {
    const Row part = reference.logprobs(ids);
    expected.insert(expected.end(), part.begin(), part.end());
  }
  expect_same_everywhere(open_model(tiny.file, 2), sequences, expected, all_of_scalar);
}

TinyShape with_types(const char* architecture, GgmlType linear, GgmlType embedding) {
  TinyShape shape;
  shape.architecture = architecture;
  shape.linear_type = linear;
  shape.embedding_type = embedding;
  return shape;
}

CHECK_TEST("bitnet-b1.58, TQ2_0") {
  check_shape(with_types("bitnet-b1.58", GgmlType::tq2_0, GgmlType::f16), true);
}
CHECK_TEST("bitnet-25, TQ1_0") { check_shape(with_types("bitnet-25", GgmlType::tq1_0, GgmlType::f16)); }
CHECK_TEST("bitnet-lab, I2_S") { check_shape(with_types("bitnet-lab", GgmlType::i2_s, GgmlType::f32)); }
CHECK_TEST("bitnet (SiLU), F16 weights") { check_shape(with_types("bitnet", GgmlType::f16, GgmlType::bf16)); }
CHECK_TEST("bitnet-b1.58, F32 weights") {
  check_shape(with_types("bitnet-b1.58", GgmlType::f32, GgmlType::q8_0));
}

CHECK_TEST("bitnet-b1.58, I2_S, Q6_K embedding") {
  check_shape(with_types("bitnet-b1.58", GgmlType::i2_s, GgmlType::q6_k));
}

CHECK_TEST("bitnet (SiLU), TQ1_0, Q4_K embedding and head") {
  TinyShape shape = with_types("bitnet", GgmlType::tq1_0, GgmlType::q4_k);
  shape.tied = false;
  check_shape(shape);
}

CHECK_TEST("bitnet-lab, a norm in every linear layer, no gate, absmax int4 after a Hadamard transform") {
  TinyShape shape = with_types("bitnet-lab", GgmlType::tq2_0, GgmlType::f16);
  shape.sub_norms = shape.gated = false;
  shape.own_norms = shape.hadamard = true;
  shape.activations = "absmax_int4";
  check_shape(shape);
}
CHECK_TEST("bitnet-lab, absmean int4") {
  TinyShape shape = with_types("bitnet-lab", GgmlType::i2_s, GgmlType::f16);
  shape.activations = "absmean_int4";
  check_shape(shape);
}
CHECK_TEST("bitnet-lab, the largest activations, Hadamard transform after sub-norms") {
  TinyShape shape = with_types("bitnet-lab", GgmlType::tq1_0, GgmlType::f16);
  shape.hadamard = true;
  shape.keep = 0.39;
  check_shape(shape);
}
CHECK_TEST("bitnet-lab, float weights without gate, a norm in every linear layer") {
  TinyShape shape = with_types("bitnet-lab", GgmlType::f32, GgmlType::f32);
  shape.ternary = shape.sub_norms = shape.gated = false;
  shape.own_norms = shape.hadamard = true;
  check_shape(shape);
}

CHECK_TEST("bitnet-lab, Q6_K float weights") {
  TinyShape shape = with_types("bitnet-lab", GgmlType::q6_k, GgmlType::q4_k);
  shape.ternary = false;
  check_shape(shape);
}

CHECK_TEST("bitnet-lab, Q2_0 float weights, embedding and head") {
  TinyShape shape = with_types("bitnet-lab", GgmlType::q2_0, GgmlType::q2_0);
  shape.ternary = shape.tied = false;
  check_shape(shape);
}

CHECK_TEST("llama, F32 weights, one group of heads each") {
  TinyShape shape = with_types("llama", GgmlType::f32, GgmlType::f32);
  shape.ternary = shape.sub_norms = false;
  shape.kv_heads = shape.heads;
  check_shape(shape);
}

CHECK_TEST("llama, TQ2_0, small heads") {
  TinyShape shape = with_types("llama", GgmlType::tq2_0, GgmlType::f16);
  shape.sub_norms = false;
  shape.heads = 16;
  shape.kv_heads = 1;
  shape.head_dim = 16;
  check_shape(shape);
}

CHECK_TEST("bitnet-lab, Q8_0 float weights, untied head, odd sizes") {
  TinyShape shape = with_types("bitnet-lab", GgmlType::q8_0, GgmlType::q8_0);
  shape.ternary = shape.tied = false;
  shape.hidden = 96;
  shape.heads = 3;
  shape.kv_heads = 1;
  shape.head_dim = 32;
  shape.ffn = 160;
  check_shape(shape);
}

CHECK_TEST("bitnet-b1.58, TQ2_0, int8 head, tied and not") {
  TinyShape shape = with_types("bitnet-b1.58", GgmlType::tq2_0, GgmlType::q8_0);
  shape.int8_head = true;
  check_shape(shape, true);
  shape.tied = false;
  check_shape(shape);
}

CHECK_TEST("bitnet-b1.58, TQ2_0, one scale per row") {
  TinyShape shape = with_types("bitnet-b1.58", GgmlType::tq2_0, GgmlType::f16);
  shape.row_scales = true;
  check_shape(shape, true);
}

CHECK_TEST("llama, TQ1_0, one scale per row, interleaved rows of q and k") {
  TinyShape shape = with_types("llama", GgmlType::tq1_0, GgmlType::f16);
  shape.sub_norms = false;
  shape.row_scales = true;
  check_shape(shape);
}

CHECK_TEST("bitnet-lab, F16 weights, one scale per row") {
  TinyShape shape = with_types("bitnet-lab", GgmlType::f16, GgmlType::f16);
  shape.row_scales = true;
  check_shape(shape);
}

TinyShape with_span(GgmlType type, int64_t span, bool stated = true) {
  TinyShape shape = with_types("bitnet-b1.58", type, GgmlType::f16);
  shape.span = span;
  shape.states_span = stated;
  shape.layers = 2;
  return shape;
}

CHECK_TEST("Q2_0, one scale per 64 weights") { check_shape(with_span(GgmlType::q2_0, 64), true); }
CHECK_TEST("Q2_0, one scale per 128 weights") { check_shape(with_span(GgmlType::q2_0, 128)); }
CHECK_TEST("Q2_0, one scale per block and no key") { check_shape(with_span(GgmlType::q2_0, 64, false)); }
CHECK_TEST("TQ2_0, one scale per block and no key") { check_shape(with_span(GgmlType::tq2_0, 256, false)); }
CHECK_TEST("F32 weights, one scale per 128 weights") { check_shape(with_span(GgmlType::f32, 128)); }
CHECK_TEST("llama, TQ1_0, one scale per 256 weights, interleaved rows of q and k") {
  TinyShape shape = with_span(GgmlType::tq1_0, 256);
  shape.architecture = "llama";
  shape.sub_norms = false;
  check_shape(shape);
}

CHECK_TEST("arg max is the first of the largest") {
  Random random(3);
  for (int64_t count : {1, 2, 15, 16, 17, 511, 512, 513, 1100}) {
    for (int trial = 0; trial < 50; ++trial) {
      Row values;
      for (int64_t i = 0; i < count; ++i) values.push_back(static_cast<float>(random.below(7)) - 9.0f);
      const auto expected = std::max_element(values.begin(), values.end()) - values.begin();
      expect(arg_max(values.data(), count) == expected, "%lld values", static_cast<long long>(count));
    }
  }
}

CHECK_TEST(
    "float16 and 8-bit caches and the int8 head: near the law, and the same bits however the work is cut") {
  TinyShape shape;
  shape.embedding_type = GgmlType::q8_0;
  const TinyModel tiny = tiny_model(shape);
  const auto model = open_model(tiny.file);
  const Sequences sequences = random_sequences(shape.vocab, {40, 2, 17, 33, 3});
  Engine canonical(model, scalar(), {});
  const Row law = score(&canonical, sequences, 0);
  const EngineOptions ways[] = {{1, HeadPrecision::canonical, KvType::f16},
                                {1, HeadPrecision::canonical, KvType::q8},
                                {1, HeadPrecision::int8, KvType::f32},
                                {1, HeadPrecision::int8, KvType::q8}};
  for (const EngineOptions& options : ways) {
    Engine engine(model, scalar(), options);
    const Row expected = score(&engine, sequences, 0);
    double distance = 0;
    for (size_t i = 0; i < law.size(); ++i) distance += std::fabs(expected[i] - law[i]) / law.size();
    expect(distance > 0 && distance < 0.05, "head %d, cache %d: %g nats from the law",
           static_cast<int>(options.head), static_cast<int>(options.kv_type), distance);
    expect_same_everywhere(model, sequences, expected, false, options);
  }
}

// ---- a file given on the command line --------------------------------------------------------------------

const char* model_path = nullptr;
const char* scores_path = nullptr;

void check_file() {
  const auto model = std::make_shared<const Model>(std::make_unique<GgufFile>(model_path), 2);
  Sequences sequences = random_sequences(model->config().vocab_size, {60, 5, 2, 33});
  Row expected;
  if (scores_path) {
    const std::vector<uint8_t> bytes = read_file(scores_path);
    size_t at = 0;
    const auto take = [&](void* target, size_t size) {
      if (size > bytes.size() - at) throw std::runtime_error("the file of scores is truncated");
      std::memcpy(target, bytes.data() + at, size);
      at += size;
    };
    int32_t count = 0, length = 0;
    take(&count, sizeof count);
    sequences.clear();
    for (int32_t i = 0; i < count; ++i) {
      take(&length, sizeof length);
      if (length < 2) throw std::runtime_error("a sequence of scores has fewer than 2 ids");
      sequences.emplace_back(static_cast<size_t>(length));
      take(sequences.back().data(), sequences.back().size() * sizeof(int32_t));
      const size_t before = expected.size();
      expected.resize(before + sequences.back().size() - 1);
      take(expected.data() + before, (sequences.back().size() - 1) * sizeof(float));
    }
  } else {
    Engine engine(model, scalar(), {1});
    expected = score(&engine, sequences, 0);
  }
  expect_same_everywhere(model, sequences, expected, !scores_path);
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--expect" && i + 1 < argc) {
      scores_path = argv[++i];
    } else if (argument[0] != '-' && !model_path) {
      model_path = argv[i];
    } else {
      std::fprintf(stderr, "usage: engine_check [FILE.gguf [--expect SCORES]]\n");
      return 2;
    }
  }
  if (model_path) {
    tests().clear();
    tests().push_back({"the file gives the expected bits", check_file});
  }
  return run_tests();
}
