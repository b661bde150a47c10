/** A GGUF file in the engine, without tfjs. */
import { loadModel } from "bitnet-lab/inference";

const model = await loadModel(process.argv[2]);
for await (const { text } of model.generate("Question: Ivan", { maxTokens: 12, temperature: 0 }))
  process.stdout.write(text);
model.dispose();
