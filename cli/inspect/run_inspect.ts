/** Runs `bitnet-inspect` on one model: header at once, then the weights, then the readers. */
import { writeWholeFile } from "../../src/files/whole_file.ts";
import { InspectError } from "../../src/inspect/model_folder.ts";
import { codesFigure } from "../../src/inspect/picture.ts";
import { renderPng } from "../../src/report/figures/render_png.ts";
import { checkInteger } from "../command.ts";
import { Progress } from "../progress.ts";
import { folded } from "../terminal/say.ts";
import { factLines, keyText, tensorTable, typeTable, verdictLines } from "./fact_lines.ts";
import type { InspectFlags } from "./inspect_flags.ts";
import { inspectionJson } from "./inspect_json.ts";
import { type Looked, lookInto } from "./look_into.ts";
import { type OpenedSource, openSource } from "./open_source.ts";

const labelWidth = 17;

function say(line: string): void {
  console.log(folded(line, process.stdout));
}

/** Of a terminal; undefined of a file or pipe. */
function columnsOf({ isTTY, columns }: { isTTY?: boolean; columns?: number }): number | undefined {
  return isTTY ? columns || 80 : undefined;
}

/** A label, and beside it a text whose further lines stand below it. */
function sayLabelled(label: string, text: string): void {
  const columns = columnsOf(process.stdout);
  const lines = folded(text, { isTTY: columns !== undefined, columns: columns && columns - labelWidth });
  console.log(`${label.padEnd(labelWidth)}${lines.replaceAll(/\n\s*/g, `\n${" ".repeat(labelWidth)}`)}`);
}

export async function runInspect(name: string, flags: InspectFlags, signal: AbortSignal): Promise<void> {
  checkInteger("threads", flags.threads, 1);
  const source = await openSource(name);
  const progress = new Progress({ lines: "none" });
  try {
    const { model } = source;
    const shown = model.tensors.filter((tensor) => flags.tensor === undefined || tensor.name.includes(flags.tensor));
    if (shown.length === 0) throw new InspectError(`${name}: no tensor has "${flags.tensor}" in its name`);
    if (!flags.json) {
      for (const [label, text] of factLines(model)) sayLabelled(label, text);
      if (flags.keys) for (const [key, value] of model.keys) say(`${key} = ${keyText(value)}`);
    }
    const looked = await lookInto(source, { ...flags, progress, signal });
    progress.close();
    if (flags.json) console.log(JSON.stringify(inspectionJson(looked), null, 2));
    else report(looked, flags.tensors ? shown : null);
    if (flags.picture !== undefined) await draw(source, flags.picture, flags.tensor === undefined ? null : shown[0]);
  } finally {
    progress.close();
    await source.model.close();
  }
}

function report(
  { summaries, statistics, losses, evidence, verdicts, remarks }: Looked,
  shown: OpenedSource["model"]["tensors"] | null,
): void {
  console.log(`\n${typeTable(summaries).join("\n")}`);
  if (shown !== null) console.log(`\n${tensorTable(shown, statistics, columnsOf(process.stdout)).join("\n")}`);
  const findings = [evidence.hiddenAct, evidence.i2sOrder, evidence.scaleMeaning].filter((finding) => finding !== null);
  if (findings.length + losses.length + remarks.length > 0) console.log("");
  for (const { name, why } of findings) sayLabelled("by its values", `${name}: ${why}`);
  const [stated] = losses;
  if (stated?.loss != null)
    sayLabelled("loss", `${stated.loss.toFixed(4)} nats a token of a text, as the file says it is`);
  for (const remark of remarks) sayLabelled("note", remark);
  console.log("\nWhat readers do with it");
  for (const { reader, text } of verdictLines(verdicts, findings)) sayLabelled(reader, text);
}

async function draw(
  { model }: OpenedSource,
  out: string,
  only: OpenedSource["model"]["tensors"][number] | null,
): Promise<void> {
  const figure = await codesFigure(model, only);
  if (figure === null) throw new InspectError(`${model.path}: it has no codes to draw`);
  await writeWholeFile(out, await renderPng(figure));
  console.error(`wrote ${out}`);
}
