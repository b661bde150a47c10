// Ternary products by instructions that multiply unsigned codes with signed activations, four at a time, and
// add them to 32-bit sums (VPDPBUSD): one body for 256 and 512 bits. Include inside a target region, after a
// header that defines
//
//   Codes                 a vector of kLanesOfCodes rows times 4 columns
//   kLanesOfCodes         8 or 16
//   kTileTokens           tokens of a register tile: 2 * kTileTokens sums, 2 codes and an operand fit
//   kFewTokens            up to which the weights stream by unpacked in registers
//   load_codes, store_codes, zero_sums, two_bits(v, step), dot(sums, codes, x), broadcast_columns(x),
//   add_sums
//   store_outputs(sums, code_sum, act_scale, scales, rows, y)
//                         y[r] = float(sums[r] - code_sum) * (act_scale * scales[r])
//
// and for spans (vnni_spans.h)
//
//   Floats                a vector of kLanesOfCodes float32
//   broadcast_sum(sum), take_off(sums, sum), zero_floats, load_floats, store_floats
//   add_scaled(total, sums, scales)   fma(float(sums), scales, total)
//   load_scales(values, half, index)  scales as SpanScales has them
//   store_totals(total, act_scale, rows, y)   y[r] = total[r] * act_scale
//
// Many tokens: codes of 2 * kLanesOfCodes rows are unpacked to bytes, a chunk of columns that stays in the L1
// cache, and multiplied with one register tile of packed tokens after the other:
//
//   packed tokens   [chunk of columns][tile][column / 4][token][4]
//
// so that one pointer reaches all of a step and the tiles of a chunk are one stream.
//
// Tiles have even numbers of tokens and differ by at most two, so that none is much smaller than the others.
// A few tokens: the packed weights stream by once and are unpacked in registers, with several sums per token
// to hide the latency.
#pragma once

#include "core/kernels.h"
#include "core/target_region.h"

namespace bitnet {
namespace {

constexpr int64_t kStepCols = 4;
constexpr int64_t kStepBytes = kPanelRows * kStepCols;  // of unpacked codes of a group
// 16 KB of codes: what the smallest first-level caches hold beside a tile of tokens.
constexpr int64_t kChunkCols = 512;
constexpr int kTileGroups = 2 * kLanesOfCodes / static_cast<int>(kPanelRows);
static_assert(kTileTokens % 2 == 0 && kTileTokens <= kMaxCodeTile, "tiles are made of pairs");

struct CodeTile {
  int64_t first, tokens;  // an even number, of which the last may lie behind the end
};

BITNET_INLINE CodeTile code_tile(int64_t all, int64_t i) {
  const int64_t tiles = (all + kTileTokens - 1) / kTileTokens, pairs = (all + 1) / 2;
  const int64_t fewest = pairs / tiles, more = pairs % tiles;
  return {2 * (i * fewest + (i < more ? i : more)), 2 * (fewest + (i < more))};
}

// Of the tile that starts at `token`, in the chunk of `chunk` columns from `col` on, of `all` tokens.
BITNET_INLINE int64_t packed_offset(int64_t all, int64_t col, int64_t token, int64_t chunk) {
  return col * (all + all % 2) + token * chunk;
}

// 16 columns of four tokens, of which `count` exist: out[step][token][4].
BITNET_INLINE void pack_four_tokens(const int8_t* codes, int64_t stride, int64_t count, uint8_t* out,
                                    int64_t out_step, int64_t width) {
  __m128i row[4];
  BITNET_UNROLL
  for (int t = 0; t < 4; ++t) {
    row[t] = t < count ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + t * stride))
                       : _mm_setzero_si128();
  }
  const __m128i low01 = _mm_unpacklo_epi32(row[0], row[1]), high01 = _mm_unpackhi_epi32(row[0], row[1]);
  const __m128i low23 = _mm_unpacklo_epi32(row[2], row[3]), high23 = _mm_unpackhi_epi32(row[2], row[3]);
  const __m128i steps[4] = {_mm_unpacklo_epi64(low01, low23), _mm_unpackhi_epi64(low01, low23),
                            _mm_unpacklo_epi64(high01, high23), _mm_unpackhi_epi64(high01, high23)};
  BITNET_UNROLL
  for (int step = 0; step < 4; ++step) {
    __m128i* to = reinterpret_cast<__m128i*>(out + step * out_step);
    if (width >= 4) {
      _mm_storeu_si128(to, steps[step]);
    } else {
      _mm_storel_epi64(to, steps[step]);  // a pair
    }
  }
}

