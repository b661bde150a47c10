#include "training/causal_attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/canonical_math.h"
#include "core/kernels.h"
#include "core/rope_table.h"
#include "core/window_attention.h"
#include "training/arena.h"
#include "training/loops.h"
#include "training/partition.h"
#include "training/prefetch.h"

namespace bitnet {
namespace {

// Query rows whose scores exist at one time.
constexpr int64_t kQueryBlock = 48;
// Rows of one product in the backward pass: whole register tiles, few enough to skip most of what causality
// masks.
constexpr int64_t kStrip = 12;

struct RopeTable {
  int64_t positions = 0;
  Rope rope;
  std::vector<float> cosine, sine, minus_sine;
};

// The table of the last shape asked for, with room to spare for shorter sequences.
const RopeTable& rope_table(int64_t positions, const Rope& rope) {
  thread_local RopeTable table;
  if (table.positions < positions || !(table.rope == rope)) {
    const size_t size = static_cast<size_t>(positions * (rope.head_dim / 2));
    table.cosine.resize(size);
    table.sine.resize(size);
    fill_rope_table(0, positions, rope, table.cosine.data(), table.sine.data());
    table.minus_sine = table.sine;
    for (float& value : table.minus_sine) value = -value;
    table.positions = positions;
    table.rope = rope;
  }
  return table;
}

// Copies one head of `length` rows into [length][stride], stride >= head_dim, zero padded.
void load_padded(const float* head, int64_t row_stride, int64_t length, int64_t head_dim, int64_t stride,
                 float* out) {
  for (int64_t t = 0; t < length; ++t) {
    if (t + kRowsAhead < length) prefetch_row<Access::read>(head + (t + kRowsAhead) * row_stride, head_dim);
    std::memcpy(out + t * stride, head + t * row_stride, static_cast<size_t>(head_dim) * sizeof(float));
    for (int64_t d = head_dim; d < stride; ++d) out[t * stride + d] = 0.0f;
  }
}

// As load_padded, and rotates the rows.
void load_rotated(const float* head, int64_t row_stride, int64_t length, int64_t head_dim, int64_t stride,
                  const RopeTable& rope, float* out) {
  const Kernels& kernels = active_kernels();
  const int64_t half = head_dim / 2;
  load_padded(head, row_stride, length, head_dim, stride, out);
  for (int64_t t = 0; t < length; ++t) {
    kernels.rope_row(out + t * stride, 1, head_dim, rope.cosine.data() + t * half,
                     rope.sine.data() + t * half);
  }
}

// rows [length][stride] -> [ceil(length / 16)][head_dim][16], zero padded: the cache layout of core's
// attention.
void to_key_blocks(const float* rows, int64_t stride, int64_t length, int64_t head_dim, float* blocks) {
  for (int64_t first = 0; first < length; first += kLanes) {
    float* block = blocks + first * head_dim;
    for (int64_t d = 0; d < head_dim; ++d) {
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        block[d * kLanes + lane] = first + lane < length ? rows[(first + lane) * stride + d] : 0.0f;
      }
    }
  }
}

// Writes rows `stride` apart to rows row_stride apart.
void store_rows(const float* rows, int64_t stride, int64_t length, int64_t head_dim, float* head,
                int64_t row_stride) {
  for (int64_t t = 0; t < length; ++t) {
    if (t + kRowsAhead < length) prefetch_row<Access::write>(head + (t + kRowsAhead) * row_stride, head_dim);
    std::memcpy(head + t * row_stride, rows + t * stride, static_cast<size_t>(head_dim) * sizeof(float));
  }
}

// As store_rows, with the inverse of the rotation (its transpose), which is done in place.
void store_unrotated(float* rows, int64_t stride, int64_t length, int64_t head_dim, const RopeTable& rope,
                     float* head, int64_t row_stride) {
  const Kernels& kernels = active_kernels();
  const int64_t half = head_dim / 2;
  for (int64_t t = 0; t < length; ++t) {
    kernels.rope_row(rows + t * stride, 1, head_dim, rope.cosine.data() + t * half,
                     rope.minus_sine.data() + t * half);
  }
  store_rows(rows, stride, length, head_dim, head, row_stride);
}

float score_scale(int64_t head_dim) {
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(head_dim)));
}

