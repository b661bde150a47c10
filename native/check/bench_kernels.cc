// Times every kernel of every variant that runs here and prints one JSON object per line.
//
//   bench_kernels [--quick] [--variant NAME] [--only BENCH] [--threads N] [--help]
//
// Lines: {"bench", "isa" (the variant), "threads", shape fields, "seconds" (best run), "gops" or "gflops",
// "share_of_peak", "gbps"}. The peaks are measured in the same process.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "bench_support.h"
#include "benchmark_flags.h"
#include "core/code_blocks.h"
#include "core/cpu_features.h"
#include "core/cpu_identity.h"
#include "core/gemm_bf16.h"
#include "core/gemm_f32.h"
#include "core/gemm_i8.h"
#include "core/kernels.h"
#include "core/measured_peaks.h"
#include "core/rope_table.h"
#include "core/row_panel.h"
#include "core/thread_pool.h"
#include "core/variant_registry.h"

using namespace bitnet;

namespace {

class Bench {
 public:
  Bench(const BenchSettings& settings, const Kernels& kernels, int threads)
      : settings_(settings), kernels_(kernels), threads_(threads) {
    fma_peak_ = bitnet::fma_peak(kernels.name, 0.05, threads);
    int8_peak_ = bitnet::int8_peak(kernels.name, 0.05, threads);
    bf16_peak_ = usable_bf16_tile(kernels) ? bitnet::bf16_peak(kernels.name, 0.05, threads) : 0;
  }

  void run() {
    report("fma_peak", "", 0, fma_peak_, fma_peak_, 0);
    report("int8_peak", "", 0, int8_peak_, int8_peak_, 0);
    if (bf16_peak_ > 0) report("bf16_peak", "", 0, bf16_peak_, bf16_peak_, 0);
    for (const auto& [rows, cols] : {std::pair<int64_t, int64_t>{2560, 2560},
                                     {6912, 2560},
                                     {2560, 6912},
                                     {512, 512},
                                     {1408, 512},
                                     {128, 128},
                                     {352, 128}}) {
      for (const int64_t tokens : {1, 8, 512}) ternary(rows, cols, tokens);
    }
    gemv_stream();
    struct Product {
      int64_t m, n, k;
    };
    for (const auto& [m, n, k] : {Product{2048, 512, 1408},
                                  {1408, 512, 2048},
                                  {4096, 128, 352},
                                  {352, 128, 4096},
                                  {8192, 512, 2048}}) {
      gemm(m, n, k);
      gemm_bfloat16(m, n, k);
      gemm_int8(m, n, k);
    }
    for (const auto& [length, head_dim] :
         {std::pair<int64_t, int64_t>{128, 32}, {256, 64}, {512, 16}, {512, 128}}) {
      attention(length, length, head_dim);
    }
    attention(1024, 1, 128);
    for (const RowType type : {RowType::f32, RowType::f16, RowType::bf16, RowType::q8_0, RowType::q2_0,
                               RowType::q6_k, RowType::q5_k, RowType::q4_k, RowType::q4_0}) {
      // The head of shape M, and a slice of 2B4T's.
      for (const int64_t tokens : {1, 2, 8, 64, 256}) {
        for (const auto& [rows, cols] : {std::pair<int64_t, int64_t>{8192, 512}, {4096, 2560}}) {
          if (type == RowType::f32 || tokens == 1 || tokens == 256) linear(type, rows, cols, tokens);
          if (type != RowType::f32) head(type, rows, cols, tokens);
        }
      }
    }
    for (const RowType type : {RowType::f16, RowType::bf16, RowType::q8_0, RowType::q2_0, RowType::q6_k,
                               RowType::q5_k, RowType::q4_k, RowType::q4_0}) {
      head_stream(type);
    }
    rows();
  }

 private:
  bool wanted(const char* bench) const { return settings_.only.empty() || settings_.only == bench; }