void pack_code_tile(const int8_t* codes, int64_t stride, int64_t all, int64_t cols, int64_t i,
                    uint8_t* packed) {
  const CodeTile tile = code_tile(all, i);
  const int64_t width = padded_cols(cols), step = tile.tokens * kStepCols;
  for (int64_t first = 0; first < width; first += kChunkCols) {
    const int64_t chunk = width - first < kChunkCols ? width - first : kChunkCols;
    uint8_t* out = packed + packed_offset(all, first, tile.first, chunk);
    for (int64_t k = 0; k < chunk; k += kPanelCols, out += 4 * step) {
      for (int64_t t = 0; t < tile.tokens; t += 4) {
        const int64_t token = tile.first + t;
        pack_four_tokens(codes + token * stride + first + k, stride, all - token, out + t * kStepCols, step,
                         tile.tokens - t);
      }
    }
  }
}

struct TernaryJob {
  const TernaryPanel& w;
  const CodeRows& x;
  float* y;
  int64_t y_stride;

  int64_t cols() const { return padded_cols(w.cols); }
  const uint8_t* codes(int64_t group) const { return w.codes + group * panel_group_bytes(w.cols); }
};

// ---- many tokens ----

// Packed blocks of one group to bytes, [column / 4][16 rows][4].
BITNET_INLINE void unpack_group(const uint8_t* packed, int64_t blocks, uint8_t* out) {
  for (int64_t block = 0; block < blocks; ++block) {
    for (int64_t at = 0; at < kPanelBlockBytes; at += 4 * kLanesOfCodes) {
      const Codes v = load_codes(packed + block * kPanelBlockBytes + at);
      BITNET_UNROLL
      for (int step = 0; step < 4; ++step) {
        store_codes(out + (4 * block + step) * kStepBytes + at, two_bits(v, step));
      }
    }
  }
}

// Where the rows of a register tile lie: two vectors of codes, and their outputs.
struct RowTile {
  const uint8_t* codes[2];
  int64_t group[2];  // that has the scales of each vector
  int64_t lane[2];   // of the group, with which it begins
  int64_t rows[2];   // that exist, of each vector
  int64_t first;     // row of y
};

// One chunk of columns of some packed tokens, of which `left` exist. Sums wait in `stash` from the first chunk
// to the last.
struct TileChunk {
  const uint8_t* x;
  int64_t first_col, cols;
  bool last;
  int64_t token, left;
  uint8_t* stash;
};

// `steps` steps of Tokens packed tokens and the two vectors of codes of a tile.
template <int Tokens>
BITNET_INLINE void multiply_steps(const uint8_t* low_codes, const uint8_t* high_codes, const uint8_t* x,
                                  int64_t steps, Codes (&low)[Tokens], Codes (&high)[Tokens]) {
  for (int64_t step = 0; step < steps; ++step) {
    const Codes a = load_codes(low_codes + step * kStepBytes), b = load_codes(high_codes + step * kStepBytes);
    BITNET_UNROLL
    for (int t = 0; t < Tokens; ++t) {
      const Codes four = broadcast_columns(x + t * kStepCols);
      low[t] = dot(low[t], a, four);
      high[t] = dot(high[t], b, four);
    }
    x += Tokens * kStepCols;
  }
}

// A register tile of a product with scales of the matrix or of rows.
template <int Tokens>
void multiply_tile(const TernaryJob& job, const RowTile& at, const TileChunk& chunk) {
  constexpr int kVectorBytes = 4 * kLanesOfCodes;
  const bool first = chunk.first_col == 0;
  uint8_t* stash = chunk.stash;
  Codes low[Tokens], high[Tokens];
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    low[t] = first ? zero_sums() : load_codes(stash + 2 * t * kVectorBytes);
    high[t] = first ? zero_sums() : load_codes(stash + (2 * t + 1) * kVectorBytes);
  }
  multiply_steps<Tokens>(at.codes[0], at.codes[1], chunk.x, chunk.cols / kStepCols, low, high);
  if (!chunk.last) {
    BITNET_UNROLL
    for (int t = 0; t < Tokens; ++t) {
      store_codes(stash + 2 * t * kVectorBytes, low[t]);
      store_codes(stash + (2 * t + 1) * kVectorBytes, high[t]);
    }
    return;
  }
  const float* low_scales = job.w.group_scales(at.group[0]) + at.lane[0];
  const float* high_scales = job.w.group_scales(at.group[1]) + at.lane[1];
  float* y = job.y + chunk.token * job.y_stride + at.first;
  BITNET_UNROLL
  for (int t = 0; t < Tokens; ++t) {
    if (t >= chunk.left) break;
    const int32_t code_sum = job.x.code_sum[chunk.token + t];
    const float act_scale = job.x.act_scale[chunk.token + t];
    store_outputs(low[t], code_sum, act_scale, low_scales, at.rows[0], y + t * job.y_stride);
    store_outputs(high[t], code_sum, act_scale, high_scales, at.rows[1],
                  y + t * job.y_stride + kLanesOfCodes);
  }
}

