// The entries of a Kernels table that are written on lanes, for the variants that have a table of their own.
// Include after the lane headers and behind their target region: tables are made on every CPU.
#pragma once

#include "core/kernels.h"

namespace bitnet {
namespace {

// Without the integer products, which each variant adds.
Kernels lane_kernels(const char* name) {
  Kernels k{};
  k.name = name;
  k.quantize_row = quantize_row;
  k.abs_max_row = abs_max_row;
  k.code_row = code_row;
  k.abs_sum_row = abs_sum_row;
  k.ternarize = ternarize;
  k.rms_norm_row = rms_norm_row;
  k.rope_row = rope_row;
  k.relu2_gate = relu2_gate;
  k.silu_gate = silu_gate;
  k.gelu_gate = gelu_gate;
  k.squared_relu = squared_relu;
  k.hadamard_row = hadamard_row;
  k.add = add_rows;
  k.attention = attention;
  k.linear_rows = linear_rows;
  k.panel_rows = panel_rows;
  k.decode_row = decode_row;
  k.log_sum_exp = log_sum_exp;
  k.gemm_tile = kLaneGemmTile;
  return k;
}

}  // namespace
}  // namespace bitnet
