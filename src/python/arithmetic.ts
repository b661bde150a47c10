/** Python's operators on values: ints of any size, floats, texts, lists and tuples. */
import { percentFormat } from "./percent_format.ts";
import { PythonError } from "./python_error.ts";
import { type BinaryOperator, PythonObject } from "./python_object.ts";
import { repeatText } from "./text.ts";
import {
  isFloat,
  isInteger,
  isNumeric,
  type Numeric,
  numberOf,
  PythonFloat,
  PythonTuple,
  pythonFloat,
  pythonInt,
  pythonTuple,
  textOf,
  typeName,
} from "./values.ts";

function wholeOperation(operator: BinaryOperator, a: bigint, b: bigint): unknown {
  switch (operator) {
    case "+":
      return pythonInt(a + b);
    case "-":
      return pythonInt(a - b);
    case "*":
      return pythonInt(a * b);
    case "/":
      return pythonFloat(trueQuotient(a, b));
    case "//":
      return pythonInt(a / b - (a % b !== 0n && a % b < 0n !== b < 0n ? 1n : 0n));
    case "%":
      return pythonInt(((a % b) + b) % b);
    case "**":
      return b < 0n ? pythonFloat(floatPower(Number(a), Number(b))) : power(a, b);
  }
}

/** Bits of the largest power that is computed: a template shall not stop the process. */
const largestPower = 100_000;

function power(a: bigint, b: bigint): unknown {
  if (BigInt(a.toString(2).length) * b > BigInt(largestPower) && a !== 1n && a !== -1n) {
    throw new PythonError(`${a} ** ${b} is too large`);
  }
  return pythonInt(a ** b);
}

function floatOperation(operator: BinaryOperator, a: number, b: number): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "//":
      return floatQuotient(a, b);
    case "%":
      return floatModulo(a, b);
    case "**":
      return floatPower(a, b);
  }
}

/** `a / b`, rounded once. */
function trueQuotient(a: bigint, b: bigint): number {
  const [left, right] = [Number(a), Number(b)];
  if (Number.isSafeInteger(left) && Number.isSafeInteger(right)) return left / right;
  // 64 bits of the quotient, the last of which says whether there is more.
  const [numerator, denominator] = [a < 0n ? -a : a, b < 0n ? -b : b];
  const shift = BigInt(Math.max(0, 64 + denominator.toString(2).length - numerator.toString(2).length));
  const scaled = (numerator << shift) / denominator;
  const isExact = scaled * denominator === numerator << shift;
  const magnitude = Number(isExact ? scaled : scaled | 1n) / 2 ** Number(shift);
  return a < 0n !== b < 0n ? -magnitude : magnitude;
}

/** As CPython computes it: the quotient of what is left without the remainder, rounded to a whole number. */
function floatQuotient(a: number, b: number): number {
  const rest = a % b;
  let quotient = (a - rest) / b;
  if (rest !== 0 && rest < 0 !== b < 0) quotient -= 1;
  if (quotient === 0) return Object.is(a / b, -0) || a / b < 0 ? -0 : 0;
  const whole = Math.floor(quotient);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}

function floatPower(a: number, b: number): number {
  if (a === 0 && b < 0) throw new PythonError("0.0 cannot be raised to a negative power");
  if (a === 1) return 1;
  if (a < 0 && Number.isFinite(b) && !Number.isInteger(b)) throw new PythonError("complex numbers are not supported");
  return a ** b;
}

/** Has the sign of `b`. */
function floatModulo(a: number, b: number): number {
  const rest = a % b;
  if (rest === 0) return b < 0 ? -0 : 0;
  return rest < 0 !== b < 0 ? rest + b : rest;
}

function numericOperation(operator: BinaryOperator, a: Numeric, b: Numeric): unknown {
  if ((operator === "/" || operator === "//" || operator === "%") && Number(b) === 0) {
    const isModulo = operator === "%";
    throw new PythonError(isModulo ? "integer modulo by zero" : "division by zero");
  }
  if (isFloat(a) || isFloat(b)) return pythonFloat(floatOperation(operator, Number(a), Number(b)));
  if (operator === "+" || operator === "-" || operator === "*") {
    const result = floatOperation(operator, Number(a), Number(b));
    if (Number.isSafeInteger(result) && typeof a !== "bigint" && typeof b !== "bigint") return result + 0;
  }
  return wholeOperation(operator, BigInt(numberOf(a)), BigInt(numberOf(b)));
}

function repeated(value: unknown, times: unknown): unknown {
  if (typeof times !== "boolean" && !isInteger(times)) return undefined;
  if (typeof value === "string") return repeatText(value, Number(times));
  if (!Array.isArray(value)) return undefined;
  const items = Array.from({ length: Math.max(0, Number(times)) }, () => value).flat(1);
  return value instanceof PythonTuple ? pythonTuple(items) : items;
}

/**
 * `a <operator> b`.
 * @throws {PythonError}
 */
export function binary(operator: BinaryOperator, a: unknown, b: unknown): unknown {
  if (isNumeric(a) && isNumeric(b)) return numericOperation(operator, a, b);
  if (operator === "%" && typeof a === "string") return percentFormat(a, b);
  if (a instanceof PythonObject && !(a instanceof PythonFloat)) {
    const result = a.binary(operator, b, true);
    if (result !== undefined) return result;
  }
  if (b instanceof PythonObject && !(b instanceof PythonFloat)) {
    const result = b.binary(operator, a, false);
    if (result !== undefined) return result;
  }
  if (operator === "*") {
    const result = repeated(a, b) ?? repeated(b, a);
    if (result !== undefined) return result;
  }
  if (operator === "+") {
    const [left, right] = [textOf(a), textOf(b)];
    if (left !== undefined && right !== undefined) return left + right;
    if (Array.isArray(a) && Array.isArray(b) && a instanceof PythonTuple === b instanceof PythonTuple) {
      return a instanceof PythonTuple ? pythonTuple([...a, ...b]) : [...a, ...b];
    }
    if (left !== undefined || Array.isArray(a)) {
      const kind = typeName(a);
      throw new PythonError(`can only concatenate ${kind} (not "${typeName(b)}") to ${kind}`);
    }
  }
  const name = operator === "**" ? "** or pow()" : operator;
  throw new PythonError(`unsupported operand type(s) for ${name}: '${typeName(a)}' and '${typeName(b)}'`);
}

/**
 * `-value` or `+value`.
 * @throws {PythonError}
 */
export function unary(operator: "-" | "+", value: unknown): unknown {
  if (isNumeric(value)) {
    if (isFloat(value)) return pythonFloat(operator === "-" ? -Number(value) : Number(value));
    return numericOperation(operator, 0, value);
  }
  if (value instanceof PythonObject) value.binary(operator, 0, true);
  throw new PythonError(`bad operand type for unary ${operator}: '${typeName(value)}'`);
}