// out[i][j] = rows[i] . key j for the keys that row i of a block starting at query `first` may see, and some
// more.
void visible_products(const TrainingLoops& loops, const float* rows, int64_t stride, int64_t first,
                      int64_t queries, const float* key_blocks, int64_t head_dim, int64_t width, float* out) {
  for (int64_t i = 0; i < queries; i += kStrip) {
    const int64_t count = queries - i < kStrip ? queries - i : kStrip;
    loops.multiply_rows(count, round_up(first + i + count, kLanes), head_dim, rows + i * stride, stride, 1,
                        key_blocks, kLanes, kLanes * head_dim, false, out + i * width, width);
  }
}

// Backward of one query head, adding to the gradients of its rotated key and its value head. Matrices are
// [length][stride], stride = round_up(head_dim, 16), zero padded.
struct HeadGradient {
  const TrainingLoops& loops;
  int64_t length, head_dim, stride;
  const float* q;             // rotated
  const float* keys;          // rotated
  const float* key_blocks;    // the same in blocks of 16
  const float* value_blocks;  // values in blocks of 16
  const float* dout;
  int64_t window;
  const float* delta;    // [length]: dout . out
  const float* log_sum;  // [length]
  float* dq;
  float* dk;  // accumulated
  float* dv;  // accumulated

  void run() const {
    ArenaScope scope;
    float* weights = scope.floats(kQueryBlock * round_up(length, kLanes));
    float* dscores = scope.floats(kQueryBlock * round_up(length, kLanes));
    for (int64_t first = 0; first < length; first += kQueryBlock) {
      const int64_t queries = length - first < kQueryBlock ? length - first : kQueryBlock;
      block(first, queries, round_up(first + queries, kLanes), weights, dscores);
    }
  }

 private:
  // Queries [first, first + queries), which see less than `width` keys.
  void block(int64_t first, int64_t queries, int64_t width, float* weights, float* dscores) const {
    const float scale = score_scale(head_dim);
    const float* q_block = q + first * stride;
    const float* dout_block = dout + first * stride;
    visible_products(loops, q_block, stride, first, queries, key_blocks, head_dim, width, weights);
    visible_products(loops, dout_block, stride, first, queries, value_blocks, head_dim, width, dscores);
    for (int64_t i = 0; i < queries; ++i) {
      float* p = weights + i * width;
      float* ds = dscores + i * width;
      const int64_t seen = first + i + 1, begin = window_begin(first + i, window);
      loops.exp_affine(p + begin, seen - begin, scale, -log_sum[first + i], p + begin);
      loops.softmax_grad(p + begin, seen - begin, delta[first + i], scale, ds + begin);
      for (int64_t j = 0; j < begin; ++j) p[j] = ds[j] = 0.0f;
      for (int64_t j = seen; j < width; ++j) p[j] = ds[j] = 0.0f;
    }
    for (int64_t i = 0; i < queries; i += kStrip) {
      const int64_t count = queries - i < kStrip ? queries - i : kStrip;
      loops.multiply_rows(count, stride, first + i + count, dscores + i * width, width, 1, keys, stride,
                          kLanes, false, dq + (first + i) * stride, stride);
    }
    for (int64_t key = 0; key < first + queries; key += kStrip) {
      const int64_t count = first + queries - key < kStrip ? first + queries - key : kStrip;
      // Earlier queries of the block do not see this strip.
      const int64_t skip = key > first ? key - first : 0;
      const int64_t offset = skip * width + key;
      loops.multiply_rows(count, stride, queries - skip, dscores + offset, 1, width, q_block + skip * stride,
                          stride, kLanes, true, dk + key * stride, stride);
      loops.multiply_rows(count, stride, queries - skip, weights + offset, 1, width,
                          dout_block + skip * stride, stride, kLanes, true, dv + key * stride, stride);
    }
  }
};

}  // namespace

