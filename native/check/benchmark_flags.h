// Command line of the kernel benchmark.
#pragma once

#include <string>
#include <vector>

namespace bitnet {

struct BenchSettings {
  double seconds = 0.25;  // per line
  std::string variant, only;
  std::vector<int> threads;  // default: 1 and all
};

// Fills `settings`. Returns the exit code of a program that has nothing more to do (help: 0, one line about a
// wrong flag: 2), or -1.
int parse_bench_flags(int argc, char** argv, BenchSettings& settings);

}  // namespace bitnet
