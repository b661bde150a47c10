/** The two tables of tensor types: the engine's, and the files of src/gguf/types (needs the addon). */
import { expect, it } from "vitest";
import { loadAddon } from "../../../native/addon.ts";
import "../../../native/inference/native_engine.ts";
import { tensorTypes } from "../../../src/gguf/types/tensor_types.ts";

it("the engine reads the tensor types that src/gguf knows, with the same layouts", () => {
  const byNumber = (types: readonly { id: number }[]) => [...types].sort((a, b) => a.id - b.id);
  const ours = tensorTypes.map(({ name, id, blockElements, blockBytes, tailBytes }) => {
    return { name, id, blockElements, blockBytes, tailBytes };
  });
  expect(byNumber(loadAddon().tensorTypes())).toEqual(byNumber(ours));
});
