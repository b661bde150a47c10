/** Filters of numbers. */
import { binary, unary } from "../../python/arithmetic.ts";
import { floatText } from "../../python/number_format.ts";
import { parseFloatText, parseInteger } from "../../python/number_parse.ts";
import { PythonError } from "../../python/python_error.ts";
import { roundFloat } from "../../python/rounding.ts";
import {
  isFloat,
  isNumeric,
  isTruthy,
  numberOf,
  pythonFloat,
  pythonInt,
  textOf,
  typeName,
} from "../../python/values.ts";
import type { Filter } from "../environment.ts";
import { JinjaError } from "../jinja_error.ts";
import { Undefined } from "../undefined.ts";
import { filter, numberArgument } from "./filter.ts";

/** `float(value)`; undefined if that is not possible. */
function toFloat(value: unknown): ReturnType<typeof pythonFloat> | undefined {
  const text = textOf(value);
  if (text !== undefined) return parseFloatText(text);
  return isNumeric(value) ? pythonFloat(Number(value)) : undefined;
}

/** `int(value)` of a number; undefined of nan. */
function truncatedNumber(value: number): number | bigint | undefined {
  if (Number.isNaN(value)) return undefined;
  if (!Number.isFinite(value)) throw new PythonError("cannot convert float infinity to integer");
  return pythonInt(Math.trunc(value));
}

function toInt(value: unknown, base: number): number | bigint | undefined {
  if (value instanceof Undefined) value.fail();
  const text = textOf(value);
  if (text !== undefined) {
    const whole = parseInteger(text, base);
    if (whole !== undefined) return whole;
    const number = parseFloatText(text);
    return number === undefined || !Number.isFinite(Number(number)) ? undefined : truncatedNumber(Number(number));
  }
  if (!isNumeric(value)) return undefined;
  return isFloat(value) ? truncatedNumber(Number(value)) : pythonInt(numberOf(value));
}

function rounded(value: unknown, precision: number, method: unknown): unknown {
  if (method !== "common" && method !== "ceil" && method !== "floor") {
    throw new JinjaError("round: method must be common, ceil or floor");
  }
  if (value instanceof Undefined) value.fail();
  if (!isNumeric(value)) throw new PythonError(`type ${typeName(value)} doesn't define __round__ method`);
  if (method === "common") {
    if (isFloat(value)) return pythonFloat(roundFloat(Number(value), precision));
    return precision >= 0 ? pythonInt(numberOf(value)) : pythonInt(roundWhole(BigInt(numberOf(value)), -precision));
  }
  const factor = binary("**", 10, precision);
  const scaled = binary("*", value, factor);
  const whole = isFloat(scaled) ? truncatedNumber(Math[method](Number(scaled))) : scaled;
  return binary("/", whole ?? Number.NaN, factor);
}

/** Half to even. */
function roundWhole(value: bigint, places: number): bigint {
  const unit = 10n ** BigInt(places);
  const rest = ((value % unit) + unit) % unit;
  const down = value - rest;
  const isUp = rest * 2n > unit || (rest * 2n === unit && (down / unit) % 2n !== 0n);
  return isUp ? down + unit : down;
}

function fileSize(value: unknown, isBinary: boolean): string {
  const size = toFloat(value);
  if (size === undefined) throw new PythonError(`filesizeformat needs a number, not ${typeName(value)}`);
  const bytes = Number(size);
  const base = isBinary ? 1024 : 1000;
  if (bytes === 1) return "1 Byte";
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const prefixes = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
  const at = prefixes.findIndex((_, i) => bytes < base ** (i + 2));
  const index = at < 0 ? prefixes.length - 1 : at;
  const letter = isBinary ? `${prefixes[index].toUpperCase()}i` : prefixes[index];
  return `${floatText((base * bytes) / base ** (index + 2), "f", 1, false)} ${letter}B`;
}

export const numberFilters: Record<string, Filter> = {
  int: filter("int", "default? base?", (_, value, otherwise, base) => {
    return toInt(value, numberArgument("int", base, 10)) ?? (otherwise === undefined ? 0 : otherwise);
  }),
  float: filter("float", "default?", (_, value, otherwise) => {
    if (value instanceof Undefined) value.fail();
    return toFloat(value) ?? (otherwise === undefined ? pythonFloat(0) : otherwise);
  }),
  abs: filter("abs", "", (_, value) => {
    if (!isNumeric(value)) throw new PythonError(`bad operand type for abs(): '${typeName(value)}'`);
    return numberOf(value) < 0 || Object.is(numberOf(value), -0) ? unary("-", value) : unary("+", value);
  }),
  round: filter("round", "precision? method?", (_, value, precision, method) =>
    precision === null && method === undefined && isFloat(value)
      ? truncatedNumber(roundFloat(Number(value), 0))
      : rounded(value, numberArgument("round", precision ?? undefined, 0), textOf(method) ?? method ?? "common"),
  ),
  filesizeformat: filter("filesizeformat", "binary?", (_, value, isBinary) => fileSize(value, isTruthy(isBinary))),
};
