// What the engine refuses: malformed files must give an error and nothing else, options that a model does not
// allow a plain sentence.
//
//   engine_refusals_check                      files made here, mutated
//   engine_refusals_check --fuzz FILE.gguf N   N mutations of a file
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "engine_under_test.h"
#include "tiny_model.h"

using namespace bitnet;
using namespace check;

namespace {

CHECK_TEST("options that a model does not allow are refused") {
  const auto refused = [](const TinyShape& shape, const EngineOptions& options) {
    const TinyModel tiny = tiny_model(shape);
    try {
      Engine engine(open_model(tiny.file), scalar(), options);
    } catch (const RequestError&) {
      return true;
    }
    return false;
  };
  expect(refused({}, {1, HeadPrecision::int8, KvType::f32}), "an int8 head of float16 rows");
}

CHECK_TEST("an int8 head that its file contradicts is refused") {
  TinyShape shape;
  shape.layers = 1;
  shape.int8_head = true;
  shape.embedding_type = GgmlType::q8_0;
  const auto refusal = [](const TinyModel& tiny) {
    try {
      open_model(tiny.file);
    } catch (const GgufError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  for (const bool tied : {true, false}) {
    shape.tied = tied;
    TinyModel tiny = tiny_model(shape);
    expect(refusal(tiny).empty(), "one scale per row: %s", refusal(tiny).c_str());
    const GgufFile parsed(tiny.file.data(), tiny.file.size());
    const GgufTensor& head = *parsed.tensor(tied ? "token_embd.weight" : "output.weight");
    const int64_t row = row_bytes(RowType::q8_0, shape.hidden);
    tiny.file[static_cast<size_t>(parsed.tensor_data(head) - tiny.file.data() + 7 * row + 3 * 34)] ^= 1;
    expect(refusal(tiny).find("the blocks of row 7 have different scales") != std::string::npos, "%s",
           refusal(tiny).c_str());
  }
  shape.embedding_type = GgmlType::f16;
  expect(refusal(tiny_model(shape)).find("has type F16") != std::string::npos, "float16 rows");
}

// ---- malformed files -------------------------------------------------------------------------------------

// Loads and, if that succeeds, scores a little. Returns whether it loaded; any exception but GgufError and
// RequestError fails the check.
bool survives(const std::vector<uint8_t>& bytes) {
  // An exact allocation, so that the address sanitizer sees any read past the end.
  const std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), exact.get());
  try {
    const auto model =
        std::make_shared<const Model>(std::make_unique<GgufFile>(exact.get(), bytes.size()), 1);
    Engine engine(model, active_kernels(), {1});
    const std::vector<int32_t> ids{0, 1, 0};
    if (model->config().vocab_size > 1 && model->config().layers <= 64) score(&engine, {ids}, 0);
    return true;
  } catch (const GgufError& error) {
    expect(std::strlen(error.what()) > 10 && !std::strchr(error.what(), '\n'), "message: %s", error.what());
  } catch (const RequestError&) {
  }
  return false;
}

// Truncations at every structural boundary and at random, then bit flips, random bytes and huge numbers.
void fuzz(const std::vector<uint8_t>& file, int64_t mutations, size_t header) {
  Random random(23);
  for (size_t size = 0; size < std::min(header, size_t{64}); ++size) {
    expect(!survives({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)}), "accepted %zu bytes",
           size);
  }
  for (int64_t i = 0; i < mutations; ++i) {
    std::vector<uint8_t> bytes = file;
    // Most mutations hit the header, where the structure is.
    const size_t range = random.below(8) == 0 ? bytes.size() : header;
    const size_t at = static_cast<size_t>(random.below(static_cast<int64_t>(range)));
    switch (random.below(4)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes[at] ^= static_cast<uint8_t>(1u << random.below(8));
        break;
      case 2:
        bytes[at] = static_cast<uint8_t>(random.next());
        break;
      default: {
        const uint64_t number = random.below(2) ? ~uint64_t{0} >> random.below(64) : random.next();
        std::memcpy(bytes.data() + at, &number, std::min<size_t>(sizeof number, bytes.size() - at));
      }
    }
    survives(bytes);
  }
}

