/** Int8 rows of embedding and head: codes and scales by hand, and rows that are their own quantization. */
import { expect, test } from "vitest";
import { q8_0, q8_0Rows } from "../../src/gguf/types/q8_0.ts";
import { dequantizeInt8Rows, quantizeInt8Rows } from "../../src/quant/int8_rows.ts";
import { roundRows } from "../../src/quant/round_to_dtype.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";

test("a scale per row, max |w| / 127 as float16; codes by the scale before rounding", () => {
  const { codes, scales } = quantizeInt8Rows(Float32Array.of(127, -63.5, 0.5, 1.5, 0, 0, 1e-9, -1e-9), 4);
  expect(scales).toEqual(Float32Array.of(1, 0)); // 1e-9 / 127 is 0 as a float16, and so are its codes
  expect([...codes]).toEqual([127, -64, 0, 2, 0, 0, 0, 0]); // half to even
});

test("the values of a row are their own quantization", () => {
  const rng = new CounterRng(5, "int8 rows");
  const values = Float32Array.from({ length: 20 * 96 }, () => rng.normal() * 0.02);
  const once = quantizeInt8Rows(values, 96);
  expect(quantizeInt8Rows(dequantizeInt8Rows(once), 96)).toEqual(once);
});

test("Q8_0 holds a row with its scale in every block", () => {
  const rng = new CounterRng(6, "int8 rows");
  const values = Float32Array.from({ length: 96 }, () => rng.normal());
  const packed = new Uint8Array(3 * q8_0.blockBytes);
  q8_0Rows.packRow(values, packed, 0);
  const scales = [0, 1, 2].map((block) => [...packed.slice(block * q8_0.blockBytes, block * q8_0.blockBytes + 2)]);
  expect(scales[1]).toEqual(scales[0]);
  expect(scales[2]).toEqual(scales[0]);
  const back = new Float32Array(96);
  q8_0.unpackRow(packed, 0, back);
  expect(back).toEqual(roundRows(values, 96, "int8_row"));
});
