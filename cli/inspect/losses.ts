/**
 * What only the values of a file tell: whether it was trained with SiLU or relu^2, and in which order its I2_S codes are.
 * The file is run on a text as it says, and as it would be under the other readings: the one that knows language is right.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Engine } from "../../native/inference/engine.ts";
import { UserError } from "../../src/errors/user_error.ts";
import { readGgufTokenizer } from "../../src/gguf/file_tokenizer.ts";
import { type I2sOrder, i2sOrders, i2sOrderTexts } from "../../src/gguf/i2_s_orders.ts";
import type { InspectedModel } from "../../src/inspect/inspected_model.ts";
import type { Evidence, Finding } from "../../src/inspect/model_facts.ts";
import { type Reading, rewriteGguf } from "./rewrite_gguf.ts";

export interface ReadingLoss extends Reading {
  hiddenAct: string | null;
  /** Nats of a token; null where the engine refuses the reading. */
  loss: number | null;
  /** Why it refuses; "" otherwise. */
  refusal: string;
}

export interface LossOptions {
  text: string;
  threads?: number;
  signal?: AbortSignal;
  onReading?(done: number): void;
}

/** Predictions at most. */
const mostTokens = 384;
/**
 * A loss below this share of log(vocabulary) shows that the codes are in order: nothing else is tried. Frequencies of tokens
 * alone, which are in the embedding, give about 0.6.
 */
const knowsLanguage = 0.35;
/**
 * A model without this much says nothing of readings: scrambled codes make it less sure of a text that it does not know, and
 * that is a lower loss.
 */
const knowsSomething = 0.6;
/** The better of two readings must be so by this much, in nats and in standard errors of the paired differences. */
const margin = { nats: 0.05, errors: 4 };

const acts: Record<string, string> = { bitnet: "silu", "bitnet-b1.58": "relu2", "bitnet-25": "relu2" };
const actNames: Record<string, string> = { silu: "SiLU", relu2: "relu^2" };

type Scored = ReadingLoss & { logprobs: Float32Array };

export interface ReadingEvidence extends Pick<Evidence, "hiddenAct" | "i2sOrder" | "engine"> {
  losses: ReadingLoss[];
  /** Why there are no losses, or null. */
  remark: string | null;
}

