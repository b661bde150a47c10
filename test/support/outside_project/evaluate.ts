/** bitnet-eval, written oneself: held-out questions, asked of a checkpoint and of its GGUF file. */
import { openModel } from "bitnet-lab";
import { evaluate, findTask, resultsTable, TaskData } from "bitnet-lab/evaluation";

for (const source of process.argv.slice(2)) {
  const model = await openModel(source);
  const results = await evaluate(model, [findTask("toy_arc")], new TaskData(), { limit: 40 });
  console.log(resultsTable(results));
  model.dispose();
}
