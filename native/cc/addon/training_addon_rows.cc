// Kernels over the rows of one tensor that stand before a product.
#include "addon/arguments.h"
#include "training/gated_activation.h"
#include "training/hadamard.h"

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

}  // namespace

void init_training_rows(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, auto function) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  add("squaredRelu", squared_relu_call);
  add("squaredReluGrad", squared_relu_grad_call);
  add("hadamard", hadamard_call);
}

}  // namespace bitnet