  // operations and bytes are per run; a peak of 0 or bytes of 0 leaves the field out.
  void report(const char* bench, const std::string& shape, double seconds, double rate, double peak,
              double bytes) {
    if (!wanted(bench)) return;
    std::printf("{\"bench\":\"%s\",\"isa\":\"%s\",\"threads\":%d%s%s", bench, kernels_.name, threads_,
                shape.empty() ? "" : ",", shape.c_str());
    if (seconds > 0) std::printf(",\"seconds\":%.3e", seconds);
    if (rate > 0) std::printf(",\"gops\":%.2f", rate * 1e-9);
    if (rate > 0 && peak > 0) std::printf(",\"share_of_peak\":%.3f", rate / peak);
    if (bytes > 0) std::printf(",\"gbps\":%.2f", bytes / seconds * 1e-9);
    std::printf("}\n");
    std::fflush(stdout);
  }

  template <typename Body>
  void parallel(int64_t tasks, const Body& body) {
    ThreadPool::global().parallel_for(threads_, tasks, body);
  }

  void ternary(int64_t out, int64_t in, int64_t tokens) {
    if (!wanted("ternary_gemm")) return;
    std::vector<uint8_t> storage(static_cast<size_t>(panel_bytes(out, in) + 64), 0x55);
    const SharedScale weight_scale(0.5f);
    const TernaryPanel panel{aligned_64(storage.data()), out, in, weight_scale.lanes, 0};
    const int64_t stride = padded_cols(in), groups = panel_groups(out);
    std::vector<int8_t> x(static_cast<size_t>(stride * tokens), 3);
    std::vector<float> scale(static_cast<size_t>(tokens), 0.01f), y(static_cast<size_t>(tokens * out));
    std::vector<int32_t> sums(static_cast<size_t>(tokens), static_cast<int32_t>(3 * in));
    const int64_t per_task = std::max<int64_t>(2, groups / (8 * threads_) / 2 * 2);
    std::vector<uint8_t> packed(static_cast<size_t>(packed_code_bytes(tokens, in) + 64));
    const CodeBlocks blocks(kernels_, {x.data(), stride, scale.data(), sums.data(), tokens}, in,
                            aligned_64(packed.data()));
    const double seconds = best_time(settings_.seconds, [&] {
      parallel(blocks.pack_parts(), [&](int64_t part) { blocks.pack(part); });
      const int64_t parts = (groups + per_task - 1) / per_task;
      parallel(blocks.count() * parts, [&](int64_t task) {
        const int64_t first = task % parts * per_task, block = task / parts;
        kernels_.ternary_gemm(panel, first, std::min(groups, first + per_task), blocks.block(block),
                              y.data() + blocks.first_token(block) * out, out);
      });
    });
    const double operations = 2.0 * static_cast<double>(out * in * tokens);
    report("ternary_gemm", json_fields({{"rows", out}, {"cols", in}, {"tokens", tokens}}), seconds,
           operations / seconds, int8_peak_, tokens == 1 ? static_cast<double>(panel_bytes(out, in)) : 0);
  }

  // One token through a stack of matrices larger than any cache: the speed of decoding.
  void gemv_stream() {
    if (!wanted("ternary_gemv_stream")) return;
    const int64_t out = 6912, in = 2560, layers = 48, bytes = panel_bytes(out, in);
    std::vector<uint8_t> storage(static_cast<size_t>(bytes * layers + 64), 0x55);
    const uint8_t* codes = aligned_64(storage.data());
    std::vector<int8_t> x(static_cast<size_t>(in), 3);
    std::vector<float> y(static_cast<size_t>(out));
    const float scale = 0.01f;
    const SharedScale weight_scale(0.5f);
    const int32_t sum = static_cast<int32_t>(3 * in);
    const int64_t groups = panel_groups(out), per_task = groups / 16;
    const double read = read_bandwidth(threads_, codes, bytes * layers);
    const double seconds = best_time(2 * settings_.seconds, [&] {
      for (int64_t layer = 0; layer < layers; ++layer) {
        const TernaryPanel panel{codes + layer * bytes, out, in, weight_scale.lanes, 0};
        parallel((groups + per_task - 1) / per_task, [&](int64_t task) {
          kernels_.ternary_gemm(panel, task * per_task, std::min(groups, (task + 1) * per_task),
                                {x.data(), in, &scale, &sum, 1}, y.data(), out);
        });
      }
    });
    report("ternary_gemv_stream", json_fields({{"rows", out}, {"cols", in}, {"layers", layers}}), seconds, 0,
           0, static_cast<double>(bytes * layers));
    report("ternary_gemv_stream", "\"what\":\"plain read\"", 1, 0, 0, read);
  }

