// Kernels::int8_rows in its readable form.
#include "core/int8_rows.h"
#include "core/variants.h"

namespace bitnet {

void int8_rows_scalar(const Int8Rows& w, int64_t row_begin, int64_t row_end, const CodeRows& x, float* y,
                      int64_t y_stride) {
  for (int64_t n = row_begin; n < row_end; ++n) {
    for (int64_t t = 0; t < x.tokens; ++t) {
      int32_t sum = 0;
      for (int64_t k = 0; k < w.cols; ++k) sum += x.codes[t * x.stride + k] * w.word(n, k / 4)[k % 4];
      y[t * y_stride + n] = static_cast<float>(sum) * (x.act_scale[t] * w.scales[n]);
    }
  }
}

}  // namespace bitnet
