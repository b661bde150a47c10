/** Text of a float as CPython writes it. */

/** `repr` of a float: the shortest digits that give it back; an exponent from 1e16 on and below 1e-4. */
export function floatRepr(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const [mantissa, exponentText] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 16) {
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${mantissa}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  // In this range JavaScript writes no exponent where Python writes none, but down to 1e-6 and up to 1e21.
  const text = String(value);
  return text.includes(".") ? text : `${text}.0`;
}
