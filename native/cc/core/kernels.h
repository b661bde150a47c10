// The kernels that training and inference share, one table per ISA variant.
//
// Law: for the same arguments every variant returns the same bits. Integer results are exact; float32 results
// follow the canonical order written beside each entry, whose readable form is the scalar variant
// (`*_scalar.cc`). A variant registers itself (variant_registry.h); tests and benchmarks loop over the
// registry.
//
// Kernels are single-threaded: callers cut work over rows, groups or heads with ThreadPool. No kernel
// allocates.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/ternary_panel.h"

namespace bitnet {

// Element type of a row-major float matrix read by `linear_rows` and `decode_row`.
enum class RowType : int {
  f32 = 0,
  f16 = 1,
  bf16 = 2,
  q8_0 = 3,
  q6_k = 4,
  q4_k = 5,
  q2_0 = 6,
  q5_k = 7,
  q4_0 = 8
};

// Elements that are stored together; a row is a whole number of such blocks.
constexpr int64_t block_cols(RowType type) {
  switch (type) {
    case RowType::q8_0:
    case RowType::q4_0:
      return 32;
    case RowType::q2_0:
      return 64;
    case RowType::q6_k:
    case RowType::q5_k:
    case RowType::q4_k:
      return 256;
    default:
      return 1;
  }
}

// Bytes of one row of a multiple of block_cols. q8_0: blocks of float16 scale + 32 int8; q2_0: of
// float16 scale + 64 codes c of 2 bits, the first in the lowest, for (c - 1) x scale; q4_0: of float16 scale +
// 32 codes c of 4 bits, those of columns m and 16 + m in the lower and upper half of byte m, for (c - 8) x
// scale; q6_k, q5_k, q4_k: k_quants.h.
constexpr int64_t row_bytes(RowType type, int64_t cols) {
  switch (type) {
    case RowType::f32:
      return cols * 4;
    case RowType::q8_0:
      return cols / 32 * 34;
    case RowType::q2_0:
      return cols / 64 * 18;
    case RowType::q4_0:
      return cols / 32 * 18;
    case RowType::q6_k:
      return cols / 256 * 210;
    case RowType::q5_k:
      return cols / 256 * 176;
    case RowType::q4_k:
      return cols / 256 * 144;
    default:
      return cols * 2;
  }
}

// Micro-kernel of gemm_f32 (gemm_f32.h): out[r][c] = sum_p a[r * a_row + p * a_step] * b[p * cols + c], each
// element one chain of fma from 0, added onto out when `accumulate`. A is read in place or from a packed
// panel, B from a packed panel. Rows of out are `stride` floats apart.
struct GemmTile {
  int64_t rows;
  int64_t cols;
  void (*multiply)(int64_t depth, const float* a, int64_t a_row, int64_t a_step, const float* b, float* out,
                   int64_t stride, bool accumulate);
};
constexpr int64_t kMaxGemmTile = 512;  // rows * cols of any variant

// Micro-kernel of gemm_i8 (gemm_i8.h). Panels hold steps of `group` consecutive depths, one after the other
// in memory, the depth padded with zeros:  A [step][kInt8PanelRows][group],  B [step][cols][group].
constexpr int64_t kInt8PanelRows = 48;
constexpr int64_t kMaxInt8Tile = 512;  // rows * cols of any variant
struct Int8Tile {
  int64_t rows;  // divides kInt8PanelRows
  int64_t cols;
  int64_t group;
  int64_t element_bytes;  // 1, or 2 where codes are widened for the multiplier
  // Packs `depth` rows of codes, `stride` apart. At least `lanes` codes of a row may be read (any number, but
  // a multiple of 16 below the panel's width); further lanes of the panel are 0.
  void (*pack_a)(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, uint8_t* panel);
  void (*pack_b)(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, uint8_t* panel);
  // out[r][c] (+)= sum over `steps` steps of a[r] * b[c]; `a` points at its first row inside the panel. Rows
  // of out are `stride` elements apart.
  void (*multiply)(int64_t steps, const uint8_t* a, const uint8_t* b, int32_t* out, int64_t stride,
                   bool accumulate);

