/** config.json is read by what it says, whoever wrote it: our keys beside transformers', honoured, refused or named. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type ConfigReading, modelConfigJson, readModelConfig } from "../../src/checkpoint/model_config_json.ts";
import { checkStorage } from "../../src/checkpoint/quantization_keys.ts";
import { isFloat, isQuantized } from "../../src/config/model_quantizers.ts";
import { smallConfig } from "../export/small_model.ts";

type Json = Record<string, unknown>;

/** A checkpoint of rope_theta 10000 that transformers 5.24 has saved again. */
const resaved: Json = JSON.parse(
  readFileSync(path.resolve(import.meta.dirname, "../golden/checkpoint/resaved_by_transformers.json"), "utf8"),
);
/** The same without our keys, as transformers writes its own. */
const foreign = Object.fromEntries(
  Object.entries(resaved).filter(([key]) => !/^(use_sub_norms|\w+_quantizer|(scale|embedding)_dtype)$/.test(key)),
);
const read = (json: Json, reading?: ConfigReading) => readModelConfig(json, () => undefined, reading);

describe.each([
  ["a file of ours that transformers saved", resaved],
  ["a file of transformers", foreign],
])("%s", (_, json) => {
  test("the base of RoPE is that of rope_parameters", () => {
    expect(read(json)).toMatchObject({ ropeTheta: 10000, rmsNormEps: 1e-5, headDim: 64, maxPositionEmbeddings: 128 });
    expect(isQuantized(read(json))).toBe(true);
  });

  test.each<[string, Json, string]>([
    ["scaling", { rope_parameters: { rope_type: "longrope", factor: 8 } }, 'rope type "longrope" is not supported'],
    ["scaling beside it", { rope_scaling: { type: "dynamic", factor: 2 } }, 'rope_scaling: rope type "dynamic"'],
    ["a factor without a type", { rope_scaling: { factor: 2 } }, "rope_scaling.factor 2 is not supported"],
    ["one for each kind of layer", { rope_parameters: { full_attention: {} } }, "rope_parameters.full_attention"],
    ["a part of each head", { partial_rotary_factor: 0.5 }, "partial_rotary_factor 0.5 is not supported"],
    [
      "a part of each head, inside",
      { rope_parameters: { rope_type: "default", rope_theta: 10000, partial_rotary_factor: 0.5 } },
      "rope_parameters.partial_rotary_factor 0.5",
    ],
    ["two bases", { rope_theta: 500000 }, "rope_theta is 500000 and rope_parameters.rope_theta is 10000"],
    ["a window", { sliding_window: 64 }, "sliding_window 64 is not supported"],
    ["layers with a window", { layer_types: ["full_attention", "sliding_attention"] }, "layer_types"],
    ["biases", { attention_bias: true }, "attention_bias"],
    ["biases of the feed-forward", { mlp_bias: true }, "mlp_bias"],
    ["experts", { num_local_experts: 8 }, "num_local_experts 8 is not supported"],
    ["another activation", { hidden_act: "gelu" }, "hidden_act: "],
    ["another class", { architectures: ["MistralForCausalLM"] }, 'architectures "MistralForCausalLM"'],
    [
      "two classes",
      { architectures: ["LlamaForCausalLM"] },
      "model_type is bitnet and architectures is LlamaForCausalLM",
    ],
    ["another type", { model_type: "phi3", architectures: undefined }, 'model_type "phi3" is not supported'],
    [
      "a quantized head",
      { quantization_config: { quant_method: "bitnet", modules_to_not_convert: [] } },
      "modules_to_not_convert without lm_head",
    ],
  ])("%s: refused", (_, change, message) => {
    expect(() => read({ ...json, ...change })).toThrow(message);
  });

  test.each<[string, Json]>([
    ["the same base twice", { rope_theta: 10000 }],
    ["no scaling", { rope_scaling: null }],
    ["a window as long as the context", { sliding_window: 128 }],
    ["a window that is off", { sliding_window: 64, use_sliding_window: false }],
    ["layers that see everything", { layer_types: ["full_attention", "full_attention"] }],
    ["dropout, dtypes and settings of generation", { attention_dropout: 0.1, torch_dtype: "bfloat16", top_p: 0.9 }],
  ])("%s: the same model, without a word", (_, change) => {
    const remarks: string[] = [];
    expect(read({ ...json, ...change }, { onRemark: (line) => remarks.push(line) })).toEqual(read(json));
    expect(remarks).toEqual([]);
  });

  test("keys that nobody knows are named", () => {
    const remarks: string[] = [];
    read({ ...json, my_note: 1, value_scale: 2 }, { onRemark: (line) => remarks.push(line) });
    expect(remarks).toEqual(["config.json: not known to this model's class, and not used: my_note, value_scale"]);
  });

  test("without quantization_config the user says what it is", () => {
    const silent = { ...json, quantization_config: undefined };
    expect(() => read(silent)).toThrow(
      /without quantization_config is a float model in transformers.* --quantization online/,
    );
    expect(isQuantized(read(silent, { quantization: "online" }))).toBe(true);
    const float = read(silent, { quantization: "none" });
    expect([isFloat(float), float.normPlacement, float.ropeTheta]).toEqual([true, "sub", 10000]);
    expect(() => read(json, { quantization: "none" })).toThrow("quantization none contradicts config.json");
  });
});

test("keys that a file leaves out have the values of the model's class", () => {
  const { max_position_embeddings: _, rope_parameters: __, rms_norm_eps: ___, ...rest } = foreign;
  expect(read(rest)).toMatchObject({ maxPositionEmbeddings: 2048, ropeTheta: 500000, rmsNormEps: 1e-5 });
  const llama = { ...rest, model_type: "llama", architectures: ["LlamaForCausalLM"], hidden_act: "silu" };
  expect(read(llama)).toMatchObject({ maxPositionEmbeddings: 2048, ropeTheta: 10000, rmsNormEps: 1e-6 });
});

test("quantizers that are off contradict a quantization_config", () => {
  for (const key of ["weight_quantizer", "activation_quantizer"]) {
    expect(() => read({ ...resaved, [key]: "none" })).toThrow(`${key} is none and quantization_config is bitnet`);
  }
});

test("files of ours from before quantization_config go on", () => {
  const { transformers_version: _, quantization_config: __, ...before } = resaved;
  expect(read({ ...before, rope_parameters: undefined, rope_theta: 777 })).toEqual({
    ...read(resaved),
    ropeTheta: 777,
  });
});

test("what transformers would compute otherwise is no BitNet of its kind", () => {
  const absmedian = modelConfigJson(smallConfig({ weight_quantizer: "absmedian_ternary" }), null);
  expect([absmedian.model_type, absmedian.quantization_config]).toEqual(["bitnet-lab", undefined]);
});

test("weights are stored as the file says that they run", () => {
  const offline = { quantization_config: { quant_method: "bitnet", linear_class: "autobitlinear" } };
  expect(() => checkStorage(offline, false)).toThrow("quantization_config says autobitlinear, offline: packed codes");
  expect(() => checkStorage(offline, true)).not.toThrow();
  expect(() => checkStorage(offline, false, "online")).not.toThrow();
  expect(() => checkStorage({}, true, "online")).toThrow("their scales may multiply or divide");
});
