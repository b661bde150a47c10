// The training kernels: BitLinear with all that is fused into it against its parts and against float64, and
// the same bits from every kernel on any number of threads. Odd sizes, so that the sanitizers see every
// remainder.
#include "core/thread_pool.h"
#include "training/bit_linear.h"
#include "training/causal_attention.h"
#include "training/embedding.h"
#include "training/head.h"
#include "training/optimizer.h"
#include "training/rms_norm.h"
#include "variants_under_test.h"

using namespace bitnet;
using namespace check;

namespace {

using Row = std::vector<float>;

Row zeros(int64_t count) { return Row(static_cast<size_t>(count)); }

// Restores the default variant and one thread when a test ends.
struct Setting {
  Setting(const char* variant, int threads) {
    select_variant(variant);
    set_training_threads(threads);
  }
  ~Setting() {
    select_variant("");
    set_training_threads(1);
  }
};

// body(variant) for every variant that runs here, scalar too.
template <typename Body>
void for_all_variants(const Body& body) {
  body(scalar());
  for_each_variant(body);
}

struct LinearCase {
  int64_t tokens = 83, cols = 70;
  std::vector<int64_t> rows{45, 17, 33};
  bool gated = false, normed = false;
  LinearQuantizers quantizers{true, true, ScaleDtype::f16};

  int64_t width() const { return gated ? 2 * cols : cols; }
  int64_t outputs() const {
    int64_t sum = 0;
    for (const int64_t each : rows) sum += each;
    return sum;
  }
};

// Inputs of one product, and calls of it.
struct Linear {
  const LinearCase& shape;
  Row x, gain, residual, dy;
  std::vector<Row> weights;

  Linear(const LinearCase& linear, uint64_t seed) : shape(linear) {
    Random random(seed);
    x = values(random, shape.tokens * shape.width());
    gain = values(random, shape.cols);
    residual = values(random, shape.tokens * shape.outputs());
    dy = values(random, shape.tokens * shape.outputs());
    for (const int64_t rows : shape.rows) weights.push_back(values(random, rows * shape.cols));
  }

  LinearInput input() const {
    LinearInput result{};
    result.x = x.data();
    result.gated = shape.gated;
    result.gain = shape.normed ? gain.data() : nullptr;
    result.epsilon = 1e-5f;
    return result;
  }

  std::vector<LinearWeight> views() const {
    std::vector<LinearWeight> list;
    for (size_t i = 0; i < weights.size(); ++i) list.push_back({weights[i].data(), shape.rows[i]});
    return list;
  }

  // The scales that the forward pass keeps.
  Row scales() const {
    const auto list = views();
    const int count = static_cast<int>(list.size());
    Row memory = zeros(LinearScales::size(count, shape.tokens)), y = zeros(shape.tokens * shape.outputs());
    const LinearScales kept = LinearScales::in(memory.data(), count);
    bit_linear(input(), shape.tokens, shape.cols, list.data(), count, shape.quantizers, nullptr, y.data(),
               &kept);
    return memory;
  }

  Row forward() const {
    Row y = zeros(shape.tokens * shape.outputs());
    const auto list = views();
    bit_linear(input(), shape.tokens, shape.cols, list.data(), static_cast<int>(list.size()),
               shape.quantizers, residual.data(), y.data());
    return y;
  }

  // dx, dgain and the stacked dweights, one after the other.
  Row backward(BackwardPrecision precision, uint32_t key = 5, float* kept = nullptr) const {
    Row dx = zeros(shape.tokens * shape.width()), dgain = zeros(shape.cols);
    std::vector<Row> dweights;
    std::vector<float*> pointers;
    for (const Row& each : weights) dweights.push_back(zeros(static_cast<int64_t>(each.size())));
    for (Row& each : dweights) pointers.push_back(each.data());
    const auto list = views();
    const int count = static_cast<int>(list.size());
    const LinearScales scales = kept ? LinearScales::in(kept, count) : LinearScales{};
    bit_linear_grad(input(), shape.tokens, shape.cols, list.data(), count, shape.quantizers, {precision, key},
                    dy.data(), {dx.data(), dgain.data(), pointers.data()}, kept ? &scales : nullptr);
    if (shape.normed) dx.insert(dx.end(), dgain.begin(), dgain.end());
    for (const Row& each : dweights) dx.insert(dx.end(), each.begin(), each.end());
    return dx;
  }
};

std::vector<LinearCase> cases() {
  LinearCase plain, normed, gated, both, floats, half_float;
  normed.normed = gated.gated = both.normed = both.gated = floats.normed = floats.gated = true;
  floats.quantizers = {false, false, ScaleDtype::f32};
  half_float.quantizers = {true, false, ScaleDtype::bf16};
  plain.rows = {129};
  both.tokens = 300;
  return {plain, normed, gated, both, floats, half_float};
}

// The forward product from single kernels and plain sums.
Row expected_forward(const Linear& linear) {
  const LinearCase& s = linear.shape;
  Row y = linear.residual, row(static_cast<size_t>(s.cols));
  std::vector<int8_t> codes(static_cast<size_t>(padded_cols(s.cols)));
  for (int64_t t = 0; t < s.tokens; ++t) {
    const float* x = linear.x.data() + t * s.width();
    if (s.gated) {
      scalar().relu2_gate(x, x + s.cols, s.cols, row.data());
    } else {
      row.assign(x, x + s.cols);
    }
    if (s.normed) scalar().rms_norm_row(row.data(), linear.gain.data(), s.cols, 1e-5f, row.data());
    float act_scale;
    int32_t code_sum;
    scalar().quantize_row(row.data(), s.cols, codes.data(), &act_scale, &code_sum);
    float* out = y.data() + t * s.outputs();
    for (size_t i = 0; i < s.rows.size(); ++i) {
      std::vector<int32_t> ternary(linear.weights[i].size());
      const WeightScale scale = ternary_codes(linear.weights[i].data(), s.rows[i], s.cols,
                                              s.quantizers.scale_dtype, ternary.data());
      for (int64_t n = 0; n < s.rows[i]; ++n) {
        int32_t sum = 0;
        for (int64_t k = 0; k < s.cols; ++k) {
          sum += codes[static_cast<size_t>(k)] * ternary[static_cast<size_t>(n * s.cols + k)];
        }
        *out++ += static_cast<float>(sum) * (act_scale * scale.multiplier);
      }
    }
  }
  return y;
}

CHECK_TEST("bit_linear has the bits of gate, norm, quantization, product and residual one by one") {
  for (const LinearCase& shape : cases()) {
    if (!shape.quantizers.both()) continue;
    const Linear linear(shape, 41);
    const Row expected = expected_forward(linear);
    for_all_variants([&](const Kernels& kernels) {
      for (const int threads : {1, 2, 3}) {
        const Setting setting(kernels.name, threads);
        expect_same_bits(expected, linear.forward(), kernels.name, "bit_linear");
      }
    });
  }
}

// |a - b| / |b|, Euclidean.
double distance(const Row& a, const Row& b) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    difference += d * d;
    norm += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return std::sqrt(difference / (norm > 0 ? norm : 1));
}