  int64_t step_bytes() const { return group * element_bytes; }  // of one lane
  int64_t a_panel_bytes(int64_t steps) const { return steps * kInt8PanelRows * step_bytes(); }
  // Room for a correction of 4 bytes per column in front.
  int64_t b_panel_bytes(int64_t steps) const { return (steps * step_bytes() + 4) * cols; }
};

// Activation codes of some tokens: int8 rows `stride` bytes apart (a multiple of kCodePadding), zero padded.
struct CodeRows {
  const int8_t* codes;
  int64_t stride;
  const float* act_scale;
  const int32_t* code_sum;
  int64_t tokens;
  // By Kernels::code_packing, where needs_packing says so; then at most kMaxPackedTokens tokens.
  const uint8_t* packed = nullptr;
  // Where the weights have spans: code_parts of each row, [tokens][code_parts(cols)].
  const int32_t* part_sums = nullptr;

  const int32_t* sums_of(int64_t token) const { return part_sums + token * (stride / kCodePadding); }
  // `count` tokens from `token` on, unpacked.
  CodeRows rows_from(int64_t token, int64_t count) const {
    return {codes + token * stride,
            stride,
            act_scale + token,
            code_sum + token,
            count,
            nullptr,
            part_sums ? sums_of(token) : nullptr};
  }
};
// What one pass over unpacked weights multiplies: enough tokens to pay for the unpacking, few enough for the
// second-level cache.
constexpr int64_t kMaxPackedTokens = 256;

// How a variant wants the codes of many tokens ordered: packed once per product, whatever parts it is cut
// into.
struct CodePacking {
  int64_t tile_tokens;  // tokens that are packed together; the last tile may have fewer
  // From this number of tokens on; fewer are read as they are.
  int64_t min_tokens;
  // Packs tile `tile` of `tokens` tokens, all of whose codes take packed_code_bytes.
  void (*pack_tile)(const int8_t* codes, int64_t stride, int64_t tokens, int64_t cols, int64_t tile,
                    uint8_t* packed);
};
// Upper bound for every variant; `packed` is 64-byte aligned.
constexpr int64_t kMaxCodeTile = 16;
inline int64_t packed_code_bytes(int64_t tokens, int64_t cols) {
  return round_up(tokens, kMaxCodeTile) * padded_cols(cols);
}

// The largest power of two that divides n, and float32(1 / sqrt(block)).
constexpr int64_t hadamard_block(int64_t n) { return n & -n; }
inline float hadamard_factor(int64_t block) {
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(block)));
}

struct RowPanel;  // row_panel.h
struct Int8Rows;  // int8_rows.h

// All entries are set, but for those that say what null means.
struct PanelTile;  // panel_tile.h

struct Kernels {
  const char* name;

  // ---- quantization ------------------------------------------------------------------------------------
  // absmax int8 of one row. m = max(max|x|, 1e-5);  codes[i] = clip(rint(x[i] * (127 / m)), -128, 127);
  // *act_scale = m / 127;  *code_sum = sum of codes. codes has padded_cols(cols) bytes, the padding is
  // zeroed.
  void (*quantize_row)(const float* x, int64_t cols, int8_t* codes, float* act_scale, int32_t* code_sum);
  // max(max|x|, 1e-5) of one row.
  float (*abs_max_row)(const float* x, int64_t cols);
  // codes[i] = clip(rint(x[i] * inverse), low, high), integers in [-128, 127]; *code_sum and padding as above.
  void (*code_row)(const float* x, int64_t cols, float inverse, float low, float high, int8_t* codes,
                   int32_t* code_sum);
  // Sum of |w| of one row in float64: 16 lanes, fixed tree. The matrix mean adds rows in order, then divides.
  double (*abs_sum_row)(const float* w, int64_t cols);
  // ternary[i] = clip(rint(w[i] * inverse_scale), -1, 1).
  void (*ternarize)(const float* w, int64_t count, float inverse_scale, int8_t* ternary);

