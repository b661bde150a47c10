import * as tf from "@tensorflow/tfjs";
import { describe, expect, it, vi } from "vitest";
import { loadAddon } from "../../../native/addon.ts";
import { selectBackend } from "../../../native/backend/select_backend.ts";
import { allowedThreads } from "../../../src/machine/threads.ts";
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

  it.runIf(hasNative)("fits the threads to the work of a step, unless they were asked for", async () => {
    const before = loadAddon().threads();
    try {
      const asked = await selectBackend("native", 3);
      asked.fitThreads?.(1);
      expect([asked.threads, loadAddon().threads()]).toEqual([3, 3]);
      vi.stubEnv("BITNET_THREADS", undefined);
      const compute = await selectBackend("native");
      expect(compute.threads).toBe(allowedThreads());
      compute.fitThreads?.(1);
      expect([compute.threads, loadAddon().threads()]).toEqual([1, 1]);
      compute.fitThreads?.(1e15);
      expect([compute.threads, loadAddon().threads()]).toEqual([allowedThreads(), allowedThreads()]);
    } finally {
      vi.unstubAllEnvs();
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
