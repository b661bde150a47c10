/**
 * `npm run quickstart`: the whole pipeline on any clone, with the commands a user would type. Trains a small BitNet on
 * the generated world, exports it to GGUF, scores checkpoint and GGUF on held-out questions, and shows what came out.
 *
 * `npm run quickstart -- --record` also keeps the figures and the plot in experiments/results, from where
 * `npm run readme` takes the README's table.
 */
import { spawn } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { shellQuoted } from "./shell_quote.ts";
import { terminalPlot } from "./terminal_plot.ts";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "..");
const run = "runs/quickstart";
const gguf = `${run}/quickstart.gguf`;

/** Held-out tasks, their metric in the results file, what guessing gives, and what this recipe should reach. */
const tasks = [
  { name: "toy_arc", metric: "acc,none", chance: 0.25, goal: 0.8 },
  { name: "toy_piqa", metric: "acc,none", chance: 0.5, goal: 0.8 },
  { name: "toy_gsm8k", metric: "exact_match,strict-match", chance: 0, goal: 0.6 },
] as const;
const taskNames = tasks.map((task) => task.name).join(",");

/** Runs one of the commands as a user would; its output is shown and, when asked for, returned. */
async function command(name: string, args: string[], capture = false): Promise<string> {
  console.log(`\n$ npx ${[name, ...args].map(shellQuoted).join(" ")}`);
  const child = spawn(process.execPath, [path.join(root, `cli/bin/${name}.mjs`), ...args], {
    cwd: root,
    stdio: ["ignore", capture ? "pipe" : "inherit", "inherit"],
  });
  let output = "";
  child.stdout?.on("data", (data) => {
    output += data;
    process.stdout.write(data);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) throw new Error(`${name} ended with exit code ${code}`);
  return output;
}

/** Newest results_*.json below a folder. */
function readResults(folder: string): Record<string, Record<string, number>> {
  const files = readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /results_.*\.json$/.test(name))
    .sort();
  const newest = files.at(-1);
  if (!newest) throw new Error(`no results file in ${folder}`);
  return JSON.parse(readFileSync(path.join(root, folder, newest), "utf8")).results;
}

function lossCurve(): { step: number; loss: number }[] {
  return readFileSync(path.join(root, run, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ loss }) => typeof loss === "number");
}

const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(0)} s`;

async function main(): Promise<void> {
  const start = performance.now();
  rmSync(path.join(root, run), { recursive: true, force: true });
  await command("bitnet-train", ["--config", "small.yaml", "--out", run]);
  const trained = seconds(start);
  await command("bitnet-export", [run, "--out", gguf]);
  const evaluation = performance.now();
  await command("bitnet-eval", ["--model", gguf, "--tasks", taskNames, "--output_path", `${run}/eval_gguf`]);
  const scored = seconds(evaluation);
  await command("bitnet-eval", ["--model", run, "--tasks", taskNames, "--output_path", `${run}/eval_checkpoint`]);
  const question = "Question: Ivan has 6 nuts and finds 3 more. How many nuts does Ivan have now?\nAnswer:";
  await command("bitnet-generate", ["--model", gguf, "--prompt", question, "--max-tokens", "32", "--temperature", "0"]);

  const fromGguf = readResults(`${run}/eval_gguf`);
  const fromCheckpoint = readResults(`${run}/eval_checkpoint`);
  const curve = lossCurve();
  console.log("\nTraining loss (nats per token)");
  const xLabel = `steps ${curve[0].step} to ${curve[curve.length - 1].step}`;
  const losses = curve.map(({ loss }) => loss);
  for (const line of terminalPlot(losses, { xLabel })) console.log(line);
  console.log("\n| held-out task | guessing | checkpoint | GGUF, native engine |");
  console.log("|---|---|---|---|");
  const problems: string[] = [];
  const rows: { task: string; chance: number; checkpoint: number; gguf: number }[] = [];
  for (const { name, metric, chance, goal } of tasks) {
    const engine = fromGguf[name]?.[metric];
    const checkpoint = fromCheckpoint[name]?.[metric];
    if (engine === undefined || checkpoint === undefined) throw new Error(`no ${metric} for ${name} in the results`);
    console.log(`| ${name} | ${chance.toFixed(2)} | ${checkpoint.toFixed(4)} | ${engine.toFixed(4)} |`);
    rows.push({ task: name, chance, checkpoint, gguf: engine });
    if (engine !== checkpoint) problems.push(`${name}: the GGUF scores ${engine}, the checkpoint ${checkpoint}`);
    if (engine < goal) problems.push(`${name}: ${engine.toFixed(2)} is below ${goal}, which this recipe should reach`);
  }
  const megabytes = (statSync(path.join(root, gguf)).size / 1e6).toFixed(2);
  console.log(
    `\nTrained in ${trained}, scored natively in ${scored}, ${seconds(start)} in all. ${gguf}: ${megabytes} MB.`,
  );
  console.log(`Loss plot: ${run}/loss.png   samples and metrics: ${run}/metrics.jsonl`);
  console.log(
    "\nNext: train on your own text\n  npx bitnet-train --config small.yaml --data yourtext.txt --out runs/mine",
  );
  if (process.argv.includes("--record")) {
    const record = {
      cpu: JSON.parse(readFileSync(path.join(root, run, "environment.json"), "utf8")).cpu,
      trained,
      scored,
      total: seconds(start),
      gguf_megabytes: Number(megabytes),
      rows,
    };
    writeFileSync(path.join(root, "experiments/results/quickstart.json"), `${JSON.stringify(record, null, 2)}\n`);
    copyFileSync(path.join(root, run, "loss.png"), path.join(root, "experiments/results/quickstart_loss.png"));
  }
  for (const problem of problems) console.error(`quickstart: ${problem}`);
  if (problems.length) process.exitCode = 1;
}

main().catch((error: Error) => {
  console.error(`quickstart: ${error.message}`);
  process.exitCode = 1;
});
