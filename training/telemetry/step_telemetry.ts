/** Everything that is measured of one step. */
import type { CausalLM } from "../../src/model/causal_lm.ts";
import type { WeightQuantizer } from "../../src/quantizers/weight_quantizer.ts";
import type { StepObserver } from "../train_step.ts";
import { ActivationTelemetry } from "./activation_telemetry.ts";
import type { TelemetryDetail } from "./telemetry_options.ts";
import type { TelemetryRow } from "./telemetry_row.ts";
import { UpdateTelemetry } from "./update_telemetry.ts";

export class StepTelemetry implements StepObserver {
  readonly updates: UpdateTelemetry;
  readonly linears: ActivationTelemetry | undefined;

  /**
   * @param detail null: the zeros and flips of a row of metrics alone
   * @param quantizer what makes the codes of the stage at hand; null where there are none
   */
  constructor(
    model: Pick<CausalLM, "config" | "parameters">,
    detail: TelemetryDetail | null,
    quantizer: WeightQuantizer | null,
  ) {
    this.updates = new UpdateTelemetry(model, quantizer, detail);
    this.linears = detail === null ? undefined : new ActivationTelemetry(model.config, detail);
  }

  /** Parameters, then activations, each in forward order. */
  rows(step: number): TelemetryRow[] {
    return [...this.updates.rows, ...(this.linears?.rows ?? [])].map((row) => ({ step, ...row }));
  }
}
