#include "inference/score_plan.h"

#include <algorithm>

#include "inference/kv_cache.h"

namespace bitnet {
namespace {

// A shared prefix below this saves less than it costs to copy, and than another forward pass costs.
constexpr int64_t kMinSharedPrefix = 8;
// Rows of another sequence that may go through the head in vain when its scored rows are taken over.
constexpr int64_t kMaxSpareRows = 8;

int64_t common_prefix(const int32_t* a, const int32_t* b, int64_t limit) {
  return std::mismatch(a, a + limit, b).first - a;
}

// Finds where the positions of `request` can be taken from: sets source and start of `sequence`. Returns
// whether the source has already run all of them.
bool find_source(const ScoreRequest& request, const std::vector<int32_t>& trunk, ScorePlan* plan,
                 ScorePlan::Sequence* sequence) {
  const int64_t wanted = request.first_target - 1;
  std::vector<ScorePlan::Sequence>& sequences = plan->sequences;
  const bool first = sequences.empty();
  int64_t source = first ? ScorePlan::kTrunk : static_cast<int64_t>(sequences.size()) - 1;
  const int32_t* ids = first ? trunk.data() : sequences.back().ids;
  const int64_t length = first ? static_cast<int64_t>(trunk.size()) : sequences.back().length;
  int64_t shared = common_prefix(ids, request.ids, std::min(length, sequence->length));

  if (shared > wanted) {
    // Scored rows can be read only where they are run, and should not drag many others through the head.
    const bool taken = source >= 0 && wanted >= sequences.back().start &&
                       wanted >= sequences.back().wanted_from - kMaxSpareRows;
    if (!taken) shared = wanted;
    if (shared == sequence->length) {
      sequences.back().wanted_from = std::min(sequences.back().wanted_from, wanted);
      return true;
    }
  }
  // Rather a source further up than one that adds little: fewer sequences wait for others.
  while (source >= 0) {
    const ScorePlan::Sequence& candidate = sequences[static_cast<size_t>(source)];
    if (shared >= candidate.start + kMinSharedPrefix) break;
    shared = std::min(shared, candidate.start);
    source = candidate.source;
  }
  if (shared < kMinSharedPrefix) {
    shared = 0;
    source = ScorePlan::kNone;
  }
  sequence->start = shared;
  sequence->source = source;
  if (source >= 0) {
    ScorePlan::Sequence& chosen = sequences[static_cast<size_t>(source)];
    sequence->depth = chosen.depth + 1;
    if (shared > wanted) chosen.wanted_from = std::min(chosen.wanted_from, wanted);
  }
  return false;
}

}  // namespace

size_t plan_wave(const std::vector<ScoreRequest>& requests, size_t begin, bool share,
                 const std::vector<int32_t>& trunk, int64_t budget, ScorePlan* plan) {
  plan->sequences.clear();
  plan->targets.clear();
  plan->blocks = 0;
  plan->trunk = 0;
  size_t next = begin;
  for (; next < requests.size(); ++next) {
    const ScoreRequest& request = requests[next];
    const int64_t wanted = request.first_target - 1;
    const int64_t length = request.length - 1;
    ScorePlan::Sequence sequence{request.ids, plan->blocks, 0, length, wanted, ScorePlan::kNone, 0};
    const bool needed = !share || !find_source(request, trunk, plan, &sequence);
    if (needed) {
      const int64_t blocks = plan->blocks + cache_blocks(length);
      if (next > begin && blocks * kCacheBlock > budget) break;
      if (next == begin) plan->trunk = sequence.start;
      sequence.wanted_from = std::max(wanted, sequence.start);
      plan->sequences.push_back(sequence);
      plan->blocks = blocks;
    }
    const int64_t own = static_cast<int64_t>(plan->sequences.size()) - 1;
    for (int64_t position = wanted; position < length; ++position) {
      const bool taken = needed && position < sequence.start;
      plan->targets.push_back({taken ? sequence.source : own, position, request.ids[position + 1]});
    }
  }
  return next;
}

}  // namespace bitnet
