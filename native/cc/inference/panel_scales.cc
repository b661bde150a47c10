#include "inference/panel_scales.h"

#include <algorithm>

#include "core/float16.h"
#include "inference/model_config.h"

namespace bitnet {
namespace {

constexpr const char* kKey = "\"bitnet-lab.quantization.scale_group\"";

// Two scales where there should be one; 0 agrees with all.
struct Disagreement {
  int64_t row = -1;
  float first = 0, second = 0;

  std::string text() const { return std::to_string(first) + " and " + std::to_string(second); }
};

// Scales of `each` neighbouring units of a row in one.
std::vector<float> merged(const UnitScales& scales, int64_t each, Disagreement* found) {
  std::vector<float> result(scales.values.size() / static_cast<size_t>(each));
  for (size_t i = 0; i < scales.values.size(); ++i) {
    const float scale = scales.values[i];
    float& common = result[i / static_cast<size_t>(each)];
    if (scale == 0.0f || scale == common) continue;
    if (common != 0.0f && found->row < 0) {
      *found = {static_cast<int64_t>(i) / scales.units, common, scale};
    }
    common = scale;
  }
  return result;
}

AlignedBuffer set_spans(const std::vector<float>& scales, int64_t span, TernaryPanel* panel) {
  const bool half = std::all_of(scales.begin(), scales.end(),
                                [](float scale) { return f16_to_f32(f32_to_f16(scale)) == scale; });
  const int64_t spans = panel->cols / span, groups = panel_groups(panel->rows);
  std::vector<float> ordered(static_cast<size_t>(groups * spans * kPanelRows));
  fill_span_scales(scales.data(), panel->rows, spans, 0, groups, ordered.data());
  AlignedBuffer memory(ordered.size() * (half ? sizeof(uint16_t) : sizeof(float)));
  if (half) {
    std::transform(ordered.begin(), ordered.end(), reinterpret_cast<uint16_t*>(memory.data()), f32_to_f16);
  } else {
    std::copy(ordered.begin(), ordered.end(), memory.floats());
  }
  panel->spans = {memory.data(), span, half};
  return memory;
}

// One scale for the matrix where all rows agree.
AlignedBuffer set_rows(const std::vector<float>& scales, TernaryPanel* panel) {
  float shared = 0.0f;
  bool per_row = false;
  for (const float scale : scales) {
    if (scale == 0.0f) continue;
    per_row = per_row || (shared != 0.0f && scale != shared);
    shared = scale;
  }
  AlignedBuffer memory(static_cast<size_t>(panel_scale_count(panel->rows, per_row)) * sizeof(float));
  fill_panel_scales(per_row ? scales.data() : &shared, panel->rows, per_row, memory.floats());
  panel->scales = memory.floats();
  panel->scale_step = panel_scale_step(per_row);
  return memory;
}

}  // namespace

AlignedBuffer set_panel_scales(const UnitScales& scales, int64_t scale_group, float multiplier,
                               const TernaryTensor& source, TernaryPanel* panel) {
  Disagreement found;
  const auto scaled = [multiplier](std::vector<float> values) {
    for (float& value : values) value *= multiplier;
    return values;
  };
  if (is_span(scale_group)) {
    const std::string group = std::to_string(scale_group);
    if (panel->cols % scale_group != 0 || scale_group % scales.unit_cols != 0) {
      source.fail("rows of " + std::to_string(panel->cols) + " columns in blocks of " +
                  std::to_string(scales.unit_cols) + " have no scales per " + group + " columns, which " +
                  kKey + " says");
    }
    const std::vector<float> spans = merged(scales, scale_group / scales.unit_cols, &found);
    if (found.row >= 0) {
      source.fail("a group of " + group + " columns of row " + std::to_string(found.row) +
                  " has different scales (" + found.text() + "), and " + kKey + " says that it shares one");
    }
    return set_spans(scaled(spans), scale_group, panel);
  }
  const std::vector<float> rows = merged(scales, scales.units, &found);
  if (found.row < 0) {
    if (scale_group == kScalePerMatrix) {
      merged({rows, 1, panel->rows, panel->cols}, panel->rows, &found);
      if (found.row >= 0) {
        source.fail("its rows have different scales (" + found.text() + "), and " + kKey +
                    " says that the matrix has one");
      }
    }
    return set_rows(scaled(rows), panel);
  }
  if (scale_group != kScaleUnstated) {
    source.fail("the blocks of row " + std::to_string(found.row) + " have different scales (" + found.text() +
                "), and " + kKey + " says that they share one");
  }
  if (!is_span(scales.unit_cols))
    source.fail("its scales are of " + std::to_string(scales.unit_cols) + " columns");
  return set_spans(scaled(scales.values), scales.unit_cols, panel);
}

}  // namespace bitnet
