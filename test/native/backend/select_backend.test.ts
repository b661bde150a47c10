import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import { loadAddon } from "../../../native/addon.ts";
import { selectBackend } from "../../../native/backend/select_backend.ts";
import { rmsNorm } from "../../../src/ops/rms_norm.ts";
import { hasNative } from "../../support/tfjs_backends.ts";

describe("selectBackend", () => {
  it.each(["cpu", "wasm"] as const)("makes %s current; our kernels do not run there", async (name) => {
    const compute = await selectBackend(name);
    expect(tf.getBackend()).toBe(name);
    expect(compute).toMatchObject({ backend: name, threads: 1, variant: "composed" });
    expect(compute.kernel()).toBe("composed");
  });

  it.runIf(hasNative)("takes native by default, with the threads asked for", async () => {
    const before = loadAddon().threads();
    try {
      const compute = await selectBackend(undefined, 3);
      expect(tf.getBackend()).toBe("native");
      expect(compute).toMatchObject({ backend: "native", threads: 3, variant: loadAddon().variant() });
      expect(loadAddon().threads()).toBe(3);
    } finally {
      loadAddon().setThreads(before);
    }
  });

  it.runIf(hasNative)("tells which of the required kernels ran since the last question", async () => {
    const compute = await selectBackend("native");
    compute.kernel();
    tf.tidy(() => rmsNorm(tf.ones([2, 4]), tf.ones([4]), 1e-5));
    expect(compute.kernel(["RMSNorm"])).toBe(compute.variant);
    expect(compute.kernel(["RMSNorm"])).toBe("composed");
    tf.tidy(() => rmsNorm(tf.ones([2, 4]), tf.ones([4]), 1e-5));
    expect(compute.kernel(["RMSNorm", "BitLinear"])).toBe(`${compute.variant} (composed: BitLinear)`);
  });

  it("says what to install when the tensorflow backend is missing", async () => {
    await expect(selectBackend("tensorflow")).rejects.toThrow(
      /the tensorflow backend needs @tensorflow\/tfjs-node \(npm install @tensorflow\/tfjs-node\)/,
    );
  });
});
