// Scoring of requests that share prefixes: every position is run once, and no bit depends on the order of the
// requests, on how they are cut into calls, or on whether prefixes are shared at all.
#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <string>

#include "inference/engine.h"
#include "tiny_model.h"
#include "variants_under_test.h"

using namespace bitnet;
using namespace check;

namespace {

struct Request {
  std::vector<int32_t> ids;
  int64_t first_target;
};
using Requests = std::vector<Request>;

struct Scores {
  std::vector<float> logprobs;
  std::vector<uint8_t> greedy;
};

std::vector<int32_t> random_ids(Random* random, int64_t vocab, int64_t count) {
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < count; ++i) ids.push_back(static_cast<int32_t>(random->below(vocab)));
  return ids;
}

std::vector<int32_t> joined(std::vector<int32_t> a, const std::vector<int32_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Examples shared by all, questions, and to each question answers of one token, of several, and of several
// that begin alike.
Requests exam(int64_t vocab, int64_t examples, int64_t questions) {
  Random random(5);
  const std::vector<int32_t> shots = random_ids(&random, vocab, examples);
  Requests requests;
  for (int64_t q = 0; q < questions; ++q) {
    const std::vector<int32_t> context = joined(shots, random_ids(&random, vocab, 9 + q % 7));
    const int64_t begin = static_cast<int64_t>(context.size());
    for (int32_t answer = 0; answer < 4; ++answer) {
      if (q % 3 == 0) {
        requests.push_back({joined(context, {answer}), begin});
      } else if (q % 3 == 1) {
        requests.push_back({joined(context, random_ids(&random, vocab, 1 + answer)), begin});
      } else {
        requests.push_back({joined(joined(context, {7, 7, 7}), {answer, answer}), begin});
      }
    }
  }
  return requests;
}

std::vector<ScoreRequest> views(const Requests& requests) {
  std::vector<ScoreRequest> result;
  for (const Request& request : requests) {
    result.push_back({request.ids.data(), static_cast<int64_t>(request.ids.size()), request.first_target});
  }
  return result;
}

// Scores in calls of at most `per_call` requests.
Scores score(Engine* engine, const Requests& requests, bool share, size_t per_call, int64_t chunk) {
  const std::vector<ScoreRequest> all = views(requests);
  Scores scores;
  for (size_t begin = 0; begin < all.size(); begin += per_call) {
    const size_t end = std::min(all.size(), begin + per_call);
    const std::vector<ScoreRequest> part(all.begin() + static_cast<int64_t>(begin),
                                         all.begin() + static_cast<int64_t>(end));
    size_t count = 0;
    for (const ScoreRequest& request : part)
      count += static_cast<size_t>(request.length - request.first_target);
    const size_t done = scores.logprobs.size();
    scores.logprobs.resize(done + count);
    scores.greedy.resize(done + count);
    engine->score(part, {chunk, share}, nullptr, scores.logprobs.data() + done, scores.greedy.data() + done);
  }
  return scores;
}

void expect_equal(const Scores& expected, const Scores& actual, const std::string& what) {
  expect(expected.logprobs.size() == actual.logprobs.size(), "%s: count", what.c_str());
  for (size_t i = 0; i < std::min(expected.logprobs.size(), actual.logprobs.size()); ++i) {
    expect(std::memcmp(&expected.logprobs[i], &actual.logprobs[i], sizeof(float)) == 0,
           "%s: %zu is %.9g, not %.9g", what.c_str(), i, static_cast<double>(actual.logprobs[i]),
           static_cast<double>(expected.logprobs[i]));
    expect(expected.greedy[i] == actual.greedy[i], "%s: greedy %zu", what.c_str(), i);
  }
}

std::shared_ptr<const Model> small_model() {
  static const TinyModel tiny = [] {
    TinyShape shape;
    shape.layers = 2;
    return tiny_model(shape);
  }();
  return std::make_shared<const Model>(std::make_unique<GgufFile>(tiny.file.data(), tiny.file.size()), 1);
}

void shuffle(Requests* requests, uint64_t seed) {
  Random random(seed);
  for (size_t i = requests->size(); i > 1; --i) {
    std::swap((*requests)[i - 1], (*requests)[static_cast<size_t>(random.below(static_cast<int64_t>(i)))]);
  }
}

// Scores in the order of `reference`, whatever the order of `requests`.
Scores alone(Engine* engine, const Requests& requests) {
  Scores scores;
  for (const Request& request : requests) {
    const Scores one = score(engine, {request}, false, 1, 0);
    scores.logprobs.insert(scores.logprobs.end(), one.logprobs.begin(), one.logprobs.end());
    scores.greedy.insert(scores.greedy.end(), one.greedy.begin(), one.greedy.end());
  }
  return scores;
}

CHECK_TEST("the likeliest tokens are those that scoring them one by one finds, whatever is shared") {
  const std::shared_ptr<const Model> model = small_model();
  const int64_t vocab = model->config().vocab_size;
  const Requests requests = exam(vocab, 5, 3);
  constexpr int64_t kTop = 3;
  for (const Variant& variant : kernel_variants()) {
    if (!runs_in_engine(variant)) continue;
    Engine engine(model, *variant.kernels, {2});
    size_t places = 0;
    for (const ScoreRequest& request : views(requests)) {
      places += static_cast<size_t>(request.length - request.first_target);
    }
    std::vector<float> logprobs(places), top_logprobs(places * kTop);
    std::vector<uint8_t> greedy(places);
    std::vector<int32_t> top_ids(places * kTop);
    engine.score(views(requests), {5, true}, nullptr, logprobs.data(), greedy.data(),
                 {kTop, top_ids.data(), top_logprobs.data()});
    size_t place = 0;
    for (const Request& request : requests) {
      for (int64_t end = request.first_target; end < static_cast<int64_t>(request.ids.size());
           ++end, ++place) {
        Requests each;
        for (int32_t id = 0; id < vocab; ++id) {
          each.push_back({joined({request.ids.begin(), request.ids.begin() + end}, {id}), end});
        }
        const Scores all = score(&engine, each, true, each.size(), 0);
        std::vector<int32_t> order;
        for (int32_t id = 0; id < vocab; ++id) order.push_back(id);
        std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
          return all.logprobs[static_cast<size_t>(a)] > all.logprobs[static_cast<size_t>(b)];
        });
        for (size_t k = 0; k < kTop; ++k) {
          const float expected = all.logprobs[static_cast<size_t>(order[k])];
          expect(std::memcmp(&expected, &top_logprobs[place * kTop + k], sizeof(float)) == 0,
                 "%s: place %zu, likeliest %zu is %.9g, not %.9g", variant.kernels->name, place, k,
                 static_cast<double>(top_logprobs[place * kTop + k]), static_cast<double>(expected));
          expect(top_ids[place * kTop + k] == order[k], "%s: place %zu, id %zu", variant.kernels->name, place,
                 k);
        }
      }
    }
  }
}

