/** Python's `decimal.Decimal`: an integer of any size and a power of ten. */
import { PythonObject } from "./python_object.ts";

export class PythonDecimal extends PythonObject {
  readonly typeName = "Decimal";
  private readonly digits: bigint;
  private readonly scale: number;

  /** digits / 10^scale */
  constructor(digits: bigint, scale: number) {
    super();
    this.digits = digits;
    this.scale = scale;
  }

  repr(): string {
    return `Decimal('${this.str()}')`;
  }

  /** The "to-scientific-string" of the General Decimal Arithmetic Specification. */
  override str(): string {
    const sign = this.digits < 0n ? "-" : "";
    const digits = (this.digits < 0n ? -this.digits : this.digits).toString();
    const adjusted = digits.length - 1 - this.scale;
    if (this.scale < 0 || adjusted < -6) {
      const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`;
      return `${sign}${mantissa}E${adjusted < 0 ? "-" : "+"}${Math.abs(adjusted)}`;
    }
    if (this.scale === 0) return sign + digits;
    const padded = digits.padStart(this.scale + 1, "0");
    return `${sign}${padded.slice(0, -this.scale)}.${padded.slice(-this.scale)}`;
  }

  override valueOf(): number {
    return Number(this.str());
  }

  override isTruthy(): boolean {
    return this.digits !== 0n;
  }

  override equals(other: unknown): boolean {
    if (other instanceof PythonDecimal) {
      const [a, b] = [this, other];
      return (
        a.digits * 10n ** BigInt(Math.max(0, b.scale - a.scale)) ===
        b.digits * 10n ** BigInt(Math.max(0, a.scale - b.scale))
      );
    }
    return typeof other === "number" && this.valueOf() === other;
  }

  /** As lm-evaluation-harness writes it to its samples. */
  toJSON(): string {
    return this.str();
  }
}
