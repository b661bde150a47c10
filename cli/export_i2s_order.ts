/** In which order the codes of I2_S of a GGUF file are that is exported: what the user says, what a text says, what they show. */
import { UserError } from "../src/errors/user_error.ts";
import { openGgufBytes } from "../src/gguf/gguf_reader.ts";
import { type I2sOrder, i2sOrderTexts, type RowKeepingOrder, rowKeepingOrders } from "../src/gguf/i2_s_orders.ts";
import { i2sOrderByFit } from "../src/inspect/i2_s_fit.ts";
import { openGgufModel } from "../src/inspect/open_gguf.ts";
import { UsageError } from "./command.ts";
import { evidenceByLosses } from "./inspect/losses.ts";

export interface OrderOptions {
  /** Of the flag. */
  stated?: RowKeepingOrder | "auto";
  text: string;
  threads?: number;
  signal?: AbortSignal;
  say(line: string): void;
}

/** @throws {UserError} one line that asks for the flag, where the order is another one or not known. */
export async function i2sOrderOf(
  file: string,
  { stated, text, threads, signal, say }: OrderOptions,
): Promise<RowKeepingOrder> {
  const model = await openGgufModel(file, openGgufBytes);
  try {
    if (!model.tensors.some(({ type }) => type === "I2_S")) {
      if (stated !== undefined) throw new UsageError(`--i2s-order: ${file} has no I2_S`);
      return "x86";
    }
    if (stated !== undefined && stated !== "auto") return stated;
    const fit = await i2sOrderByFit(model);
    if (stated === undefined) {
      if (fit === null || fit.name === "x86") return "x86";
      const order = i2sOrderTexts[fit.name as I2sOrder];
      throw new UserError(`${file}: its codes of I2_S are in the order ${order}: ${fit.why}${advice(fit.name)}`);
    }
    const { losses, i2sOrder, remark } = await evidenceByLosses(file, model, { text, threads, signal });
    for (const { order, loss, refusal } of losses) {
      const found = loss === null ? `the engine refuses it: ${refusal}` : `${loss.toFixed(4)} nats a token`;
      say(`I2_S in the order ${i2sOrderTexts[order]}: ${found}`);
    }
    const finding = i2sOrder ?? fit;
    if (finding === null) {
      const reason = remark === null ? "the losses of a text do not tell" : `no text was run (${remark})`;
      throw new UserError(
        `${file}: the order of its codes of I2_S is not known: ${reason}, and the codes do not: say --i2s-order x86, arm or serial`,
      );
    }
    say(`I2_S is read in the order ${i2sOrderTexts[finding.name as I2sOrder]}: ${finding.why}`);
    return readable(file, finding.name);
  } finally {
    await model.close();
  }
}

function advice(order: string): string {
  return isReadable(order) ? `; --i2s-order ${order} reads them so` : ", which is not read";
}

function readable(file: string, order: string): RowKeepingOrder {
  if (isReadable(order)) return order;
  throw new UserError(`${file}: codes of I2_S in the order ${i2sOrderTexts[order as I2sOrder]} are not read`);
}

function isReadable(order: string): order is RowKeepingOrder {
  return rowKeepingOrders.some((each) => each === order);
}
