#include "inference/i2_s_layout.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace bitnet {
namespace {

constexpr int64_t kBlock = 128;  // codes
constexpr int64_t kBlockBytes = 32;
constexpr int64_t kChannels = 8192;  // looked at; fewer if the model has fewer
// A difference of correlations that chance gives once in a thousand million files.
constexpr double kDeviations = 6.0;

// Element that other layouts have where the x86 layout has element `at` of a block of 128.
int64_t arm_element(int64_t at) {
  const int64_t slot = at / 32, byte = at % 32;
  return byte / 16 * 64 + slot * 16 + byte % 16;
}
int64_t sequential_element(int64_t at) {
  const int64_t slot = at / 32, byte = at % 32;
  return byte * 4 + 3 - slot;
}

struct OtherLayout {
  const char* name;
  const char* flag;  // of bitnet-export
  int64_t (*element)(int64_t at);
};
constexpr OtherLayout kOtherLayouts[] = {
    {"bitnet.cpp on ARM (64 codes in 16 bytes)", "arm", arm_element},
    {"a sequential packer (4 consecutive codes in a byte)", "serial", sequential_element},
};

int bit_count(uint8_t byte) {
  int count = 0;
  for (; byte; byte &= static_cast<uint8_t>(byte - 1)) ++count;
  return count;
}

// Zeros (code 1) of every row, added to `zeros`.
void count_row_zeros(const uint8_t* codes, int64_t rows, int64_t cols, double* zeros) {
  int table[256];
  for (int byte = 0; byte < 256; ++byte) table[byte] = bit_count(static_cast<uint8_t>(byte & 0x55));
  for (int64_t row = 0; row < rows; ++row) {
    int64_t count = 0;
    for (int64_t i = 0; i < cols / 4; ++i) count += table[codes[row * (cols / 4) + i]];
    zeros[row] += static_cast<double>(count);
  }
}

// Zeros of every column in the x86 layout.
std::vector<double> column_zeros(const uint8_t* codes, int64_t rows, int64_t cols) {
  std::vector<int32_t> counts(static_cast<size_t>(cols));
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t block = 0; block < cols / kBlock; ++block, codes += kBlockBytes) {
      int32_t* count = counts.data() + block * kBlock;
      for (int64_t slot = 0; slot < 4; ++slot) {
        for (int64_t byte = 0; byte < kBlockBytes; ++byte)
          count[slot * 32 + byte] += codes[byte] >> (6 - 2 * slot) & 1;
      }
    }
  }
  return {counts.begin(), counts.end()};
}

// Sums of products of deviations from the mean, over channels of several layers.
struct Covariance {
  double products = 0, rows = 0, cols = 0;

  void add(const double* row_values, const std::vector<double>& col_values) {
    const double count = static_cast<double>(col_values.size());
    double row_mean = 0, col_mean = 0;
    for (size_t i = 0; i < col_values.size(); ++i) {
      row_mean += row_values[i] / count;
      col_mean += col_values[i] / count;
    }
    for (size_t i = 0; i < col_values.size(); ++i) {
      const double a = row_values[i] - row_mean, b = col_values[i] - col_mean;
      products += a * b;
      rows += a * a;
      cols += b * b;
    }
  }
  double correlation() const { return rows > 0 && cols > 0 ? products / std::sqrt(rows * cols) : 0.0; }
};

// The columns as another layout orders them.
std::vector<double> reordered(const std::vector<double>& zeros, const OtherLayout& layout) {
  std::vector<double> result(zeros.size());
  for (size_t i = 0; i < zeros.size(); ++i) {
    const int64_t at = static_cast<int64_t>(i) % kBlock;
    result[i - static_cast<size_t>(at) + static_cast<size_t>(layout.element(at))] = zeros[i];
  }
  return result;
}

}  // namespace

void check_i2_s_sizes(const GgufFile& file) {
  for (const auto& [name, tensor] : file.tensors()) {
    if (tensor.type != GgmlType::i2_s) continue;
    const uint64_t padded = (tensor.bytes + file.alignment() - 1) / file.alignment() * file.alignment();
    if (tensor.room <= padded) continue;
    throw GgufError("tensor " + quoted(name) + " (I2_S) takes " + std::to_string(tensor.room) +
                    " bytes of the file, n / 4 + 32 are " + std::to_string(tensor.bytes) +
                    ": a padded or otherwise different I2_S, which is not supported");
  }
}

void check_i2_s_order(const GgufFile& file, int64_t layers, int64_t hidden, int64_t intermediate) {
  const int64_t wanted = std::max<int64_t>(1, kChannels / intermediate);
  const int64_t step = std::max<int64_t>(1, layers / wanted);
  Covariance own;
  Covariance other[std::size(kOtherLayouts)];
  double channels = 0;
  for (int64_t layer = step / 2; layer < layers; layer += step) {
    const std::string prefix = "blk." + std::to_string(layer) + ".ffn_";
    const GgufTensor* gate = file.tensor(prefix + "gate.weight");
    const GgufTensor* up = file.tensor(prefix + "up.weight");
    const GgufTensor* down = file.tensor(prefix + "down.weight");
    for (const GgufTensor* tensor : {gate, up, down}) {
      if (!tensor || tensor->type != GgmlType::i2_s) return;
    }
    std::vector<double> rows(static_cast<size_t>(intermediate));
    count_row_zeros(file.tensor_data(*gate), intermediate, hidden, rows.data());
    count_row_zeros(file.tensor_data(*up), intermediate, hidden, rows.data());
    const std::vector<double> columns = column_zeros(file.tensor_data(*down), hidden, intermediate);
    own.add(rows.data(), columns);
    for (size_t i = 0; i < std::size(kOtherLayouts); ++i)
      other[i].add(rows.data(), reordered(columns, kOtherLayouts[i]));
    channels += static_cast<double>(intermediate);
  }
  if (channels == 0) return;
  const double chance = kDeviations * std::sqrt(2.0 / channels);
  for (size_t i = 0; i < std::size(kOtherLayouts); ++i) {
    const double here = own.correlation(), there = other[i].correlation();
    // A negative tie, if some training makes one, is weaker in a wrong order, and no sign of it.
    if (there - std::max(0.0, here) < chance) continue;
    throw GgufError("the I2_S codes are in the order of " + std::string(kOtherLayouts[i].name) +
                    ": the feed-forward blocks fit together " + std::to_string(there) + " so, " +
                    std::to_string(here) +
                    " in the x86 order that is read here (correlation of zeros): convert the file with "
                    "bitnet-export --i2s-order " +
                    kOtherLayouts[i].flag);
  }
}

}  // namespace bitnet