  // product(left, right, c) for the operands of a backward pass: the head's, dX = dY . codes, dW = dY^T .
  // codes.
  template <typename Product>
  void backward_products(const char* bench, const char* type, int64_t m, int64_t n, int64_t k, double peak,
                         const Product& product) {
    if (!wanted(bench)) return;
    const std::vector<float> a = bench_floats(m * k), b = bench_floats(k * n);
    const std::vector<int8_t> codes(static_cast<size_t>(k * n), 1);
    std::vector<float> c(static_cast<size_t>(m * n));
    select_variant(kernels_.name);
    const double operations = 2.0 * static_cast<double>(m * n * k);
    const auto time = [&](const std::string& kind, const GemmOperand& left, const GemmOperand& right) {
      const double seconds = best_time(settings_.seconds, [&] { product(left, right, c.data()); });
      report(bench, json_fields({{"m", m}, {"n", n}, {"k", k}}) + ",\"operands\":\"" + kind + "\"", seconds,
             operations / seconds, peak, 0);
    };
    const GemmOperand row_major{a.data(), k, 1}, transposed{a.data(), 1, m};
    const GemmOperand values{b.data(), n, 1}, integers{codes.data(), n, 1, GemmType::i8};
    time(std::string(type) + " x " + type, row_major, values);
    time(std::string(type) + " x i8", row_major, integers);
    time(std::string(type) + "^T x i8", transposed, integers);
    select_variant("");
  }

  void gemm(int64_t m, int64_t n, int64_t k) {
    backward_products("gemm_f32", "f32", m, n, k, fma_peak_,
                      [&](const GemmOperand& left, const GemmOperand& right, float* c) {
                        gemm_f32(threads_, m, n, k, left, right, c, n, false);
                      });
  }

  // The right side is packed each time. Without a tile for bf16 the float32 one multiplies rounded values.
  void gemm_bfloat16(int64_t m, int64_t n, int64_t k) {
    std::vector<uint8_t> memory;
    backward_products("gemm_bf16", "bf16", m, n, k, bf16_peak_ > 0 ? bf16_peak_ : fma_peak_,
                      [&](const GemmOperand& left, const GemmOperand& right, float* c) {
                        memory.resize(static_cast<size_t>(bf16_right_bytes(k, n) + 64));
                        gemm_bf16(threads_, m, left,
                                  pack_bf16_right(threads_, right, k, n, aligned_64(memory.data())), c, n,
                                  false);
                      });
  }

  void gemm_int8(int64_t m, int64_t n, int64_t depth) {
    if (!wanted("gemm_i8")) return;
    const std::vector<int8_t> a(static_cast<size_t>(depth * padded_cols(m)), 3);
    const std::vector<int8_t> b(static_cast<size_t>(depth * padded_cols(n)), 5);
    const std::vector<float> scale(static_cast<size_t>(m), 1.0f);
    std::vector<float> c(static_cast<size_t>(m * n));
    select_variant(kernels_.name);
    const double seconds = best_time(settings_.seconds, [&] {
      gemm_i8(threads_, m, n, depth, a.data(), padded_cols(m), b.data(), padded_cols(n), scale.data(),
              c.data(), n);
    });
    select_variant("");
    report("gemm_i8", json_fields({{"m", m}, {"n", n}, {"k", depth}}), seconds,
           2.0 * static_cast<double>(m * n * depth) / seconds, int8_peak_, 0);
  }