/** @param file on this machine */
export async function evidenceByLosses(
  file: string,
  model: InspectedModel,
  options: LossOptions,
): Promise<ReadingEvidence> {
  const stated: Reading = { architecture: model.facts.architecture, order: "x86" };
  const nothing = { hiddenAct: null, i2sOrder: null, losses: [] };
  let ids: Int32Array;
  let remark: string | null = null;
  try {
    const tokenizer = await readGgufTokenizer(file);
    ids = Int32Array.from(tokenizer.encode(options.text)).slice(0, mostTokens + 1);
    if (ids.length < 2) remark = "the text has fewer than two tokens";
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    ids = new Int32Array(0);
    remark = error.message;
  }
  const folder = await mkdtemp(path.join(tmpdir(), "bitnet-inspect-"));
  try {
    const vocabulary = model.facts.embeddingRows ?? 2;
    const run = new Readings(file, path.join(folder, "reading.gguf"), ids, vocabulary, options);
    const first = await run.score(stated);
    if (remark !== null) return { ...nothing, engine: first.refusal, remark };
    const isI2s = model.facts.linearTypes.includes("I2_S");
    const isGood = first.loss !== null && first.loss < knowsLanguage * Math.log(vocabulary);
    if (isI2s && !isGood) {
      const orders = i2sOrders.filter((order) => order !== "x86" && (order !== "rows" || hasRowsOfFour(model)));
      for (const order of orders) await run.score({ ...stated, order });
    }
    const { order } = run.best();
    const other = acts[stated.architecture] === "silu" ? "bitnet-b1.58" : "bitnet";
    const isOpen = stated.architecture in acts && model.facts.hiddenAct === null;
    if (isOpen) await run.score({ architecture: other, order });
    return {
      hiddenAct: isOpen
        ? run.finding(
            ({ hiddenAct }) => hiddenAct,
            (act) => actNames[act] ?? act,
          )
        : null,
      i2sOrder: isI2s ? orderFinding(run, isGood) : null,
      engine: first.refusal,
      losses: run.all.map(({ logprobs: _, ...reading }) => reading),
      remark: null,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function orderFinding(run: Readings, isGood: boolean): Finding | null {
  if (isGood) {
    const loss = run.all[0].loss!.toFixed(2);
    return { name: "x86", why: `a text has a loss of ${loss} nats a token in this order` };
  }
  return run.finding(
    ({ order }) => order,
    (order) => i2sOrderTexts[order as I2sOrder],
  );
}

/** Groups of four rows in all matrices. */
function hasRowsOfFour({ tensors }: InspectedModel): boolean {
  return tensors.filter(({ type }) => type === "I2_S").every(({ shape }) => shape[0] % 4 === 0);
}

class Readings {
  readonly all: Scored[] = [];
  private readonly file: string;
  private readonly rewritten: string;
  private readonly ids: Int32Array;
  private readonly vocabulary: number;
  private readonly options: LossOptions;

  constructor(file: string, rewritten: string, ids: Int32Array, vocabulary: number, options: LossOptions) {
    this.file = file;
    this.rewritten = rewritten;
    this.ids = ids;
    this.vocabulary = vocabulary;
    this.options = options;
  }

  /** Runs the file itself first, then copies that are other readings of it. */
  async score(reading: Reading): Promise<Scored> {
    const { signal, threads, onReading } = this.options;
    const isStated = this.all.length === 0;
    if (!isStated) await rewriteGguf(this.file, this.rewritten, reading, signal);
    const scored: Scored = {
      ...reading,
      hiddenAct: acts[reading.architecture] ?? null,
      loss: null,
      refusal: "",
      logprobs: new Float32Array(0),
    };
    try {
      const engine = await Engine.load(isStated ? this.file : this.rewritten, { threads, signal });
      try {
        const ids = this.ids.slice(0, engine.config.contextLength + 1);
        if (ids.length >= 2) {
          const [{ logprobs }] = await engine.score([ids], { signal });
          Object.assign(scored, { logprobs, loss: -logprobs.reduce((sum, each) => sum + each, 0) / logprobs.length });
        }
      } finally {
        engine.dispose();
      }
    } catch (error) {
      if (signal?.aborted || !(error instanceof UserError)) throw error;
      scored.refusal = error.message.replace(/^[^:]*\.gguf: /, "");
    }
    this.all.push(scored);
    onReading?.(this.all.length);
    return scored;
  }

  /** The reading with the least loss; the stated one if none runs. */
  best(): Scored {
    return this.all.reduce((best, each) => (each.loss !== null && each.loss < (best.loss ?? Infinity) ? each : best));
  }

  /** What the best reading has in common with none that is nearly as good; null if the losses do not separate them. */
  finding(of: (reading: Scored) => string | null, text: (name: string) => string): Finding | null {
    const best = this.best();
    const name = of(best);
    const others = this.all.filter((each) => of(each) !== name);
    if (best.loss === null || name === null || others.length === 0) return null;
    if (best.loss > knowsSomething * Math.log(this.vocabulary)) return null;
    if (others.some((other) => !isClearlyBetter(best, other))) return null;
    const losses = others.map((other) => {
      const found = other.loss === null ? "the engine refuses it" : `${other.loss.toFixed(2)}`;
      return `${found} with ${text(of(other) ?? "")}`;
    });
    return {
      name,
      why: `a text has a loss of ${best.loss.toFixed(2)} nats a token with ${text(name)}, ${losses.join(", ")}`,
    };
  }
}

function isClearlyBetter(best: Scored, other: Scored): boolean {
  if (other.loss === null) return true;
  const differences = best.logprobs.map((each, i) => each - other.logprobs[i]);
  const count = differences.length;
  const mean = differences.reduce((sum, each) => sum + each, 0) / count;
  const variance = differences.reduce((sum, each) => sum + (each - mean) ** 2, 0) / Math.max(1, count - 1);
  return mean > margin.nats && mean > margin.errors * Math.sqrt(variance / count);
}
