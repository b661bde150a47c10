/** bitnet-export, written oneself: the newest checkpoint of a run to a GGUF file, every tensor read back. */
import { openCheckpoint, parameterReader } from "bitnet-lab";
import { exportModel, planExport, verifyExport } from "bitnet-lab/export";

const [folder, file] = process.argv.slice(2);
const checkpoint = await openCheckpoint(folder);
const read = parameterReader(checkpoint);
const plan = planExport(checkpoint.config, checkpoint.tokenizer, { target: "bitnet-lab", name: "mine" });
await exportModel(plan, file, read);
const { ternaryMatrices } = await verifyExport(plan, file, read);
console.log(`${plan.linearType}: ${ternaryMatrices} ternary matrices equal`);
await checkpoint.tensors.close();
