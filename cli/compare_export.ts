/**
 * The last step of an export: the training forward and the reader of the exported file on the same sequences. The file
 * must be, bit for bit, the model of the plan; where the plan changes the trained model, the change is measured.
 */
import * as tf from "@tensorflow/tfjs";
import type { ExportPlan } from "../export/export_plan.ts";
import { type ExportedModel, exportedModel } from "../export/exported_model.ts";
import { comparisonSequences, meanLoss, requireSameBits } from "../export/verify/comparison.ts";
import { selectBackend } from "../native/backend/select_backend.ts";
import { Engine } from "../native/inference/engine.ts";
import { type Checkpoint, loadCausalLM, openCheckpoint, readParameter } from "../src/checkpoint/checkpoint.ts";
import { CausalLM } from "../src/model/causal_lm.ts";
import { modelParameters } from "../src/model/parameters.ts";

export interface ComparisonOptions {
  /** Default: all CPUs. */
  threads?: number;
  text: string;
  /** What the text is, for the report. */
  textName: string;
}

/**
 * Compares and returns what to tell the user, line by line.
 * @throws {VerificationError} if the file computes something else than the model of its plan.
 */
export async function compareExport(
  checkpoint: Checkpoint,
  plan: ExportPlan,
  file: string,
  options: ComparisonOptions,
): Promise<string[]> {
  const backend = await selectBackend(undefined, options.threads);
  const sequences = comparisonSequences(plan.config, checkpoint.tokenizer, options.text);
  const lines: string[] = [];
  const trained = scoreAndDispose(await loadCausalLM(checkpoint), sequences);
  let expected = trained;
  if (plan.differences.length > 0) {
    expected = scoreAndDispose(await loadExportedModel(checkpoint, exportedModel(plan)), sequences);
    const [before, after] = [meanLoss(trained), meanLoss(expected)];
    const change = `${after >= before ? "+" : ""}${(after - before).toPrecision(3)}`;
    lines.push(
      `a different model: ${plan.differences.join("; ")}; ` +
        `loss ${before.toFixed(5)} -> ${after.toFixed(5)} nats per token (${change}) on ${options.textName}`,
    );
  }
  const kernel = backend.kernel();
  if (plan.target === "transformers") {
    const count = requireSameBits(expected, await scoreDirectory(file, sequences));
    lines.push(`verified: ${count} log-probabilities of the directory, read back, identical to the training forward`);
  } else if (backend.backend !== "native") {
    lines.push("logits were NOT compared: without the native addon neither the engine nor the bit guarantee is there");
  } else {
    const count = requireSameBits(expected, await scoreByEngine(file, sequences, options.threads));
    lines.push(`verified: ${count} log-probabilities identical to the training forward (native, ${kernel})`);
  }
  return lines;
}

/** The model that the file stands for, on the current backend. */
async function loadExportedModel(checkpoint: Checkpoint, model: ExportedModel): Promise<CausalLM> {
  const values = new Map<string, Float32Array>();
  for (const spec of modelParameters(model.config)) {
    values.set(spec.name, model.parameter(spec.name, await readParameter(checkpoint, spec)));
  }
  return new CausalLM(model.config, { parameters: (name) => values.get(name)! });
}

/** Log-probabilities of each sequence's ids after the first. */
function scoreAndDispose(model: CausalLM, sequences: readonly Int32Array[]): Float32Array[] {
  const scores = sequences.map((ids) =>
    tf.tidy(() => {
      const shape: [number, number] = [1, ids.length - 1];
      const inputs = tf.tensor2d(ids.slice(0, -1), shape, "int32");
      const targets = tf.tensor2d(ids.slice(1), shape, "int32");
      return model.logProbs(inputs, targets).logProbs.dataSync<"float32">().slice();
    }),
  );
  model.dispose();
  return scores;
}

/** An exported directory, opened as any Hugging Face checkpoint. */
async function scoreDirectory(directory: string, sequences: readonly Int32Array[]): Promise<Float32Array[]> {
  const checkpoint = await openCheckpoint(directory);
  try {
    return scoreAndDispose(await loadCausalLM(checkpoint), sequences);
  } finally {
    await checkpoint.tensors.close();
  }
}

async function scoreByEngine(
  file: string,
  sequences: readonly Int32Array[],
  threads: number | undefined,
): Promise<Float32Array[]> {
  const engine = await Engine.load(file, { threads });
  try {
    return (await engine.score(sequences)).map((score) => score.logprobs);
  } finally {
    engine.dispose();
  }
}
