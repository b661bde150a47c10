/** Counters and gauges of the server in Prometheus' text format. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ServedModel } from "./served_model.ts";

export class ApiMetrics {
  readonly registry = new Registry();
  readonly requests = new Counter({
    name: "bitnet_requests_total",
    help: "Requests by route and status",
    labelNames: ["route", "status"],
    registers: [this.registry],
  });
  readonly seconds = new Histogram({
    name: "bitnet_request_seconds",
    help: "Seconds from the head of a request to the end of its answer",
    labelNames: ["route"],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300],
    registers: [this.registry],
  });
  readonly promptTokens = this.#tokens("prompt", "Tokens of prompts");
  readonly cachedTokens = this.#tokens("cached_prompt", "Tokens of prompts that were in a slot already");
  readonly generatedTokens = this.#tokens("generated", "Tokens drawn");

  constructor(models: Iterable<ServedModel>) {
    const served = [...models];
    const gauge = (name: string, help: string, value: (model: ServedModel) => number) =>
      new Gauge({
        name,
        help,
        labelNames: ["model"],
        registers: [this.registry],
        collect() {
          for (const model of served) this.set({ model: model.id }, value(model));
        },
      });
    gauge("bitnet_generations_running", "Generations that hold a slot", ({ running }) => running);
    gauge("bitnet_generations_waiting", "Generations that wait for a slot", ({ waiting }) => waiting);
    gauge("bitnet_slots", "Generations that can run at once", ({ limits }) => limits.slots);
  }

  #tokens(kind: string, help: string): Counter<"model"> {
    return new Counter({
      name: `bitnet_${kind}_tokens_total`,
      help,
      labelNames: ["model"],
      registers: [this.registry],
    });
  }
}
