// multiply_rows (see loops.h) without vector types: for the baseline, where the compiler vectorizes the inner
// loop. Included inside an anonymous namespace.

void multiply_rows(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_row, int64_t a_step,
                   const float* b, int64_t b_stride, bool accumulate, float* c, int64_t c_stride) {
  constexpr int kBlock = 16;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; j += kBlock) {
      float* out = c + i * c_stride + j;
      float sums[kBlock];
      BITNET_UNROLL
      for (int l = 0; l < kBlock; ++l) sums[l] = accumulate ? out[l] : 0.0f;
      for (int64_t p = 0; p < k; ++p) {
        const float left = a[i * a_row + p * a_step];
        const float* right = b + p * b_stride + j;
        BITNET_UNROLL
        for (int l = 0; l < kBlock; ++l) sums[l] += left * right[l];
      }
      BITNET_UNROLL
      for (int l = 0; l < kBlock; ++l) out[l] = sums[l];
    }
  }
}
