#include "training/bit_linear.h"

#include <algorithm>

#include "core/kernels.h"
#include "core/ternary_panel.h"
#include "training/arena.h"
#include "training/partition.h"

namespace bitnet {
namespace {

// Groups of 16 output rows of one packing task.
constexpr int64_t kGroupsPerTask = 4;

TernaryPanel pack_weights(const LinearWeight& weight, int64_t cols, const WeightScales& scales,
                          ArenaScope& scope) {
  const int64_t spans = scales.span_cols ? cols / scales.span_cols : 0;
  float* multipliers = scope.floats(spans ? round_up(weight.rows, kPanelRows) * spans
                                          : panel_scale_count(weight.rows, scales.per_row));
  if (!spans) fill_panel_scales(scales.multiplier, weight.rows, scales.per_row, multipliers);
  uint8_t* panel = static_cast<uint8_t*>(scope.bytes(panel_bytes(weight.rows, cols)));
  parallel_chunks(panel_groups(weight.rows), kGroupsPerTask, [&](int64_t begin, int64_t end) {
    ArenaScope task_scope;
    const int64_t first = begin * kPanelRows;
    const int64_t last = end * kPanelRows < weight.rows ? end * kPanelRows : weight.rows;
    int8_t* ternary = task_scope.codes((last - first) * cols);
    ternary_rows(weight, cols, scales, first, last, ternary);
    // pack_panel addresses rows absolutely; this task's groups are packed as a matrix of their own.
    pack_panel(ternary, cols, last - first, cols, 0, end - begin, panel + begin * panel_group_bytes(cols));
    if (spans) fill_span_scales(scales.multiplier, weight.rows, spans, begin, end, multipliers);
  });
  if (spans) return {panel, weight.rows, cols, nullptr, 0, {multipliers, scales.span_cols}};
  return {panel, weight.rows, cols, multipliers, panel_scale_step(scales.per_row)};
}

// The float weights that the product effectively uses.
const float* effective_weights(const LinearWeight& weight, int64_t cols, const LinearQuantizers& quantizers,
                               ArenaScope& scope) {
  if (!quantizers.ternary_weights()) return weight.data;
  float* values = scope.floats(weight.rows * cols);
  float* memory = scope.floats(weight_scale_floats(weight, cols, quantizers.weights));
  const WeightScales scales = weight_scales(weight, cols, quantizers.weights, quantizers.scale_dtype, memory);
  dequantized_weights(weight, cols, scales, values);
  return values;
}

// The rows of the input, quantized or not, as floats [tokens][cols].
const float* effective_activations(const LinearInput& input, int64_t tokens, int64_t cols,
                                   const LinearQuantizers& quantizers, ArenaScope& scope) {
  if (!quantizers.activations.quantizes()) return input.rows(tokens, cols, scope);
  const Kernels& kernels = active_kernels();
  float* values = scope.floats(tokens * cols);
  parallel_chunks(tokens, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    ArenaScope task_scope;
    float* scratch = task_scope.floats(cols);
    int8_t* codes = task_scope.codes(padded_cols(cols));
    for (int64_t t = begin; t < end; ++t) {
      float act_scale;
      int32_t code_sum;
      quantize_activations(kernels, quantizers.activations, input.row(t, cols, scratch), cols, codes,
                           &act_scale, &code_sum);
      float* out = values + t * cols;
      for (int64_t i = 0; i < cols; ++i) out[i] = static_cast<float>(codes[i]) * act_scale;
    }
  });
  return values;
}

void add_residual(const float* residual, int64_t begin, int64_t end, float* y) {
  if (residual) active_kernels().add(y + begin, residual + begin, end - begin, y + begin);
}

// Tokens of one task of the integer forward: as many as one pass over unpacked weights takes, fewer where the
// threads would go idle.
int64_t forward_tokens(int64_t tokens) {
  const int64_t share = round_up(tokens / (2 * training_threads()) + 1, kMaxCodeTile);
  return std::clamp<int64_t>(share, 2 * kMaxCodeTile, kMaxPackedTokens);
}

// Gate, norm, quantization, product, scale and residual of some tokens at a time: each of them is read and
// written once.
void integer_forward(const LinearInput& input, int64_t tokens, int64_t cols, const LinearWeight* weights,
                     int count, const LinearQuantizers& quantizers, const float* residual, float* y,
                     const LinearScales* kept) {
  const Kernels& kernels = active_kernels();
  const WeightSource source = quantizers.weights;
  ArenaScope scope;
  const LinearScales scales =
      kept ? *kept
           : LinearScales::in(scope.floats(LinearScales::size(weights, count, cols, source, tokens)), tokens);
  TernaryPanel panels[kMaxLinearWeights];
  float* memory = scales.weights;
  bool spans = false;
  for (int i = 0; i < count; memory += weight_scale_floats(weights[i], cols, source), ++i) {
    panels[i] = pack_weights(weights[i], cols,
                             weight_scales(weights[i], cols, source, quantizers.scale_dtype, memory), scope);
    spans = spans || panels[i].has_spans();
  }
  const int64_t stride = padded_cols(cols);
  const int64_t y_stride = total_rows(weights, count);
  parallel_chunks(tokens, forward_tokens(tokens), [&](int64_t begin, int64_t end) {
    ArenaScope task_scope;
    const int64_t rows = end - begin;
    float* scratch = task_scope.floats(cols);
    int8_t* codes = task_scope.codes(rows * stride);
    float* act_scale = scales.activations + begin;
    int32_t* code_sum = task_scope.ints(rows);
    int32_t* part_sums = spans ? task_scope.ints(rows * code_parts(cols)) : nullptr;
    for (int64_t t = 0; t < rows; ++t) {
      quantize_activations(kernels, quantizers.activations, input.row(begin + t, cols, scratch), cols,
                           codes + t * stride, act_scale + t, code_sum + t);
      if (spans) sum_code_parts(codes + t * stride, cols, part_sums + t * code_parts(cols));
    }
    const CodeRows code_rows =
        packed_codes({codes, stride, act_scale, code_sum, rows, nullptr, part_sums}, cols, task_scope);
    float* out = y + begin * y_stride;
    for (int i = 0; i < count; ++i) {
      kernels.ternary_gemm(panels[i], 0, panel_groups(panels[i].rows), code_rows, out, y_stride);
      out += panels[i].rows;
    }
    add_residual(residual, begin * y_stride, end * y_stride, y);
  });
}

void float_forward(const LinearInput& input, int64_t tokens, int64_t cols, const LinearWeight* weights,
                   int count, const LinearQuantizers& quantizers, const float* residual, float* y) {
  const Kernels& kernels = active_kernels();
  ArenaScope scope;
  const float* values = effective_activations(input, tokens, cols, quantizers, scope);
  const int64_t y_stride = total_rows(weights, count);
  int64_t first = 0;
  for (int i = 0; i < count; first += weights[i].rows, ++i) {
    const float* w = effective_weights(weights[i], cols, quantizers, scope);
    parallel_chunks(tokens, kTokensPerTask, [&](int64_t begin, int64_t end) {
      kernels.linear_rows(w, RowType::f32, 0, weights[i].rows, cols, values + begin * cols, cols, end - begin,
                          y + begin * y_stride + first, y_stride);
      if (i + 1 == count) add_residual(residual, begin * y_stride, end * y_stride, y);
    });
  }
}

}  // namespace

