/** A user's own model with our layer in it, on the project's own tfjs. */
import * as tf from "@tensorflow/tfjs";
import { BitLinear } from "bitnet-lab";

const model = tf.sequential({
  layers: [new BitLinear({ units: 32, activation: "relu", inputShape: [8] }), tf.layers.dense({ units: 1 })],
});
model.compile({ optimizer: tf.train.adam(0.02), loss: "meanSquaredError" });
const x = tf.randomUniform([128, 8], -1, 1, "float32", 1);
const y = tf.sum(x, 1, true);
const { history } = await model.fit(x, y, { epochs: 15, batchSize: 32, shuffle: false, verbose: 0 });
console.log(JSON.stringify({ first: history.loss[0], last: history.loss.at(-1) }));