CHECK_TEST("sharing changes no bit, in any order and cut into any calls") {
  const std::shared_ptr<const Model> model = small_model();
  const int64_t vocab = model->config().vocab_size;
  for (const Variant& variant : kernel_variants()) {
    if (!runs_in_engine(variant)) continue;
    Engine single(model, *variant.kernels, {1});
    Engine engine(model, *variant.kernels, {2});
    // The reference is slow, above all under the sanitizers: it goes one way only.
    const bool is_reference = variant.kernels == &scalar();
    const std::vector<size_t> calls = is_reference ? std::vector<size_t>{3} : std::vector<size_t>{1, 3, 1000};
    const std::vector<int64_t> chunks = is_reference ? std::vector<int64_t>{5} : std::vector<int64_t>{0, 5};
    for (const int64_t examples : {0, 40}) {
      Requests requests = exam(vocab, examples, is_reference ? 3 : 6);
      for (const uint64_t seed : {1, 2}) {
        shuffle(&requests, seed);
        const Scores expected = alone(&single, requests);
        for (const size_t per_call : calls) {
          for (const int64_t chunk : chunks) {
            expect_equal(expected, score(&engine, requests, true, per_call, chunk),
                         std::string(variant.kernels->name) + ", " + std::to_string(examples) +
                             " examples, order " + std::to_string(seed) + ", calls of " +
                             std::to_string(per_call));
          }
        }
      }
    }
  }
}

