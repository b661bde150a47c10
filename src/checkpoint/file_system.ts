/**
 * IOHandler that keeps a layers model in a directory: `await model.save(fileSystem("my-model"))` and
 * `await tf.loadLayersModel(fileSystem("my-model"))`. tfjs itself has `file://` only in tfjs-node.
 *
 * The directory holds model.json (topology and weight manifest, tfjs's own format) and weights.bin. It appears
 * completely or not at all.
 */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { systemErrorText } from "../errors/system_error.ts";
import { writeWholeDirectory } from "../files/whole_directory.ts";
import { CheckpointError } from "./checkpoint_error.ts";

const topologyFile = "model.json";
const weightsFile = "weights.bin";

async function readModelFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new CheckpointError(`cannot read ${file}: ${systemErrorText(error)}`);
  }
}

async function saveModel(directory: string, artifacts: tf.io.ModelArtifacts): Promise<tf.io.SaveResult> {
  const { weightData, weightSpecs = [], ...topology } = artifacts;
  const json = { ...topology, weightsManifest: [{ paths: [weightsFile], weights: weightSpecs }] };
  const weights = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData));
  await writeWholeDirectory(directory, topologyFile, async (temporary) => {
    await writeFile(path.join(temporary, topologyFile), JSON.stringify(json));
    await writeFile(path.join(temporary, weightsFile), weights);
  });
  return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
}

async function loadModel(directory: string): Promise<tf.io.ModelArtifacts> {
  const file = path.join(directory, topologyFile);
  const text = (await readModelFile(file)).toString("utf8");
  let json: tf.io.ModelJSON;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CheckpointError(`${file} is not valid JSON`);
  }
  return tf.io.getModelArtifactsForJSON(json, async (manifest) => {
    const specs = manifest.flatMap((group) => group.weights);
    const bytes = await readModelFile(path.join(directory, weightsFile));
    const expected = specs.reduce((sum, { shape, dtype }) => sum + weightBytes(shape, dtype), 0);
    if (bytes.length !== expected) {
      throw new CheckpointError(
        `${path.join(directory, weightsFile)} has ${bytes.length} bytes, ${topologyFile} describes ${expected}`,
      );
    }
    return [specs, new Uint8Array(bytes).buffer];
  });
}

function weightBytes(shape: number[], dtype: string): number {
  return tf.util.sizeFromShape(shape) * tf.util.bytesPerElement(dtype as tf.DataType);
}

/**
 * The handler for `directory`, which is created by saving. An existing one is replaced only if it is empty or holds a
 * saved model.
 */
export function fileSystem(directory: string): tf.io.IOHandler {
  return {
    save: (artifacts) => saveModel(directory, artifacts),
    load: () => loadModel(directory),
  };
}