void causal_attention(const float* qkv, const AttentionShape& shape, float* out, float* log_sum) {
  const Kernels& kernels = active_kernels();
  const int64_t length = shape.length, head_dim = shape.head_dim;
  const int64_t group = shape.heads / shape.kv_heads;
  const int64_t width = shape.qkv_width(), out_width = shape.out_width();
  const float scale = score_scale(head_dim);
  const RopeTable& rope = rope_table(length, shape.rope());
  parallel_chunks(shape.batch * shape.kv_heads, 1, [&](int64_t task, int64_t) {
    const int64_t sequence = task / shape.kv_heads, kv_head = task % shape.kv_heads;
    ArenaScope scope;
    const int64_t stride = round_up(head_dim, kLanes);
    float* rows = scope.floats(length * stride);
    float* keys = scope.floats(round_up(length, kLanes) * head_dim);
    float* values = scope.floats(length * stride);
    float* scratch = scope.floats(kQueryBlock * round_up(length, kLanes));
    float* window_space = scope.floats(std::max<int64_t>(1, window_scratch(shape.window, head_dim)));
    const WindowAttention attention{kernels, head_dim, shape.window, scale};
    const float* source = qkv + sequence * length * width;
    load_rotated(source + (shape.heads + kv_head) * head_dim, width, length, head_dim, stride, rope, rows);
    to_key_blocks(rows, stride, length, head_dim, keys);
    load_padded(source + (shape.heads + shape.kv_heads + kv_head) * head_dim, width, length, head_dim, stride,
                values);
    for (int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
      load_rotated(source + head * head_dim, width, length, head_dim, stride, rope, rows);
      float* head_out = out + sequence * length * out_width + head * head_dim;
      float* head_log_sum = log_sum + (sequence * shape.heads + head) * length;
      for (int64_t first = 0; first < length; first += kQueryBlock) {
        const int64_t queries = length - first < kQueryBlock ? length - first : kQueryBlock;
        attention.run(rows + first * stride, stride, queries, first, keys, values, stride, scratch,
                      window_space, head_out + first * out_width, out_width, head_log_sum + first);
      }
    }
  });
}

void causal_attention_grad(const float* qkv, const float* out, const float* log_sum, const float* dout,
                           const AttentionShape& shape, float* dqkv) {
  const TrainingLoops& loops = active_loops();
  const int64_t length = shape.length, head_dim = shape.head_dim;
  const int64_t group = shape.heads / shape.kv_heads;
  const int64_t width = shape.qkv_width(), out_width = shape.out_width();
  const RopeTable& rope = rope_table(length, shape.rope());
  parallel_chunks(shape.batch * shape.kv_heads, 1, [&](int64_t task, int64_t) {
    const int64_t sequence = task / shape.kv_heads, kv_head = task % shape.kv_heads;
    ArenaScope scope;
    const int64_t stride = round_up(head_dim, kLanes), size = length * stride;
    float* keys = scope.floats(size);
    float* q = scope.floats(size);
    float* head_dout = scope.floats(size);
    float* key_blocks = scope.floats(round_up(length, kLanes) * head_dim);
    float* value_blocks = scope.floats(round_up(length, kLanes) * head_dim);
    float* delta = scope.floats(length);
    float* dq = scope.floats(size);
    float* dk = scope.floats(size);
    float* dv = scope.floats(size);
    std::memset(dk, 0, static_cast<size_t>(size) * sizeof(float));
    std::memset(dv, 0, static_cast<size_t>(size) * sizeof(float));
    const int64_t key_column = (shape.heads + kv_head) * head_dim;
    const int64_t value_column = (shape.heads + shape.kv_heads + kv_head) * head_dim;
    const float* source = qkv + sequence * length * width;
    float* target = dqkv + sequence * length * width;
    load_rotated(source + key_column, width, length, head_dim, stride, rope, keys);
    to_key_blocks(keys, stride, length, head_dim, key_blocks);
    to_key_blocks(source + value_column, width, length, head_dim, value_blocks);
    for (int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
      const int64_t offset = sequence * length * out_width + head * head_dim;
      load_rotated(source + head * head_dim, width, length, head_dim, stride, rope, q);
      load_padded(dout + offset, out_width, length, head_dim, stride, head_dout);
      for (int64_t t = 0; t < length; ++t) {
        if (t + kRowsAhead < length) {
          prefetch_row<Access::read>(out + offset + (t + kRowsAhead) * out_width, head_dim);
        }
        delta[t] = loops.dot(out + offset + t * out_width, head_dout + t * stride, head_dim);
      }
      const float* head_log_sum = log_sum + (sequence * shape.heads + head) * length;
      HeadGradient{loops,     length,       head_dim, stride,       q,  keys, key_blocks, value_blocks,
                   head_dout, shape.window, delta,    head_log_sum, dq, dk,   dv}
          .run();
      store_unrotated(dq, stride, length, head_dim, rope, target + head * head_dim, width);
    }
    store_unrotated(dk, stride, length, head_dim, rope, target + key_column, width);
    store_rows(dv, stride, length, head_dim, target + value_column, width);
  });
}

}  // namespace bitnet
