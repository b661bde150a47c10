/**
 * A model in several GGUF files, as llama.cpp's `gguf-split` writes it: `NAME-00001-of-00003.gguf` and so on. The first
 * has the metadata; each says which one it is (`split.no` from 0), of how many (`split.count`), and how many tensors there
 * are in all (`split.tensors.count`).
 */
import { GgufError, type GgufMetadata } from "./gguf_types.ts";

/** Far more than any model has. */
const maxParts = 99999;

const partName = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/s;

/** Which part the metadata say that a file is, from 0, and of how many; one of one without such keys. */
export function splitOf(metadata: GgufMetadata): { index: number; count: number; tensors: number | null } {
  const number = (key: string) => {
    const value = metadata.get(`split.${key}`)?.value;
    return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : undefined;
  };
  return { index: number("no") ?? 0, count: number("count") || 1, tensors: number("tensors.count") ?? null };
}

/**
 * The files of all parts in order, given any of them.
 * @throws {GgufError} if the name does not say what the keys do.
 */
export function partFiles(file: string, { index, count }: { index: number; count: number }): string[] {
  if (count === 1) return [file];
  const [, name, number, of] = partName.exec(file) ?? [];
  const wanted = `-${pad(index + 1)}-of-${pad(count)}.gguf`;
  if (name === undefined || count > maxParts || Number(of) !== count || Number(number) !== index + 1) {
    throw new GgufError(`part ${index + 1} of a model in ${count} files: it must be named NAME${wanted}`);
  }
  return Array.from({ length: count }, (_, i) => `${name}-${pad(i + 1)}-of-${pad(count)}.gguf`);
}

/** The files of a model that is open, given the one that was named. @param count `split.count`; undefined of a whole one */
export function modelFiles(file: string, count: unknown): string[] {
  const number = Number(partName.exec(file)?.[2] ?? 1);
  return partFiles(file, { index: number - 1, count: typeof count === "number" && count > 1 ? count : 1 });
}

function pad(number: number): string {
  return String(number).padStart(5, "0");
}
