// A variant that lacks loops or peaks of its own is an error, not a slower fallback.
#include <stdexcept>
#include <string>

#include "check.h"
#include "core/peak_loops.h"
#include "core/variant_registry.h"
#include "training/loops.h"

using namespace bitnet;
using namespace check;

namespace {

const Kernels& unfinished_kernels() {
  static const Kernels kernels{};
  return kernels;
}

const TrainingLoops unfinished_loops{};

// Registered before main, as every variant is; it runs nowhere, which does not excuse it.
[[maybe_unused]] const bool registered = register_variant(
    {"unfinished", 5, [](const CpuFeatures&) { return false; }, &unfinished_kernels, nullptr});

// What asking for a variant says.
std::string complaint() {
  try {
    active_variant();
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "nothing";
}

CHECK_TEST("a variant without training loops") {
  expect(complaint() == "kernel variant unfinished has no training loops of its own", "%s",
         complaint().c_str());
}

CHECK_TEST("a variant without peak loops") {
  register_training_loops("unfinished", &unfinished_loops);
  expect(complaint() == "kernel variant unfinished has no peak loops of its own", "%s", complaint().c_str());
}

}  // namespace

int main() { return run_tests(); }