CHECK_TEST("copied prefixes of half and 8-bit caches have the bits of those that were run") {
  const std::shared_ptr<const Model> model = small_model();
  const Requests requests = exam(model->config().vocab_size, 40, 6);
  for (const KvType type : {KvType::f16, KvType::q8}) {
    const EngineOptions options{2, HeadPrecision::canonical, type};
    Engine engine(model, active_kernels(), options);
    const Scores expected = alone(&engine, requests);
    for (const size_t per_call : {size_t{3}, size_t{1000}}) {
      expect_equal(expected, score(&engine, requests, true, per_call, 0),
                   "cache type " + std::to_string(static_cast<int>(type)));
    }
  }
}

CHECK_TEST("an aborted call leaves nothing wrong behind") {
  const std::shared_ptr<const Model> model = small_model();
  Engine engine(model, active_kernels(), {2});
  const Requests requests = exam(model->config().vocab_size, 40, 4);
  const Scores expected = score(&engine, requests, true, 1000, 0);
  Scores ignored = expected;
  const std::atomic<bool> abort{true};
  bool aborted = false;
  try {
    engine.score(views(requests), {0, true}, &abort, ignored.logprobs.data(), ignored.greedy.data());
  } catch (const std::exception&) {
    aborted = true;
  }
  expect(aborted, "the call ended as if nothing had happened");
  expect_equal(expected, score(&engine, requests, true, 5, 0), "after the abort");
}

CHECK_TEST("every position is run once, in waves of any size") {
  const int64_t examples = 200, questions = 30;
  const Requests requests = exam(50000, examples, questions);
  const std::vector<ScoreRequest> all = views(requests);
  // Distinct inputs, and what is run again because sharing fewer than 8 positions does not pay: the answers.
  std::set<std::vector<int32_t>> prefixes;
  int64_t answers = 0;
  for (const Request& request : requests) {
    for (size_t n = 1; n < request.ids.size(); ++n) {
      prefixes.insert(
          std::vector<int32_t>(request.ids.begin(), request.ids.begin() + static_cast<int64_t>(n)));
    }
    answers += static_cast<int64_t>(request.ids.size()) - request.first_target;
  }
  for (const int64_t budget : {256, 1024, 1 << 20}) {
    ScorePlan plan;
    std::vector<int32_t> trunk;
    int64_t rows = 0, heads = 0;
    size_t targets = 0;
    for (size_t begin = 0; begin < all.size();) {
      begin = plan_wave(all, begin, true, trunk, budget, &plan);
      for (const ScorePlan::Sequence& sequence : plan.sequences) {
        rows += sequence.length - sequence.start;
        heads += sequence.length - sequence.wanted_from;
      }
      targets += plan.targets.size();
      const ScorePlan::Sequence& last = plan.sequences.back();
      trunk.assign(last.ids, last.ids + last.length);
    }
    const int64_t distinct = static_cast<int64_t>(prefixes.size());
    expect(rows >= distinct && rows <= distinct + answers,
           "budget %lld: %lld rows for %lld distinct positions", static_cast<long long>(budget),
           static_cast<long long>(rows), static_cast<long long>(distinct));
    expect(targets == static_cast<size_t>(answers), "targets");
    // The answers of one token to a question are read from one row: 10 questions of 30.
    expect(heads <= answers - 3 * questions / 3, "%lld rows through the head", static_cast<long long>(heads));
  }
}

}  // namespace

int main() { return run_tests(); }
