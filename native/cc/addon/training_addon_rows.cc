// Kernels over the rows of one tensor that stand before a product or attention.
#include "addon/arguments.h"
#include "training/gated_activation.h"
#include "training/hadamard.h"
#include "training/head_norm.h"

namespace bitnet {
namespace {

using Info = Napi::CallbackInfo;

// squaredRelu(x, y)
void squared_relu_call(const Info& info) {
  const Arguments arguments(info, "squaredRelu");
  const int64_t n = arguments.length(0);
  squared_relu(arguments.floats(0), n, arguments.floats(1, n));
}

// squaredReluGrad(x, dy, dx)
void squared_relu_grad_call(const Info& info) {
  const Arguments arguments(info, "squaredReluGrad");
  const int64_t n = arguments.length(0);
  squared_relu_grad(arguments.floats(0), arguments.floats(1, n), n, arguments.floats(2, n));
}

// hadamard(x, cols, y)
void hadamard_call(const Info& info) {
  const Arguments arguments(info, "hadamard");
  const int64_t cols = arguments.positive(1), rows = arguments.length(0) / cols;
  hadamard(arguments.floats(0, rows * cols), rows, cols, arguments.floats(2, rows * cols));
}

// (qkv, qGain, kGain, heads, kvHeads, headDim, epsilon, ...)
HeadNormShape read_head_norm_shape(const Arguments& arguments) {
  HeadNormShape shape{0, arguments.positive(3), arguments.positive(4), arguments.positive(5),
                      static_cast<float>(arguments.number(6))};
  shape.rows = arguments.length(0) / shape.width();
  arguments.floats(0, shape.rows * shape.width());
  arguments.floats(1, shape.head_dim);
  arguments.floats(2, shape.head_dim);
  return shape;
}

// headNorm(qkv, qGain, kGain, heads, kvHeads, headDim, epsilon, y)
void head_norm_call(const Info& info) {
  const Arguments arguments(info, "headNorm");
  const HeadNormShape shape = read_head_norm_shape(arguments);
  head_norm(arguments.floats(0), arguments.floats(1), arguments.floats(2), shape,
            arguments.floats(7, shape.rows * shape.width()));
}

// headNormGrad(qkv, qGain, kGain, heads, kvHeads, headDim, epsilon, dy, dqkv, dqGain, dkGain)
void head_norm_grad_call(const Info& info) {
  const Arguments arguments(info, "headNormGrad");
  const HeadNormShape shape = read_head_norm_shape(arguments);
  const int64_t size = shape.rows * shape.width();
  head_norm_grad(arguments.floats(0), arguments.floats(1), arguments.floats(2), arguments.floats(7, size),
                 shape, arguments.floats(8, size), arguments.floats(9, shape.head_dim),
                 arguments.floats(10, shape.head_dim));
}

}  // namespace

void init_training_rows(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, auto function) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  add("squaredRelu", squared_relu_call);
  add("squaredReluGrad", squared_relu_grad_call);
  add("hadamard", hadamard_call);
  add("headNorm", head_norm_call);
  add("headNormGrad", head_norm_grad_call);
}

}  // namespace bitnet
