// The output head with cross-entropy, chunked over tokens: the logits of all tokens never exist at once.
//
//   logits = hidden . table^T              (core's linear_rows, or multiply_int8_rows)
//   log_prob = logits[target] - log_sum_exp(logits)
//   backward: dlogits = dlog_prob * (one_hot(target) - softmax(logits)),
//             dhidden = dlogits . table,  dtable = dlogits^T . hidden
//
// An int8 product is that of the codes of hidden (quantize_row) and of table, whose rows are values of int8 rows
// (int8_rows.h). The gradients are straight-through: hidden and table are then the values of their codes.
//
// The backward products are float32, or of bfloat16 operands where the precision allows that and the CPU
// multiplies them faster.
//
// Tokens with a negative target have log_prob 0 and no gradient.
#pragma once

#include <cstdint>

#include "training/backward_precision.h"

namespace bitnet {

enum class HeadProduct { floats, int8 };

struct HeadShape {
  int64_t tokens;
  int64_t width;  // hidden size
  int64_t vocab;
  HeadProduct product;
};

// hidden [tokens][width], table [vocab][width] -> logits [tokens][vocab].
void head_logits(const float* hidden, const float* table, const HeadShape& shape, float* logits);

// Also argmax[t], the first id with the largest logit. Targets below vocab.
void head_log_probs(const float* hidden, const float* table, const int32_t* targets, const HeadShape& shape,
                    float* log_probs, int32_t* argmax);

// Gradients, and the log-probabilities once more: where dlog_probs are known beforehand, as those of a mean
// are, the logits are computed only once.
void head_log_probs_grad(const float* hidden, const float* table, const int32_t* targets,
                         const float* dlog_probs, const HeadShape& shape, BackwardPrecision precision,
                         float* log_probs, float* dhidden, float* dtable);

}  // namespace bitnet
