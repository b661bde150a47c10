// The gated activation of the feed-forward block, forward (core's relu2_gate, silu_gate, gelu_gate) and backward. A row
// is [gate (n) | up (n)].
//
//   relu2:  y     = max(gate, 0)^2 * up
//           dgate = 2 max(gate, 0) * up * dy              dup = max(gate, 0)^2 * dy
//   silu:   y     = gate * s * up                         s   = sigmoid(gate)
//           dgate = s * (1 + gate * (1 - s)) * up * dy    dup = gate * s * dy
//   gelu_tanh: the same with s = sigmoid(u(gate)) and gate * u'(gate) for gate in the slope; u: core/kernels.h
#pragma once

#include <cstdint>

#include "core/kernels.h"
#include "training/loops.h"

namespace bitnet {

enum class GateActivation : int { relu2 = 0, silu = 1, gelu_tanh = 2 };

// What stands before a product: nothing, a gate on gate | up, or max(x, 0)^2 of x itself.
enum class InputActivation : int { none, relu2, silu, gelu_tanh, squared_relu };

inline bool is_gate(InputActivation activation) {
  return activation != InputActivation::none && activation != InputActivation::squared_relu;
}
inline GateActivation gate_of(InputActivation activation) {
  if (activation == InputActivation::gelu_tanh) return GateActivation::gelu_tanh;
  return activation == InputActivation::silu ? GateActivation::silu : GateActivation::relu2;
}

// The row functions of an activation: core's forward and the loops' backward.
inline auto gate_row(GateActivation activation) {
  const Kernels& kernels = active_kernels();
  if (activation == GateActivation::gelu_tanh) return kernels.gelu_gate;
  return activation == GateActivation::relu2 ? kernels.relu2_gate : kernels.silu_gate;
}
inline auto gate_grad_row(GateActivation activation) {
  const TrainingLoops& loops = active_loops();
  if (activation == GateActivation::gelu_tanh) return loops.gelu_gate_grad;
  return activation == GateActivation::relu2 ? loops.relu2_gate_grad : loops.silu_gate_grad;
}

// gate_up [rows][2n] -> y [rows][n].
void gated_activation(const float* gate_up, int64_t rows, int64_t n, GateActivation activation, float* y);
// dy [rows][n] -> dgate_up [rows][2n].
void gated_activation_grad(const float* gate_up, const float* dy, int64_t rows, int64_t n,
                           GateActivation activation, float* dgate_up);

// y = max(x, 0)^2 and dx = 2 max(x, 0) * dy of n values. y, dx: n floats.
void squared_relu(const float* x, int64_t n, float* y);
void squared_relu_grad(const float* x, const float* dy, int64_t n, float* dx);

}  // namespace bitnet
