// ternary_gemm, readable: the reference of the other variants.
#include <cmath>

#include "core/float16.h"
#include "core/variants.h"

namespace bitnet {
namespace {

// sums[r] of 16 rows over `blocks` blocks of columns, of codes that are 1 too large.
void add_products(const uint8_t* codes, const int8_t* x, int64_t blocks, int32_t* sums) {
  for (int64_t block = 0; block < blocks; ++block) {
    for (int64_t byte = 0; byte < kPanelBlockBytes; ++byte) {
      const unsigned packed = codes[block * kPanelBlockBytes + byte];
      const int8_t* k = x + block * kPanelCols + byte % 4;
      sums[byte / 4] +=
          static_cast<int32_t>(packed & 3) * k[0] + static_cast<int32_t>(packed >> 2 & 3) * k[4] +
          static_cast<int32_t>(packed >> 4 & 3) * k[8] + static_cast<int32_t>(packed >> 6) * k[12];
    }
  }
}

float span_scale(const TernaryPanel& w, int64_t group, int64_t span, int64_t row) {
  const int64_t i = span * kPanelRows + row;
  const void* scales = w.span_scales(group);
  return w.spans.half ? f16_to_f32(static_cast<const uint16_t*>(scales)[i])
                      : static_cast<const float*>(scales)[i];
}

void span_gemm(const TernaryPanel& w, int64_t group_begin, int64_t group_end, const CodeRows& x, float* y,
               int64_t y_stride) {
  const int64_t blocks = w.spans.cols / kPanelCols, parts = w.spans.cols / kCodePadding;
  for (int64_t group = group_begin; group < group_end; ++group) {
    const uint8_t* codes = w.codes + group * panel_group_bytes(w.cols);
    const int64_t first = group * kPanelRows;
    const int64_t rows = w.rows - first < kPanelRows ? w.rows - first : kPanelRows;
    for (int64_t t = 0; t < x.tokens; ++t) {
      float totals[kPanelRows] = {};
      for (int64_t span = 0; span < w.span_count(); ++span) {
        int32_t sums[kPanelRows] = {}, code_sum = 0;
        add_products(codes + span * blocks * kPanelBlockBytes, x.codes + t * x.stride + span * w.spans.cols,
                     blocks, sums);
        for (int64_t part = 0; part < parts; ++part) code_sum += x.sums_of(t)[span * parts + part];
        for (int64_t r = 0; r < rows; ++r) {
          totals[r] =
              std::fma(static_cast<float>(sums[r] - code_sum), span_scale(w, group, span, r), totals[r]);
        }
      }
      for (int64_t r = 0; r < rows; ++r) y[t * y_stride + first + r] = totals[r] * x.act_scale[t];
    }
  }
}

}  // namespace

void ternary_gemm_scalar(const TernaryPanel& w, int64_t group_begin, int64_t group_end, const CodeRows& x,
                         float* y, int64_t y_stride) {
  if (w.has_spans()) return span_gemm(w, group_begin, group_end, x, y, y_stride);
  const int64_t blocks = padded_cols(w.cols) / kPanelCols;
  for (int64_t group = group_begin; group < group_end; ++group) {
    const uint8_t* codes = w.codes + group * panel_group_bytes(w.cols);
    const float* scales = w.group_scales(group);
    const int64_t first = group * kPanelRows;
    const int64_t rows = w.rows - first < kPanelRows ? w.rows - first : kPanelRows;
    for (int64_t t = 0; t < x.tokens; ++t) {
      int32_t sums[kPanelRows] = {};
      add_products(codes, x.codes + t * x.stride, blocks, sums);
      for (int64_t r = 0; r < rows; ++r) {
        y[t * y_stride + first + r] =
            static_cast<float>(sums[r] - x.code_sum[t]) * (x.act_scale[t] * scales[r]);
      }
    }
  }
}

}  // namespace bitnet
