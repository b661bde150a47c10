// Opening and scoring models in check programs of the whole engine.
#pragma once

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "inference/engine.h"
#include "inference/session.h"
#include "variants_under_test.h"

namespace check {

using Row = std::vector<float>;
using Sequences = std::vector<std::vector<int32_t>>;

inline std::shared_ptr<const bitnet::Model> open_model(const std::vector<uint8_t>& bytes, int threads = 1) {
  return std::make_shared<const bitnet::Model>(std::make_unique<bitnet::GgufFile>(bytes.data(), bytes.size()),
                                               threads);
}

inline Sequences random_sequences(int64_t vocab, const std::vector<int64_t>& lengths) {
  Random random(17);
  Sequences result;
  for (const int64_t length : lengths) {
    result.emplace_back();
    for (int64_t i = 0; i < length; ++i) result.back().push_back(static_cast<int32_t>(random.below(vocab)));
  }
  return result;
}

inline Row score(bitnet::Engine* engine, const Sequences& sequences, int64_t chunk,
                 int64_t first_target = 1) {
  std::vector<bitnet::ScoreRequest> requests;
  size_t scored = 0;
  for (const auto& ids : sequences) {
    const int64_t length = static_cast<int64_t>(ids.size());
    requests.push_back({ids.data(), length, std::min(first_target, length - 1)});
    scored += static_cast<size_t>(length - requests.back().first_target);
  }
  Row logprobs(scored);
  std::vector<uint8_t> greedy(scored);
  engine->score(requests, {chunk, true}, nullptr, logprobs.data(), greedy.data());
  return logprobs;
}

inline std::vector<uint8_t> read_file(const char* path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(std::string("cannot read ") + path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace check
