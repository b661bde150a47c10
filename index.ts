/** `import ... from "bitnet-lab"`: everything of `src/index.ts`, and GGUF files in the native engine (loaded at first use). */
export * from "./native/inference/index.ts";
export * from "./src/index.ts";
