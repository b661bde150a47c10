/** The probes by name. A new one is a file beside this one and a word in the list. */
import { nearestHint } from "../errors/nearest_name.ts";
import { UserError } from "../errors/user_error.ts";
import { CounterRng } from "../random/counter_rng.ts";
import { addition } from "./addition.ts";
import { copy } from "./copy.ts";
import { dyck } from "./dyck.ts";
import { modularAddition } from "./modular_addition.ts";
import { parity } from "./parity.ts";
import { isHeldOut, type ProbeDefinition, type ProbeExample, type ProbeOption } from "./probe.ts";
import { recall } from "./recall.ts";
import { sort } from "./sort.ts";

export const probes: readonly ProbeDefinition[] = [addition, modularAddition, copy, sort, parity, dyck, recall];

/** The data set that they are in task files; its configuration is a probe's notation. */
export const probeDataset = "bitnet-lab/probes";

/** A probe was named that there is not, or with options that it does not have. */
export class ProbeError extends UserError {
  override name = "ProbeError";
}

/** What every probe has besides its difficulty. */
const commonOptions = {
  seed: { default: 1, least: 0, most: Number.MAX_SAFE_INTEGER },
  /** Of training text, each of several examples. */
  documents: { default: 20_000, least: 1, most: 100_000_000 },
  /** Lines of a document. */
  examples: { default: 8, least: 1, most: 1000 },
  /** Questions of an evaluation. */
  questions: { default: 500, least: 1, most: 1_000_000 },
} satisfies Record<string, ProbeOption>;

/** Draws in search of another example before the probe counts as exhausted. */
const patience = 1000;

/** A probe at a difficulty. */
export class Probe {
  readonly definition: ProbeDefinition;
  private readonly options: Record<string, number>;

  /** @param options resolved */
  constructor(definition: ProbeDefinition, options: Record<string, number>) {
    this.definition = definition;
    this.options = options;
  }

  /** `addition?digits=3&documents=20000 ...`: with every option, in one order. */
  get notation(): string {
    return `${this.definition.name}?${Object.entries(this.options)
      .map(([name, value]) => `${name}=${value}`)
      .join("&")}`;
  }

  /** Training text: lines of examples that are not held out. The same for the same options. */
  *documents(): Generator<string> {
    const { documents, examples } = this.options;
    const rng = this.stream("train");
    for (let i = 0; i < documents; i++) {
      const lines = Array.from({ length: examples }, () => this.next(rng, false));
      yield lines.map(({ prompt, answer }) => `${prompt}${answer}\n`).join("");
    }
  }

  /** Different questions: held out, or (to be shown before others) trained on. Fewer than asked for where there are no more. */
  questions(split: "train" | "test"): ProbeExample[] {
    const rng = this.stream(`questions/${split}`);
    const found = new Map<string, ProbeExample>();
    for (let failures = 0; found.size < this.options.questions && failures < patience; ) {
      const example = this.next(rng, split === "test");
      if (found.has(example.prompt)) failures++;
      else failures = 0;
      found.set(example.prompt, example);
    }
    return [...found.values()];
  }

  /** Characters of the longest answer that is asked for. */
  longestAnswer(): number {
    return this.questions("test").reduce((longest, { answer }) => Math.max(longest, answer.length), 0);
  }

  private stream(use: string): CounterRng {
    return new CounterRng(this.options.seed, `probe/${this.definition.name}/${use}`);
  }

  private next(rng: CounterRng, heldOut: boolean): ProbeExample {
    for (let i = 0; i < patience; i++) {
      const example = this.definition.draw(this.options, rng);
      if (isHeldOut(example) === heldOut) return example;
    }
    const which = heldOut ? "to ask" : "to train on";
    throw new ProbeError(`probe ${this.notation}: has no examples ${which}: it is too small to be split`);
  }
}

/**
 * A probe as `data.sources` and task names write it: `addition`, `addition?digits=5&seed=2`.
 * @throws {ProbeError}
 */
export function parseProbe(notation: string): Probe {
  const [name, query = ""] = notation.split(/\?(.*)/s);
  const names = probes.map((each) => each.name);
  const definition = probes.find((each) => each.name === name);
  if (definition === undefined) {
    throw new ProbeError(
      `probe ${notation}: there is no probe ${name}${nearestHint(name, names)}: ${names.join(", ")}`,
    );
  }
  const known: Record<string, ProbeOption> = { ...definition.options, ...commonOptions };
  const options = Object.fromEntries(Object.entries(known).map(([key, option]) => [key, option.default]));
  for (const [key, text] of new URLSearchParams(query)) {
    if (!Object.hasOwn(known, key)) {
      throw new ProbeError(`probe ${notation}: ${name} has no option ${key}; it has ${Object.keys(known).join(", ")}`);
    }
    const { least, most } = known[key];
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      throw new ProbeError(`probe ${notation}: ${key} is a whole number from ${least} to ${most}, not "${text}"`);
    }
    options[key] = value;
  }
  return new Probe(definition, options);
}
