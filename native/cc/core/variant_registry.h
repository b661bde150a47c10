// Every kernel variant compiled into this program.
//
// A variant registers itself from its own files, when the program starts: kernels and peak loops in
// core/kernels_<name>.cc, the loops of the backward pass in training/loops_*.cc. Nobody keeps a list of them.
// A variant without loops or peaks of its own would silently train on the baseline's: it is an error as soon
// as anyone asks for a variant. Only `scalar`, the reference, has the baseline loops and no peaks.
#pragma once

#include <string>
#include <vector>

#include "core/cpu_features.h"
#include "core/kernels.h"

namespace bitnet {

struct PeakLoops;      // core/peak_loops.h
struct TrainingLoops;  // training/loops.h

struct Variant {
  const char* name;
  int rank;  // the default is the supported one with the largest
  bool supported;
  const Kernels* kernels;
  const PeakLoops* peaks;  // null for scalar
  const TrainingLoops* loops;
};

// What a variant's file says of itself. `runs_on` and `kernels` are called once, on first use.
struct VariantDefinition {
  const char* name;
  int rank;
  bool (*runs_on)(const CpuFeatures& cpu);
  const Kernels& (*kernels)();
  const PeakLoops* peaks;
};

// For initializers of namespace-scope constants. Both return true.
bool register_variant(const VariantDefinition& definition);
bool register_training_loops(const char* variant, const TrainingLoops* loops);

// All variants by rank, slowest first; scalar is always there. Throws std::logic_error if one is incomplete.
const std::vector<Variant>& kernel_variants();

// The variant in use: what select_variant chose, else BITNET_ISA, else the last supported one.
// Throws std::invalid_argument that lists the valid names if BITNET_ISA is unknown or not supported here.
const Variant& active_variant();
// Makes `name` the active variant of this process; an empty name returns to the default. Same errors.
void select_variant(const std::string& name);
// The variant of that name, with the same errors.
const Variant& variant_by_name(const std::string& name);

inline const Kernels& kernels_by_name(const std::string& name) { return *variant_by_name(name).kernels; }

}  // namespace bitnet
