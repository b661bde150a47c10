// Plain tensor operations.
#include <vector>

#include "addon/arguments.h"
#include "training/plain_ops.h"

namespace bitnet {
namespace {

using Info = Napi::CallbackInfo;

// binary(op, a, b, reversed, layout, y): see BinaryLayout; with `row` the length of b is that of a row.
void binary_call(const Info& info) {
  const Arguments arguments(info, "binary");
  const BinaryOp op = arguments.option<BinaryOp>(0);
  const int64_t count = arguments.length(1), other = arguments.length(2);
  const float* a = arguments.floats(1);
  const float* b = arguments.floats(2);
  const bool reversed = arguments.flag(3);
  const BinaryLayout layout = arguments.option<BinaryLayout>(4);
  float* y = arguments.floats(5, count);
  if (count == 0) return;
  if (other == 0 || count % other != 0) arguments.fail(2, "does not divide the first operand");
  switch (layout) {
    case BinaryLayout::same:
      if (other != count) arguments.fail(2, "is not as long as the first operand");
      binary_same(op, reversed ? b : a, reversed ? a : b, count, y);
      break;
    case BinaryLayout::scalar:
      binary_scalar(op, a, b[0], reversed, count, y);
      break;
    case BinaryLayout::row:
      binary_row(op, a, b, reversed, count / other, other, y);
      break;
    case BinaryLayout::column:
      binary_column(op, a, b, reversed, other, count / other, y);
      break;
  }
}

// unary(op, x, y)
void unary_call(const Info& info) {
  const Arguments arguments(info, "unary");
  const int64_t count = arguments.length(1);
  unary(arguments.option<UnaryOp>(0), arguments.floats(1), count, arguments.floats(2, count));
}

// addN(inputs[], y)
void add_n_call(const Info& info) {
  const Arguments arguments(info, "addN");
  const Napi::Array list = arguments.array(0);
  const int64_t count = arguments.length(1);
  if (list.Length() == 0) arguments.fail(0, "is empty");
  std::vector<const float*> inputs(list.Length());
  for (uint32_t i = 0; i < list.Length(); ++i) inputs[i] = arguments.floats_of(list[i], 0, count);
  add_n(inputs.data(), static_cast<int64_t>(inputs.size()), count, arguments.floats(1));
}

// reduceRows(reduction, x, cols, y)
void reduce_rows_call(const Info& info) {
  const Arguments arguments(info, "reduceRows");
  const int64_t cols = arguments.positive(2), rows = arguments.length(1) / cols;
  reduce_rows(arguments.option<Reduction>(0), arguments.floats(1, rows * cols), rows, cols,
              arguments.floats(3, rows));
}

// softmaxRows(x, cols, y)
void softmax_rows_call(const Info& info) {
  const Arguments arguments(info, "softmaxRows");
  const int64_t cols = arguments.positive(1), rows = arguments.length(0) / cols;
  softmax_rows(arguments.floats(0, rows * cols), rows, cols, arguments.floats(2, rows * cols));
}

// swapAxes(x, outer, a, b, inner, y)
void swap_axes_call(const Info& info) {
  const Arguments arguments(info, "swapAxes");
  const int64_t outer = arguments.size(1), a = arguments.size(2), b = arguments.size(3),
                inner = arguments.size(4);
  swap_axes(arguments.floats(0, outer * a * b * inner), outer, a, b, inner,
            arguments.floats(5, outer * a * b * inner));
}

// batchMatMul(a, b, batch, m, n, k, transposeA, transposeB, sharedA, sharedB, c)
void batch_matmul_call(const Info& info) {
  const Arguments arguments(info, "batchMatMul");
  const MatMulShape shape{arguments.size(2), arguments.size(3), arguments.size(4), arguments.size(5),
                          arguments.flag(6), arguments.flag(7), arguments.flag(8), arguments.flag(9)};
  const int64_t a_size = (shape.shared_a ? 1 : shape.batch) * shape.m * shape.k;
  const int64_t b_size = (shape.shared_b ? 1 : shape.batch) * shape.k * shape.n;
  batch_matmul(arguments.floats(0, a_size), arguments.floats(1, b_size), shape,
               arguments.floats(10, shape.batch * shape.m * shape.n));
}

}  // namespace

void init_training_plain(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, auto function) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  add("binary", binary_call);
  add("unary", unary_call);
  add("addN", add_n_call);
  add("reduceRows", reduce_rows_call);
  add("softmaxRows", softmax_rows_call);
  add("swapAxes", swap_axes_call);
  add("batchMatMul", batch_matmul_call);
}

}  // namespace bitnet
