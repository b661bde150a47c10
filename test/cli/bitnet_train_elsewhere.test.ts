/** A run goes on wherever it, its data and the caller are: what is compared is what the data are, not what they are called. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runTraining } from "../../cli/train_run.ts";
import { hasNative } from "../support/tfjs_backends.ts";
import { newestCheckpointBytes } from "../support/tiny_run.ts";

let folder: string;
let template: string;
const text = "The bridge stood for two hundred years before anyone counted. ".repeat(200);

/** Trains in the folder of this process; `out` from there. */
async function train(cwd: string, out: string, set: string[], data?: string): Promise<void> {
  const before = process.cwd();
  process.chdir(cwd);
  try {
    await runTraining(
      {
        config: set.length > 0 ? "tiny.yaml" : undefined,
        out,
        data: data === undefined ? undefined : [data],
        set: set.length > 0 ? set : ["training.max_steps=4"],
        resume: set.length === 0,
        backend: hasNative ? "native" : "wasm",
        threads: 1,
        seed: undefined,
        "init-from": undefined,
        tracker: undefined,
        "until-step": undefined,
        dashboard: undefined,
        "dry-run": false,
      },
      new AbortController().signal,
    );
  } finally {
    process.chdir(before);
  }
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "elsewhere-"));
  vi.stubEnv("BITNET_CACHE", path.join(folder, "cache"));
  vi.spyOn(console, "log").mockImplementation(() => {});
  vi.spyOn(process.stdout, "write").mockImplementation(() => true);
  template = path.join(folder, "template");
  mkdirSync(template);
  writeFileSync(path.join(template, "book.txt"), text);
  const set = ["training.max_steps=2", "schedule.type=constant", "model.num_hidden_layers=1", "training.eval_every=0"];
  await train(template, "run", set, "book.txt");
});
afterAll(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A copy of the finished run and its data. */
function scene(name: string): string {
  const place = path.join(folder, name);
  cpSync(template, place, { recursive: true });
  const file = path.join(place, "run/data.json");
  // The record as if the run had been begun here.
  writeFileSync(file, readFileSync(file, "utf8").replaceAll(template, place));
  return place;
}

describe("a run of two steps goes on to four", () => {
  let wanted: Buffer;
  const weights = (place: string, run = "run") => newestCheckpointBytes(path.join(place, run)).model;

  beforeAll(async () => {
    const place = scene("here");
    await train(place, "run", []);
    wanted = weights(place);
  });

  it.each<[string, (place: string) => Promise<string | undefined>]>([
    [
      "from another folder",
      async (place) => {
        await train(folder, path.join(place, "run"), []);
        return undefined;
      },
    ],
    [
      "with the data moved and named anew",
      async (place) => {
        mkdirSync(path.join(place, "texts"));
        renameSync(path.join(place, "book.txt"), path.join(place, "texts/novel.txt"));
        await train(place, "run", [], "texts/novel.txt");
        return undefined;
      },
    ],
    [
      "with the run and the data moved together",
      async (place) => {
        const moved = `${place}-moved`;
        renameSync(place, moved);
        await train(folder, path.join(moved, "run"), []);
        return moved;
      },
    ],
    [
      "in another folder, where another file has the name",
      async (place) => {
        const other = path.join(place, "other");
        mkdirSync(other);
        writeFileSync(path.join(other, "book.txt"), "Something else.");
        await train(other, "../run", []);
        return undefined;
      },
    ],
  ])("%s", async (name, goOn) => {
    const place = scene(name.replaceAll(/\W/g, "-"));
    expect(weights((await goOn(place)) ?? place).equals(wanted)).toBe(true);
  });

  it("not with another text, nor without one", async () => {
    const place = scene("changed");
    writeFileSync(path.join(place, "book.txt"), text.replace("bridge", "tunnel"));
    await expect(train(place, "run", [])).rejects.toThrow("the data has changed since; name the same text with --data");
    rmSync(path.join(place, "book.txt"));
    await expect(train(place, "run", [])).rejects.toThrow(
      "book.txt: the text of the run is not there: say where it is",
    );
    await expect(train(folder, path.join(place, "run"), [])).rejects.toThrow(
      `which was ${place}/book.txt, is not there`,
    );
  });

  it("by the names of its data, if it is of before they were recorded", async () => {
    const place = scene("old");
    rmSync(path.join(place, "run/data.json"));
    await train(place, "run", []);
    expect(weights(place).equals(wanted)).toBe(true);
  });
});
