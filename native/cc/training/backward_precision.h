// How the products of the backward pass round what they multiply.
#pragma once

namespace bitnet {

// What the backward products make of dY. The weights and activations that they multiply it with are ternary
// and int8 codes, exact in every precision; their scales are folded into dY before it is rounded.
//   f32    dY as it is
//   bf16   rounded to bfloat16 (half to even), sums in float32
//   int8   rounded stochastically to 127 steps of its largest value, per token for dX and per out feature
//          for dW; integer sums. Needs both quantizers.
enum class BackwardPrecision : int { f32 = 0, bf16 = 1, int8 = 2 };

}  // namespace bitnet
