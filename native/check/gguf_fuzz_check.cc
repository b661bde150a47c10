// Fuzzes the loader of GGUF files: whatever the bytes, it must load or throw a GgufError of one line, within
// bounds.
//
//   node native/check/run.mjs --sanitize gguf_fuzz                          a few seconds, as the other
//   checks node native/check/run.mjs --fuzz -- --seconds 600 --corpus native/check/gguf_corpus
//       the same under --fuzz is guided by coverage: inputs that reach new code are kept and mutated further,
//       and written to the corpus folder (headers; the data are filled in when they are read)
//   gguf_fuzz_check --replay FILE                                          runs one input
//
// Inputs are mutations (gguf_mutator.h) of tiny models of every architecture and type, made here, and of the
// corpus. Each is loaded, its arrays are read, and what loads scores a few ids. An input that crashes or
// hangs lies in `gguf_fuzz_<seed>.gguf` of the folder for temporary files, because it is written there before
// it runs.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "gguf_mutator.h"
#include "inference/engine.h"

using namespace bitnet;
using namespace check;

// ---- coverage --------------------------------------------------------------------------------------------

namespace {

constexpr size_t kMapBytes = 1 << 16;
uint8_t covered[kMapBytes];  // by the input that runs
uint8_t known[kMapBytes];    // by any input before
bool guided = false;         // compiled with coverage

}  // namespace

#if defined(BITNET_FUZZ_COVERAGE)
// Called by the compiler's instrumentation at every edge of a basic block.
extern "C" __attribute__((no_sanitize_coverage)) void __sanitizer_cov_trace_pc() {
  const uintptr_t place = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  guided = true;
  covered[(place ^ place >> 16) % kMapBytes] = 1;
}
#endif

namespace {

// Whether the last input reached something that none before did.
bool found_new() {
  bool found = false;
  for (size_t i = 0; i < kMapBytes; ++i) {
    if (covered[i] && !known[i]) {
      known[i] = 1;
      found = true;
    }
  }
  return found;
}

size_t places_known() { return static_cast<size_t>(std::count(known, known + kMapBytes, 1)); }

// ---- one input -------------------------------------------------------------------------------------------

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

constexpr double kLongestRun = 20.0;  // seconds, under sanitizers on a busy machine

void read_arrays(const GgufFile& file) {
  for (const auto& [key, value] : file.metadata()) {
    if (value.type != GgufValueType::array) continue;
    try {
      if (value.element_type == GgufValueType::string) {
        file.strings(key, value);
      } else {
        file.numbers(key, value);
      }
    } catch (const GgufError&) {
    }
  }
}

// Whether it loaded. Any exception but the two expected ones ends the test.
bool run(const Bytes& bytes) {
  // An exact allocation, so that the address sanitizer sees any read past the end.
  const std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), exact.get());
  std::fill(covered, covered + kMapBytes, uint8_t{0});
  const double start = now();
  bool loaded = false;
  try {
    auto file = std::make_unique<GgufFile>(exact.get(), bytes.size());
    read_arrays(*file);
    const auto model = std::make_shared<const Model>(std::move(file), 1);
    loaded = true;
    Engine engine(model, active_kernels(), {1});
    const std::vector<int32_t> ids{0, 1, 0};
    const std::vector<ScoreRequest> requests{{ids.data(), 3, 1}};
    float logprobs[2];
    uint8_t greedy[2];
    engine.score(requests, {}, nullptr, logprobs, greedy);
  } catch (const GgufError& error) {
    expect(std::strlen(error.what()) > 10 && !std::strchr(error.what(), '\n'), "message: %s", error.what());
  } catch (const RequestError&) {
  }
  const double seconds = now() - start;
  expect(seconds < kLongestRun, "an input of %zu bytes took %.1f s", bytes.size(), seconds);
  return loaded;
}

// ---- inputs ----------------------------------------------------------------------------------------------

Bytes seed(const char* architecture, GgmlType linear, GgmlType embedding, bool ternary, bool tied) {
  TinyShape shape;
  shape.architecture = architecture;
  shape.linear_type = linear;
  shape.embedding_type = embedding;
  shape.ternary = ternary;
  shape.tied = tied;
  shape.sub_norms = shape.architecture != "llama";
  shape.vocab = 8;
  shape.heads = 2;
  shape.kv_heads = 1;
  shape.head_dim = 128;
  shape.ffn = 256;
  shape.layers = 1;
  shape.context = 16;
  return tiny_model(shape).file;
}

std::vector<Bytes> seeds() {
  return {
      seed("bitnet-b1.58", GgmlType::i2_s, GgmlType::f16, true, true),
      seed("bitnet-25", GgmlType::tq2_0, GgmlType::q6_k, true, false),
      seed("bitnet", GgmlType::tq1_0, GgmlType::q4_k, true, true),
      seed("bitnet-lab", GgmlType::f16, GgmlType::q8_0, true, false),
      seed("bitnet-lab", GgmlType::q8_0, GgmlType::bf16, false, true),
      seed("llama", GgmlType::f32, GgmlType::f32, false, false),
  };
}

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const std::filesystem::path& path, const Bytes& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

