/**
 * What `bitnet-inspect` says that readers do with a model, and what they do: our engine, llama.cpp and transformers on the made
 * files of test/inspect/traps.ts.
 *
 *     python3 -m venv venv && venv/bin/pip install torch transformers accelerate gguf
 *     npm install --prefix /tmp/nlc --ignore-scripts node-llama-cpp
 *     npx tsx experiments/oracles/inspect_verdicts.ts venv/bin/python /tmp/nlc/node_modules/node-llama-cpp
 *
 * A program computes a model if its loss on a text is that of the model here, within 2%; another loss is something else. llama.cpp
 * runs in a process of its own, which a file may end. Exit code 1 if a verdict is not what the program did.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { exportModel, planExport } from "../../export/index.ts";
import { selectBackend } from "../../native/backend/select_backend.ts";
import { openCheckpoint, parameterReader } from "../../src/checkpoint/checkpoint.ts";
import { UserError } from "../../src/errors/user_error.ts";
import { trapVerdicts } from "../../test/inspect/trap_verdicts.ts";
import { type ModelName, trainedModels, trapReaders, traps, trapText } from "../../test/inspect/traps.ts";
import { llamaCppLosses, meanLoss, ourLogProbsOf } from "./text_losses.ts";

const [python, packageFolder, only] = process.argv.slice(2);
if (packageFolder === undefined) throw new Error("usage: inspect_verdicts.ts PYTHON NODE_LLAMA_CPP_FOLDER");

/** What a program did. */
type Deed = { loss: number } | { refusal: string };

if (python === "--llama-cpp") {
  const ids = Int32Array.from(JSON.parse(process.argv[5]));
  const loss = await (await llamaCppLosses(packageFolder, "error"))(only, [ids]);
  console.log(JSON.stringify({ loss }));
  process.exit(0);
}

await selectBackend();
const models = trainedModels();
const ids = models.silu.tokenizer.encode(trapText, { addSpecialTokens: false });
const folder = mkdtempSync(path.join(tmpdir(), "inspect-verdicts-"));
const text = path.join(folder, "text");
writeFileSync(text, trapText);

async function ourLoss(source: string): Promise<Deed> {
  try {
    if (!statSync(source).isDirectory()) return { loss: meanLoss(await ourLogProbsOf(source, [Int32Array.from(ids)])) };
    const checkpoint = await openCheckpoint(source);
    const file = path.join(folder, "exported.gguf");
    try {
      const plan = planExport(checkpoint.config, null, { target: "bitnet-lab", type: "i2_s" });
      await exportModel(plan, file, parameterReader(checkpoint));
    } finally {
      await checkpoint.tensors.close();
    }
    return { loss: meanLoss(await ourLogProbsOf(file, [Int32Array.from(ids)])) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { refusal: error.message.replace(/^.*?: /, "").slice(0, 200) };
  }
}

function llamaCppLoss(source: string): Deed {
  const script = path.join(import.meta.dirname, "inspect_verdicts.ts");
  const args = ["tsx", script, "--llama-cpp", packageFolder, source, JSON.stringify(ids)];
  const { status, stdout, stderr } = spawnSync("npx", args, { encoding: "utf8" });
  const said = stderr.split("\n").find((line) => /\[node-llama-cpp\] .*(?:error|failed|invalid)|^\w*Error/i.test(line));
  return status === 0 ? (JSON.parse(stdout.trim().split("\n").at(-1)!) as Deed) : { refusal: said ?? "it ended" };
}

function transformersLosses(paths: readonly string[]): Deed[] {
  const { status, stdout, stderr } = spawnSync(python, [path.join(import.meta.dirname, "inspect_verdicts.py")], {
    input: JSON.stringify({ paths, ids: [ids] }),
    encoding: "utf8",
    env: { ...process.env, TORCHDYNAMO_DISABLE: "1" },
  });
  if (status !== 0) throw new Error(stderr.trim().split("\n").at(-1));
  return JSON.parse(stdout.slice(stdout.indexOf("[{")));
}

/** Of each model, as it was trained. */
const rightLosses = new Map<ModelName, number>();
for (const [name, { config, latent }] of Object.entries(models)) {
  const file = path.join(folder, `${name}.gguf`);
  await exportModel(planExport(config, null, { target: "bitnet-lab" }), file, async (each) => latent.get(each)!);
  const logProbs = await ourLogProbsOf(file, [Int32Array.from(ids)]);
  rightLosses.set(name as ModelName, meanLoss(logProbs));
  console.log(`${name}: ${meanLoss(logProbs).toFixed(4)} nats a token`);
}

const chosen = traps.filter(({ name }) => only === undefined || name.includes(only));
const sources: string[] = [];
for (const [i, trap] of chosen.entries()) {
  sources.push(await trap.write(path.join(folder, String(i)), models[trap.model]));
}
const byTransformers = transformersLosses(sources);
let wrong = 0;
for (const [i, { name, model, madeUp }] of chosen.entries()) {
  const verdicts = await trapVerdicts(sources[i], text);
  const deeds = [
    ["bitnet-lab", await ourLoss(sources[i])],
    ["llama.cpp", llamaCppLoss(sources[i])],
    ["transformers", byTransformers[i]],
  ] as const;
  for (const [reader, deed] of deeds) {
    const { outcome, why } = verdicts[trapReaders.indexOf(reader)];
    const right = rightLosses.get(model)!;
    const isRight = "loss" in deed && (madeUp || Math.abs(deed.loss / right - 1) < 0.02);
    const done = "refusal" in deed ? "refuses" : isRight ? "computes it" : "computes something else";
    if (done !== outcome) wrong++;
    const shown = "refusal" in deed ? deed.refusal : `${deed.loss.toFixed(4)}, right ${right.toFixed(4)}`;
    console.log(`${done === outcome ? " " : "!"} ${name} | ${reader} | ${outcome} (${why}) | ${done}: ${shown}`);
  }
}
rmSync(folder, { recursive: true });
console.log(`${wrong} of ${3 * chosen.length} verdicts are not what the program did`);
process.exit(wrong > 0 ? 1 : 0);
