/** Decimal digits of a double, rounded from its exact value, half to even, as CPython rounds. (JavaScript rounds half up.) */

/** `value` as an exact fraction, numerator and denominator. */
function fraction(value: number): [bigint, bigint] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const exponent = Number(bits >> 52n);
  const mantissa = (bits & ((1n << 52n) - 1n)) | (exponent > 0 ? 1n << 52n : 0n);
  const power = (exponent || 1) - 1075;
  return power >= 0 ? [mantissa << BigInt(power), 1n] : [mantissa, 1n << BigInt(-power)];
}

/** `|value| * 10**places`, rounded to a whole number; `value` must be finite. */
export function scaledDigits(value: number, places: number): bigint {
  let [numerator, denominator] = fraction(value);
  if (places >= 0) numerator *= 10n ** BigInt(places);
  else denominator *= 10n ** BigInt(-places);
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  const isUp = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return isUp ? quotient + 1n : quotient;
}

/** `round(value, places)` of a float. */
export function roundFloat(value: number, places: number): number {
  if (!Number.isFinite(value) || value === 0 || places > 340) return value;
  const digits = scaledDigits(value, places);
  return Math.sign(value) * Number(`${digits}e${-places}`) || (value < 0 ? -0 : 0);
}

/** `places` digits behind the point, without a sign. */
export function fixedText(value: number, places: number): string {
  const digits = scaledDigits(value, places)
    .toString()
    .padStart(places + 1, "0");
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** `places + 1` digits and the exponent of the first, without a sign. */
export function exponentDigits(value: number, places: number): [digits: string, exponent: number] {
  if (value === 0) return ["0".repeat(places + 1), 0];
  let exponent = Number(Math.abs(value).toExponential().split("e")[1]);
  let digits = scaledDigits(value, places - exponent).toString();
  if (digits.length > places + 1) {
    exponent++;
    digits = scaledDigits(value, places - exponent).toString();
  }
  return [digits, exponent];
}
