// Every training kernel gives the same bits on any number of threads. Odd sizes, so that the sanitizers see
// every remainder. bit_linear_check.cc has the values of BitLinear.
#include "linear_case.h"
#include "training/causal_attention.h"
#include "training/embedding.h"
#include "training/head.h"
#include "training/optimizer.h"
#include "training/rms_norm.h"

using namespace bitnet;
using namespace check;

namespace {

// Values of every training kernel on odd sizes.
std::vector<Row> all_kernels() {
  std::vector<Row> results;
  for (const LinearCase& shape : linear_cases()) {
    const Linear linear(shape, 45);
    results.push_back(linear.forward());
    results.push_back(linear.backward(BackwardPrecision::f32));
    results.push_back(linear.backward(BackwardPrecision::bf16));
    if (shape.quantizers.both()) {
      results.push_back(linear.backward(BackwardPrecision::int8));
    }
  }
  Random random(46);
  const AttentionShape attention{2, 67, 6, 3, 20, 10000.0};
  const int64_t positions = attention.batch * attention.length;
  const Row qkv = values(random, positions * attention.qkv_width());
  const Row dout = values(random, positions * attention.out_width());
  Row out = zeros(positions * attention.out_width()), log_sum = zeros(positions * attention.heads);
  Row dqkv = zeros(positions * attention.qkv_width());
  causal_attention(qkv.data(), attention, out.data(), log_sum.data());
  causal_attention_grad(qkv.data(), out.data(), log_sum.data(), dout.data(), attention, dqkv.data());
  results.insert(results.end(), {out, log_sum, dqkv});

  const HeadShape head{positions, 40, 77, HeadProduct::floats};
  const Row hidden = values(random, head.tokens * head.width),
            table = values(random, head.vocab * head.width);
  const Row upstream = values(random, head.tokens);
  std::vector<int32_t> ids, argmax(static_cast<size_t>(head.tokens));
  for (int64_t t = 0; t < head.tokens; ++t)
    ids.push_back(t % 5 == 2 ? -1 : static_cast<int32_t>(random.below(77)));
  Row log_probs = zeros(head.tokens), again = log_probs;
  Row dhidden = zeros(head.tokens * head.width), dtable = zeros(head.vocab * head.width);
  for (const HeadProduct product : {HeadProduct::floats, HeadProduct::int8}) {
    const HeadShape shape{head.tokens, head.width, head.vocab, product};
    head_log_probs(hidden.data(), table.data(), ids.data(), shape, log_probs.data(), argmax.data());
    results.push_back(log_probs);
    for (const auto precision : {BackwardPrecision::f32, BackwardPrecision::bf16}) {
      head_log_probs_grad(hidden.data(), table.data(), ids.data(), upstream.data(), shape, precision,
                          again.data(), dhidden.data(), dtable.data());
      expect_same_bits(log_probs, again, "head_log_probs_grad", "log-probabilities");
      results.insert(results.end(), {dhidden, dtable});
    }
  }

  Row rows = zeros(head.vocab * head.width);
  scatter_add_rows(ids.data(), hidden.data(), head.tokens, head.width, head.vocab, rows.data());
  Row parameter = table, m = rows, v = table;
  for (float& each : v) each = each * each;
  // In two parts, with a decay each.
  const int64_t size = static_cast<int64_t>(m.size()), half = size / 2;
  const auto part = [&](int64_t first, int64_t count, double decay) {
    return AdamWTensor{
        parameter.data() + first, rows.data() + first, m.data() + first, v.data() + first, count, decay};
  };
  const AdamWTensor tensors[] = {part(0, half, 0.1), part(half, size - half, 0.0)};
  adamw_step(tensors, 2, {1e-3, 0.9, 0.95, 1e-8, 3, 0.5});
  double squares = 0;
  const Values list[] = {{rows.data(), size}};
  sums_of_squares(list, 1, &squares);
  results.insert(results.end(), {rows, parameter, m, v, Row{static_cast<float>(squares)}});
  return results;
}

CHECK_TEST("every training kernel gives the same bits on any number of threads") {
  for_all_variants([&](const Kernels& kernels) {
    std::vector<Row> expected;
    {
      const Setting setting(kernels.name, 1);
      expected = all_kernels();
    }
    for (const int threads : {2, 3, 5}) {
      const Setting setting(kernels.name, threads);
      const std::vector<Row> actual = all_kernels();
      for (size_t i = 0; i < expected.size(); ++i) {
        expect_same_bits(expected[i], actual[i], kernels.name, "a training kernel");
      }
    }
  });
}

}  // namespace

int main() { return run_variant_tests(); }
