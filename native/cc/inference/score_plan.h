// How score requests with common beginnings are run, every position once.
//
// Requests come in waves, whose sequences lie side by side in the cache. A sequence whose first `start`
// positions are those of an earlier one (its source) gets them copied and runs the others; sequences of one
// depth run together, after those of the depth below. A request whose whole input was run by its predecessor
// (other answers of one token to the same context) needs no sequence at all: its targets are read from the
// rows of the other. What the last sequence of a wave has in the cache serves the first of the next one: the
// trunk. In requests sorted by their ids this computes every common prefix once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitnet {

// ids[first_target .. length-1] are scored, each given all ids before it. 1 <= first_target < length.
struct ScoreRequest {
  const int32_t* ids;
  int64_t length;
  int64_t first_target;
};

struct ScorePlan {
  // Sources that are no sequence of the wave.
  static constexpr int64_t kNone = -1;
  static constexpr int64_t kTrunk = -2;

  struct Sequence {
    const int32_t* ids;
    int64_t block;        // where it starts in the cache
    int64_t start;        // positions before it come from the source
    int64_t length;       // positions
    int64_t wanted_from;  // hidden states are needed from this position on
    int64_t source;       // index of a sequence, kNone or kTrunk
    int64_t depth;        // sources have a lower one
  };
  // An id that is scored, given everything up to a position of a sequence.
  struct Target {
    int64_t sequence;
    int64_t position;
    int32_t id;
  };

  std::vector<Sequence> sequences;
  std::vector<Target> targets;  // in the order of the requests
  int64_t blocks = 0;           // of the cache, all sequences together
  int64_t trunk = 0;            // positions that the first sequence takes from the trunk
};

// Plans the next wave: as many requests from `begin` on as fit in `budget` positions, at least one. `trunk`
// holds the ids of the positions left by the wave before. Without `share` every request runs on its own.
// Returns the first request after the wave.
size_t plan_wave(const std::vector<ScoreRequest>& requests, size_t begin, bool share,
                 const std::vector<int32_t>& trunk, int64_t budget, ScorePlan* plan);

}  // namespace bitnet