  // ---- integer product ---------------------------------------------------------------------------------
  //   y[t][n] = float(sum_k x[t][k] * ternary[n][k]) * (act_scale[t] * weight_scale[n])
  // for rows n of the groups [group_begin, group_end) and all tokens of x, with weight_scale[n] =
  // w.group_scales(n / 16)[n % 16]. y is indexed by the absolute n; rows y_stride floats apart.
  //
  // Where the weights have spans (w.has_spans, x.part_sums):
  //   y[t][n] = s * act_scale[t],  s = a chain of fma(float(sum of span), scale of span n, s) over the spans
  // in order, from 0; the sum of a span of x[t][k] * ternary[n][k] is exact.
  // Any number of tokens: the variant picks GEMV or GEMM. Requires cols <= 2^23 (an int32 sum cannot
  // overflow), and packed codes where needs_packing says so.
  void (*ternary_gemm)(const TernaryPanel& w, int64_t group_begin, int64_t group_end, const CodeRows& x,
                       float* y, int64_t y_stride);
  const CodePacking* code_packing;  // null: never packed

  // ---- float rows --------------------------------------------------------------------------------------
  // RMSNorm. s = sum x^2 (16 lanes of fma, zero padded, fixed tree);  r = 1 / sqrt(s / n + eps);
  // y[i] = gain[i] * (x[i] * r). Returns r. y may be x.
  float (*rms_norm_row)(const float* x, const float* gain, int64_t n, float eps, float* y);
  // Rotary embedding in place, rotate-half pairs (i, i + head_dim / 2), on `heads` heads of one token:
  // a' = fma(a, c, -(b * s)), b' = fma(b, c, a * s). cosine, sine: head_dim / 2 values (see rope_table.h).
  void (*rope_row)(float* x, int64_t heads, int64_t head_dim, const float* cosine, const float* sine);
  // y[i] = (r * r) * up[i], r = max(gate[i], 0). y may be gate or up.
  void (*relu2_gate)(const float* gate, const float* up, int64_t n, float* y);
  // y[i] = (gate[i] / (1 + exp(-gate[i]))) * up[i], canonical exp. y may be gate or up.
  void (*silu_gate)(const float* gate, const float* up, int64_t n, float* y);
  // y[i] = (gate[i] / (1 + exp(-u))) * up[i], canonical exp, u = gate[i] * fma(gate[i] * gate[i], kGeluCubic,
  // kGeluLinear): GELU by tanh, 0.5 x (1 + tanh(u / 2)). y may be gate or up.
  void (*gelu_gate)(const float* gate, const float* up, int64_t n, float* y);
  // y[i] = r * r, r = max(x[i], 0). y may be x.
  void (*squared_relu)(const float* x, int64_t n, float* y);
  // Walsh-Hadamard transform of each block of hadamard_block(n): for h = 1, 2, 4 .. block / 2 in this order,
  // a, b = x[i], x[i + h] become a + b, a - b; at last each is multiplied by hadamard_factor. y may be x.
  void (*hadamard_row)(const float* x, int64_t n, float* y);
  // y[i] = a[i] + b[i]. y may be a or b.
  void (*add)(const float* a, const float* b, int64_t n, float* y);

