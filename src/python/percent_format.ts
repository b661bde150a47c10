/** `text % values`: printf as Python has it. */
import { dictGet, isDict } from "./dict.ts";
import { PythonRange } from "./iterators.ts";
import { floatText, intText } from "./number_format.ts";
import { PythonError } from "./python_error.ts";
import { textLength, textSlice } from "./text.ts";
import { isFloat, isNumeric, numberOf, PythonTuple, pythonRepr, pythonStr, textOf, typeName } from "./values.ts";

const directive =
  /%(?:\((?<key>[^()]*(?:\([^()]*\)[^()]*)*)\))?(?<flags>[#0\- +]*)(?<width>\*|\d+)?(?:\.(?<precision>\*|\d*))?[hlL]?(?<type>[\s\S]?)/g;

interface Layout {
  flags: string;
  width: number;
}

/** Sign and prefix stand before the zeros that fill the width. */
function laidOut({ flags, width }: Layout, sign: string, body: string, fillsZeros: boolean): string {
  const missing = Math.max(0, width - textLength(sign) - textLength(body));
  if (flags.includes("-")) return sign + body + " ".repeat(missing);
  return fillsZeros && flags.includes("0") ? sign + "0".repeat(missing) + body : " ".repeat(missing) + sign + body;
}

function signOf(flags: string, isNegative: boolean): string {
  if (isNegative) return "-";
  return flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
}

function numberText(value: unknown, type: string, layout: Layout, precision: number | undefined): string {
  if (!isNumeric(value)) {
    const wanted = "diouxX".includes(type)
      ? type === "x" || type === "X" || type === "o"
        ? "an integer is"
        : "a real number is"
      : "must be real number";
    throw new PythonError(
      wanted.startsWith("must")
        ? `${wanted}, not ${typeName(value)}`
        : `%${type} format: ${wanted} required, not ${typeName(value)}`,
    );
  }
  const alternate = layout.flags.includes("#");
  if ("diouxX".includes(type)) {
    if (isFloat(value) && !"diu".includes(type)) {
      throw new PythonError(`%${type} format: an integer is required, not float`);
    }
    const whole = isFloat(value) ? BigInt(Math.trunc(Number(value))) : numberOf(value);
    const [prefix, digits] = intText(whole, type, alternate);
    return laidOut(layout, signOf(layout.flags, whole < 0) + prefix, digits.padStart(precision ?? 0, "0"), true);
  }
  const number = Number(value);
  const isNegative = number < 0 || Object.is(number, -0);
  return laidOut(
    layout,
    signOf(layout.flags, isNegative),
    floatText(number, type, precision, alternate),
    Number.isFinite(number),
  );
}

function characterText(value: unknown): string {
  const text = textOf(value);
  if (text !== undefined && textLength(text) === 1) return text;
  if (isNumeric(value) && !isFloat(value)) return String.fromCodePoint(Number(value));
  throw new PythonError("%c requires int or char");
}

/** What Python takes for a mapping here, though it is none: no value of it need be used. */
function isListLike(values: unknown): boolean {
  return (Array.isArray(values) && !(values instanceof PythonTuple)) || values instanceof PythonRange;
}

/**
 * `format % values`; a tuple gives the values one by one, a dict by name.
 * @throws {PythonError}
 */
export function percentFormat(format: string, values: unknown): string {
  const list = values instanceof PythonTuple ? values : [values];
  let next = 0;
  let usesNames = false;
  const take = (): unknown => {
    if (next >= list.length) throw new PythonError("not enough arguments for format string");
    return list[next++];
  };
  const text = format.replace(directive, (...match) => {
    const { key, flags: given, width, precision, type } = match.at(-1) as Record<string, string | undefined>;
    if (type === "%") return "%";
    if (type === undefined || type === "") throw new PythonError("incomplete format");
    let flags = given ?? "";
    let space = width === "*" ? Number(take()) : Number(width ?? 0);
    if (space < 0) [flags, space] = [`${flags}-`, -space];
    const digits = precision === "*" ? Number(take()) : precision === undefined ? undefined : Number(precision);
    const layout = { flags, width: space };
    let value: unknown;
    if (key === undefined) value = take();
    else {
      if (!isDict(values)) throw new PythonError("format requires a mapping");
      usesNames = true;
      value = dictGet(values, key);
      if (value === undefined) throw new PythonError(`${pythonRepr(key)} is not in the values of the format`);
    }
    if (type === "s" || type === "r" || type === "a") {
      const whole = type === "s" ? pythonStr(value) : pythonRepr(value);
      return laidOut(layout, "", digits === undefined ? whole : textSlice(whole, 0, digits), false);
    }
    if (type === "c") return laidOut(layout, "", characterText(value), false);
    if ("diouxXeEfFgG".includes(type)) return numberText(value, type, layout, digits);
    throw new PythonError(`unsupported format character '${type}'`);
  });
  if (!usesNames && next < list.length && !isDict(values) && !isListLike(values)) {
    throw new PythonError("not all arguments converted during string formatting");
  }
  return text;
}
