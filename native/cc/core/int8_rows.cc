#include "core/int8_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/canonical_math.h"
#include "core/pack_buffer.h"
#include "core/panel_tile.h"

namespace bitnet {
namespace {

// From this number of tokens on the tile of panels is the faster way, where the variant has one.
constexpr int64_t kTileTokens = 8;
// Tokens that are packed together: their sums stay in the second-level cache.
constexpr int64_t kBlockTokens = 64;

// Sums to outputs, in place.
void scale_sums(const Int8Rows& w, int64_t row_begin, int64_t row_end, float act_scale, float* y) {
  for (int64_t n = row_begin; n < row_end; ++n) {
    int32_t sum;
    std::memcpy(&sum, y + n, sizeof sum);
    y[n] = static_cast<float>(sum) * (act_scale * w.scales[n]);
  }
}

void multiply_by_tile(const PanelTile& tile, const Int8Rows& w, int64_t row_begin, int64_t row_end,
                      const CodeRows& x, float* y, int64_t y_stride) {
  static thread_local PackBuffer buffer;
  const int64_t panel_bytes = tile.panel_bytes(w.cols);
  uint8_t* packed = buffer.bytes(kBlockTokens / kPanelLanes * panel_bytes);
  const uint8_t* panels = reinterpret_cast<const uint8_t*>(w.panel(row_begin / kPanelRows));
  for (int64_t t = 0; t < x.tokens; t += kBlockTokens) {
    const int64_t count = std::min(kBlockTokens, x.tokens - t);
    const PanelSource source{x.codes + t * x.stride, PanelSource::Type::i8, x.stride, 1};
    tile.pack_a(source, count, w.cols, panel_bytes, packed);
    float* out = y + t * y_stride;
    tile.multiply(tile.steps(w.cols), packed, panel_bytes, count, panels, w.panel_bytes(),
                  row_end - row_begin, out + row_begin, y_stride, false);
    for (int64_t i = 0; i < count; ++i) {
      scale_sums(w, row_begin, row_end, x.act_scale[t + i], out + i * y_stride);
    }
  }
}

}  // namespace

float quantize_int8_row(const float* w, int64_t cols, int8_t* codes) {
  float largest = 0.0f;
  for (int64_t i = 0; i < cols; ++i) {
    const float magnitude = std::fabs(w[i]);
    if (magnitude > largest) largest = magnitude;
  }
  const float scale = largest / 127.0f;
  const float stored = f16_to_f32(f32_to_f16(scale));
  const float inverse = stored == 0.0f ? 0.0f : 1.0f / scale;
  for (int64_t i = 0; i < cols; ++i) {
    const float code = std::rint(w[i] * inverse);
    codes[i] = static_cast<int8_t>(code < -127.0f ? -127.0f : code > 127.0f ? 127.0f : code);
  }
  return stored;
}

void pack_int8_panel(const int8_t* codes, int64_t stride, int64_t rows, int64_t cols, int8_t* panel,
                     int32_t* sums) {
  std::memset(panel, 0, static_cast<size_t>(padded_cols(cols) * kPanelRows));
  std::fill_n(sums, kPanelRows, 0);
  for (int64_t r = 0; r < rows; ++r) {
    const int8_t* row = codes + r * stride;
    int8_t* out = panel + r * 4;
    for (int64_t k = 0; k < cols; k += 4, out += 4 * kPanelRows) {
      std::memcpy(out, row + k, static_cast<size_t>(std::min<int64_t>(4, cols - k)));
    }
    for (int64_t k = 0; k < cols; ++k) sums[r] += row[k];
  }
}

void decode_int8_row(const Int8Rows& w, int64_t row, float* out) {
  const float d = w.scales[row];
  for (int64_t k = 0; k < w.cols; k += 4) {
    const int8_t* word = w.word(row, k / 4);
    for (int64_t i = 0; i < std::min<int64_t>(4, w.cols - k); ++i)
      out[k + i] = static_cast<float>(word[i]) * d;
  }
}

void multiply_int8_rows(const Kernels& kernels, const Int8Rows& w, int64_t row_begin, int64_t row_end,
                        const CodeRows& x, float* y, int64_t y_stride) {
  if (kernels.int8_panels && x.tokens >= kTileTokens) {
    return multiply_by_tile(*kernels.int8_panels, w, row_begin, row_end, x, y, y_stride);
  }
  kernels.int8_rows(w, row_begin, row_end, x, y, y_stride);
}

}  // namespace bitnet
