/** Where `bitnet-generate` takes its prompt from. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { afterAll, expect, test } from "vitest";
import { readPrompt } from "../../cli/prompt_flags.ts";

const folder = mkdtempSync(path.join(tmpdir(), "prompt-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { signal } = new AbortController();

function file(bytes: Uint8Array | string): string {
  const name = path.join(folder, "prompt.txt");
  writeFileSync(name, bytes);
  return name;
}

const stdin = (...parts: Buffer[]) => Readable.from(parts) as unknown as NodeJS.ReadStream;
const read = (prompt?: string, name?: string, input = stdin()) => readPrompt({ prompt, file: name }, signal, input);

test("a text, also an empty one", async () => {
  expect(await read("Once")).toBe("Once");
  expect(await read("")).toBe("");
});

test("a file: UTF-8, without a byte order mark and the last line break", async () => {
  expect(await read(undefined, file("\ufeffzwölf\n\nOnce\r\n"))).toBe("zwölf\n\nOnce");
});

test("standard input, whose parts may end within a character", async () => {
  const bytes = Buffer.from("zwölf\n");
  expect(await read("-", undefined, stdin(bytes.subarray(0, 3), bytes.subarray(3)))).toBe("zwölf");
  expect(await read(undefined, "-", stdin(bytes))).toBe("zwölf");
});

test("mistakes are told in a line", async () => {
  await expect(read("a", "b")).rejects.toThrow("give --prompt or --file, not both");
  await expect(read()).rejects.toThrow(
    /^the prompt is missing: --prompt TEXT, --prompt - \(standard input\) or --file/,
  );
  await expect(read(undefined, path.join(folder, "none"))).rejects.toThrow(/^cannot read .*none: no such file/);
  const latin1 = file(Buffer.from([0x7a, 0x77, 0xf6, 0x6c, 0x66]));
  await expect(read(undefined, latin1)).rejects.toThrow(`${latin1} is not UTF-8 text`);
});

test("Ctrl-C ends the reading", async () => {
  const controller = new AbortController();
  const waiting = readPrompt(
    { prompt: "-", file: undefined },
    controller.signal,
    new Readable({ read() {} }) as unknown as NodeJS.ReadStream,
  );
  controller.abort(new Error("interrupted"));
  await expect(waiting).rejects.toThrow("interrupted");
});
