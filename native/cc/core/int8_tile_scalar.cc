// Int8Tile in its readable form: one depth a step, codes as they are.
#include <cstring>

#include "core/variants.h"

namespace bitnet {
namespace {

constexpr int64_t kRows = 6, kCols = 16;

void pack_panel(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, int64_t width,
                uint8_t* panel) {
  const int64_t used = lanes < width ? lanes : width;
  for (int64_t p = 0; p < depth; ++p) {
    std::memcpy(panel + p * width, codes + p * stride, static_cast<size_t>(used));
    std::memset(panel + p * width + used, 0, static_cast<size_t>(width - used));
  }
}

void pack_a(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, uint8_t* panel) {
  pack_panel(codes, stride, depth, lanes, kInt8PanelRows, panel);
}

void pack_b(const int8_t* codes, int64_t stride, int64_t depth, int64_t lanes, uint8_t* panel) {
  pack_panel(codes, stride, depth, lanes, kCols, panel + 4 * kCols);
}

void multiply(int64_t steps, const uint8_t* a, const uint8_t* b, int32_t* out, int64_t stride,
              bool accumulate) {
  const int8_t* left = reinterpret_cast<const int8_t*>(a);
  const int8_t* right = reinterpret_cast<const int8_t*>(b + 4 * kCols);
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t c = 0; c < kCols; ++c) {
      int32_t sum = accumulate ? out[r * stride + c] : 0;
      for (int64_t p = 0; p < steps; ++p) sum += left[p * kInt8PanelRows + r] * right[p * kCols + c];
      out[r * stride + c] = sum;
    }
  }
}

}  // namespace

const Int8Tile kScalarInt8Tile = {kRows, kCols, 1, 1, pack_a, pack_b, multiply};

}  // namespace bitnet
