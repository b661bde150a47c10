/** The live page of a training run: who is answered, what it tells, and how it ends. */
import { request } from "node:http";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Dashboard, dashboardPort } from "../../../cli/dashboard/dashboard.ts";
import { livePage } from "../../../cli/dashboard/live_page.ts";
import { LiveRun } from "../../../cli/dashboard/live_run.ts";
import { checkPort, LiveServer } from "../../../cli/dashboard/live_server.ts";

const facts = { name: "<b>run", maxSteps: 100, startStep: 40, facts: [["model", "<i>"]] as const };
const row = { step: 40, tokens: 4000, loss: 2, learning_rate: 1e-3, grad_norm: 1, tokens_per_second: 100 };

test("--dashboard is a port, or none for a free one", () => {
  expect([undefined, "", "8080"].map(dashboardPort)).toEqual([undefined, 0, 8080]);
  for (const wrong of ["x", "70000", "-1", "1.5"]) expect(() => dashboardPort(wrong)).toThrow(`not ${wrong}`);
});

test("the time that is left follows from the steps of this process", () => {
  const run = new LiveRun(facts, [row]);
  run.hear({ type: "step", step: 41, loss: 3 }, 1000);
  expect(run.state.secondsLeft).toBeNull();
  run.hear({ type: "step", step: 46, loss: 2.5 }, 3500);
  expect(run.state).toMatchObject({ step: 46, loss: 2.5, secondsLeft: 27, end: null });
});

test("the page is one file, whose texts are text", () => {
  const html = livePage("</title><script>alert(1)");
  expect(html).toContain("<h1>&lt;/title&gt;&lt;script&gt;alert(1)</h1>");
  expect(html.match(/<script>/g)).toHaveLength(2);
  expect(html).toContain("uPlot");
  expect(html).not.toMatch(/<link|src="|https?:\/\/(?!github|www\.w3)/);
});

interface Answer {
  status: number;
  text: string;
}

function ask(port: number, path: string, options: { host?: string; method?: string } = {}): Promise<Answer> {
  const { host = `127.0.0.1:${port}`, method = "GET" } = options;
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, method, headers: { host } }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode!, text }));
    });
    asked.on("error", reject).end();
  });
}

describe("the server", () => {
  const server = new LiveServer(new LiveRun(facts, [row]), "<p>page</p>");
  let port: number;
  beforeAll(async () => {
    port = await server.listen(0);
  });
  afterAll(() => server.close());

  test("answers its own names only", async () => {
    expect(await ask(port, "/")).toEqual({ status: 200, text: "<p>page</p>" });
    expect((await ask(port, "/", { host: `localhost:${port}` })).status).toBe(200);
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1", `127.0.0.1:${port + 1}`]) {
      expect((await ask(port, "/events", { host })).status, host).toBe(403);
    }
    expect((await ask(port, "/secret")).status).toBe(404);
    expect((await ask(port, "/", { method: "POST" })).status).toBe(405);
  });

  test("a port that is taken is one line", async () => {
    const line = `port ${port} is taken: name another one with --dashboard=PORT, or none for a free one`;
    await expect(new LiveServer(new LiveRun(facts, []), "").listen(port)).rejects.toThrow(line);
    await expect(checkPort(port)).rejects.toThrow(line);
  });

  test.skipIf(process.platform !== "linux")("listens on the loopback address alone", async () => {
    // Another address of this machine has the port still.
    const other = createServer();
    await new Promise<void>((resolve, reject) => other.once("error", reject).listen(port, "127.0.0.2", resolve));
    await new Promise((resolve) => other.close(resolve));
  });
});

test("tells what the trainer tells, from the beginning, and its end; then it listens no longer", async () => {
  const dashboard = await Dashboard.open(0, facts, [row]);
  const port = Number(new URL(dashboard.url).port);
  const heard: string[] = [];
  const listener = dashboard.listening({
    onStep: (step) => heard.push(`step ${step}`),
    onRemark: (line) => heard.push(line),
    onSample: (_, text) => heard.push(text),
  });
  const told = ask(port, "/events");
  await ask(port, "/");
  listener.onStep?.(41, 1.9);
  listener.onMetrics?.({ ...row, step: 41, loss: 1.9 } as never);
  listener.onSample?.(41, "once\nupon");
  listener.onRemark?.("watch out");
  listener.onStep?.(42, 1.8);
  await dashboard.close("finished");
  const events = (await told).text
    .trimEnd()
    .split("\n\n")
    .map((event) => /^event: (\w+)\ndata: (.*)$/.exec(event)!.slice(1));
  expect(events.map(([name]) => name)).toEqual(["state", "step", "row", "sample", "note", "step", "end"]);
  const data = events.map(([, json]) => JSON.parse(json));
  expect(data[0]).toMatchObject({ name: "<b>run", maxSteps: 100, step: 40, rows: [row], end: null });
  expect(data[1]).toEqual({ step: 41, loss: 1.9, secondsLeft: null });
  expect(data[2].row).toMatchObject({ step: 41, loss: 1.9 });
  expect(data[3]).toMatchObject({ step: 41, text: "once\nupon" });
  expect(data[5], "the last step, however soon after the one before").toMatchObject({ step: 42, loss: 1.8 });
  expect(data[6]).toMatchObject({ text: "finished" });
  expect(heard).toEqual(["step 41", "once\nupon", "watch out", "step 42"]);
  await expect(ask(port, "/")).rejects.toThrow("ECONNREFUSED");
});
