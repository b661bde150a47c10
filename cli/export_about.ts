/** What an export says of a model's maker and its training: the flags, the recipe's section `about`, the run's metrics. */
import type { ExportChoice } from "../export/index.ts";
import { runFacts } from "../training/run_facts.ts";
import type { ExportFlags } from "./export_flags.ts";

/** @param checkpoint its folder */
export function aboutCheckpoint(checkpoint: string, flags: ExportFlags): Pick<ExportChoice, "about" | "trainingFacts"> {
  const facts = runFacts(checkpoint);
  const { author, license, description, url } = flags;
  const said = Object.entries({ author, license, description, url }).filter(([, value]) => value !== undefined);
  const about = { ...facts?.about, ...Object.fromEntries(said) };
  if (facts === null) return { about };
  const { steps, metrics, validation, version } = facts;
  return {
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
