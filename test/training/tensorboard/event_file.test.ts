/** Event files, read back from the description of their format. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { crc32c, maskedCrc32c } from "../../../training/tensorboard/crc32c.ts";
import { EventFile, eventFiles } from "../../../training/tensorboard/event_file.ts";
import { hyperParameterValues } from "../../../training/tensorboard/summary.ts";
import { decodeMessage, type Message, readEvents } from "../../support/event_reader.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "events-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("has the CRC-32C of RFC 3720 and TensorFlow's mask", () => {
  // RFC 3720, B.4, and crc32c.h of LevelDB for the check value.
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  // The first record of every file that TensorFlow wrote: a length of 24, and its checksum.
  expect(maskedCrc32c(Uint8Array.from([24, 0, 0, 0, 0, 0, 0, 0]))).toBe(0x224b7fa3);
});

it("begins with the version and the start of a session, then has what was added", () => {
  const file = new EventFile(folder, 7);
  file.add(8, []);
  file.add(9, [
    { tag: "loss", scalar: 1.5 },
    { tag: "weights", histogram: { low: -1, high: 1, counts: [3, 0, 4, 1] } },
    { tag: "sample", text: "one\ntwo ü" },
  ]);
  const [version, start, ...events] = readEvents(file.path, maskedCrc32c);
  expect(version).toMatchObject({ fileVersion: "brain.Event:2", startsSession: false });
  expect(start).toMatchObject({ step: 7, startsSession: true });
  expect(events).toEqual([
    {
      step: 9,
      fileVersion: undefined,
      startsSession: false,
      scalars: { loss: 1.5 },
      histograms: { weights: { min: -1, max: 1, limits: [-0.5, 0, 0.5, 1], counts: [3, 0, 4, 1] } },
      texts: { sample: "one\ntwo ü" },
      plugins: {},
    },
  ]);
});

it("sorts after the files that are there, also within a second and after a clock that was set back", () => {
  const late = path.join(folder, "events.out.tfevents.9000000000.elsewhere.1");
  writeFileSync(late, "");
  const [one, two] = [new EventFile(folder, 1), new EventFile(folder, 1)];
  expect(eventFiles(folder).slice(-3)).toEqual([late, one.path, two.path]);
});

it("tells the HParams page what a run was made with", () => {
  const [experiment, start] = hyperParameterValues({ rate: 0.5, type: "adamw", ties: true }, ["metrics/loss"], 12);
  const content = (value: typeof start) => decodeMessage(Buffer.from("content" in value ? value.content : []));
  const part = (message: Message, field: number) => decodeMessage(message.get(field)![0] as Buffer);
  const names = (messages: unknown[], field: number) =>
    messages.map((each) => String(decodeMessage(each as Buffer).get(field)![0]));
  const described = part(content(experiment), 2);
  expect(names(described.get(4)!, 1)).toEqual(["rate", "type", "ties"]);
  expect(described.get(4)!.map((each) => decodeMessage(each as Buffer).get(4)![0])).toEqual([3, 1, 2]);
  expect(String(part(part(described, 5), 1).get(2)![0])).toBe("metrics/loss");
  const session = part(content(start), 3);
  expect((session.get(5)![0] as Buffer).readDoubleLE()).toBe(12);
  const values = session.get(1)!.map((entry) => part(decodeMessage(entry as Buffer), 2));
  expect((values[0].get(2)![0] as Buffer).readDoubleLE()).toBe(0.5);
  expect(String(values[1].get(3)![0])).toBe("adamw");
  expect(values[2].get(4)![0]).toBe(1);
});
