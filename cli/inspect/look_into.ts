/** What `bitnet-inspect` finds out about a model: numbers of its weights, what they say, what each reader does with it. */
import { sampleText } from "../../export/verify/sample_text.ts";
import { NativeUnavailableError } from "../../native/addon.ts";
import { readTextFile } from "../../src/files/text_file.ts";
import { i2sOrderByFit } from "../../src/inspect/i2_s_fit.ts";
import type { Evidence } from "../../src/inspect/model_facts.ts";
import { noEvidence } from "../../src/inspect/model_facts.ts";
import { allVerdicts } from "../../src/inspect/readers/readers.ts";
import { scaleMeaningByValues } from "../../src/inspect/scale_meaning.ts";
import { type TensorStatistics, tensorStatistics, typeSummaries } from "../../src/inspect/statistics.ts";
import type { Progress } from "../progress.ts";
import type { InspectFlags } from "./inspect_flags.ts";
import type { Inspection } from "./inspect_json.ts";
import { evidenceByLosses } from "./losses.ts";
import type { OpenedSource } from "./open_source.ts";

export interface LookOptions extends Pick<InspectFlags, "values" | "losses" | "text" | "threads"> {
  progress: Progress;
  signal?: AbortSignal;
}

export interface Looked extends Inspection {
  /** Why something was not found out. */
  remarks: string[];
}

export async function lookInto(source: OpenedSource, options: LookOptions): Promise<Looked> {
  const { model, remote } = source;
  const statistics = new Map<string, TensorStatistics | null>();
  const remarks: string[] = [];
  let evidence: Evidence = noEvidence;
  let losses: Inspection["losses"] = [];
  if (options.values ?? !remote) {
    await readStatistics(source, statistics, options);
    evidence = { ...noEvidence, i2sOrder: await i2sOrderByFit(model), scaleMeaning: await scaleMeaningByValues(model) };
    const found = await runLosses(source, options);
    if (typeof found === "string") remarks.push(found);
    if (found !== null && typeof found === "object") {
      const { hiddenAct, i2sOrder, engine, remark } = found;
      evidence = { ...evidence, hiddenAct, i2sOrder: i2sOrder ?? evidence.i2sOrder, engine };
      ({ losses } = found);
      if (remark !== null) remarks.push(`no losses: ${remark}`);
    }
  } else if (remote) remarks.push("the weights were not read: --values reads them from the Hub");
  return {
    model,
    statistics,
    summaries: typeSummaries(model.tensors, statistics),
    evidence,
    losses,
    verdicts: allVerdicts(model.facts, evidence),
    remarks,
  };
}

async function readStatistics(
  { model }: OpenedSource,
  statistics: Map<string, TensorStatistics | null>,
  { progress, signal }: LookOptions,
): Promise<void> {
  const all = model.tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  for (const tensor of model.tensors) {
    const onRead = (bytes: number) => {
      done += bytes;
      progress.update("reading", Math.min(done, all), all);
    };
    statistics.set(tensor.name, await tensorStatistics(model, tensor, onRead, signal));
  }
}

/** Null where nothing is to be run; a line where it cannot. */
async function runLosses({ model, file }: OpenedSource, { losses, text, threads, progress, signal }: LookOptions) {
  if (!losses || file === null || model.facts.faults.length > 0 || model.facts.architecture === "") return null;
  try {
    return await evidenceByLosses(file, model, {
      text: text === undefined ? sampleText : readTextFile(text),
      threads,
      signal,
      onReading: (done) => progress.update("running it on a text", done, done + 1),
    });
  } catch (error) {
    if (error instanceof NativeUnavailableError) return `the file was not run: ${error.message}`;
    throw error;
  }
}