CHECK_TEST("bit_linear_grad: every variant and precision near the scalar float32 gradient") {
  for (const LinearCase& shape : cases()) {
    const Linear linear(shape, 42);
    Row exact;
    {
      const Setting setting("scalar", 1);
      exact = linear.backward(BackwardPrecision::f32);
    }
    const bool integer = shape.quantizers.ternary_weights && shape.quantizers.int8_activations;
    for_all_variants([&](const Kernels& kernels) {
      const Setting setting(kernels.name, 2);
      const double f32 = distance(linear.backward(BackwardPrecision::f32), exact);
      expect(f32 < 1e-5, "%s: f32 differs by %g", kernels.name, f32);
      const double bf16 = distance(linear.backward(BackwardPrecision::bf16), exact);
      expect(bf16 > 1e-5 && bf16 < 5e-3, "%s: bf16 differs by %g", kernels.name, bf16);
      if (!integer) return;
      const double int8 = distance(linear.backward(BackwardPrecision::int8), exact);
      expect(int8 > 1e-4 && int8 < 3e-2, "%s: int8 differs by %g", kernels.name, int8);
    });
  }
}

CHECK_TEST("int8 gradients draw other numbers for another key") {
  const LinearCase shape;
  const Linear linear(shape, 43);
  const Row first = linear.backward(BackwardPrecision::int8, 1);
  expect(first_difference(first.data(), linear.backward(BackwardPrecision::int8, 1).data(), 100) < 0,
         "the same key gave other values");
  expect(distance(first, linear.backward(BackwardPrecision::int8, 2)) > 1e-4, "the key changes nothing");
}

CHECK_TEST("scales kept from the forward pass change no bit of the gradients") {
  for_all_variants([&](const Kernels& kernels) {
    const Setting setting(kernels.name, 2);
    for (const LinearCase& shape : cases()) {
      if (!shape.quantizers.both()) continue;
      const Linear linear(shape, 47);
      Row scales = linear.scales();
      for (const auto precision :
           {BackwardPrecision::f32, BackwardPrecision::bf16, BackwardPrecision::int8}) {
        expect_same_bits(linear.backward(precision), linear.backward(precision, 5, scales.data()),
                         kernels.name, "a gradient with kept scales");
      }
    }
  });
}

CHECK_TEST("gradients of not-a-number and infinity stay visible") {
  const LinearCase shape;
  for (const float bad : {std::nanf(""), INFINITY}) {
    for (const auto precision : {BackwardPrecision::f32, BackwardPrecision::bf16, BackwardPrecision::int8}) {
      Linear linear(shape, 44);
      linear.dy[7] = bad;
      const Row result = linear.backward(precision);
      bool visible = false;
      for (const float value : result) visible = visible || !std::isfinite(value);
      expect(visible, "precision %d hides %g", static_cast<int>(precision), static_cast<double>(bad));
    }
  }
}

// Values of every training kernel on odd sizes.
std::vector<Row> all_kernels() {
  std::vector<Row> results;
  for (const LinearCase& shape : cases()) {
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

  const HeadShape head{positions, 40, 77};
  const Row hidden = values(random, head.tokens * head.width),
            table = values(random, head.vocab * head.width);
  const Row upstream = values(random, head.tokens);
  std::vector<int32_t> ids, argmax(static_cast<size_t>(head.tokens));
  for (int64_t t = 0; t < head.tokens; ++t)
    ids.push_back(t % 5 == 2 ? -1 : static_cast<int32_t>(random.below(77)));
  Row log_probs = zeros(head.tokens), again = log_probs;
  Row dhidden = zeros(head.tokens * head.width), dtable = zeros(head.vocab * head.width);
  head_log_probs(hidden.data(), table.data(), ids.data(), head, log_probs.data(), argmax.data());
  results.push_back(log_probs);
  for (const auto precision : {BackwardPrecision::f32, BackwardPrecision::bf16}) {
    head_log_probs_grad(hidden.data(), table.data(), ids.data(), upstream.data(), head, precision,
                        again.data(), dhidden.data(), dtable.data());
    expect_same_bits(log_probs, again, "head_log_probs_grad", "log-probabilities");
    results.insert(results.end(), {dhidden, dtable});
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