  void attention(int64_t keys_count, int64_t queries, int64_t head_dim) {
    if (!wanted("attention")) return;
    const int64_t heads = 8, padded = round_up(head_dim, kLanes), first = keys_count - queries;
    const std::vector<float> q = bench_floats(heads * queries * head_dim);
    const std::vector<float> keys = bench_floats(heads * round_up(keys_count, kLanes) * head_dim);
    const std::vector<float> values = bench_floats(heads * keys_count * padded);
    std::vector<float> scratch(static_cast<size_t>(heads * queries * round_up(keys_count, kLanes)));
    std::vector<float> out(q.size());
    const double seconds = best_time(settings_.seconds, [&] {
      parallel(heads, [&](int64_t h) {
        kernels_.attention(q.data() + h * queries * head_dim, head_dim, queries, first,
                           keys.data() + h * round_up(keys_count, kLanes) * head_dim,
                           values.data() + h * keys_count * padded, padded, head_dim, 0.125f,
                           scratch.data() + h * queries * round_up(keys_count, kLanes),
                           out.data() + h * queries * head_dim, head_dim, nullptr);
      });
    });
    const double visible = static_cast<double>(queries) * static_cast<double>(first + keys_count + 1) / 2;
    report(
        "attention",
        json_fields({{"heads", heads}, {"queries", queries}, {"keys", keys_count}, {"head_dim", head_dim}}),
        seconds, 4.0 * visible * static_cast<double>(head_dim * heads) / seconds, fma_peak_, 0);
  }

  void linear(RowType type, int64_t out, int64_t in, int64_t tokens) {
    if (!wanted("linear_rows")) return;
    const std::vector<uint8_t> w(static_cast<size_t>(out * row_bytes(type, in)), 0x11);
    const std::vector<float> x = bench_floats(tokens * in);
    std::vector<float> y(static_cast<size_t>(tokens * out));
    const int64_t per_task = out / 32;
    const double seconds = best_time(settings_.seconds, [&] {
      parallel(32, [&](int64_t task) {
        kernels_.linear_rows(w.data(), type, task * per_task, (task + 1) * per_task, in, x.data(), in, tokens,
                             y.data(), out);
      });
    });
    report("linear_rows", json_fields({{"rows", out}, {"cols", in}, {"tokens", tokens}}) + type_field(type),
           seconds, 2.0 * static_cast<double>(out * in * tokens) / seconds, fma_peak_,
           tokens == 1 ? static_cast<double>(w.size()) : 0);
  }

  // The head as the engine reads it.
  void head(RowType type, int64_t out, int64_t in, int64_t tokens) {
    if (!wanted("panel_rows")) return;
    std::vector<uint8_t> storage;
    const RowPanel panel = filled_panel(type, out, in, storage);
    const double seconds = head_seconds(settings_.seconds, panel, tokens);
    report("panel_rows", json_fields({{"rows", out}, {"cols", in}, {"tokens", tokens}}) + type_field(type),
           seconds, 2.0 * static_cast<double>(out * in * tokens) / seconds, fma_peak_,
           tokens == 1 ? static_cast<double>(panel.bytes()) : 0);
  }

  // One token through the whole head of 2B4T, which is larger than any cache.
  void head_stream(RowType type) {
    if (!wanted("head_stream")) return;
    std::vector<uint8_t> storage;
    const RowPanel panel = filled_panel(type, 128256, 2560, storage);
    const double read = read_bandwidth(threads_, panel.data, panel.bytes());
    const double seconds = head_seconds(2 * settings_.seconds, panel, 1);
    const std::string fields = json_fields({{"rows", panel.rows}, {"cols", panel.cols}, {"tokens", 1}});
    report("head_stream", fields + type_field(type), seconds, 0, 0, static_cast<double>(panel.bytes()));
    report("head_stream", "\"what\":\"plain read\"" + type_field(type), 1, 0, 0, read);
  }

  static RowPanel filled_panel(RowType type, int64_t rows, int64_t cols, std::vector<uint8_t>& storage) {
    RowPanel panel{nullptr, type, rows, cols};
    storage.assign(static_cast<size_t>(panel.bytes() + 64), 0x11);
    panel.data = aligned_64(storage.data());
    return panel;
  }

