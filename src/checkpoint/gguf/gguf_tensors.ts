/**
 * The tensors of a GGUF file as those of a checkpoint with latent weights: by the names of checkpoints, in their row order,
 * as float32. Codes become latent weights that quantize to the same codes and scales.
 */
import type { ModelConfig } from "../../config/model_config.ts";
import type { GgufFile } from "../../gguf/gguf_reader.ts";
import { GgufError } from "../../gguf/gguf_types.ts";
import type { ScaleGranularity } from "../../quantizers/weight_quantizer.ts";
import type { TensorInfo } from "../safetensors_header.ts";
import type { TensorSource } from "../sharded_tensors.ts";
import { readValues } from "./stored_rows.ts";
import { latentOf } from "./stored_scales.ts";
import { interleavedRowOrder, isRotated, type ModelTensor, modelTensors } from "./tensor_names.ts";

/** Who shares the scales of codes; null where the codes stand for floats. */
export interface CodedParts {
  matrices: ScaleGranularity | null;
  tables: ScaleGranularity | null;
}

/** Beside the parameters: what other programs' converters write. */
const toleratedTensors = ["rope_freqs.weight"];

export class GgufTensors implements TensorSource {
  readonly path: string;
  private readonly file: GgufFile;
  private readonly config: ModelConfig;
  private readonly coded: CodedParts;
  private readonly interleaved: boolean;
  private readonly byName: ReadonlyMap<string, ModelTensor>;

  /** @throws {GgufError} if a tensor of the model is missing or has another shape, or another one is there. */
  constructor(file: GgufFile, config: ModelConfig, coded: CodedParts, interleaved: boolean) {
    this.path = file.path;
    this.file = file;
    this.config = config;
    this.coded = coded;
    this.interleaved = interleaved;
    const tensors = modelTensors(config);
    this.byName = new Map(tensors.map((tensor) => [tensor.parameter, tensor]));
    for (const { ggufName, shape } of tensors) {
      const stored = file.info(ggufName).shape;
      if (String(stored) === String(shape)) continue;
      throw new GgufError(`${file.path}: tensor ${ggufName} is [${stored}], the keys ask for [${shape}]`);
    }
    const known = new Set([...tensors.map(({ ggufName }) => ggufName), ...toleratedTensors]);
    const other = file.tensors.find(({ name }) => !known.has(name));
    if (other !== undefined) throw new GgufError(`${file.path}: the keys do not explain tensor ${other.name}`);
  }

  names(): string[] {
    return [...this.byName.keys()];
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  info(name: string): TensorInfo {
    const { shape } = this.tensor(name);
    return { dtype: "F32", shape: [...shape] };
  }

  async readBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array((await this.readFloat32(name)).buffer as ArrayBuffer);
  }

  async readFloat32(name: string): Promise<Float32Array> {
    const tensor = this.tensor(name);
    const { shape } = this.file.info(tensor.ggufName);
    const order = this.interleaved && isRotated(tensor) ? interleavedRowOrder(shape[0], this.config.headDim) : null;
    const granularity =
      tensor.kind === "matrix" ? this.coded.matrices : tensor.kind === "embedding" ? this.coded.tables : null;
    if (granularity !== null) return latentOf(this.file, tensor.ggufName, granularity, order);
    if (order === null || shape.length > 1) return readValues(this.file, tensor.ggufName, order);
    const stored = await readValues(this.file, tensor.ggufName);
    const values = new Float32Array(stored.length);
    for (let i = 0; i < order.length; i++) values[order[i]] = stored[i];
    return values;
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private tensor(name: string): ModelTensor {
    const tensor = this.byName.get(name);
    if (tensor === undefined) throw new GgufError(`${this.path}: it has no tensor for ${name}`);
    return tensor;
  }
}
