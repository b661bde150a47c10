/** The list of export targets. */
import { bitnetCpp } from "./bitnet_cpp.ts";
import { bitnetLab } from "./bitnet_lab.ts";
import { llamaCpp } from "./llama_cpp.ts";
import type { ExportTarget } from "./target.ts";
import { transformers } from "./transformers.ts";

export const targets: readonly ExportTarget[] = [bitnetLab, llamaCpp, bitnetCpp, transformers];
export const targetNames = targets.map(({ name }) => name);