// The tile for a number of tokens known at run time, 2 .. Tokens.
template <class Product, int Tokens>
void multiply_tile_of(int64_t tokens, const TernaryJob& job, const RowTile& at, const TileChunk& chunk) {
  if (tokens == Tokens) return Product::template tile<Tokens>(job, at, chunk);
  if constexpr (Tokens > 2) multiply_tile_of<Product, Tokens - 2>(tokens, job, at, chunk);
}

// Rows of the vector that starts `lane` rows into a tile of groups from `group` on.
BITNET_INLINE int64_t rows_of_vector(const TernaryJob& job, int64_t group, int64_t lane) {
  const int64_t left = job.w.rows - group * kPanelRows - lane;
  return left < 0 ? 0 : left < kLanesOfCodes ? left : kLanesOfCodes;
}

template <class Product>
void multiply_many(const TernaryJob& job, int64_t group_begin, int64_t group_end) {
  alignas(64) uint8_t unpacked[kTileGroups * kChunkCols * kPanelRows];
  alignas(64) uint8_t stash[kMaxPackedTokens * 2 * 4 * kLanesOfCodes];
  constexpr int64_t kGroupBytes = kChunkCols * kPanelRows;
  const int64_t cols = job.cols(), tokens = job.x.tokens;
  const int64_t tiles = (tokens + kTileTokens - 1) / kTileTokens;
  for (int64_t group = group_begin; group < group_end; group += kTileGroups) {
    RowTile at;
    at.first = group * kPanelRows;
    at.codes[0] = unpacked;
    at.codes[1] = unpacked + (kTileGroups == 2 ? kGroupBytes : kStepBytes / 2);
    at.rows[0] = rows_of_vector(job, group, 0);
    at.rows[1] =
        group + kTileGroups <= group_end || kTileGroups == 1 ? rows_of_vector(job, group, kLanesOfCodes) : 0;
    at.group[0] = group;
    at.group[1] = kTileGroups == 2 && at.rows[1] > 0 ? group + 1 : group;
    at.lane[0] = 0;
    at.lane[1] = kTileGroups == 1 ? kLanesOfCodes : 0;
    for (int64_t k = 0; k < cols; k += kChunkCols) {
      const int64_t chunk = cols - k < kChunkCols ? cols - k : kChunkCols;
      for (int64_t g = 0; g < kTileGroups && group + g < group_end; ++g) {
        unpack_group(job.codes(group + g) + k / kPanelCols * kPanelBlockBytes, chunk / kPanelCols,
                     unpacked + g * kGroupBytes);
      }
      for (int64_t i = 0; i < tiles; ++i) {
        const CodeTile tile = code_tile(tokens, i);
        multiply_tile_of<Product, kTileTokens>(
            tile.tokens, job, at,
            {job.x.packed + packed_offset(tokens, k, tile.first, chunk), k, chunk, k + chunk == cols,
             tile.first, tokens - tile.first, stash + tile.first * 8 * kLanesOfCodes});
      }
    }
  }
}

// ---- a few tokens ----

constexpr int kGroupVectors = static_cast<int>(kPanelRows) / kLanesOfCodes;

// Independent sums per token and vector, used in turn by the steps of a block: enough to hide the latency of
// an instruction, few enough for the registers.
constexpr int stream_sums(int tokens) { return tokens * kGroupVectors <= 3 ? 4 : 2; }

