/** Losses of a GGUF file on windows of ids: by our engine, and by llama.cpp (node-llama-cpp's prebuilt binaries). */
import path from "node:path";
import { pathToFileURL } from "node:url";
import { Engine } from "../../native/inference/engine.ts";

/** @returns windows of `length` ids, the rest left out */
export function windowsOf(ids: ArrayLike<number>, length: number): Int32Array[] {
  const all = Int32Array.from(ids);
  return Array.from({ length: Math.floor(all.length / length) }, (_, i) => all.slice(i * length, (i + 1) * length));
}

/** Log-probabilities of the ids after the first of each window. @throws {UserError} if the engine refuses the file. */
export async function ourLogProbsOf(file: string, windows: readonly Int32Array[]): Promise<Float32Array> {
  const engine = await Engine.load(file);
  try {
    const scores = await engine.score(windows.slice());
    return Float32Array.from(scores.flatMap(({ logprobs }) => Array.from(logprobs)));
  } finally {
    engine.dispose();
  }
}

/** Nats of an id. */
export function meanLoss(logProbs: Float32Array): number {
  return -logProbs.reduce((sum, each) => sum + each, 0) / logProbs.length;
}

/** @param packageFolder of node-llama-cpp. @returns a loss in nats of an id, of a file; it throws where llama.cpp refuses it */
export async function llamaCppLosses(packageFolder: string, logLevel: "disabled" | "error" = "disabled") {
  const { getLlama } = await import(pathToFileURL(path.join(packageFolder, "dist/index.js")).href);
  const llama = await getLlama({ build: "never", gpu: false, logLevel });
  return async (file: string, windows: readonly Int32Array[]): Promise<number> => {
    const model = await llama.loadModel({ modelPath: file });
    try {
      const context = await model.createContext({ contextSize: 512 });
      const sequence = context.getSequence();
      const wish = { generateNext: { probabilities: true, options: { temperature: 0 } } };
      let [sum, count] = [0, 0];
      for (const window of windows) {
        await sequence.clearHistory();
        const outputs: { next: { probabilities: Map<number, number> } }[] = await sequence.controlledEvaluate(
          Array.from(window, (id) => [id, wish]),
        );
        for (let at = 1; at < window.length; at++) {
          sum -= Math.log(outputs[at - 1].next.probabilities.get(window[at])!);
          count++;
        }
      }
      await context.dispose();
      return sum / count;
    } finally {
      await model.dispose();
    }
  };
}
