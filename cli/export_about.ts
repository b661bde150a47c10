/** What an export says of a model's maker and its training: the flags, the recipe's section `about`, the run's metrics. */
import path from "node:path";
import { aboutOfMetadata, type ExportChoice } from "../export/index.ts";
import { isGgufPath } from "../src/checkpoint/checkpoint.ts";
import { readGgufMetadata } from "../src/gguf/gguf_reader.ts";
import { runFacts } from "../training/run_facts.ts";
import type { ExportFlags } from "./export_flags.ts";

/** @param checkpoint its folder, or the GGUF file */
export async function aboutCheckpoint(
  checkpoint: string,
  flags: ExportFlags,
): Promise<Pick<ExportChoice, "name" | "about" | "trainingFacts">> {
  const { author, license, description, url } = flags;
  const said = Object.entries({ author, license, description, url }).filter(([, value]) => value !== undefined);
  const known = isGgufPath(checkpoint) ? await aboutFile(checkpoint) : aboutRun(checkpoint);
  return { ...known, about: { ...known.about, ...Object.fromEntries(said) } };
}

async function aboutFile(file: string) {
  const metadata = await readGgufMetadata(file);
  const name = metadata.get("general.name")?.value;
  return { name: typeof name === "string" ? name : path.basename(file, ".gguf"), ...aboutOfMetadata(metadata) };
}

/** Of a folder that no run has written: only its name. */
function aboutRun(checkpoint: string): Pick<ExportChoice, "name" | "about" | "trainingFacts"> {
  const facts = runFacts(checkpoint);
  const name = modelName(checkpoint);
  if (facts === null) return { name };
  const { steps, metrics, validation, version, about } = facts;
  return {
    name,
    about,
    trainingFacts: {
      steps,
      tokens: metrics?.tokens,
      loss: metrics?.loss,
      validationLoss: validation?.val_loss,
      bitsPerByte: validation?.bits_per_byte,
      madeWith: version === undefined ? undefined : `bitnet-lab ${version}`,
    },
  };
}

/** `runs/small` for `runs/small/checkpoints/step-00000500`, else the directory's own name. */
function modelName(directory: string): string {
  const parts = path.resolve(directory).split(path.sep);
  return parts.at(-2) === "checkpoints" ? parts.at(-3)! : parts.at(-1)!;
}
