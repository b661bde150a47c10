/**
 * The beginning of the reference loss curves, replayed from the same weights and batches. The whole curves take longer
 * than a test should: `npx tsx experiments/studies/loss_curve.ts` (results in experiments/results/loss_curve.jsonl).
 */
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  distanceToPublished,
  hasReplaySources,
  published,
  replay,
  replaySources,
  type Twin,
} from "../../experiments/studies/loss_curve_replay.ts";
import { selectBackend } from "../../native/backend/select_backend.ts";
import { hasNative } from "../support/tfjs_backends.ts";

const shared = path.resolve(import.meta.dirname, "../../../shared");
const sources = replaySources(shared);
const steps = 100;
const isPossible = hasNative && hasReplaySources(sources);

describe.skipIf(!isPossible)(
  `loss curve replay${isPossible ? "" : " (skipped: needs the native addon and ../shared)"}`,
  () => {
    it.each(["bitnet", "float"] as const)(
      `%s agrees with PyTorch at step ${steps}`,
      async (twin: Twin) => {
        await selectBackend("native");
        let validation = Number.NaN;
        for await (const point of replay(twin, steps, sources)) validation = point.validation ?? validation;
        const reference = published[twin].get(steps)!;
        expect(Math.abs(distanceToPublished(validation, reference))).toBeLessThanOrEqual(reference.tolerance);
      },
      600_000,
    );
  },
);
