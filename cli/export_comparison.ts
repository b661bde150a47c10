/** Chooses who computes the two sides of an export's comparison, and says what came of it, line by line. */
import {
  checkpointScorer,
  compareExport,
  directoryScorer,
  type ExportPlan,
  exportedModel,
  exportedModelScorer,
  type Scorer,
} from "../export/index.ts";
import { selectBackend } from "../native/backend/select_backend.ts";
import { Engine } from "../native/inference/engine.ts";
import { type Checkpoint, isGgufPath } from "../src/checkpoint/checkpoint.ts";

export interface ComparisonOptions {
  /** Default: all CPUs. */
  threads?: number;
  text: string;
  /** What the text is, for the report. */
  textName: string;
  /** The engine would take a GGUF source for another model than it is read as. */
  sourceDiffers?: boolean;
}

/** @throws {VerificationError} if the file computes something else than the model of its plan. */
export async function comparisonReport(
  checkpoint: Checkpoint,
  plan: ExportPlan,
  out: string,
  options: ComparisonOptions,
): Promise<string[]> {
  const backend = await selectBackend(undefined, options.threads);
  const reads = plan.target.reader(plan);
  const native = backend.backend === "native";
  const reader =
    reads === "training forward"
      ? directoryScorer(out, plan)
      : reads && native
        ? engineScorer(out, options.threads)
        : null;
  const exported = exportedModelScorer(checkpoint, exportedModel(plan));
  const source =
    native && !options.sourceDiffers && isGgufPath(checkpoint.directory)
      ? engineScorer(checkpoint.directory, options.threads)
      : undefined;
  const scorers = { trained: checkpointScorer(checkpoint), exported, source, reader };
  const { identical, losses, source: reading } = await compareExport(plan, scorers, options.text);
  const lines: string[] = [];
  if (reading !== undefined) {
    const { count, largest } = reading;
    const found = largest === 0 ? "identical" : `at most ${largest.toPrecision(2)} nats apart`;
    lines.push(`verified: ${count} log-probabilities of the source in the engine, and of what was read: ${found}`);
  }
  if (losses !== null) {
    const change = losses.exported - losses.trained;
    lines.push(
      `a different model: ${plan.changes.map(({ text }) => text).join("; ")}; ` +
        `loss ${losses.trained.toFixed(5)} -> ${losses.exported.toFixed(5)} nats per token ` +
        `(${change >= 0 ? "+" : ""}${change.toPrecision(3)}) on ${options.textName}`,
    );
  }
  if (reads === "training forward") {
    lines.push(
      `verified: ${identical} log-probabilities of the directory, read back, identical to the training forward`,
    );
  } else if (reader !== null) {
    const kernel = backend.kernel();
    lines.push(`verified: ${identical} log-probabilities identical to the training forward (native, ${kernel})`);
  } else if (reads === null) {
    lines.push(`log-probabilities were NOT compared: nothing here reads the files of ${plan.target.name}`);
  } else {
    lines.push("logits were NOT compared: without the native addon neither the engine nor the bit guarantee is there");
  }
  return lines;
}

function engineScorer(file: string, threads: number | undefined): Scorer {
  return async (sequences) => {
    const engine = await Engine.load(file, { threads });
    try {
      return (await engine.score(sequences)).map((score) => score.logprobs);
    } finally {
      engine.dispose();
    }
  };
}
