#include "inference/int8_head.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "core/float16.h"

namespace bitnet {
namespace {

constexpr int64_t kPartBytes = int64_t{4} << 20;  // repacked before their pages are given back
constexpr int64_t kBlock = block_cols(RowType::q8_0);
constexpr int64_t kBlockBytes = row_bytes(RowType::q8_0, kBlock);

uint16_t block_scale(const uint8_t* block) {
  uint16_t bits;
  std::memcpy(&bits, block, sizeof bits);
  return bits;
}

// Codes of a stored row and its scale; false if its blocks disagree about that.
bool read_row(const uint8_t* stored, int64_t cols, int8_t* codes, float* scale) {
  const uint16_t bits = block_scale(stored);
  for (int64_t block = 0; block < cols / kBlock; ++block, stored += kBlockBytes) {
    if (block_scale(stored) != bits) return false;
    std::memcpy(codes + block * kBlock, stored + sizeof bits, static_cast<size_t>(kBlock));
  }
  *scale = f16_to_f32(bits);
  return true;
}

}  // namespace

Int8Head::Int8Head(const GgufFile& file, const GgufTensor& tensor, const Workers& workers) {
  const std::string name = "tensor " + quoted(tensor.name);
  const int64_t cols = static_cast<int64_t>(tensor.dimensions[0]);
  const int64_t rows = static_cast<int64_t>(tensor.dimensions[1]);
  if (tensor.type != GgmlType::q8_0) {
    throw GgufError(name + " has type " + ggml_type_name(tensor.type) +
                    ", and the metadata say that the model was trained with an int8 head, which is Q8_0");
  }
  if (cols > kMaxInt8RowCols) {
    throw GgufError(name + " has rows of " + std::to_string(cols) + " elements, an int8 head at most " +
                    std::to_string(kMaxInt8RowCols));
  }
  rows_ = {nullptr, nullptr, nullptr, rows, cols};
  codes_ = AlignedBuffer(static_cast<size_t>(rows_.bytes()), AlignedBuffer::Pages::huge);
  scales_ = AlignedBuffer(static_cast<size_t>(rows_.padded_rows()) * sizeof(float));
  sums_ = AlignedBuffer(static_cast<size_t>(rows_.padded_rows()) * sizeof(int32_t));
  int8_t* panels = reinterpret_cast<int8_t*>(codes_.data());
  int32_t* sums = reinterpret_cast<int32_t*>(sums_.data());

  const uint8_t* stored = file.tensor_data(tensor);
  const int64_t stored_bytes = row_bytes(RowType::q8_0, cols);
  const int64_t part_panels = std::max<int64_t>(1, kPartBytes / rows_.panel_bytes());
  std::mutex mutex;
  int64_t wrong = rows;  // the first row whose blocks disagree
  workers.each((rows_.panels() + part_panels - 1) / part_panels, [&](int64_t part) {
    std::vector<int8_t> codes(static_cast<size_t>(kPanelRows * cols));
    const int64_t begin = part * part_panels, end = std::min(rows_.panels(), begin + part_panels);
    for (int64_t panel = begin; panel < end; ++panel) {
      const int64_t first = panel * kPanelRows, count = std::min(kPanelRows, rows - first);
      for (int64_t r = 0; r < count; ++r) {
        if (read_row(stored + (first + r) * stored_bytes, cols, codes.data() + r * cols,
                     scales_.floats() + first + r))
          continue;
        const std::lock_guard<std::mutex> lock(mutex);
        wrong = std::min(wrong, first + r);
      }
      pack_int8_panel(codes.data(), cols, count, cols, panels + panel * rows_.panel_bytes(), sums + first);
    }
    const int64_t first = begin * kPanelRows * stored_bytes,
                  last = std::min(rows, end * kPanelRows) * stored_bytes;
    file.release_pages(tensor, static_cast<uint64_t>(first), static_cast<uint64_t>(last - first));
  });
  if (wrong < rows) {
    throw GgufError(name + ": the blocks of row " + std::to_string(wrong) +
                    " have different scales, and a model trained with an int8 head has one per row");
  }
  file.release_pages(tensor);  // the pages that two parts share
  rows_.codes = panels;
  rows_.scales = scales_.floats();
  rows_.sums = sums;
}

}  // namespace bitnet
