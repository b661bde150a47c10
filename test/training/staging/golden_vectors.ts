/** What PyTorch makes of the formulas: written by experiments/oracles/staging_vectors.py. */
import path from "node:path";
import { SafetensorsFile } from "../../../src/checkpoint/safetensors_file.ts";

export const [tokens, rows, cols] = [4, 6, 32];

export async function readVectors(): Promise<Map<string, Float32Array>> {
  const file = await SafetensorsFile.open(
    path.resolve(import.meta.dirname, "../../golden/staging/vectors.safetensors"),
  );
  const vectors = new Map<string, Float32Array>();
  for (const name of file.names()) vectors.set(name, await file.readFloat32(name));
  await file.close();
  return vectors;
}
