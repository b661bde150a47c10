/** Numbers under a format of `%` or `format()`: without sign, width and fill. */
import { floatRepr } from "./float_text.ts";
import { PythonError } from "./python_error.ts";
import { exponentDigits, fixedText } from "./rounding.ts";

function exponentText(digits: string, exponent: number, keepPoint: boolean): string {
  const size = String(Math.abs(exponent)).padStart(2, "0");
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : keepPoint ? `${digits}.` : digits;
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${size}`;
}

/** `precision` significant digits, without zeros at the end. */
function general(value: number, precision: number, keepZeros: boolean, limit = precision): string {
  const [digits, exponent] = exponentDigits(value, precision - 1);
  const short = (text: string) => {
    if (!text.includes(".")) return keepZeros ? `${text}.` : text;
    return keepZeros ? text : text.replace(/\.?0+$/, "");
  };
  if (exponent >= -4 && exponent < limit) return short(fixedText(value, Math.max(0, precision - 1 - exponent)));
  const [mantissa, power] = exponentText(digits, exponent, keepZeros).split("e");
  return `${short(mantissa)}e${power}`;
}

/** `|value|` under one of the types e f g %, or without a type (null). */
export function floatText(
  value: number,
  type: string | null,
  precision: number | undefined,
  alternate: boolean,
): string {
  const magnitude = Math.abs(value);
  const isCapital = type !== null && type !== type.toLowerCase();
  let text: string;
  if (!Number.isFinite(value)) text = Number.isNaN(value) ? "nan" : "inf";
  else {
    switch (type?.toLowerCase() ?? null) {
      case "f":
        text = fixedText(magnitude, precision ?? 6) + (alternate && precision === 0 ? "." : "");
        break;
      case "%":
        text = fixedText(magnitude * 100, precision ?? 6);
        break;
      case "e":
        text = exponentText(...exponentDigits(magnitude, precision ?? 6), alternate);
        break;
      case "g":
      case "n":
        text = general(magnitude, Math.max(1, precision ?? 6), alternate);
        break;
      case null: {
        if (precision === undefined) text = floatRepr(magnitude);
        else {
          const digits = Math.max(1, precision);
          text = general(magnitude, digits, alternate, digits - 1 || 1);
          if (!/[.e]/.test(text)) text += ".0";
        }
        break;
      }
      default:
        throw new PythonError(`Unknown format code '${type}' for object of type 'float'`);
    }
  }
  if (type === "%") text += "%";
  return isCapital ? text.toUpperCase() : text;
}

const bases: Record<string, [base: number, prefix: string]> = {
  b: [2, "0b"],
  o: [8, "0o"],
  x: [16, "0x"],
  X: [16, "0X"],
};

/** `|value|` under one of the types b d o x X n; the prefix apart. */
export function intText(value: number | bigint, type: string, alternate: boolean): [prefix: string, digits: string] {
  const magnitude = value < 0 ? -value : value;
  const [base, prefix] = bases[type] ?? [10, ""];
  const digits = magnitude.toString(base);
  return [alternate ? prefix : "", type === "X" ? digits.toUpperCase() : digits];
}

/** Groups of digits before the point, `size` each. */
export function grouped(text: string, separator: string, size: number): string {
  const [, whole, rest] = /^([0-9a-fA-F]*)(.*)$/s.exec(text)!;
  return whole.replace(new RegExp(`\\B(?=(?:[0-9a-fA-F]{${size}})+$)`, "g"), separator) + rest;
}
