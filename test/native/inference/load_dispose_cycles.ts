/** Loads a model, uses and disposes of it many times: prints how much the process has grown in the second half. */
import { loadModel } from "../../../native/inference/index.ts";

const [file, cycles] = [process.argv[2], Number(process.argv[3])];

async function settledMegabytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return process.memoryUsage.rss() / 1e6;
}

let before = 0;
for (let cycle = 0; cycle < cycles; cycle++) {
  if (cycle === cycles / 2) before = await settledMegabytes();
  const model = await loadModel(file, { threads: 2 });
  await model.generate("The", { maxTokens: 3 }).finish();
  await model.loglikelihood("The", " end");
  await model[Symbol.asyncDispose]();
}
const after = await settledMegabytes();
console.log(JSON.stringify({ cycles, before, after, growthMegabytes: after - before }));
