/** Prompts, draws, token ids, log-likelihoods, generated text and scores against lm-evaluation-harness 0.4.13. */
import { existsSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NativeLanguageModel } from "../../native/inference/native_language_model.ts";
import { TfjsLanguageModel } from "../../src/language_model/tfjs_language_model.ts";
import { titleUnless } from "../support/missing.ts";
import { hasNative, useBackend } from "../support/tfjs_backends.ts";
import { exportTestModel } from "./gguf_test_model.ts";
import { modelDirectory, type TinyModel } from "./golden_lm_eval.ts";
import { compareWithOracle, oracleData, oracleTasks, sharedDirectory } from "./lm_eval_oracle.ts";

const models: TinyModel[] = ["tiny-llama", "tiny-bitnet"];

describe.skipIf(!existsSync(sharedDirectory))(
  titleUnless(!existsSync(sharedDirectory), "../shared", "lm-eval oracle"),
  () => {
    let data: string;
    beforeAll(async () => {
      data = oracleData();
      await useBackend(hasNative ? "native" : "cpu");
    });
    afterAll(() => rmSync(data, { recursive: true }));

    describe.each(models)("%s, checkpoint through tfjs", (name) => {
      let model: TfjsLanguageModel;
      beforeAll(async () => {
        model = await TfjsLanguageModel.open(modelDirectory(name));
      });
      afterAll(() => model.dispose());

      test.each(oracleTasks[name])("$file", { timeout: 300_000 }, async (task) => {
        // Without a key/value cache the long gsm8k prompts take seconds each.
        const limit = task.task === "gsm8k" ? 3 : undefined;
        const comparison = await compareWithOracle(name, task, model, data, limit);
        const { deviations, largestDifference, nearTies } = comparison;
        console.log(
          `${name} ${task.file}: largest difference ${largestDifference.toExponential(1)}, near ties ${nearTies}`,
        );
        expect(deviations).toEqual([]);
      });
    });

    describe.skipIf(!hasNative)(titleUnless(!hasNative, "the addon", "GGUF through the native engine"), () => {
      describe.each(models)("%s", (name) => {
        let model: NativeLanguageModel;
        beforeAll(async () => {
          model = await NativeLanguageModel.open(await exportTestModel(name, data));
        });
        afterAll(() => model.dispose());

        test.each(oracleTasks[name])("$file", { timeout: 300_000 }, async (task) => {
          const { deviations, largestDifference, nearTies } = await compareWithOracle(name, task, model, data);
          console.log(
            `${name} ${task.file}, GGUF: largest difference ${largestDifference.toExponential(1)}, near ties ${nearTies}`,
          );
          expect(deviations).toEqual([]);
        });
      });
    });
  },
);