CodeRows packed_codes(CodeRows rows, int64_t cols, ArenaScope& scope) {
  const Kernels& kernels = active_kernels();
  const int64_t tiles = kernels.code_tiles(rows.tokens);
  if (tiles == 0) return rows;
  uint8_t* packed = static_cast<uint8_t*>(scope.bytes(packed_code_bytes(rows.tokens, cols)));
  for (int64_t tile = 0; tile < tiles; ++tile) {
    kernels.code_packing->pack_tile(rows.codes, rows.stride, rows.tokens, cols, tile, packed);
  }
  rows.packed = packed;
  return rows;
}

const float* LinearInput::activated(int64_t t, int64_t cols, float* scratch) const {
  const float* values = x + t * width(cols);
  if (activation == InputActivation::none) return values;
  if (is_gate(activation)) {
    gate_row(gate_of(activation))(values, values + cols, cols, scratch);
  } else {
    active_kernels().squared_relu(values, cols, scratch);
  }
  return scratch;
}

const float* LinearInput::normed(const float* values, int64_t cols, float* scratch) const {
  const Kernels& kernels = active_kernels();
  if (gain) {
    kernels.rms_norm_row(values, gain, cols, epsilon, scratch);
    values = scratch;
  }
  if (hadamard) {
    kernels.hadamard_row(values, cols, scratch);
    values = scratch;
  }
  return values;
}

const float* LinearInput::row(int64_t t, int64_t cols, float* scratch) const {
  return normed(activated(t, cols, scratch), cols, scratch);
}

const float* LinearInput::rows(int64_t tokens, int64_t cols, ArenaScope& scope) const {
  if (is_plain()) return x;
  float* values = scope.floats(tokens * cols);
  parallel_chunks(tokens, rows_per_task(cols), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) row(t, cols, values + t * cols);
  });
  return values;
}

void bit_linear(const LinearInput& input, int64_t tokens, int64_t cols, const LinearWeight* weights,
                int count, const LinearQuantizers& quantizers, const float* residual, float* y,
                const LinearScales* scales) {
  if (quantizers.both()) {
    integer_forward(input, tokens, cols, weights, count, quantizers, residual, y, scales);
  } else {
    float_forward(input, tokens, cols, weights, count, quantizers, residual, y);
  }
}

}  // namespace bitnet
