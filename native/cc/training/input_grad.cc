#include "training/input_grad.h"

#include <algorithm>

#include "core/kernels.h"
#include "training/gated_activation.h"
#include "training/loops.h"
#include "training/rms_norm.h"

namespace bitnet {

struct InputGrad::Scratch {
  float *activated, *normed, *dnormed, *dactivated;
};

InputGrad::InputGrad(const LinearInput& input, const ActivationQuantizer& quantizer, int64_t tokens,
                     int64_t cols, const float* drows, float* dx, ArenaScope& scope)
    : input_(input),
      quantizer_(quantizer),
      tokens_(tokens),
      cols_(cols),
      drows_(drows),
      dx_(dx),
      gain_sums_(input.gain ? scope.floats(gain_chunks(tokens) * cols) : nullptr) {}

void InputGrad::token(int64_t t, float* gain_sum, const TokenCodes* codes, const Scratch& scratch) const {
  const Kernels& kernels = active_kernels();
  const TrainingLoops& loops = active_loops();
  const float* x = input_.x + t * input_.width(cols_);
  const float* values = input_.activated(t, cols_, scratch.activated);
  if (codes) {
    int32_t code_sum;
    quantize_activations(kernels, quantizer_, input_.normed(values, cols_, scratch.normed), cols_,
                         codes->codes + t * codes->stride, codes->scale + t, &code_sum);
  }
  if (input_.is_plain()) return;
  const bool is_activated = input_.activation != InputActivation::none;
  const float* upstream = drows_ + t * cols_;
  float* out = dx_ + t * input_.width(cols_);
  if (input_.hadamard) {
    float* below = input_.gain || is_activated ? scratch.dnormed : out;
    kernels.hadamard_row(upstream, cols_, below);
    upstream = below;
  }
  if (input_.gain) {
    float* below = is_activated ? scratch.dactivated : out;
    loops.rms_norm_grad_row(values, input_.gain, upstream, cols_, input_.epsilon, below, gain_sum);
    upstream = below;
  }
  if (!is_activated) return;
  if (is_gate(input_.activation)) {
    gate_grad_row(gate_of(input_.activation))(x, x + cols_, upstream, cols_, out, out + cols_);
  } else {
    loops.squared_relu_grad(x, upstream, cols_, out);
  }
}

void InputGrad::run(int64_t begin, int64_t end, const TokenCodes* codes) const {
  ArenaScope scope;
  const Scratch scratch{scope.floats(cols_), scope.floats(cols_), scope.floats(cols_), scope.floats(cols_)};
  for (int64_t first = begin; first < end; first += kGainRows) {
    float* gain_sum = input_.gain ? gain_sums_ + first / kGainRows * cols_ : nullptr;
    if (gain_sum) std::fill_n(gain_sum, cols_, 0.0f);
    for (int64_t t = first; t < std::min(end, first + kGainRows); ++t) token(t, gain_sum, codes, scratch);
  }
}

void InputGrad::sum_gains(float* dgain) const {
  if (input_.gain) add_gain_sums(gain_sums_, tokens_, cols_, dgain);
}

}  // namespace bitnet
