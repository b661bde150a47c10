/**
 * A tracker for `bitnet-train --tracker`: hands a run to a Python package that has init, log and finish, such as wandb
 * or trackio.
 *
 *     TRACKER=wandb npx bitnet-train --config small.yaml --out runs/small --tracker experiments/trackers/python_tracker.mjs
 *
 * TRACKER names the package (default trackio), PYTHON the interpreter (default python3). Settings of the package itself
 * (WANDB_MODE, TRACKIO_DIR ...) go through the environment as always.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";

/** Reads a call a line: [name, argument, step]. Histograms come as {low, high, counts}. */
const program = `
import importlib, json, sys
tracker = importlib.import_module(sys.argv[1])

def value(given):
    if not isinstance(given, dict):
        return given
    low, high, counts = given["low"], given["high"], given["counts"]
    edges = [low + (high - low) * i / len(counts) for i in range(len(counts) + 1)]
    return tracker.Histogram(np_histogram=(counts, edges))

for line in sys.stdin:
    name, argument, step = json.loads(line)
    if name == "init":
        tracker.init(**argument)
    elif name == "log":
        tracker.log({key: value(given) for key, given in argument.items()}, step=step)
tracker.finish()
`;

let python;
let lastWords = "";

function send(...call) {
  if (python.exitCode !== null) throw new Error(lastWords || "Python has ended");
  python.stdin.write(`${JSON.stringify(call)}\n`);
}

export async function init({ project, name, config }) {
  python = spawn(process.env.PYTHON ?? "python3", ["-c", program, process.env.TRACKER ?? "trackio"], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  python.stdin.on("error", () => {}); // An early end is told by its exit code.
  python.stderr.setEncoding("utf8").on("data", (text) => {
    lastWords = text.trim().split("\n").at(-1) || lastWords;
  });
  await once(python, "spawn");
  send("init", { project, name, config }, null);
}

export function log(values, { step }) {
  send("log", values, step);
}

export async function finish() {
  python.stdin.end();
  const [code] = python.exitCode === null ? await once(python, "close") : [python.exitCode];
  if (code !== 0) throw new Error(lastWords || `Python ended with code ${code}`);
}