CHECK_TEST("mutated files give errors") {
  TinyShape shape;
  shape.layers = 1;
  shape.ffn = 256;
  for (const GgmlType type :
       {GgmlType::tq2_0, GgmlType::tq1_0, GgmlType::q2_0, GgmlType::i2_s, GgmlType::f16}) {
    shape.linear_type = type;
    const TinyModel tiny = tiny_model(shape);
    const GgufFile parsed(tiny.file.data(), tiny.file.size());
    size_t header = tiny.file.size();
    for (const auto& entry : parsed.tensors())
      header = std::min(header, static_cast<size_t>(entry.second.offset));
    expect(survives(tiny.file), "the file itself does not load");
    fuzz(tiny.file, 750, header);
  }
}

// What loading says, empty if it loads.
std::string refusal(const std::vector<uint8_t>& file) {
  try {
    open_model(file);
  } catch (const GgufError& error) {
    return error.what();
  }
  return "";
}

// The file with one bit of the first block's scale of a matrix of two TQ blocks per row flipped.
std::vector<uint8_t> with_other_scale(const TinyModel& tiny, size_t place_in_block) {
  std::vector<uint8_t> file = tiny.file;
  const GgufFile parsed(tiny.file.data(), tiny.file.size());
  const GgufTensor& down = *parsed.tensor("blk.0.ffn_down.weight");
  file[static_cast<size_t>(parsed.tensor_data(down) - tiny.file.data()) + place_in_block] ^= 1;
  return file;
}

CHECK_TEST("blocks of one row may have different scales, unless the file says that they share one") {
  TinyShape shape;
  shape.layers = 1;
  shape.row_scales = true;
  for (const GgmlType type : {GgmlType::tq2_0, GgmlType::tq1_0}) {
    shape.linear_type = type;
    const TinyModel tiny = tiny_model(shape);
    const size_t place = type == GgmlType::tq2_0 ? 64 : 52;
    expect(survives(tiny.file), "one scale per row");
    expect(survives(with_other_scale(tiny, place)), "one scale per block");
  }
  // Two blocks of Q2_0 are one group.
  TinyShape grouped;
  grouped.layers = 1;
  grouped.linear_type = GgmlType::q2_0;
  grouped.span = 128;
  const TinyModel tiny = tiny_model(grouped);
  expect(survives(tiny.file), "one scale per 128 weights");
  const std::string message = refusal(with_other_scale(tiny, 0));
  expect(message.find("a group of 128 columns of row 0 has different scales") != std::string::npos,
         "message: %s", message.c_str());
}

CHECK_TEST("a key of groups that the blocks cannot have is refused") {
  TinyShape shape;
  shape.layers = 1;
  shape.span = 64;
  const auto message = [&shape](int64_t span) {
    shape.span = span;
    return refusal(tiny_model(shape).file);
  };
  expect(message(64).find("in blocks of 256 have no scales per 64 columns") != std::string::npos,
         "message: %s", message(64).c_str());
  shape.linear_type = GgmlType::q2_0;
  expect(
      message(32).find("must be the uint32 0 (the matrix), 1 (a row), 64, 128 or 256") != std::string::npos,
      "message: %s", message(32).c_str());
}

CHECK_TEST("the fourth level of Q2_0 is not ternary") {
  TinyShape shape;
  shape.layers = 1;
  shape.linear_type = GgmlType::q2_0;
  TinyModel tiny = tiny_model(shape);
  const GgufFile parsed(tiny.file.data(), tiny.file.size());
  const GgufTensor& up = *parsed.tensor("blk.0.ffn_up.weight");
  tiny.file[static_cast<size_t>(parsed.tensor_data(up) - tiny.file.data()) + 2] |= 3;
  expect(refusal(tiny.file).find("row 0 holds a code that is not ternary") != std::string::npos,
         "message: %s", refusal(tiny.file).c_str());
}

// ---- a file given on the command line --------------------------------------------------------------------

const char* model_path = nullptr;
int64_t fuzz_count = 0;

void fuzz_file() {
  const std::vector<uint8_t> bytes = read_file(model_path);
  const GgufFile parsed(bytes.data(), bytes.size());
  size_t header = bytes.size();
  for (const auto& entry : parsed.tensors())
    header = std::min(header, static_cast<size_t>(entry.second.offset));
  fuzz(bytes, fuzz_count, header);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--fuzz") == 0) {
    model_path = argv[2];
    fuzz_count = std::atoll(argv[3]);
    tests().clear();
    tests().push_back({"mutations of the file give errors", fuzz_file});
  } else if (argc > 1) {
    std::fprintf(stderr, "usage: engine_refusals_check [--fuzz FILE.gguf N]\n");
    return 2;
  }
  return run_tests();
}