  double head_seconds(double time, const RowPanel& panel, int64_t tokens) {
    const std::vector<float> x = bench_floats(tokens * panel.cols);
    std::vector<float> y(static_cast<size_t>(tokens * panel.rows));
    const int64_t per_task = round_up(panel.rows / 32, kRowGroup);
    return best_time(time, [&] {
      parallel((panel.rows + per_task - 1) / per_task, [&](int64_t task) {
        const int64_t end = std::min(panel.rows, (task + 1) * per_task);
        kernels_.panel_rows(panel, task * per_task, end, x.data(), panel.cols, tokens, y.data(), panel.rows);
      });
    });
  }

  static std::string type_field(RowType type) {
    static const char* const kNames[] = {"f32",  "f16",  "bf16", "q8_0", "q6_k",
                                         "q4_k", "q2_0", "q5_k", "q4_0"};
    return ",\"type\":\"" + std::string(kNames[static_cast<int>(type)]) + "\"";
  }

  // Kernels over rows, one thread, rows of 2560 in the cache: GB/s of float32 input.
  void rows() {
    if (threads_ != 1) return;
    const int64_t n = 2560, repeats = 64;
    const std::vector<float> a = bench_floats(n), b = bench_floats(n);
    std::vector<float> y = bench_floats(n);
    std::vector<int8_t> codes(static_cast<size_t>(n));
    float scale;
    int32_t sum;
    double total = 0;
    const auto time = [&](const char* bench, double inputs, const auto& body) {
      if (!wanted(bench)) return;
      const double seconds = best_time(settings_.seconds / 4, [&] {
        for (int64_t i = 0; i < repeats; ++i) body();
      });
      report(bench, json_fields({{"n", n}}), seconds, 0, 0, inputs * 4.0 * static_cast<double>(n * repeats));
    };
    time("quantize_row", 1, [&] { kernels_.quantize_row(a.data(), n, codes.data(), &scale, &sum); });
    time("abs_sum_row", 1, [&] { total += kernels_.abs_sum_row(a.data(), n); });
    time("ternarize", 1, [&] { kernels_.ternarize(a.data(), n, 1.5f, codes.data()); });
    time("rms_norm_row", 2, [&] { kernels_.rms_norm_row(a.data(), b.data(), n, 1e-5f, y.data()); });
    // A rotation in place: values keep their size however often they are turned.
    std::vector<float> cosine(64), sine(64);
    fill_rope_table(1, 1, Rope{128, 10000.0}, cosine.data(), sine.data());
    time("rope_row", 1, [&] { kernels_.rope_row(y.data(), 20, 128, cosine.data(), sine.data()); });
    time("relu2_gate", 2, [&] { kernels_.relu2_gate(a.data(), b.data(), n, y.data()); });
    time("hadamard_row", 2, [&] { kernels_.hadamard_row(a.data(), n, y.data()); });
    time("silu_gate", 2, [&] { kernels_.silu_gate(a.data(), b.data(), n, y.data()); });
    time("add", 2, [&] { kernels_.add(a.data(), b.data(), n, y.data()); });
    time("log_sum_exp", 1, [&] { total += static_cast<double>(kernels_.log_sum_exp(a.data(), n)); });
    if (total == 1.25) std::printf("\n");  // keeps the sums alive
  }

  BenchSettings settings_;
  const Kernels& kernels_;
  int threads_;
  double fma_peak_, int8_peak_, bf16_peak_;
};

std::string quoted_features() {
  std::string text;
  for (const std::string& name : cpu_feature_names(cpu_features())) text += (text.empty() ? "" : " ") + name;
  return "\"" + text + "\"";
}

}  // namespace

int main(int argc, char** argv) {
  BenchSettings settings;
  if (const int done = parse_bench_flags(argc, argv, settings); done >= 0) return done;
  std::printf("{\"bench\":\"machine\",\"cpu\":\"%s\",\"features\":%s}\n", cpu_features().name.c_str(),
              quoted_features().c_str());
  for (const Variant& variant : kernel_variants()) {
    // The scalar variant is a reference, thousands of times slower; it is timed only when asked for.
    const bool asked = settings.variant == variant.name;
    if (!variant.supported || !(settings.variant.empty() ? std::string("scalar") != variant.name : asked))
      continue;
    for (const int threads : settings.threads) Bench(settings, *variant.kernels, threads).run();
  }
  return 0;
}
