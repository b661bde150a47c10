import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { systemErrorCode, systemErrorText } from "../../src/errors/system_error.ts";

const folder = mkdtempSync(path.join(tmpdir(), "system-error-"));
afterAll(() => rmSync(folder, { recursive: true }));

function refusal(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("the system refused nothing");
}

describe("systemErrorText", () => {
  const absent = path.join(folder, "absent");

  it.each<[string, () => unknown, string]>([
    ["an absent file", () => readFileSync(absent), "no such file or folder"],
    ["a folder", () => readFileSync(folder), "it is a folder, not a file"],
    [
      "a file as a folder",
      () => {
        writeFileSync(path.join(folder, "file"), "");
        writeFileSync(path.join(folder, "file/below"), "");
      },
      "a part of the path is not a folder",
    ],
    ["a long name", () => writeFileSync(path.join(folder, "n".repeat(500)), ""), "the name is too long"],
  ])("%s", (_, run, text) => expect(systemErrorText(refusal(run))).toBe(text));

  it("ends with the path", () => {
    expect(
      systemErrorText(
        refusal(() => readFileSync(absent)),
        absent,
      ),
    ).toBe(`no such file or folder: ${absent}`);
  });

  it("knows what fetch says", async () => {
    const { cause } = (await fetch("http://127.0.0.1:1").catch((error: unknown) => error)) as Error;
    // Undici blocks some ports itself, without a system error.
    expect(systemErrorText(cause)).toMatch(/nothing listens at this address|bad port/);
  });

  it("is the message of any other error, on one line", () => {
    expect(systemErrorText(new TypeError("one\n  two"))).toBe("one; two");
    expect(systemErrorCode(new TypeError("one"))).toBeUndefined();
    expect(systemErrorCode(refusal(() => readFileSync({} as string)))).toBeUndefined();
  });
});
