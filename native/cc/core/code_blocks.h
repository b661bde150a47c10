// The activation codes of one product, cut into blocks of tokens and packed for the variant, once, whatever
// parts the product is computed in:
//
//   CodeBlocks blocks(kernels, rows, cols, buffer);
//   in parallel over [0, blocks.pack_parts()):  blocks.pack(part)
//   in parallel over blocks and groups:         kernels.ternary_gemm(w, begin, end, blocks.block(i), ...)
//
#pragma once

#include <algorithm>

#include "core/kernels.h"

namespace bitnet {

class CodeBlocks {
 public:
  static constexpr int64_t kTokens = kMaxPackedTokens;

  // `packed` has packed_code_bytes(rows.tokens, cols), 64-byte aligned; unused where no packing is needed.
  CodeBlocks(const Kernels& kernels, const CodeRows& rows, int64_t cols, uint8_t* packed)
      : kernels_(kernels), rows_(rows), cols_(cols), packed_(packed) {}

  int64_t count() const { return (rows_.tokens + kTokens - 1) / kTokens; }
  int64_t first_token(int64_t i) const { return i * kTokens; }

  CodeRows block(int64_t i) const {
    const int64_t first = i * kTokens;
    CodeRows rows = rows_.rows_from(first, std::min(kTokens, rows_.tokens - first));
    rows.packed = packed_ + packed_code_bytes(first, cols_);
    return rows;
  }

  int64_t pack_parts() const {
    const int64_t last = count() - 1;
    return count() == 0 ? 0 : last * kernels_.code_tiles(kTokens) + kernels_.code_tiles(block(last).tokens);
  }
  void pack(int64_t part) const {
    const int64_t tiles = std::max<int64_t>(kernels_.code_tiles(kTokens), 1);
    const int64_t i = std::min(part / tiles, count() - 1);
    const CodeRows rows = block(i);
    kernels_.code_packing->pack_tile(rows.codes, rows.stride, rows.tokens, cols_, part - i * tiles,
                                     packed_ + packed_code_bytes(i * kTokens, cols_));
  }

 private:
  static_assert(kTokens % kMaxCodeTile == 0, "blocks are packed one after the other");

  const Kernels& kernels_;
  CodeRows rows_;
  int64_t cols_;
  uint8_t* packed_;
};

}  // namespace bitnet