// sums += one block of columns of a group.
template <int Tokens, int Sums>
BITNET_INLINE void multiply_block(const uint8_t* packed, const int8_t* x, int64_t stride,
                                  Codes (&sums)[kGroupVectors][Tokens][Sums]) {
  BITNET_PREFETCH_STREAM(packed);
  BITNET_UNROLL
  for (int step = 0; step < 4; ++step) {
    BITNET_UNROLL
    for (int v = 0; v < kGroupVectors; ++v) {
      const Codes codes = two_bits(load_codes(packed + 4 * kLanesOfCodes * v), step);
      BITNET_UNROLL
      for (int t = 0; t < Tokens; ++t) {
        Codes& sum = sums[v][t][step % Sums];
        sum = dot(sum, codes, broadcast_columns(x + t * stride + step * kStepCols));
      }
    }
  }
}

template <int Tokens, int Sums>
BITNET_INLINE void clear_sums(Codes (&sums)[kGroupVectors][Tokens][Sums]) {
  BITNET_UNROLL
  for (int v = 0; v < kGroupVectors; ++v) {
    BITNET_UNROLL
    for (int t = 0; t < Tokens; ++t) {
      BITNET_UNROLL
      for (int s = 0; s < Sums; ++s) sums[v][t][s] = zero_sums();
    }
  }
}

template <int Sums>
BITNET_INLINE Codes total_of(const Codes (&sums)[Sums]) {
  Codes total = sums[0];
  BITNET_UNROLL
  for (int s = 1; s < Sums; ++s) total = add_sums(total, sums[s]);
  return total;
}

// One pass over one group for Tokens tokens, read as they are.
template <int Tokens>
BITNET_INLINE void stream_group(const TernaryJob& job, int64_t group) {
  constexpr int kSums = stream_sums(Tokens);
  const uint8_t* packed = job.codes(group);
  const int64_t blocks = job.cols() / kPanelCols;
  const int8_t* x = job.x.codes;
  const int64_t stride = job.x.stride;
  Codes sums[kGroupVectors][Tokens][kSums];
  clear_sums<Tokens, kSums>(sums);
  for (int64_t block = 0; block < blocks; ++block) {
    multiply_block<Tokens, kSums>(packed, x, stride, sums);
    packed += kPanelBlockBytes;
    x += kPanelCols;
  }
  BITNET_UNROLL
  for (int v = 0; v < kGroupVectors; ++v) {
    BITNET_UNROLL
    for (int t = 0; t < Tokens; ++t) {
      const Codes total = total_of<kSums>(sums[v][t]);
      store_outputs(total, job.x.code_sum[t], job.x.act_scale[t],
                    job.w.group_scales(group) + v * kLanesOfCodes,
                    rows_of_vector(job, group, v * kLanesOfCodes),
                    job.y + t * job.y_stride + group * kPanelRows + v * kLanesOfCodes);
    }
  }
}

template <class Product, int Tokens>
void stream_groups(const TernaryJob& job, int64_t group_begin, int64_t group_end) {
  for (int64_t group = group_begin; group < group_end; ++group) Product::template stream<Tokens>(job, group);
}

// The stream for a number of tokens known at run time, 1 .. Tokens.
template <class Product, int Tokens>
void multiply_few(const TernaryJob& job, int64_t group_begin, int64_t group_end) {
  if (job.x.tokens == Tokens) return stream_groups<Product, Tokens>(job, group_begin, group_end);
  if constexpr (Tokens > 1) multiply_few<Product, Tokens - 1>(job, group_begin, group_end);
}

// The product with scales of the matrix or of rows; SpanProduct (vnni_spans.h) is the other.
struct MatrixProduct {
  template <int Tokens>
  static BITNET_INLINE void stream(const TernaryJob& job, int64_t group) {
    stream_group<Tokens>(job, group);
  }
  template <int Tokens>
  static BITNET_INLINE void tile(const TernaryJob& job, const RowTile& at, const TileChunk& chunk) {
    multiply_tile<Tokens>(job, at, chunk);
  }
};

template <class Product>
void multiply_groups(const TernaryJob& job, int64_t group_begin, int64_t group_end) {
  if (job.x.tokens <= kFewTokens) return multiply_few<Product, kFewTokens>(job, group_begin, group_end);
  multiply_many<Product>(job, group_begin, group_end);
}

constexpr CodePacking kVnniPacking = {kTileTokens, kFewTokens + 1, pack_code_tile};

}  // namespace
}  // namespace bitnet
