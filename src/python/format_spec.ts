/** `format(value, spec)`: `[[fill]align][sign][#][0][width][grouping][.precision][type]`. */
import { floatText, grouped, intText } from "./number_format.ts";
import { PythonError } from "./python_error.ts";
import { textLength, textSlice } from "./text.ts";
import { isFloat, isNumeric, numberOf, pythonStr, textOf, typeName } from "./values.ts";

const specPattern =
  /^(?:(?<fill>.)?(?<align>[<>=^]))?(?<sign>[-+ ])?z?(?<alternate>#)?(?<zero>0)?(?<width>\d+)?(?<grouping>[,_])?(?:\.(?<precision>\d+))?(?<type>[a-zA-Z%])?$/su;

interface Spec {
  fill: string;
  align: string;
  width: number;
}

function aligned({ fill, align, width }: Spec, sign: string, body: string): string {
  const missing = Math.max(0, width - textLength(sign) - textLength(body));
  switch (align) {
    case "<":
      return sign + body + fill.repeat(missing);
    case "^":
      return fill.repeat(missing >> 1) + sign + body + fill.repeat(missing - (missing >> 1));
    case "=":
      return sign + fill.repeat(missing) + body;
    default:
      return fill.repeat(missing) + sign + body;
  }
}

/**
 * `format(value, spec)`.
 * @throws {PythonError}
 */
export function formatValue(value: unknown, spec: string): string {
  if (spec === "") return pythonStr(value);
  const match = specPattern.exec(spec);
  if (match === null)
    throw new PythonError(`Invalid format specifier '${spec}' for object of type '${typeName(value)}'`);
  const { fill, align, sign, alternate, zero, width, grouping, precision, type } = match.groups as Record<
    string,
    string | undefined
  >;
  const isNumber = isNumeric(value);
  const layout: Spec = {
    fill: fill ?? (zero ? "0" : " "),
    align: align ?? (zero && isNumber ? "=" : isNumber ? ">" : "<"),
    width: Number(width ?? 0),
  };
  const digits = precision === undefined ? undefined : Number(precision);
  if (!isNumber) {
    const text = textOf(value);
    if (text === undefined) throw new PythonError(`unsupported format string passed to ${typeName(value)}.__format__`);
    if (type !== undefined && type !== "s") {
      throw new PythonError(`Unknown format code '${type}' for object of type '${typeName(value)}'`);
    }
    if (sign !== undefined) throw new PythonError("Sign not allowed in string format specifier");
    if (grouping !== undefined) throw new PythonError(`Cannot specify '${grouping}' with 's'.`);
    return aligned(layout, "", digits === undefined ? text : textSlice(text, 0, digits));
  }
  const isFloatType = type !== undefined && "eEfFgG%".includes(type);
  const number = numberOf(value);
  const isNegative = number < 0 || Object.is(number, -0);
  const mark = isNegative ? "-" : sign === "+" || sign === " " ? sign : "";
  let [prefix, body] = ["", ""];
  if (digits !== undefined && !isFloat(value) && !isFloatType) {
    throw new PythonError("Precision not allowed in integer format specifier");
  }
  if (isFloat(value) || isFloatType) body = floatText(Number(number), type ?? null, digits, alternate !== undefined);
  else if (type === "c") return aligned({ ...layout, align: align ?? "<" }, "", String.fromCodePoint(Number(number)));
  else if (type === undefined || "bdnoxX".includes(type)) {
    [prefix, body] = intText(number, type ?? "d", alternate !== undefined);
  } else throw new PythonError(`Unknown format code '${type}' for object of type 'int'`);
  if (grouping) body = groupedToWidth(body, grouping, type, layout, textLength(mark + prefix));
  return aligned(layout, mark + prefix, body);
}

/** Zeros that fill the width are grouped too. */
function groupedToWidth(body: string, separator: string, type: string | undefined, layout: Spec, used: number): string {
  const size = type !== undefined && "boxX".includes(type) ? 4 : 3;
  let text = grouped(body, separator, size);
  if (layout.align !== "=" || layout.fill !== "0") return text;
  for (let filled = body; text.length + used < layout.width; text = grouped(filled, separator, size))
    filled = `0${filled}`;
  return text;
}