// Inputs are kept without their data: nearly all of the bytes, and none of the structure.
Bytes with_data(const Bytes& header) {
  GgufTree tree;
  if (!TreeReader(header).read(&tree) || !tree.data.empty()) return header;
  GgufTree laid_out = tree;
  lay_out(&laid_out);
  Bytes bytes = header;
  bytes.resize(static_cast<size_t>(aligned(bytes.size())));
  bytes.insert(bytes.end(), laid_out.data.begin(), laid_out.data.end());
  return bytes;
}

Bytes without_data(const Bytes& file) {
  GgufTree tree;
  if (!TreeReader(file).read(&tree))
    return {file.begin(), file.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(file.size(), 4096))};
  return {file.begin(), file.end() - static_cast<std::ptrdiff_t>(tree.data.size())};
}

struct Settings {
  double seconds = 3;
  uint64_t seed = 1;
  std::string corpus, replay;
  bool prune = false;
} settings;

// Inputs of the corpus folder, smallest first.
std::vector<std::filesystem::path> corpus_files() {
  std::vector<std::filesystem::path> paths;
  if (settings.corpus.empty()) return paths;
  for (const auto& entry : std::filesystem::directory_iterator(settings.corpus)) {
    if (entry.path().extension() == ".gguf") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end(), [](const auto& a, const auto& b) {
    const auto a_bytes = std::filesystem::file_size(a), b_bytes = std::filesystem::file_size(b);
    return a_bytes != b_bytes ? a_bytes < b_bytes : a < b;
  });
  return paths;
}

// ---- the run ---------------------------------------------------------------------------------------------

// The input to change next: late finds are the interesting ones, inputs that load lead behind the parser.
size_t choose(Random& random, size_t count, const std::vector<size_t>& loading) {
  const auto below = [&](size_t limit) {
    return static_cast<size_t>(random.below(static_cast<int64_t>(limit)));
  };
  switch (random.below(3)) {
    case 0:
      return below(count);
    case 1:
      return count - 1 - below(std::min<size_t>(count, 32));
    default:
      return loading.empty() ? below(count) : loading[below(loading.size())];
  }
}

void fuzz() {
  const std::filesystem::path current =
      std::filesystem::temp_directory_path() / ("gguf_fuzz_" + std::to_string(settings.seed) + ".gguf");
  std::vector<Bytes> inputs = seeds();
  std::vector<size_t> loading;  // places of inputs that load
  for (size_t i = 0; i < inputs.size(); ++i) {
    expect(run(inputs[i]), "a seed does not load");
    found_new();
    loading.push_back(i);
  }
  for (const auto& path : corpus_files()) {
    Bytes input = with_data(read_file(path));
    const bool loads = run(input);
    if (guided && !found_new() && settings.prune) {
      std::filesystem::remove(path);
      continue;
    }
    if (loads) loading.push_back(inputs.size());
    inputs.push_back(std::move(input));
  }
  GgufMutator mutator(settings.seed);
  const size_t given = inputs.size();
  int64_t runs = 0, loaded = 0;
  double report = now() + 60;
  for (const double end = now() + settings.seconds; now() < end && failures() == 0; ++runs) {
    const Bytes bytes = mutator.mutate(inputs[choose(mutator.random(), inputs.size(), loading)]);
    write_file(current, bytes);
    const bool loads = run(bytes);
    loaded += loads;
    if (guided && found_new()) {
      if (loads) loading.push_back(inputs.size());
      inputs.push_back(bytes);
      if (!settings.corpus.empty()) {
        const std::string name =
            "found_" + std::to_string(settings.seed) + "_" + std::to_string(inputs.size()) + ".gguf";
        write_file(std::filesystem::path(settings.corpus) / name, without_data(bytes));
      }
    }
    if (now() > report) {
      std::printf("  %lld runs, %lld loaded, %zu inputs, %zu places\n", static_cast<long long>(runs),
                  static_cast<long long>(loaded), inputs.size(), places_known());
      std::fflush(stdout);
      report += 60;
    }
  }
  if (failures() == 0) std::filesystem::remove(current);
  std::printf("  %lld runs, %lld loaded; %s%zu inputs given, %zu found, %zu places reached\n",
              static_cast<long long>(runs), static_cast<long long>(loaded),
              guided ? "" : "without coverage: ", given, inputs.size() - given, places_known());
  // Too few runs under an emulator to tell.
  if (runs >= 500) {
    expect(loaded > runs / 50, "only %lld of %lld mutated files load: the mutations do not reach the model",
           static_cast<long long>(loaded), static_cast<long long>(runs));
  }
}

void replay() {
  std::printf("  it %s\n", run(with_data(read_file(settings.replay))) ? "loads" : "is refused");
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const bool has_value = i + 1 < argc;
    if (flag == "--seconds" && has_value) {
      settings.seconds = std::atof(argv[++i]);
    } else if (flag == "--seed" && has_value) {
      settings.seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (flag == "--corpus" && has_value) {
      settings.corpus = argv[++i];
    } else if (flag == "--prune") {
      settings.prune = true;
    } else if (flag == "--replay" && has_value) {
      settings.replay = argv[++i];
    } else {
      std::fprintf(
          stderr,
          "usage: gguf_fuzz_check [--seconds N] [--seed N] [--corpus FOLDER [--prune]] [--replay FILE]\n");
      return 2;
    }
  }
  tests().push_back(settings.replay.empty() ? Test{"mutated files load or give errors", fuzz}
                                            : Test{"the file loads or gives an error", replay});
  return run_tests();
}
