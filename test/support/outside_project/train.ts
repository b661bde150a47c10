/** bitnet-train, written oneself: the shipped recipe on the generated world, in the folder and for the steps given. */
import { selectBackend } from "bitnet-lab";
import * as training from "bitnet-lab/training";

const [folder, steps] = process.argv.slice(2);
const compute = await selectBackend();
const set = [
  `training.max_steps=${steps}`,
  "training.log_every=10",
  "data.world_documents=2000",
  `data.cache_directory=${folder}/cache`,
];
const recipe = training.loadRunConfig(training.resolveConfigPath("small.yaml"), set.map(training.parseOverride));
const inputs = await training.prepareRun(training.withBackwardPrecision(recipe, compute).config);
const run = training.beginRun({ ...inputs, compute, directory: new training.RunDirectory(folder) });
const end = await run.run({ listener: { onMetrics: ({ step, loss }) => console.log(step, loss) } });
console.log(end);
run.dispose();
await inputs.dataset.close();
