import { Server } from "bitnet-lab/serve";

const server = await Server.start([{ file: process.argv[2] }], { port: 0 });
const page = await (await fetch(server.url)).text();
const response = await fetch(`${server.url}v1/completions`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ prompt: "Once", max_tokens: 5, temperature: 0 }),
});
const { usage } = (await response.json()) as { usage: { completion_tokens: number } };
console.log(`${page.includes("<textarea") ? "a" : "no"} page, ${usage.completion_tokens} tokens`);
await server.stop();
