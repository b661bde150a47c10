// The fused kernels of the language model.
#include <vector>

#include "addon/arguments.h"
#include "core/gemm_i8.h"
#include "core/int8_rows.h"
#include "training/bit_linear.h"
#include "training/causal_attention.h"
#include "training/embedding.h"
#include "training/gated_activation.h"
#include "training/head.h"
#include "training/optimizer.h"
#include "training/rms_norm.h"

namespace bitnet {
namespace {

using Info = Napi::CallbackInfo;

struct LinearArguments {
  LinearWeight weights[kMaxLinearWeights];
  int count;
  int64_t rows;  // of all weights
};

int64_t element_count(const Napi::Value& array) {
  return static_cast<int64_t>(array.As<Napi::TypedArray>().ElementLength());
}

// Of one matrix: a Float32Array, or { ternary: Int32Array, scales: Float32Array of 1, one per row or one per
// span, span: neighbours of a row that share a scale, 0 if a row or the matrix does }.
LinearWeight read_weight(const Arguments& arguments, size_t index, const Napi::Value& value,
                         WeightSource source, int64_t cols) {
  LinearWeight weight{};
  int64_t elements = 0;
  if (source == WeightSource::codes) {
    if (!value.IsObject()) arguments.fail(index, "is not a list of ternary values and scales");
    const Napi::Value ternary = value.As<Napi::Object>().Get("ternary");
    const Napi::Value scales = value.As<Napi::Object>().Get("scales");
    weight.ternary = arguments.ints_of(ternary, index, -1);
    weight.multiplier = arguments.floats_of(scales, index, -1);
    elements = element_count(ternary);
    const Napi::Value span = value.As<Napi::Object>().Get("span");
    weight.span_cols = span.IsNumber() ? span.As<Napi::Number>().Int64Value() : 0;
    weight.scale_per_row = weight.span_cols == 0 && element_count(scales) != 1;
    const int64_t each = weight.span_cols ? weight.span_cols : cols;
    if ((weight.span_cols || weight.scale_per_row) && element_count(scales) * each != elements) {
      arguments.fail(index, "has neither one scale nor one per row or span");
    }
    if (!all_ternary(weight.ternary, elements)) {
      arguments.fail(index, "holds a value that is not -1, 0 or 1");
    }
  } else {
    weight.data = arguments.floats_of(value, index, -1);
    elements = element_count(value);
  }
  if (elements % cols != 0) arguments.fail(index, "is not a matrix with that number of columns");
  weight.rows = elements / cols;
  const int64_t span = span_cols_of(weight, source);
  if (span != 0 && (!is_span(span) || cols % span != 0)) {
    arguments.fail(index, "has scales of spans that are not 64, 128 or 256 columns, or do not divide a row");
  }
  return weight;
}

LinearArguments read_weights(const Arguments& arguments, size_t index, WeightSource source, int64_t cols) {
  const Napi::Array list = arguments.array(index);
  if (list.Length() < 1 || list.Length() > static_cast<uint32_t>(kMaxLinearWeights)) {
    arguments.fail(index, "has a wrong number of weights");
  }
  LinearArguments result{};
  result.count = static_cast<int>(list.Length());
  for (int i = 0; i < result.count; ++i) {
    result.weights[i] = read_weight(arguments, index, list[static_cast<uint32_t>(i)], source, cols);
    result.rows += result.weights[i].rows;
  }
  return result;
}

// An int32 sum of 127 * 2 * cols must not overflow: the limit of ternary_gemm.
constexpr int64_t kMaxCols = int64_t{1} << 23;

LinearQuantizers read_quantizers(const Arguments& arguments, size_t first) {
  const ActivationQuantizer activations{arguments.option<ActivationCodes>(first + 1),
                                        arguments.number(first + 2)};
  if (!(activations.keep > 0.0 && activations.keep <= 1.0)) arguments.fail(first + 2, "is no share");
  return {arguments.option<WeightSource>(first), activations, arguments.option<ScaleDtype>(first + 3)};
}

// Arguments first .. first + 4: x, activation, gain (null: no norm), epsilon, hadamard.
LinearInput read_input(const Arguments& arguments, size_t first, int64_t cols) {
  LinearInput input{};
  input.activation = arguments.option<InputActivation>(first + 1);
  const int64_t tokens = arguments.length(first) / input.width(cols);
  input.x = arguments.floats(first, tokens * input.width(cols));
  input.gain = arguments.optional_floats(first + 2, cols);
  input.epsilon = static_cast<float>(arguments.number(first + 3));
  input.hadamard = arguments.flag(first + 4);
  return input;
}

// The scales of a product that quantizes both of its operands, or null.
const LinearScales* read_scales(const Arguments& arguments, size_t index, const LinearArguments& linear,
                                int64_t cols, int64_t tokens, const LinearQuantizers& quantizers,
                                LinearScales* scales) {
  float* memory = arguments.optional_floats(
      index, LinearScales::size(linear.weights, linear.count, cols, quantizers.weights, tokens));
  if (!memory) return nullptr;
  if (!quantizers.both()) {
    arguments.fail(index, "needs ternary weights and quantized activations");
  }
  *scales = LinearScales::in(memory, tokens);
  return scales;
}

// bitLinear(x, activation, gain, epsilon, hadamard, weights[], cols, weightSource, activations, keep,
//           scaleDtype, residual, y, scales: null or the floats of LinearScales)
void bit_linear_call(const Info& info) {
  const Arguments arguments(info, "bitLinear");
  const int64_t cols = arguments.positive(6);
  if (cols > kMaxCols) arguments.fail(6, "is above 8388608 columns");
  const LinearInput input = read_input(arguments, 0, cols);
  const LinearQuantizers quantizers = read_quantizers(arguments, 7);
  const LinearArguments linear = read_weights(arguments, 5, quantizers.weights, cols);
  const int64_t tokens = arguments.length(0) / input.width(cols);
  LinearScales scales;
  bit_linear(input, tokens, cols, linear.weights, linear.count, quantizers,
             arguments.optional_floats(11, tokens * linear.rows), arguments.floats(12, tokens * linear.rows),
             read_scales(arguments, 13, linear, cols, tokens, quantizers, &scales));
}

// bitLinearGrad(x, activation, gain, epsilon, hadamard, weights[], cols, weightSource, activations, keep,
//               scaleDtype, precision, roundingKey, dy, dx, dgain, dweights[], scales: as bitLinear wrote
//               them, or null)
void bit_linear_grad_call(const Info& info) {
  const Arguments arguments(info, "bitLinearGrad");
  const int64_t cols = arguments.positive(6);
  const LinearInput input = read_input(arguments, 0, cols);
  const LinearQuantizers quantizers = read_quantizers(arguments, 7);
  const LinearArguments linear = read_weights(arguments, 5, quantizers.weights, cols);
  const int64_t tokens = arguments.length(0) / input.width(cols);
  const BackwardRounding rounding{arguments.option<BackwardPrecision>(11),
                                  static_cast<uint32_t>(arguments.size(12))};
  if (rounding.precision == BackwardPrecision::int8) {
    if (!quantizers.both()) {
      arguments.fail(11, "is int8, which needs ternary weights and quantized activations");
    }
    if (tokens > kMaxInt8Depth) arguments.fail(0, "has more than 131072 rows, too many for int8 products");
  }
  const Napi::Array outputs = arguments.array(16);
  if (static_cast<int>(outputs.Length()) != linear.count) arguments.fail(16, "does not match the weights");
  float* dweights[kMaxLinearWeights];
  for (int i = 0; i < linear.count; ++i) {
    dweights[i] = arguments.floats_of(outputs[static_cast<uint32_t>(i)], 16, linear.weights[i].rows * cols);
  }
  float* dgain = arguments.optional_floats(15, cols);
  if ((dgain != nullptr) != (input.gain != nullptr)) arguments.fail(15, "does not match the gain");
  LinearScales scales;
  bit_linear_grad(input, tokens, cols, linear.weights, linear.count, quantizers, rounding,
                  arguments.floats(13, tokens * linear.rows),
                  {arguments.floats(14, tokens * input.width(cols)), dgain, dweights},
                  read_scales(arguments, 17, linear, cols, tokens, quantizers, &scales));
}

// ternaryCodes(weight, cols, weightSource: of absmean weights, scaleDtype, codes: Int32Array,
//              scales: Float32Array of 1, one per row or one per span)
void ternary_codes_call(const Info& info) {
  const Arguments arguments(info, "ternaryCodes");
  const int64_t cols = arguments.positive(1);
  const WeightSource source = arguments.option<WeightSource>(2);
  if (source == WeightSource::values || source == WeightSource::codes) {
    arguments.fail(2, "makes no ternary values");
  }
  const LinearWeight weight = read_weight(arguments, 0, info[0], source, cols);
  ternary_codes(weight, cols, source, arguments.option<ScaleDtype>(3), arguments.ints(4, weight.rows * cols),
                arguments.floats(5, weight_scale_count(weight, cols, source)));
}

// rmsNorm(x, gain, epsilon, y)
void rms_norm_call(const Info& info) {
  const Arguments arguments(info, "rmsNorm");
  const int64_t n = arguments.length(1), rows = n ? arguments.length(0) / n : 0;
  rms_norm(arguments.floats(0, rows * n), arguments.floats(1), rows, n,
           static_cast<float>(arguments.number(2)), arguments.floats(3, rows * n));
}

// rmsNormGrad(x, gain, dy, epsilon, dx, dgain)
void rms_norm_grad_call(const Info& info) {
  const Arguments arguments(info, "rmsNormGrad");
  const int64_t n = arguments.length(1), rows = n ? arguments.length(0) / n : 0;
  rms_norm_grad(arguments.floats(0, rows * n), arguments.floats(1), arguments.floats(2, rows * n), rows, n,
                static_cast<float>(arguments.number(3)), arguments.floats(4, rows * n),
                arguments.floats(5, n));
}

AttentionShape read_attention_shape(const Arguments& arguments, size_t first) {
  AttentionShape shape{arguments.size(first),
                       arguments.size(first + 1),
                       arguments.positive(first + 2),
                       arguments.positive(first + 3),
                       arguments.positive(first + 4),
                       arguments.number(first + 5),
                       {},
                       1.0f,
                       0};
  if (shape.heads % shape.kv_heads != 0) arguments.fail(first + 3, "does not divide the number of heads");
  if (shape.head_dim % 2 != 0) arguments.fail(first + 4, "is odd");
  if (!(shape.rope_theta > 0)) arguments.fail(first + 5, "is not positive");
  const int64_t factors = arguments.length(first + 6);
  if (factors != 0) {
    const float* values = arguments.floats(first + 6, shape.head_dim / 2);
    shape.rope_factors.assign(values, values + factors);
  }
  shape.rope_magnitude = static_cast<float>(arguments.number(first + 7));
  shape.window = arguments.size(first + 8);
  return shape;
}

// causalAttention(qkv, batch, length, heads, kvHeads, headDim, ropeTheta, ropeFactors, ropeMagnitude, window, out, logSum)
void causal_attention_call(const Info& info) {
  const Arguments arguments(info, "causalAttention");
  const AttentionShape shape = read_attention_shape(arguments, 1);
  const int64_t tokens = shape.batch * shape.length;
  causal_attention(arguments.floats(0, tokens * shape.qkv_width()), shape,
                   arguments.floats(10, tokens * shape.out_width()),
                   arguments.floats(11, tokens * shape.heads));
}

// causalAttentionGrad(qkv, batch, length, heads, kvHeads, headDim, ropeTheta, ropeFactors, ropeMagnitude, out, logSum,
// dout, dqkv)
void causal_attention_grad_call(const Info& info) {
  const Arguments arguments(info, "causalAttentionGrad");
  const AttentionShape shape = read_attention_shape(arguments, 1);
  const int64_t tokens = shape.batch * shape.length;
  causal_attention_grad(
      arguments.floats(0, tokens * shape.qkv_width()), arguments.floats(10, tokens * shape.out_width()),
      arguments.floats(11, tokens * shape.heads), arguments.floats(12, tokens * shape.out_width()), shape,
      arguments.floats(13, tokens * shape.qkv_width()));
}

// gatedActivation(gateUp, n, activation, y)
void gated_activation_call(const Info& info) {
  const Arguments arguments(info, "gatedActivation");
  const int64_t n = arguments.positive(1), rows = arguments.length(0) / (2 * n);
  gated_activation(arguments.floats(0, rows * 2 * n), rows, n, arguments.option<GateActivation>(2),
                   arguments.floats(3, rows * n));
}

// gatedActivationGrad(gateUp, dy, n, activation, dgateUp)
void gated_activation_grad_call(const Info& info) {
  const Arguments arguments(info, "gatedActivationGrad");
  const int64_t n = arguments.positive(2), rows = arguments.length(0) / (2 * n);
  gated_activation_grad(arguments.floats(0, rows * 2 * n), arguments.floats(1, rows * n), rows, n,
                        arguments.option<GateActivation>(3), arguments.floats(4, rows * 2 * n));
}

// roundRows(x, cols, tableType, y)
void round_rows_call(const Info& info) {
  const Arguments arguments(info, "roundRows");
  const int64_t cols = arguments.positive(1), rows = arguments.length(0) / cols;
  const TableType type = arguments.option<TableType>(2);
  if (type == TableType::q8_0 && cols % 32 != 0) arguments.fail(1, "is not a multiple of 32, as q8_0 needs");
  round_rows(arguments.floats(0, rows * cols), rows, cols, type, arguments.floats(3, rows * cols));
}

// gatherRows(table, ids, width, y)
void gather_rows_call(const Info& info) {
  const Arguments arguments(info, "gatherRows");
  const int64_t width = arguments.positive(2), rows = arguments.length(0) / width,
                count = arguments.length(1);
  arguments.check_ids(1, 0, rows);
  gather_rows(arguments.floats(0, rows * width), arguments.ints(1), count, width,
              arguments.floats(3, count * width));
}

// scatterAddRows(ids, rows, width, segments, out): ids outside [0, segments) are skipped.
void scatter_add_rows_call(const Info& info) {
  const Arguments arguments(info, "scatterAddRows");
  const int64_t count = arguments.length(0), width = arguments.positive(2), segments = arguments.size(3);
  scatter_add_rows(arguments.ints(0), arguments.floats(1, count * width), count, width, segments,
                   arguments.floats(4, segments * width));
}

// (hidden, table, width, product, ...)
HeadShape read_head(const Arguments& arguments) {
  const int64_t width = arguments.positive(2);
  const HeadShape shape{arguments.length(0) / width, width, arguments.length(1) / width,
                        arguments.option<HeadProduct>(3)};
  if (shape.product == HeadProduct::int8 && width > kMaxInt8RowCols) {
    arguments.fail(2, "is more than 65536, and an int8 head has 32-bit sums");
  }
  arguments.floats(0, shape.tokens * width);
  arguments.floats(1, shape.vocab * width);
  if (shape.vocab == 0) arguments.fail(1, "is empty");
  return shape;
}

// headLogits(hidden, table, width, product, logits)
void head_logits_call(const Info& info) {
  const Arguments arguments(info, "headLogits");
  const HeadShape shape = read_head(arguments);
  head_logits(arguments.floats(0), arguments.floats(1), shape,
              arguments.floats(4, shape.tokens * shape.vocab));
}

// headLogProbs(hidden, table, width, product, targets, logProbs, argmax)
void head_log_probs_call(const Info& info) {
  const Arguments arguments(info, "headLogProbs");
  const HeadShape shape = read_head(arguments);
  const int32_t* targets = arguments.ints(4, shape.tokens);
  arguments.check_ids(4, INT32_MIN, shape.vocab);
  head_log_probs(arguments.floats(0), arguments.floats(1), targets, shape, arguments.floats(5, shape.tokens),
                 arguments.ints(6, shape.tokens));
}

// headLogProbsGrad(hidden, table, width, product, targets, dlogProbs, precision, logProbs, dhidden, dtable)
void head_log_probs_grad_call(const Info& info) {
  const Arguments arguments(info, "headLogProbsGrad");
  const HeadShape shape = read_head(arguments);
  const int32_t* targets = arguments.ints(4, shape.tokens);
  arguments.check_ids(4, INT32_MIN, shape.vocab);
  head_log_probs_grad(arguments.floats(0), arguments.floats(1), targets, arguments.floats(5, shape.tokens),
                      shape, arguments.option<BackwardPrecision>(6), arguments.floats(7, shape.tokens),
                      arguments.floats(8, shape.tokens * shape.width),
                      arguments.floats(9, shape.vocab * shape.width));
}

// adamwStep(params[], grads[], ms[], vs[], weightDecays[], learningRate, beta1, beta2, epsilon, step,
// gradScale)
void adamw_step_call(const Info& info) {
  const Arguments arguments(info, "adamwStep");
  const uint32_t count = arguments.array(0).Length();
  for (size_t list = 1; list < 5; ++list) {
    if (arguments.array(list).Length() != count) arguments.fail(list, "does not match the parameters");
  }
  std::vector<AdamWTensor> tensors(count);
  for (uint32_t i = 0; i < count; ++i) {
    const auto floats = [&](size_t list, int64_t length) {
      return arguments.floats_of(arguments.array(list)[i], list, length);
    };
    AdamWTensor& tensor = tensors[i];
    tensor.param = floats(0, -1);
    const Napi::Value param = arguments.array(0)[i];
    tensor.count = static_cast<int64_t>(param.As<Napi::TypedArray>().ElementLength());
    tensor.grad = floats(1, tensor.count);
    tensor.m = floats(2, tensor.count);
    tensor.v = floats(3, tensor.count);
    const Napi::Value decay = arguments.array(4)[i];
    if (!decay.IsNumber()) arguments.fail(4, "holds what is not a number");
    tensor.weight_decay = decay.As<Napi::Number>().DoubleValue();
  }
  adamw_step(tensors.data(), count,
             {arguments.number(5), arguments.number(6), arguments.number(7), arguments.number(8),
              arguments.positive(9), arguments.number(10)});
}

// sumsOfSquares(tensors[], sums: Float32Array)
void sums_of_squares_call(const Info& info) {
  const Arguments arguments(info, "sumsOfSquares");
  const Napi::Array list = arguments.array(0);
  std::vector<Values> tensors(list.Length());
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value value = list[i];
    tensors[i].data = arguments.floats_of(value, 0, -1);
    tensors[i].count = static_cast<int64_t>(value.As<Napi::TypedArray>().ElementLength());
  }
  const int64_t count = static_cast<int64_t>(tensors.size());
  std::vector<double> sums(tensors.size());
  float* out = arguments.floats(1, count);
  sums_of_squares(tensors.data(), count, sums.data());
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(sums[static_cast<size_t>(i)]);
}

}  // namespace

void init_training_model(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, auto function) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  add("bitLinear", bit_linear_call);
  add("bitLinearGrad", bit_linear_grad_call);
  add("ternaryCodes", ternary_codes_call);
  add("rmsNorm", rms_norm_call);
  add("rmsNormGrad", rms_norm_grad_call);
  add("causalAttention", causal_attention_call);
  add("causalAttentionGrad", causal_attention_grad_call);
  add("gatedActivation", gated_activation_call);
  add("gatedActivationGrad", gated_activation_grad_call);
  add("roundRows", round_rows_call);
  add("gatherRows", gather_rows_call);
  add("scatterAddRows", scatter_add_rows_call);
  add("headLogits", head_logits_call);
  add("headLogProbs", head_log_probs_call);
  add("headLogProbsGrad", head_log_probs_grad_call);
  add("adamwStep", adamw_step_call);
  add("sumsOfSquares", sums_of_squares_call);
}

}  // namespace bitnet
