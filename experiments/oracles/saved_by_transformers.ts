/**
 * Checkpoints that transformers itself has saved, read, exported and run: perplexity in our engine beside transformers'.
 *
 *     python3 -m venv venv && venv/bin/pip install torch transformers accelerate
 *     npx tsx experiments/oracles/saved_by_transformers.ts venv/bin/python TEXT
 *
 * Small random BitNets (saved_by_transformers.py) over the first 20,000 bytes of TEXT, in windows of 500. Exit code 1 if one
 * cannot be exported, or its perplexity is 0.1% off.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { exportModel, planExport } from "../../export/index.ts";
import { selectBackend } from "../../native/backend/select_backend.ts";
import { Engine } from "../../native/inference/engine.ts";
import { openCheckpoint, parameterReader } from "../../src/checkpoint/checkpoint.ts";

const [python, textFile] = process.argv.slice(2);
if (textFile === undefined) throw new Error("usage: saved_by_transformers.ts PYTHON TEXT");

const windowLength = 500;
const bytes = readFileSync(textFile).subarray(0, 20_000);
const windows = Array.from({ length: Math.floor(bytes.length / windowLength) }, (_, i) =>
  Int32Array.from(bytes.subarray(i * windowLength, (i + 1) * windowLength)),
);

const folder = mkdtempSync(path.join(tmpdir(), "saved-by-transformers-"));
const checkpoints = path.join(folder, "checkpoints");
const script = path.join(import.meta.dirname, "saved_by_transformers.py");
const { status, stdout, stderr } = spawnSync(
  "sh",
  ["-c", 'mkdir -p "$1" && exec "$2" "$3" "$1"', "sh", checkpoints, python, script],
  {
    input: JSON.stringify(windows.map((ids) => Array.from(ids))),
    encoding: "utf8",
    // The quantizers run eagerly.
    env: { ...process.env, TORCHDYNAMO_DISABLE: "1" },
  },
);
if (status !== 0) throw new Error(stderr.trim().split("\n").at(-1));
const theirs = JSON.parse(stdout) as Record<string, number>;

/** In our engine, of the exported file. */
async function perplexity(directory: string): Promise<number> {
  const checkpoint = await openCheckpoint(directory);
  const file = path.join(folder, "model.gguf");
  try {
    // Scales are computed in float32.
    const plan = planExport(checkpoint.config, null, { target: "bitnet-lab", type: "i2_s" });
    await exportModel(plan, file, parameterReader(checkpoint));
  } finally {
    await checkpoint.tensors.close();
  }
  const engine = await Engine.load(file);
  try {
    const logProbs = (await engine.score(windows)).flatMap(({ logprobs }) => Array.from(logprobs));
    return Math.exp(-logProbs.reduce((sum, each) => sum + each, 0) / logProbs.length);
  } finally {
    engine.dispose();
  }
}

await selectBackend();
let failed = false;
for (const name of readdirSync(checkpoints).sort()) {
  const ours = await perplexity(path.join(checkpoints, name));
  const difference = ours / theirs[name] - 1;
  failed ||= Math.abs(difference) > 1e-3;
  const percent = `${(100 * difference).toFixed(4)}%`;
  console.log(`${name.padEnd(24)} transformers ${theirs[name].toFixed(4)}  engine ${ours.toFixed(4)}  ${percent}`);
}
rmSync(folder, { recursive: true });
process.exit(failed ? 1 : 0);
