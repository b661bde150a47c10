// The enumerations among the arguments of the addon. JavaScript writes their members by name, so that nobody
// on the other side repeats their order; `enumerations()` of the addon lists them.
#pragma once

#include <cstdint>

#include "core/kernels.h"
#include "inference/engine_options.h"
#include "inference/model_config.h"
#include "training/backward_precision.h"
#include "training/embedding.h"
#include "training/gated_activation.h"
#include "training/head.h"
#include "training/loops.h"
#include "training/plain_ops.h"
#include "training/weight_quantizer.h"

namespace bitnet {

// How the second operand of `binary` lies along the first.
enum class BinaryLayout {
  same,    // element by element
  scalar,  // one value
  row,     // a row, the same for all
  column,  // one value per row
};

template <typename Enum>
struct EnumName {
  const char* name;
  Enum value;
};

// `title`, and the `members` that an argument may be.
template <typename Enum>
struct EnumNames;

#define BITNET_ENUM_NAMES(Enum, title_text, ...)               \
  template <>                                                  \
  struct EnumNames<Enum> {                                     \
    static constexpr const char* title = title_text;           \
    static constexpr EnumName<Enum> members[] = {__VA_ARGS__}; \
  }

BITNET_ENUM_NAMES(WeightSource, "weightSource", {"values", WeightSource::values},
                  {"absmean_tensor", WeightSource::absmean_tensor},
                  {"absmean_row", WeightSource::absmean_row}, {"codes", WeightSource::codes},
                  {"absmean_group_64", WeightSource::absmean_group_64},
                  {"absmean_group_128", WeightSource::absmean_group_128},
                  {"absmean_group_256", WeightSource::absmean_group_256});
BITNET_ENUM_NAMES(ScaleDtype, "scaleDtype", {"f32", ScaleDtype::f32}, {"f16", ScaleDtype::f16},
                  {"bf16", ScaleDtype::bf16});
BITNET_ENUM_NAMES(BackwardPrecision, "backwardPrecision", {"f32", BackwardPrecision::f32},
                  {"bf16", BackwardPrecision::bf16}, {"int8", BackwardPrecision::int8});
BITNET_ENUM_NAMES(TableType, "tableType", {"f32", TableType::f32}, {"f16", TableType::f16},
                  {"bf16", TableType::bf16}, {"q8_0", TableType::q8_0}, {"int8_row", TableType::int8_row});
BITNET_ENUM_NAMES(HeadProduct, "headProduct", {"float", HeadProduct::floats}, {"int8", HeadProduct::int8});
BITNET_ENUM_NAMES(GateActivation, "gateActivation", {"relu2", GateActivation::relu2},
                  {"silu", GateActivation::silu}, {"gelu_tanh", GateActivation::gelu_tanh});
BITNET_ENUM_NAMES(InputActivation, "inputActivation", {"none", InputActivation::none},
                  {"relu2", InputActivation::relu2}, {"silu", InputActivation::silu},
                  {"gelu_tanh", InputActivation::gelu_tanh}, {"squared_relu", InputActivation::squared_relu});
BITNET_ENUM_NAMES(ActivationCodes, "activationCodes", {"none", ActivationCodes::none},
                  {"absmax_int8", ActivationCodes::absmax_int8},
                  {"absmax_int4", ActivationCodes::absmax_int4},
                  {"absmean_int4", ActivationCodes::absmean_int4});
BITNET_ENUM_NAMES(NormPlacement, "normPlacement", {"pre", NormPlacement::pre}, {"sub", NormPlacement::sub},
                  {"every_linear", NormPlacement::every_linear}, {"pre_post", NormPlacement::pre_post});
BITNET_ENUM_NAMES(HiddenAct, "hiddenAct", {"relu2", HiddenAct::relu2}, {"silu", HiddenAct::silu},
                  {"gelu_tanh", HiddenAct::gelu_tanh});
BITNET_ENUM_NAMES(Biases, "biases", {"none", Biases::none}, {"qkv", Biases::qkv}, {"any", Biases::any});
BITNET_ENUM_NAMES(Reduction, "reduction", {"sum", Reduction::sum}, {"mean", Reduction::mean},
                  {"max", Reduction::max});
BITNET_ENUM_NAMES(BinaryOp, "binaryOp", {"add", BinaryOp::add}, {"sub", BinaryOp::sub},
                  {"mul", BinaryOp::mul}, {"div", BinaryOp::div}, {"maximum", BinaryOp::maximum},
                  {"minimum", BinaryOp::minimum}, {"squaredDifference", BinaryOp::squared_difference});
BITNET_ENUM_NAMES(UnaryOp, "unaryOp", {"relu", UnaryOp::relu}, {"square", UnaryOp::square},
                  {"sqrt", UnaryOp::sqrt}, {"rsqrt", UnaryOp::rsqrt}, {"exp", UnaryOp::exp},
                  {"neg", UnaryOp::neg}, {"abs", UnaryOp::abs}, {"sigmoid", UnaryOp::sigmoid});
BITNET_ENUM_NAMES(BinaryLayout, "binaryLayout", {"same", BinaryLayout::same},
                  {"scalar", BinaryLayout::scalar}, {"row", BinaryLayout::row},
                  {"column", BinaryLayout::column});
BITNET_ENUM_NAMES(HeadPrecision, "headPrecision", {"canonical", HeadPrecision::canonical},
                  {"int8", HeadPrecision::int8});
BITNET_ENUM_NAMES(KvType, "kvType", {"f32", KvType::f32}, {"f16", KvType::f16}, {"q8", KvType::q8});

#undef BITNET_ENUM_NAMES

template <typename Enum>
const char* enum_name(Enum value) {
  for (const EnumName<Enum>& member : EnumNames<Enum>::members) {
    if (member.value == value) return member.name;
  }
  return "";
}

// body(EnumNames<Enum>) for each of them.
template <typename Body>
void for_each_enumeration(const Body& body) {
  body(EnumNames<WeightSource>{});
  body(EnumNames<ScaleDtype>{});
  body(EnumNames<BackwardPrecision>{});
  body(EnumNames<TableType>{});
  body(EnumNames<HeadProduct>{});
  body(EnumNames<GateActivation>{});
  body(EnumNames<InputActivation>{});
  body(EnumNames<ActivationCodes>{});
  body(EnumNames<NormPlacement>{});
  body(EnumNames<HiddenAct>{});
  body(EnumNames<Biases>{});
  body(EnumNames<Reduction>{});
  body(EnumNames<BinaryOp>{});
  body(EnumNames<UnaryOp>{});
  body(EnumNames<BinaryLayout>{});
  body(EnumNames<HeadPrecision>{});
  body(EnumNames<KvType>{});
}

}  // namespace bitnet