  // ---- attention ---------------------------------------------------------------------------------------
  // Causal attention of `queries` consecutive query rows of one head. Query i has absolute position first + i
  // and sees keys 0 .. first + i.
  //   keys:   [ceil(keys/16)][head_dim][16], key j of block j / 16 in lane j % 16; lanes past the last key
  //           may hold any finite value.
  //   values: [key][value_stride], value_stride >= round_up(head_dim, 16), zero padded.
  // Order: score = chain of fma over head_dim from 0, then * scale; m = exact maximum; e = exp(score - m);
  // sum of e in 16 lanes by key index mod 16, fixed tree; out[d] = (chain of fma(e[j], values[j][d]) over
  // keys from 0) * (1 / sum). out: rows out_stride floats apart. scratch: queries * round_up(first + queries,
  // 16) floats. Also returns, when log_sum is not null, log_sum[i] = m + log(sum), for the backward pass.
  void (*attention)(const float* q, int64_t q_stride, int64_t queries, int64_t first, const float* keys,
                    const float* values, int64_t value_stride, int64_t head_dim, float scale, float* scratch,
                    float* out, int64_t out_stride, float* log_sum);

  // ---- float products over row-major weights (head, unquantized linears) --------------------------------
  // y[t][n] = sum_k x[t][k] * w[n][k] for rows n in [row_begin, row_end): 16 lanes of fma over k (zero
  // padded), fixed tree. Stored values are decoded to float32 (q8_0, q4_0, q2_0: float(q) * float(d), exact;
  // q6_k, q5_k and q4_k: one rounding, see k_quants.h) before the fma. w points at row 0; y is indexed by the absolute n.
  void (*linear_rows)(const void* w, RowType type, int64_t row_begin, int64_t row_end, int64_t cols,
                      const float* x, int64_t x_stride, int64_t tokens, float* y, int64_t y_stride);
  // The same product for interleaved rows (row_panel.h); row_begin is a multiple of kRowGroup, and row_end
  // too or the number of rows.
  void (*panel_rows)(const RowPanel& w, int64_t row_begin, int64_t row_end, const float* x, int64_t x_stride,
                     int64_t tokens, float* y, int64_t y_stride);
  // The product of interleaved rows of q8_0 with int8 codes, outside the law (Head says when). Per block of
  // 32 columns, lane j = 0..7 has the exact integer sum of columns 4j .. 4j+3, which is added as
  // fma(float(sum), float(d), lane); y[t][n] = (lanes added pairwise, j with j+4, j+2, j+1) * act_scale[t].
  // Codes of x in
  // [-127, 127]. Rows as in panel_rows.
  void (*q8_rows)(const RowPanel& w, int64_t row_begin, int64_t row_end, const int8_t* x, int64_t x_stride,
                  const float* act_scale, int64_t tokens, float* y, int64_t y_stride);
  // The exact product of int8 rows (int8_rows.h), best for a few tokens: callers ask multiply_int8_rows. Codes
  // of x in [-127, 127].
  void (*int8_rows)(const Int8Rows& w, int64_t row_begin, int64_t row_end, const CodeRows& x, float* y,
                    int64_t y_stride);
  // One stored row to float32.
  void (*decode_row)(const void* row, RowType type, int64_t cols, float* out);
  // log(sum exp(x)): m = exact maximum, sum of exp(x[i] - m) in 16 lanes (i mod 16), fixed tree;
  // the result is m + log(sum).
  float (*log_sum_exp)(const float* x, int64_t n);

  GemmTile gemm_tile;
  const PanelTile* bf16_tile;  // null: the variant has none; ask usable_bf16_tile
  const Int8Tile* int8_tile;
  const PanelTile* int8_panels;  // of gemm_i8 instead of int8_tile; null: the variant has none

  bool needs_packing(int64_t tokens) const { return code_packing && tokens >= code_packing->min_tokens; }
  // Tiles to pack: 0 if the codes are read as they are.
  int64_t code_tiles(int64_t tokens) const {
    return needs_packing(tokens) ? (tokens + code_packing->tile_tokens - 1) / code_packing->tile_tokens : 0;
  }
};

// The bfloat16 tile of the variant; null if it has none or this CPU cannot run it.
const PanelTile* usable_bf16_tile(const Kernels& kernels);
// The same where it multiplies faster than float32.
const PanelTile* fast_bf16_tile(const Kernels& kernels);

// The kernels of the active variant (variant_registry.h).
const Kernels& active_kernels();

}  // namespace bitnet
