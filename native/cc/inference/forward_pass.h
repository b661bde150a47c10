// The decoder over a batch of token rows, in exactly the order of operations of the training forward:
//
//   x = embedding[id]
//   per layer:  h = RMSNorm(x);  q, k, v = h Wq, h Wk, h Wv;  q, k = RMSNorm of each head, with a QK norm
//               rotary embedding of q and k;  k, v into the cache
//               a = causal attention;  a = RMSNorm(a) if o has a norm;  x = x + a Wo
//               h = RMSNorm(x)
//               g = act(h Wgate) * (h Wup), or act(h Wup);  g = RMSNorm(g) if down has a norm;  x = x + g Wdown
//   hidden = RMSNorm(x)
//
// Where every linear layer has a norm of its own, its input is RMSNorm(x) with its own gain. A Hadamard
// transform of a and g stands after their norm.
//
// Every row is computed by the canonical kernels of core/kernels.h from its own sequence alone, so its bits
// do not depend on the other rows of the batch, on how a sequence is cut into batches, or on the number of
// threads.
#pragma once

#include <cstdint>
#include <vector>

#include "core/kernels.h"
#include "inference/kv_cache.h"
#include "inference/model.h"
#include "inference/scratch_slots.h"
#include "inference/workers.h"

namespace bitnet {

// Consecutive positions of one sequence, in consecutive rows of a batch.
struct Segment {
  int64_t row;     // first row in the batch
  KvCache* cache;  // of the sequence; all caches of a batch store the same type
  int64_t block;   // where the sequence starts in it
  int64_t first;   // position of the first row
  int64_t count;
};

class ForwardPass {
 public:
  // All three outlive this object.
  ForwardPass(const Model& model, const Kernels& kernels, const Workers& workers);

  // Runs the rows of `segments` (in row order, without gaps) and writes their keys and values to their
  // caches, which hold the earlier positions already. ids: one valid token id per row. wanted: ascending rows
  // whose hidden state is needed. Returns the hidden states after the final norm, [wanted][hidden_size],
  // valid until the next call. Throws Aborted; the positions of the batch must then be run again.
  const float* run(const int32_t* ids, const std::vector<Segment>& segments,
                   const std::vector<int64_t>& wanted);

 private:
  struct AttentionTask {
    int64_t row;  // of q and of the output
    const KvCache* cache;
    int64_t block;
    int64_t first;
    int64_t count;
  };

  void reserve(int64_t rows, int64_t positions);
  void embed(const int32_t* ids);
  void attention_block(int64_t index, bool last);
  void feed_forward_block(const Layer& layer);
  // projected = RMSNorm(projected), where there is such a gain.
  void norm_projected(const std::vector<float>& gain);
  // q: the query and key heads of one row.
  void norm_heads(const Layer& layer, float* q) const;
  void rotate_and_store(int64_t index);
  void attend(int64_t index);
  void keep_wanted_rows(const std::vector<int64_t>& wanted);
  // y[:, columns of each linear in turn] = RMSNorm(x) times the linears, with `gain`, or each with its own.
  // With `add_projected`, x = x + projected first.
  void project(const Linear* const* linears, int count, const std::vector<float>& gain, float* y,
               int64_t y_stride, bool add_projected = false);
  void quantize_input(float* row, int64_t cols, int64_t index);
  // What stands between an input of the o or down projection and its quantizer, and the quantizer.
  void finish_input(float* row, const Linear& linear, int64_t index);
  // y[:, columns of each linear in turn] = input rows times the linears, which share their input.
  void apply(const Linear* const* linears, int count, const float* x, int64_t x_stride, float* y,
             int64_t y_stride);

  const Model& model_;
  const ModelConfig& config_;
  const Kernels& kernels_;
  const Workers& workers_;
  const float attention_scale_;

  int64_t rows_ = 0;  // of the current batch, fewer after the last layer's attention
  const std::vector<Segment>* segments_ = nullptr;
  const std::vector<int64_t>* wanted_ = nullptr;
  std::vector<AttentionTask> attention_tasks_;

  int64_t capacity_ = 0;  // rows
  AlignedBuffer x_, hidden_, qkv_, attention_, gate_up_, projected_, codes_, packed_codes_, act_scale_,
      code_sum_, part_sums_;
  ScratchSlots scores_;
  int64_t rope_positions_ = 0;
  // [positions][head_dim / 2], of the model's rotary embedding and of that of layers with a window.
  std::vector<float> cosine_, sine_, window_cosine_, window_sine_;
};

}  // namespace bitnet
