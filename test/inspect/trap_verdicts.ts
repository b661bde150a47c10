/** The verdicts of `bitnet-inspect` about a trap, as it comes to them. */
import { lookInto } from "../../cli/inspect/look_into.ts";
import { openSource } from "../../cli/inspect/open_source.ts";
import { Progress } from "../../cli/progress.ts";
import { type Judgement, verdictsOf } from "../../src/inspect/readers/reader.ts";
import { readers } from "../../src/inspect/readers/readers.ts";
import { trapReaders } from "./traps.ts";

/** Since then bitnet.cpp computes relu^2 no more. */
const siluOnly = "2026-07";

/** One for each of the readers of traps.ts. @param text file whose loss tells what no header does */
export async function trapVerdicts(source: string, text?: string): Promise<Judgement[]> {
  const opened = await openSource(source);
  const progress = new Progress({ lines: "none" });
  try {
    const { model, evidence } = await lookInto(opened, {
      values: true,
      losses: true,
      text,
      threads: undefined,
      progress,
    });
    return trapReaders.map((name) => {
      const reader = readers.find((each) => each.name === name)!;
      const versions = reader.versions.filter((version) => !name.startsWith("bitnet.cpp") || version < siluOnly);
      return verdictsOf({ ...reader, versions }, model.facts, evidence).at(-1)!;
    });
  } finally {
    progress.close();
    await opened.model.close();
  }
}
