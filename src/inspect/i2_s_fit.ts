/**
 * The order of the codes of an I2_S file, by the codes themselves. Training ties the channels of a feed-forward block
 * together: rows of gate and up that are sparse belong to columns of down that are sparse. In the right order the zeros
 * of both correlate (0.2 to 0.9 in trained models), in a wrong one hardly. The engine refuses files by the same measure
 * (native/cc/inference/i2_s_layout.h), among the orders that keep rows.
 */
import { type I2sOrder, i2sOrders, i2sOrderTexts, toX86Order } from "../gguf/i2_s_orders.ts";
import { i2_s } from "../gguf/types/i2_s.ts";
import type { InspectedModel, InspectedTensor } from "./inspected_model.ts";
import type { Finding } from "./model_facts.ts";

/** Channels that are looked at; fewer if the model has fewer. */
const mostChannels = 8192;
/** A difference that chance gives once in a thousand million files, in standard deviations of a correlation. */
const deviations = 6;

export interface OrderFit {
  order: I2sOrder;
  correlation: number;
}

/** The best first; empty for a model without such blocks in I2_S. */
export async function i2sOrderFits(model: InspectedModel): Promise<{ fits: OrderFit[]; channels: number }> {
  const layers = feedForwards(model);
  const [first] = layers;
  if (first === undefined) return { fits: [], channels: 0 };
  const wanted = Math.max(1, Math.floor(mostChannels / first.gate.shape[0]));
  const step = Math.max(1, Math.floor(layers.length / wanted));
  const sums = new Map(i2sOrders.map((order) => [order, new Covariance()]));
  let channels = 0;
  for (let layer = Math.floor(step / 2); layer < layers.length; layer += step) {
    const { gate, up, down } = layers[layer];
    const packed = await Promise.all([gate, up, down].map((tensor) => codeBytes(model, tensor)));
    for (const order of i2sOrders) {
      const [a, b, c] = packed.map((bytes, i) => zerosOf(bytes, [gate, up, down][i], order));
      sums.get(order)!.add(
        a.rows.map((zeros, i) => zeros + b.rows[i]),
        c.cols,
      );
    }
    channels += gate.shape[0];
  }
  const fits = i2sOrders.map((order) => ({ order, correlation: sums.get(order)!.correlation() }));
  return { fits: fits.sort((a, b) => b.correlation - a.correlation), channels };
}

/** The order that the codes have, where they tell; null if they do not. */
export async function i2sOrderByFit(model: InspectedModel): Promise<Finding | null> {
  const { fits, channels } = await i2sOrderFits(model);
  if (channels === 0) return null;
  const [best, second] = fits;
  const isClear = best.correlation - Math.max(0, second.correlation) > deviations * Math.sqrt(2 / channels);
  if (!isClear) return null;
  return {
    name: best.order,
    why: `zeros in rows of gate and up and in columns of down correlate by ${best.correlation.toFixed(2)} in the order ${i2sOrderTexts[best.order]}, by ${second.correlation.toFixed(2)} at most in others`,
  };
}

function feedForwards({ tensors }: InspectedModel) {
  const byName = new Map(tensors.map((tensor) => [tensor.ggufName, tensor]));
  const found: { gate: InspectedTensor; up: InspectedTensor; down: InspectedTensor }[] = [];
  for (let layer = 0; ; layer++) {
    const [gate, up, down] = ["gate", "up", "down"].map((name) => byName.get(`blk.${layer}.ffn_${name}.weight`));
    if (!gate || !up || !down) return found;
    const isI2s = ({ layout, shape }: InspectedTensor) =>
      layout.kind === "gguf" && layout.type.name === i2_s.name && shape.length === 2 && shape[0] % 4 === 0;
    const fits = String(gate.shape) === String(up.shape) && down.shape[1] === gate.shape[0];
    if (fits && [gate, up, down].every(isI2s)) found.push({ gate, up, down });
  }
}

function codeBytes(model: InspectedModel, tensor: InspectedTensor): Promise<Uint8Array> {
  return model.read(tensor, 0, tensor.bytes - i2_s.tailBytes);
}

/** Zeros of each row and column. */
function zerosOf(packed: Uint8Array, { shape }: InspectedTensor, order: I2sOrder) {
  const [rows, cols] = shape;
  const bytes = toX86Order(packed, cols, order);
  const zeros = { rows: new Float64Array(rows), cols: new Float64Array(cols) };
  const row = new Int8Array(cols);
  for (let r = 0; r < rows; r++) {
    i2_s.unpackRow(bytes, (r * cols) / 4, row);
    for (let c = 0; c < cols; c++) {
      if (row[c] !== 0) continue;
      zeros.rows[r]++;
      zeros.cols[c]++;
    }
  }
  return zeros;
}

/** Sums of products of deviations from the mean, over channels of several layers. */
class Covariance {
  private products = 0;
  private squares = [0, 0];

  add(a: Float64Array, b: Float64Array): void {
    const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [meanA, meanB] = [mean(a), mean(b)];
    for (let i = 0; i < a.length; i++) {
      this.products += (a[i] - meanA) * (b[i] - meanB);
      this.squares[0] += (a[i] - meanA) ** 2;
      this.squares[1] += (b[i] - meanB) ** 2;
    }
  }

  correlation(): number {
    const [a, b] = this.squares;
    return a > 0 && b > 0 ? this.products / Math.sqrt(a * b) : 0;
  }
}
