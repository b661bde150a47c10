#include "inference/bytes_per_token.h"

namespace bitnet {
namespace {

int64_t matrix_bytes(const Linear& linear) {
  if (!linear.ternary) return linear.out * row_bytes(linear.row_type, linear.in);
  const TernaryPanel& panel = linear.panel;
  const int64_t bytes = panel_bytes(linear.out, linear.in);
  if (panel.has_spans()) return bytes + linear.out * panel.span_count() * (panel.spans.half ? 2 : 4);
  return bytes + (panel.scale_step ? linear.out * static_cast<int64_t>(sizeof(float)) : 0);
}

// Of the head, and of one row of the embedding.
int64_t vocabulary_bytes(const Model& model) {
  const RowPanel& head = model.head();
  const Int8Rows* int8 = model.int8_head();
  if (!int8) return (head.rows + 1) * row_bytes(head.type, head.cols);
  constexpr int64_t kScaleAndSum = sizeof(float) + sizeof(int32_t);
  const int64_t embedding = model.tied() ? int8->cols : row_bytes(head.type, head.cols);
  return int8->rows * (int8->cols + kScaleAndSum) + embedding;
}

}  // namespace

uint64_t bytes_per_token(const Model& model) {
  int64_t bytes = vocabulary_bytes(model);
  size_t gains = model.output_norm().size();
  for (const Layer& layer : model.layers()) {
    for (const Linear* linear :
         {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) {
      bytes += matrix_bytes(*linear);
      gains += linear->norm.size() + linear->bias.size();
    }
    gains += layer.attn_norm.size() + layer.ffn_norm.size() + layer.q_norm.size() + layer.k_norm.size() +
             layer.post_attn_norm.size() + layer.post_ffn_norm.size();
  }
  return static_cast<uint64_t>(bytes) + gains * sizeof(float);
}

}  // namespace bitnet
